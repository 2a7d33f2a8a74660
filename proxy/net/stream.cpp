// A message that comes in pieces: it has a lane for itself, so that it holds up nobody at its client's pace.
// A client of a protocol with shared lanes leases one; it begins when the client's earlier exchanges are
// answered, and the next message is read when it is: the order of one client's requests stays.
#include <algorithm>

#include "proxy/net/client.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

void Client::begin_stream(const Verdict& verdict, std::string_view message) {
  open(Exchange::Kind::pass);
  more_ = verdict.more;
  unfinished_ = verdict.unfinished;
  streamed_ = last_sequence();
  stream_to_ = verdict.backend;
  stream_kind_ = verdict.lane;
  stream_ = Stream::waiting;
  held_.append(loop().pool(), input_.block.get(), message.data(), message.size());
  if (exchanges_.size() == 1) start_stream();
}

void Client::start_stream() {
  Failure why_not = Failure::no_backend;
  if (shared_) {
    Relay::LeasedLane leased = relay_.lease(*generation_, stream_to_, stream_kind_);
    own_lane_ = std::move(leased.lane);
    why_not = leased.why_not;
  }
  if (!own_lane_) return not_queued(streamed_, 0, why_not, stream_to_);
  stream_ = Stream::running;
  own_lane_->begin_stream(*this, streamed_);
  own_lane_->stream(held_);
  if (own_lane_->full()) wait_for_room(*own_lane_);
  piece_ended();
  read_on();
}

void Client::continue_stream(const Verdict& verdict, std::string_view message) {
  more_ = verdict.more;
  unfinished_ = verdict.unfinished;
  stream_piece(message);
  piece_ended();
}

void Client::take_rest() {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(more_, input_.size()));
  stream_piece({input_.data(), n});
  input_.begin += static_cast<std::uint32_t>(n);
  if (more_ != kForever) more_ -= n;
  piece_ended();
}

void Client::stream_piece(std::string_view piece) {
  copy_piece(piece);
  if (stream_ != Stream::running) return;
  own_lane_->stream(input_.block.get(), piece);
  if (own_lane_->full()) wait_for_room(*own_lane_);
}

void Client::piece_ended() {
  if (more_ > 0 || unfinished_) return;
  end_copy();
  if (stream_ == Stream::running) stream_ = Stream::sent;
  if (stream_ == Stream::dropped) stream_ = Stream::none;
}

// Its exchange has been answered, or has failed.
void Client::end_stream() {
  held_.clear();
  stream_ = more_ > 0 || unfinished_ ? Stream::dropped : Stream::none;
  if (own_lane_ && shared_) {
    if (full_lane_ == own_lane_.get()) std::exchange(full_lane_, nullptr)->forget(*this);
    if (blocked_lane_ == own_lane_.get()) std::exchange(blocked_lane_, nullptr)->unblock(*this);
    relay_.give_back(std::move(own_lane_), stream_ == Stream::none);
  }
  read_on();
}

}  // namespace ambassador::proxy::net
