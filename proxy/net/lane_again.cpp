// What is asked once more. A server may decline a request: it says that it is not, or not now, the one to do
// it, and has done nothing of it. Such requests are put aside until the server has answered all that was
// sent; so are reads behind them, which have to see what those will do, and reads whose connection ended
// before they were answered. Then they stand before what was not sent yet, in their old order, and go to the
// server that does such things now; or, as long as none is known, to this one again, which may have become
// it. The client is only told when timeouts.queue is over.
#include "proxy/net/client.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

// One of the replies to the oldest request says so, and those before it, as to MULTI, mean nothing; or it
// reads behind a request that was declined.
void Lane::heed_decline() {
  Owed& owed = owed_.front();
  if (std::exchange(owed.declined, true)) return;
  owed.client->take_back(owed.sequence, owed.part);
}

// The oldest request has all its replies, which say that it was declined.
void Lane::decline() {
  set_aside(front_length());
  if (!std::exchange(declines_, true)) {
    asks_again_at_ = loop().now() + kAskAgain;
    ask_for_primary();
  }
  if (nothing_sent()) give_on();
}

// The oldest request, of which so many bytes were sent.
void Lane::set_aside(std::uint64_t sent) {
  const std::uint64_t rest = front_length() - sent;
  Aside& one = aside_.emplace_back();
  one.request.take(unanswered_, static_cast<std::size_t>(sent));
  one.request.take(out_, static_cast<std::size_t>(rest));
  sent_ += rest;
  one.owed = owed_.front();
  owed_.pop();
  one.owed.came = 0;
  one.owed.declined = false;
  if (!std::exchange(one.owed.again, true)) one.owed.since = loop().now();
}

// The connection has ended before anything of the oldest request was answered. Once: what takes a server down
// must not go on to the next one. A server that does not answer in time is not asked again, only another one.
bool Lane::may_be_read_again(Failure failure) const {
  const Owed& owed = owed_.front();
  if (!keeps_ || !owed.reads || owed.begun || owed.again) return false;
  return failure == Failure::lost || relay_.backend_instead_of(*upstream_, false) != kNoBackend;
}

// All that waits, in its order: nothing of it has been sent.
void Lane::put_back() {
  if (aside_.empty()) return;
  std::vector<Aside> waiting;
  waiting.swap(aside_);
  while (!owed_.empty()) {
    Aside& one = waiting.emplace_back();
    one.request.take(out_, static_cast<std::size_t>(front_length()));
    one.owed = owed_.front();
    owed_.pop();
  }
  assert(out_.empty());
  queued_total_ = sent_;
  lent_from_ = sent_;
  for (Aside& one : waiting) {
    Owed& owed = owed_.push();
    owed = one.owed;
    owed.start = queued_total_;
    queued_total_ += one.request.size();
    out_.take(loop().pool(), one.request);
  }
}

void Lane::give_on() {
  put_back();
  move_elsewhere();
  if (owed_.empty()) declines_ = false;
  if (declines_) loop().deadlines().no_later_than(*this, asks_again_at_);
}

void Lane::ask_again(SteadyTime now) {
  if (!declines_ || now < asks_again_at_ || !nothing_sent()) return;
  declines_ = false;
  asks_again_at_ = SteadyTime::max();
  loop().flush_lane_later(*this);
}

void Lane::standing_changed() {
  if (state_ != State::up || (declines_ && nothing_sent())) give_on();
}

// A lease whose one message has not been begun: it is as good with another server.
void Lane::move_lease() {
  if (holder_ == nullptr || !movable_ || sent_ != lent_from_) return;
  const BackendIndex other = relay_.backend_instead_of(*upstream_, declines_);
  if (other == kNoBackend) return;
  drop_connection();
  retarget(relay_.generation()->upstreams[other], relay_.generation()->counters[other]);
  loop().again(*this);
}

// Not only this lane wants to know.
void Lane::ask_for_primary() const {
  if (relay_.generation()->core->follows_primary()) relay_.outside().ask_standing(relay_.name());
}

}  // namespace ambassador::proxy::net
