// From the client to the lanes: one loop that carries out what the session says.
#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not in <cstring>

#include <algorithm>

#include "proxy/net/client.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

void Client::consume() {
  while (input_.size() > 0 && !closed_ && !ended_) {
    if (more_ > 0 && stream_ != Stream::waiting) {
      take_rest();
      continue;
    }
    if (!may_read()) {
      stopped_ = true;
      return;
    }
    rebind_if_stale();
    if (keeps_replies_) [[unlikely]]
      session_->stands(exchanges_.empty(), loop().now());
    const Verdict verdict = session_->on_client({input_.data(), input_.size()});
    assert(verdict.consumed <= input_.size());
    const std::string_view message(input_.data(), verdict.consumed);
    if (verdict.kind == Verdict::Kind::need_more) {
      input_.begin += static_cast<std::uint32_t>(verdict.consumed);
      if (input_.size() > generation_->core->max_message()) broken("sent a message that is too long");
      return;
    }
    carry_out(verdict, message);
    if (!closed_) input_.begin += static_cast<std::uint32_t>(message.size());
  }
}

void Client::rebind_if_stale() {
  if (generation_ == relay_.generation() || group_open_ || stream_ != Stream::none) return;
  const auto old = std::exchange(generation_, relay_.generation());
  generation_->core->rebind(*session_);
  keeps_replies_ = generation_->core->keeps_replies();
}

void Client::carry_out(const Verdict& verdict, std::string_view message) {
  if (verdict.mirrored) [[unlikely]]
    mirror(verdict, message);
  switch (verdict.kind) {
    case Verdict::Kind::need_more:
      return;
    case Verdict::Kind::pass:
      if (unfinished_) return continue_stream(verdict, message);
      if (verdict.streams()) return begin_stream(verdict, message);
      return pass(verdict, message);
    case Verdict::Kind::send:
      return send(verdict);
    case Verdict::Kind::ask:
      return ask(verdict);
    case Verdict::Kind::gather:
      return gather();
    case Verdict::Kind::answer:
      if (verdict.lease == Lease::drop) end_leases();
      if (verdict.secret) ::explicit_bzero(input_.block->data() + input_.begin, message.size());
      return answer(Exchange::Kind::answer, verdict.text);
    case Verdict::Kind::close:
      ended_ = true;
      if (unfinished_) return close();  // in the middle of a message: its reply can't come any more
      return answer(Exchange::Kind::close, verdict.text);
    case Verdict::Kind::wait:
      return wait(loop().now());
    case Verdict::Kind::settle:
      settling_ = !exchanges_.empty();
      return;
  }
}

Exchange& Client::open(Exchange::Kind kind) {
  Exchange& exchange = exchanges_.push();
  exchange.open(kind);
  ++requests_;
  relay_.counters().requests.add();
  if (relay_.rate().limits()) [[unlikely]]
    bucket_.take(relay_.rate(), loop().now());
  return exchange;
}

std::uint32_t Client::last_sequence() const {
  return first_ + static_cast<std::uint32_t>(exchanges_.size()) - 1;
}

// There is no lane to `backend` for it.
void Client::not_queued(std::uint32_t sequence, std::uint32_t part, Failure why_not, BackendIndex backend) {
  const bool known = why_not != Failure::no_backend;
  fail(sequence, part, why_not, known ? generation_->upstreams[backend].get() : nullptr);
}

// A place in the lane's FIFO for the last exchange, or its failure.
Slices* Client::queue_for(const Verdict& verdict, std::uint32_t part, std::size_t bytes) {
  if (verdict.lease != Lease::none) [[unlikely]]
    return leased_queue(verdict, part, bytes);
  const Relay::FoundLane found =
      shared_ ? relay_.lane(*generation_, verdict.backend, verdict.lane) : Relay::FoundLane{own_lane_.get()};
  Lane* const lane = found.lane;
  if (lane == nullptr) {
    not_queued(last_sequence(), part, found.why_not, verdict.backend);
    return nullptr;
  }
  Slices* queue = lane->enqueue(*this, last_sequence(), part, bytes, verdict);
  if (queue == nullptr) fail(last_sequence(), part, Failure::overloaded, &lane->upstream());
  if (lane->full()) wait_for_room(*lane);
  return queue;
}

// The exchange of a pass or send.
void Client::open_pass(const Verdict& verdict) {
  Exchange& exchange = open(Exchange::Kind::pass);
  if (!verdict.patient) [[likely]]
    return;
  exchange.patient = true;
  ++patient_;
}

void Client::pass(const Verdict& verdict, std::string_view message) {
  open_pass(verdict);
  if (Slices* queue = queue_for(verdict, 0, message.size())) {
    queue->append(loop().pool(), input_.block.get(), message.data(), message.size());
  }
}

void Client::send(const Verdict& verdict) {
  open_pass(verdict);
  if (Slices* queue = queue_for(verdict, 0, verdict.text.size()))
    queue->copy(loop().pool(), verdict.text.data(), verdict.text.size());
}

void Client::ask(const Verdict& verdict) {
  if (!group_open_) {
    open(Exchange::Kind::gather).group = std::make_unique<Group>();
    group_open_ = true;
  }
  Group& group = *exchanges_.back().group;
  const auto part = static_cast<std::uint32_t>(group.asks.size());
  Group::Ask& ask = group.asks.emplace_back();
  ask.backend = verdict.backend;
  if (verdict.backend < generation_->upstreams.size())
    ask.backend_name = generation_->upstreams[verdict.backend]->backend().name;
  ++group.missing;
  if (Slices* queue = queue_for(verdict, part, verdict.text.size()))
    queue->copy(loop().pool(), verdict.text.data(), verdict.text.size());
}

void Client::gather() {
  if (!group_open_) open(Exchange::Kind::gather).group = std::make_unique<Group>();
  group_open_ = false;
  exchanges_.back().group->closed = true;
  if (exchanges_.size() == 1) advance();
}

void Client::answer(Exchange::Kind kind, std::string_view text) {
  Exchange& exchange = open(kind);
  exchange.done = true;
  exchange.kept.copy(loop().pool(), text.data(), text.size());
  kept_ += text.size();
  if (exchanges_.size() == 1) advance();
}

void Client::wait(SteadyTime now) {
  waiting_since_ = std::min(waiting_since_, now);
  loop().deadlines().no_later_than(*this, now + kAskAgain);
}

void Client::ask_again(SteadyTime now) {
  if (now - waiting_since_ >= relay_.timeouts().queue) session_->give_up();
  const SteadyTime since = std::exchange(waiting_since_, SteadyTime::max());
  received(0);
  if (closed_) return;
  if (waiting_since_ == SteadyTime::max()) return read_on();
  waiting_since_ = since;  // it waits still
}

void Client::wait_for_room(Lane& lane) {
  if (full_lane_ != nullptr) return;
  full_lane_ = &lane;
  lane.call_when_room(*this);
}

void Client::lane_has_room() {
  full_lane_ = nullptr;
  read_on();
}

void Client::read_on() {
  stopped_ = false;
  loop().again(*this);
}

}  // namespace ambassador::proxy::net
