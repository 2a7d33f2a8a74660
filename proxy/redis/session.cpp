#include "proxy/redis/session.hpp"

#include <cassert>
#include <utility>

#include "proxy/redis/failure.hpp"
#include "proxy/redis/limits.hpp"
#include "proxy/redis/merge.hpp"
#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {

RedisSession::RedisSession(const Router& router, const ProxyInfo& proxy, std::uint64_t id)
    : router_(&router), proxy_(&proxy), client_{.id = id, .name = {}, .library = {}, .library_version = {}} {}

Verdict RedisSession::on_client(std::span<const char> span) {
  std::string_view input(span.data(), span.size());
  if (doing_ == Doing::asking) {
    parser_.parse(input.substr(skipped_));  // the bytes may have moved
    return next_ask();
  }
  if (done_) {
    parser_.next();
    done_ = false;
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
  merge_replies(gathered_[first_gathered_], parts, out);
  gathered_[first_gathered_++] = {};
  // Space is given back now and then, so that a pipeline that never runs dry holds no more than it has open.
  constexpr std::size_t kForgotten = 32;
  if (first_gathered_ == gathered_.size() || first_gathered_ >= kForgotten) {
    gathered_.erase(gathered_.begin(), gathered_.begin() + static_cast<std::ptrdiff_t>(first_gathered_));
    first_gathered_ = 0;
  }
}

bool RedisSession::fail(Failure failure, std::string_view backend_name, std::string& out) {
  append_error(out, failure_text(failure, backend_name));
  return true;
}

void RedisSession::rebind(const Router& router, const ProxyInfo& proxy) {
  router_ = &router;
  proxy_ = &proxy;
  current_ = kNoBackend;
  waiting_for_ = kNoBackend;
}

// Passing messages on. --------------------------------------------------------------------------------------

Verdict RedisSession::pass_to(BackendIndex backend) {
  if (backend == kNoBackend) return wait_for(kNoBackend);
  done_ = true;
  const std::size_t before = std::exchange(skipped_, 0);
  const bool verbatim = before == 0 && !parser_.is_inline();
  return {.kind = verbatim ? Verdict::Kind::pass : Verdict::Kind::send,
          .backend = backend,
          .consumed = before + parser_.size(),
          .text = verbatim ? std::string_view() : parser_.message()};
}

// Passes on what is there of a message that is too large to collect.
Verdict RedisSession::stream_to(BackendIndex backend, std::string_view input) {
  const std::size_t here = parser_.understood(input);
  const std::uint64_t more = parser_.missing(input);
  if (here + more == 0) return {};
  parser_.gone(here + more);
  doing_ = parser_.all_gone() ? Doing::reading : Doing::streaming;
  done_ = parser_.all_gone();
  return {
      .kind = Verdict::Kind::pass, .unfinished = !done_, .backend = backend, .consumed = here, .more = more};
}

Verdict RedisSession::go_on_streaming(std::string_view input) {
  switch (parser_.parse(input)) {
    case RequestParser::Status::complete:
      doing_ = Doing::reading;
      done_ = true;
      return {.kind = Verdict::Kind::pass, .consumed = parser_.size()};
    case RequestParser::Status::broken:
      return broken(input.size());
    default:
      return stream_to(kNoBackend, input);
  }
}

// Drops what is there of a message that gets an error reply; text_ is that.
Verdict RedisSession::drop(std::string_view input) {
  doing_ = Doing::dropping;
  switch (parser_.parse(input)) {
    case RequestParser::Status::complete:
      doing_ = Doing::reading;
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
    return {.kind = Verdict::Kind::ask,
            .backend = ask.backend,
            .text = ask.text.empty() ? parser_.message() : std::string_view(ask.text)};
  }
  gathered_.push_back(std::move(group.gathered));
  group_.reset();
  doing_ = Doing::reading;
  done_ = true;
  return {.kind = Verdict::Kind::gather, .consumed = std::exchange(skipped_, 0) + parser_.size()};
}

// Answers from here. ----------------------------------------------------------------------------------------

Verdict RedisSession::answer() {
  done_ = true;
  return {
      .kind = Verdict::Kind::answer, .consumed = std::exchange(skipped_, 0) + parser_.size(), .text = text_};
}

Verdict RedisSession::answer_error(std::string_view text) {
  set_error(text);
  return answer();
}

Verdict RedisSession::broken(std::size_t consumed) {
  set_error("ERR " + std::string(parser_.error()));
  return {.kind = Verdict::Kind::close, .consumed = consumed, .text = text_};
}

void RedisSession::set_error(std::string_view text) {
  text_.clear();
  append_error(text_, text);
}

// Waiting for a backend. ------------------------------------------------------------------------------------

Verdict RedisSession::wait_for(BackendIndex backend) {
  waiting_for_ = backend;
  if (!gave_up_) return {.kind = Verdict::Kind::wait};
  if (backend == kNoBackend) return answer_error(failure_text(Failure::no_backend, {}));
  return answer_error(failure_text(Failure::unreachable, router_->name(backend)));
}

// What was waited for in vain may be there again.
void RedisSession::forget_waiting() {
  if (waiting_for_ != kNoBackend) {
    gave_up_ = !router_->usable(waiting_for_);
  } else {
    gave_up_ = (router_->whole() ? router_->for_client(current_) : router_->for_any()) == kNoBackend;
  }
}

}  // namespace ambassador::proxy::redis
