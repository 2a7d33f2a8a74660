#include "proxy/redis/session.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "proxy/redis/failure.hpp"
#include "proxy/redis/limits.hpp"
#include "proxy/redis/merge.hpp"
#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {

RedisSession::RedisSession(const CoreParts& core, KeyWatch& watch, std::uint64_t id)
    : router_(&core.router),
      proxy_(&core.proxy),
      auth_(&core.auth),
      mirrors_(core.mirrors),
      text_(&core.text),
      cache_(core.cache),
      watch_(&watch),
      client_{.id = id, .name = {}, .library = {}, .library_version = {}} {
  auth_->log_out(client_);
  look_who_it_is();
}

Verdict RedisSession::on_client(std::span<const char> span) {
  std::string_view input(span.data(), span.size());
  if (doing_ == Doing::asking) {
    parser_.parse(input.substr(skipped_));  // the bytes may have moved
    return next_ask();
  }
  if (doing_ == Doing::streaming) return go_on_streaming(input);
  if (doing_ == Doing::dropping) return drop(input);
  if (gave_up_) forget_waiting();

  // Empty messages are no exchange: they are dropped along with the message behind them.
  for (input.remove_prefix(skipped_);; input.remove_prefix(parser_.size()), parser_.next()) {
    switch (parser_.parse(input)) {
      case RequestParser::Status::complete:
        return route(input);
      case RequestParser::Status::nothing:
        skipped_ += parser_.size();
        break;
      case RequestParser::Status::broken:
        return broken(span.size());
      case RequestParser::Status::incomplete:
        if (input.size() > kCollect) return route_large(input);
        return {.kind = Verdict::Kind::need_more, .consumed = std::exchange(skipped_, 0)};
    }
  }
}

void RedisSession::merge(std::span<const Part> parts, std::string& out) {
  assert(first_gathered_ < gathered_.size());
  if (std::ranges::any_of(parts, &Part::failed)) in_step_.lost();
  const std::size_t before = out.size();
  const Gathered& gathered = gathered_[first_gathered_];
  merge_replies(gathered, parts, out);
  if (gathered.merge == Merge::selected) selected(gathered, out[before] != '-');
  // A subscription that a server refused, but is counted here: the client is better off with a new
  // connection.
  const auto refused = [](const Part& part) { return part.failed || part.reply.starts_with('-'); };
  if (gathered.merge == Merge::confirmed && held_ && std::ranges::any_of(parts, refused))
    held_->stale = !held_->subscriptions.empty();
  gathered_[first_gathered_++] = {};
  // Space is given back now and then, so that a pipeline that never runs dry holds no more than it has open.
  constexpr std::size_t kForgotten = 32;
  if (first_gathered_ == gathered_.size() || first_gathered_ >= kForgotten) {
    gathered_.erase(gathered_.begin(), gathered_.begin() + static_cast<std::ptrdiff_t>(first_gathered_));
    first_gathered_ = 0;
  }
}

bool RedisSession::fail(Failure failure, std::string_view backend_name, std::string_view reason,
                        std::string& out) {
  in_step_.lost();  // nothing came by the connection
  append_error(out, failure_text(failure, backend_name, reason));
  return true;
}

void RedisSession::rebind(const CoreParts& core) {
  if (held_ && !router_->same_places(core.router)) renumber_held(core.router);
  router_ = &core.router;
  proxy_ = &core.proxy;
  auth_ = &core.auth;
  mirrors_ = core.mirrors;
  if (!auth_->required()) client_.logged_in = true;
  look_who_it_is();
  text_ = &core.text;
  cache_ = core.cache;
  in_step_.lost();
  current_ = reading_ = kNoBackend;
  rebound_ = true;
  waiting_for_ = kNoBackend;
}

// Passing messages on. --------------------------------------------------------------------------------------

Verdict RedisSession::pass_to(BackendIndex backend) {
  if (backend == kNoBackend) return wait_for(kNoBackend);
  show_keys();
  const bool verbatim = skipped_ == 0 && !parser_.is_inline();
  if (!verbatim) text_->assign(parser_.message());
  const Lease lease = lease_to(backend);
  goes_to(backend, lease);
  return {.kind = verbatim ? Verdict::Kind::pass : Verdict::Kind::send,
          .reads = reads_,
          .mirrored = mirrored_,
          .lease = lease,
          .lane = lane_to(home_, backend),
          .backend = backend,
          .home = home_,
          .consumed = end_message(),
          .text = verbatim ? std::string_view() : std::string_view(*text_)};
}

// The parser is done with its message: the bytes that it takes, with the empty ones before it.
std::size_t RedisSession::end_message() {
  const std::size_t size = skipped_ + parser_.size();
  skipped_ = 0;
  settled_ = false;  // it was for this message, which did not need it in the end
  parser_.next();
  return size;
}

