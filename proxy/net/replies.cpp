// From the lanes to the client: every exchange answered once, in the order in which it was opened.
#include "proxy/net/client.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

void Client::reply(Lane& lane, std::uint32_t sequence, std::uint32_t part, Block* block,
                   std::string_view bytes, bool complete) {
  if (closed_) return;
  const std::uint32_t turn = sequence - first_;
  Exchange& exchange = exchanges_[turn];
  if (exchange.kind == Exchange::Kind::pass && turn == 0) {
    out_.append_reply(loop().pool(), block, bytes.data(), bytes.size());
    exchange.begun = true;
    if (complete) pop();
    wrote_more(&lane);  // before the lane may be given back
    if (closed_) return;
    if (leases_) [[unlikely]]
      lease_answered(lane, sequence, complete);
    if (!complete) return;
    if (stream_ != Stream::none && sequence == streamed_) end_stream();
    if (!exchanges_.empty()) return advance();
    if (leases_) [[unlikely]]
      send_news();
    return;
  }
  if (exchange.kind == Exchange::Kind::pass) {
    exchange.kept.refer(block, bytes.data(), bytes.size());
    exchange.done = complete;
  } else {
    assert(exchange.kind == Exchange::Kind::gather);
    Group::Ask& ask = exchange.group->asks[part];
    ask.reply.refer(block, bytes.data(), bytes.size());
    if (complete) {
      ask.done = true;
      --exchange.group->missing;
    }
  }
  kept_ += bytes.size();
  if (kept_ > kKeptMost) return broken("more replies than are kept wait for an earlier one");
  if (leases_) [[unlikely]]
    lease_answered(lane, sequence, complete);
  if (complete && turn == 0) advance();
}

void Client::take_back(std::uint32_t sequence, std::uint32_t part) {
  if (closed_) return;
  Exchange& exchange = exchanges_[sequence - first_];
  assert(!exchange.begun);
  Slices& kept = exchange.kind == Exchange::Kind::gather ? exchange.group->asks[part].reply : exchange.kept;
  kept_ -= kept.size();
  kept.clear();
}

void Client::hold_back() {
  settling_ = settling_ || (!closed_ && !exchanges_.empty() && stream_ == Stream::none);
}

void Client::unasked(Lane& lane, Block* block, std::string_view bytes) {
  if (closed_) return;
  out_.append_reply(loop().pool(), block, bytes.data(), bytes.size());
  wrote_more(&lane);
}

void Client::fail(std::uint32_t sequence, std::uint32_t part, Failure failure, const Upstream* upstream,
                  std::string_view reason) {
  if (closed_) return;
  relay_.counters().failures.add(failure);
  const std::uint32_t turn = sequence - first_;
  Exchange& exchange = exchanges_[turn];
  if (exchange.kind == Exchange::Kind::gather) {
    Group::Ask& ask = exchange.group->asks[part];
    kept_ -= ask.reply.size();
    ask.reply.clear();
    ask.done = ask.failed = true;
    ask.failure = failure;
    ask.reason = reason;
    --exchange.group->missing;
  } else {
    // Half a reply can't be taken back: the client must not read the next one as its rest.
    if (exchange.begun) return close();
    if (stream_ != Stream::none && sequence == streamed_) end_stream();
    kept_ -= exchange.kept.size();
    exchange.kept.clear();
    exchange.done = exchange.failed = true;
    exchange.failure = failure;
    if (upstream != nullptr) {
      exchange.details = std::make_unique<Failed>(
          Failed{.backend_name = upstream->backend().name, .reason = std::string(reason)});
    }
  }
  if (turn == 0) advance();
}

void Client::advance() {
  bool more = true;
  while (more && !exchanges_.empty() && !closing_) {
    Exchange& exchange = exchanges_.front();
    switch (exchange.kind) {
      case Exchange::Kind::pass:
        more = exchange.done;
        if (!exchange.kept.empty()) exchange.begun = true;
        if (exchange.failed && !send_failed(exchange)) closing_ = true;
        send_kept(exchange);
        break;
      case Exchange::Kind::gather:
        more = exchange.group->closed && exchange.group->missing == 0;
        if (more) send_merged(exchange);
        break;
      case Exchange::Kind::close:
        closing_ = true;
        [[fallthrough]];
      case Exchange::Kind::answer:
        send_kept(exchange);
        break;
    }
    if (more) pop();
  }
  if (leases_ && !closing_) [[unlikely]]
    send_news();
  if (stream_ == Stream::waiting && !closing_ && exchanges_.size() == 1) start_stream();
  loop().flush_client_later(*this);
}

void Client::pop() {
  if (exchanges_.front().patient) [[unlikely]]
    --patient_;
  exchanges_.front().reset();
  exchanges_.pop();
  ++first_;
  relay_.counters().replies.add();
  if (settling_ && exchanges_.empty()) [[unlikely]] {
    settling_ = false;
    read_on();
  }
}

void Client::send_kept(Exchange& exchange) {
  kept_ -= exchange.kept.size();
  out_.take(loop().pool(), exchange.kept);
}

bool Client::send_failed(Exchange& exchange) {
  std::string text;
  const Failed unknown;
  const Failed& details = exchange.details ? *exchange.details : unknown;
  const bool has_replies = session_->fail(exchange.failure, details.backend_name, details.reason, text);
  out_.copy(loop().pool(), text.data(), text.size());
  return has_replies;
}

void Client::send_merged(Exchange& exchange) {
  const std::vector<Group::Ask>& asks = exchange.group->asks;
  std::vector<std::string> scratch(asks.size());
  std::vector<Part> parts(asks.size());
  for (std::size_t i = 0; i < asks.size(); ++i) {
    kept_ -= asks[i].reply.size();
    parts[i] = {.backend = asks[i].backend,
                .backend_name = asks[i].backend_name,
                .failed = asks[i].failed,
                .failure = asks[i].failure,
                .reply = asks[i].reply.flat(scratch[i]),
                .reason = asks[i].reason};
  }
  std::string merged;
  session_->merge(parts, merged);
  out_.copy(loop().pool(), merged.data(), merged.size());
}

void Client::wrote_more(Lane* from) {
  loop().flush_client_later(*this);
  if (out_.size() <= kUnreadHigh || blocked_lane_ != nullptr) return;
  flush();
  if (closed_ || out_.size() <= kUnreadHigh) return;
  blocked_lane_ = from;
  blocked_since_ = loop().now();
  from->block(*this);
  if (shared_) loop().deadlines().no_later_than(*this, blocked_since_ + kSlowPatience);
}

// One server has answered what it was asked later, another one not yet what it was asked before: then what is
// there to be sent is mostly a small part of what will be in a moment, and a send of its own costs as much.
bool Client::is_worth_holding() const {
  return kept_ > 0 && !out_.empty() && out_.size() <= kHeldMost && patient_ == 0 && stream_ == Stream::none &&
         !closing_ && !ended_ && !exchanges_.empty() && !exchanges_.front().begun;
}

void Client::server_ended() {
  server_ended_ = true;
  loop().flush_client_later(*this);
}

void Client::server_lost() {
  closing_ = true;
  loop().flush_client_later(*this);
}

void Client::server_unreachable() {
  if (loop().now() - started_ >= relay_.timeouts().queue) {
    relay_.counters().failures.add(Failure::unreachable);
    return close();
  }
  relay_.choose_again(*own_lane_);
}

}  // namespace ambassador::proxy::net
