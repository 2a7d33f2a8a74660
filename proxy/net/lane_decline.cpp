// What a server declined: it said that it is not, or not now, the one to do it, and did nothing of it. Such
// requests are put aside until the server has answered all that was sent; then they stand before what was not
// sent yet, in their old order, and go to the server that does such things now; or, as long as none is known,
// to this one again, which may have become it. The client is only told when timeouts.queue is over.
#include "proxy/net/client.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

// One of the replies to the oldest request says so, and those before it, as to MULTI, mean nothing; or it
// reads behind a request that was declined, and has to see what that will do.
void Lane::heed_decline() {
  Owed& owed = owed_.front();
  if (std::exchange(owed.declined, true)) return;
  owed.client->take_back(owed.sequence, owed.part);
}

// The oldest request has all its replies, which say that it was declined.
void Lane::set_aside() {
  Declined& one = declined_.emplace_back();
  one.owed = owed_.front();
  one.request.take(unanswered_, static_cast<std::size_t>(front_length()));
  owed_.pop();
  one.owed.came = 0;
  one.owed.declined = false;
  if (!std::exchange(one.owed.waits, true)) one.owed.since = loop().now();
  if (!std::exchange(declines_, true)) {
    asks_again_at_ = loop().now() + kAskAgain;
    loop().deadlines().no_later_than(*this, asks_again_at_);
    ask_for_primary();
  }
  if (nothing_sent()) give_on();
}

// All that waits, in its order: nothing of it has been sent.
void Lane::put_back() {
  if (declined_.empty()) return;
  std::vector<Declined> waiting;
  waiting.swap(declined_);
  while (!owed_.empty()) {
    Declined& one = waiting.emplace_back();
    one.request.take(out_, static_cast<std::size_t>(front_length()));
    one.owed = owed_.front();
    owed_.pop();
  }
  assert(out_.empty());
  queued_total_ = sent_;
  lent_from_ = sent_;
  for (Declined& one : waiting) {
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