// Passes on what is there of a message that is too large to collect.
Verdict RedisSession::stream_to(BackendIndex backend, std::string_view input) {
  const std::size_t here = parser_.understood(input);
  const std::uint64_t more = parser_.missing(input);
  if (here + more == 0) return {};
  parser_.gone(here + more);
  const bool all_gone = parser_.all_gone();
  doing_ = all_gone ? Doing::reading : Doing::streaming;
  if (all_gone) parser_.next();
  goes_to(backend, Lease::last);
  return {.kind = Verdict::Kind::pass,
          .unfinished = !all_gone,
          .mirrored = mirrored_,
          .lane = lane_to(home_, backend),
          .backend = backend,
          .home = home_,
          .consumed = here,
          .more = more};
}

Verdict RedisSession::go_on_streaming(std::string_view input) {
  switch (parser_.parse(input)) {
    case RequestParser::Status::complete:
      doing_ = Doing::reading;
      return {.kind = Verdict::Kind::pass, .consumed = end_message()};
    case RequestParser::Status::broken:
      return broken(input.size());
    default:
      return stream_to(kNoBackend, input);
  }
}

// Begins to drop a message that is not whole yet; at its end it gets the error reply in text_.
Verdict RedisSession::begin_to_drop(std::string_view input) {
  doing_ = Doing::dropping;
  refusal_ = *text_;
  return drop(input);
}

Verdict RedisSession::drop(std::string_view input) {
  switch (parser_.parse(input)) {
    case RequestParser::Status::complete:
      doing_ = Doing::reading;
      text_->swap(refusal_);
      refusal_ = {};
      return answer();
    case RequestParser::Status::broken:
      return broken(input.size());
    default: {
      const std::size_t here = parser_.understood(input);
      parser_.gone(here);
      return {.kind = Verdict::Kind::need_more, .consumed = here};
    }
  }
}

Verdict RedisSession::next_ask() {
  Group& group = *group_;
  if (group.next < group.asks.size()) {
    const Ask& ask = group.asks[group.next++];
    const Lease lease = ask.lease != Lease::none ? ask.lease : lease_to(ask.backend);
    goes_to(ask.backend, lease);
    return {.kind = Verdict::Kind::ask,
            .reads = reads_,
            .listens = ask.listens,
            .lease = lease,
            .lane = lane_to(ask.home, ask.backend),
            .backend = ask.backend,
            .home = ask.home,
            .replies = ask.replies,
            .text = ask.text.empty() ? parser_.message() : std::string_view(ask.text)};
  }
  show_keys();
  // Of a transaction this message is the end: its copy is what the server was sent.
  if (mirrored_ && group.gathered.merge == Merge::executed) {
    *text_ = std::move(group.asks.front().text);
  } else if (mirrored_) {
    text_->assign(parser_.message());
  }
  gathered_.push_back(std::move(group.gathered));
  group_.reset();
  doing_ = Doing::reading;
  return {.kind = Verdict::Kind::gather,
          .mirrored = mirrored_,
          .lane = lane_,
          .consumed = end_message(),
          .text = mirrored_ ? std::string_view(*text_) : std::string_view()};
}

// Answers from here. ----------------------------------------------------------------------------------------

Verdict RedisSession::answer() {
  return {.kind = Verdict::Kind::answer, .consumed = end_message(), .text = *text_};
}

Verdict RedisSession::answer_error(std::string_view text) {
  set_error(text);
  return answer();
}

Verdict RedisSession::broken(std::size_t consumed) {
  set_error("ERR " + std::string(parser_.error()));
  return {.kind = Verdict::Kind::close, .consumed = consumed, .text = *text_};
}

void RedisSession::set_error(std::string_view text) {
  text_->clear();
  append_error(*text_, text);
}

// Waiting for a backend. ------------------------------------------------------------------------------------

// True: wait for `backend` (kNoBackend: any). False: that was in vain, the error reply is in text_.
bool RedisSession::has_to_wait(BackendIndex backend) {
  waiting_for_ = backend;
  waiting_at_ = backend == kNoBackend ? home_ : Home::anywhere;
  waits_to_read_ = false;
  if (!gave_up_) return true;
  const bool any = backend == kNoBackend;
  set_error(any ? router_->nobody() : failure_text(Failure::unreachable, router_->name(backend)));
  return false;
}

Verdict RedisSession::wait_for(BackendIndex backend) {
  if (has_to_wait(backend)) return {.kind = Verdict::Kind::wait};
  return answer();
}

// What was waited for in vain may be there again.
void RedisSession::forget_waiting() {
  if (waiting_for_ != kNoBackend) {
    gave_up_ = !router_->usable(waiting_for_);
  } else if (router_->clustered() && waiting_at_ != Home::anywhere) {
    gave_up_ = router_->backend_at(waiting_at_, client_.id) == kNoBackend;
  } else if (waits_to_read_) {
    gave_up_ = router_->replicas_read() && router_->for_reading(reading_) == kNoBackend;
  } else {
    gave_up_ = (router_->whole() ? router_->for_client(current_) : router_->for_any()) == kNoBackend;
  }
}

}  // namespace ambassador::proxy::redis
