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

// One of the replies to the oldest request may say so, and those before it, as to MULTI, mean nothing; or it
// reads behind a request that was declined.
void Lane::heed_decline(const Framer::Frame& frame) {
  Owed& owed = owed_.front();
  Decline why = frame.declined;
  if (why == Decline::none && owed.reads && waits_behind_put_off(owed)) why = Decline::later;
  if (why == Decline::none && owed.reads && declines_) why = Decline::not_it;
  if (why == Decline::none || owed.declined != Decline::none) return;
  if (!may_be_asked_again()) {
    // A transaction's last reply will say that nothing was done.
    if (why != Decline::not_it && owed.replies == 1) refuse_front();
    return;
  }
  owed.declined = why;
  named_ = frame.to;
  owed.client->take_back(owed.sequence, owed.part);
}

// The oldest request has all its replies, which say that it was declined.
void Lane::decline() {
  switch (owed_.front().declined) {
    case Decline::moved:
    case Decline::once:
      return send_on();
    case Decline::later:
      return put_off();
    case Decline::not_it:
    case Decline::none:
      return hold_back_and_ask_again();
  }
}

// Nothing more is sent here before all that was sent is answered.
void Lane::hold_back_and_ask_again() {
  set_aside(front_length());
  if (!std::exchange(declines_, true)) {
    asks_again_at_ = loop().now() + kAskAgain;
    ask_for_primary();
  }
  if (nothing_sent()) give_on();
}

// The oldest request, of which so many bytes were sent: it is as it was before.
Lane::Aside Lane::take_front(std::uint64_t sent) {
  const std::uint64_t rest = front_length() - sent;
  Aside one{.owed = owed_.front(), .request = {}};
  owed_.pop();
  one.request.take(unanswered_, static_cast<std::size_t>(sent));
  one.request.take(out_, static_cast<std::size_t>(rest));
  sent_ += rest;
  if (std::exchange(one.owed.introduced, false))
    one.request.consume(relay_.generation()->core->sent_here().size());
  one.owed.came = 0;
  one.owed.replied = 0;
  one.owed.declined = Decline::none;
  return one;
}

void Lane::set_aside(std::uint64_t sent) {
  Aside& one = aside_.emplace_back(take_front(sent));
  if (!std::exchange(one.owed.again, true)) one.owed.since = loop().now();
}

// The connection has ended before anything of the oldest request was answered. Once: what takes a server down
// must not go on to the next one. A server that does not answer in time is not asked again, only another one.
bool Lane::may_be_read_again(Failure failure) const {
  const Owed& owed = owed_.front();
  if (!keeps_ || !owed.reads || owed.replied > 0 || owed.again) return false;
  return failure == Failure::lost || relay_.backend_instead_of(*upstream_, owed.home, false) != kNoBackend;
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
  ask_those_put_off(SteadyTime::max());
  if (state_ != State::up || (declines_ && nothing_sent())) give_on();
}

// A lease whose one message has not been begun: it is as good with another server.
void Lane::move_lease() {
  if (holder_ == nullptr || !movable_ || sent_ != lent_from_) return;
  const Home home = owed_.empty() ? Home::anywhere : owed_.front().home;
  const BackendIndex other = relay_.backend_instead_of(*upstream_, home, declines_);
  if (other == kNoBackend) return;
  drop_connection();
  retarget(relay_.generation()->upstreams[other], relay_.generation()->counters[other]);
  loop().again(*this);
}

// Not only this lane wants to know.
void Lane::ask_for_primary() const {
  const ProtocolCore& core = *relay_.generation()->core;
  if (core.follows_primary() || core.follows_homes()) relay_.outside().ask_standing(relay_.name());
}

}  // namespace ambassador::proxy::net
