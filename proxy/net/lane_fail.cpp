// What becomes of requests when a lane's connection ends, does not come about, or says nothing: what was sent
// fails, but for what is asked once more; what was not waits its time, or goes elsewhere. No reply ever goes
// to another request than its own.
#include <algorithm>

#include "proxy/net/client.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

std::uint64_t Lane::front_length() const {
  return (owed_.size() > 1 ? owed_[1].start : queued_total_) - owed_.front().start;
}

void Lane::lose(Failure failure, std::string_view why) {
  if (state_ != State::up) return;
  const bool idle = owed_.empty() && owner_ == nullptr;
  counters_->lanes_lost.add();
  upstream_->note_error(why, std::chrono::system_clock::now());
  relay_.say(idle ? config::LogLevel::debug : config::LogLevel::warning, "lost a connection to a backend",
             upstream_.get(), why);
  drop_connection();
  if (owner_ != nullptr) return owner_->server_lost();
  relay_.outside().resolve_again(upstream_);
  ask_for_primary();
  if (holder_ != nullptr && sent_ > lent_from_) return fail_all(failure);
  fail_sent(failure);
  put_back();
  if (failure == Failure::timed_out) move_elsewhere();  // it would be silent to a new connection, too
  if (retired_) place_anew(true);
  if (state_ == State::idle && !finished()) {
    state_ = State::pausing;
    pause_until_ = loop().now() + kDying;
    loop().deadlines().no_later_than(*this, pause_until_);
  }
  room_again();
  show();
  if (finished()) relay_.lane_finished(*this);  // all that it had is elsewhere
}

void Lane::end_lease(Failure failure, std::string_view why) {
  relay_.say(config::LogLevel::debug, "ended a client's own connection to a backend", upstream_.get(), why);
  drop_connection();
  fail_all(failure);
}

// Of a lease: what was queued counted on what was sent before it.
void Lane::fail_all(Failure failure) {
  std::vector<Owed> failed;
  assert(put_off_.empty());  // a lease holds back all that there is
  for (const Aside& one : std::exchange(aside_, {})) failed.push_back(one.owed);
  for (; !owed_.empty(); owed_.pop()) failed.push_back(owed_.front());
  out_.clear();
  unanswered_.clear();
  sent_ = queued_total_;
  Client* const holder = std::exchange(holder_, nullptr);
  room_again();
  show();
  tell(failed, failure);
  holder->lease_lost(*this);
}

void Lane::fail_sent(Failure failure) {
  std::vector<Owed> failed;
  while (!nothing_sent()) {
    const std::uint64_t length = front_length();
    const std::uint64_t sent = std::min(length, sent_ - owed_.front().start);
    if (may_be_read_again(failure)) {
      set_aside(sent);
      continue;
    }
    if (keeps_) unanswered_.consume(static_cast<std::size_t>(sent));
    out_.consume(static_cast<std::size_t>(length - sent));  // the rest of what was sent in part
    sent_ += length - sent;
    failed.push_back(owed_.front());
    owed_.pop();
  }
  tell(failed, failure);
}

void Lane::fail_expired(SteadyTime now) {
  if (owner_ != nullptr) return;
  if (holder_ != nullptr) {
    if (owed_.empty() || (!lasting_ && now - owed_.front().since < relay_.timeouts().queue)) return;
    const Failure failure = why_unsent();
    drop_connection();
    return fail_all(failure);
  }
  std::vector<Owed> failed;
  while (!owed_.empty() && (lasting_ || now - owed_.front().since >= relay_.timeouts().queue)) {
    const std::uint64_t bytes = front_length();
    out_.consume(static_cast<std::size_t>(bytes));
    sent_ += bytes;
    failed.push_back(owed_.front());
    owed_.pop();
  }
  if (failed.empty()) return;
  room_again();
  show();
  tell(failed, why_unsent());
}

Failure Lane::why_unsent() const {
  if (state_ == State::up) return Failure::no_backend;  // that takes it
  return refusal_.empty() ? Failure::unreachable : Failure::refused;
}

// Comes last: what clients do then may lead back into this lane.
void Lane::tell(const std::vector<Owed>& failed, Failure failure) {
  for (const Owed& owed : failed) {
    counters_->failures.add(failure);
    owed.client->fail(owed.sequence, owed.part, failure, upstream_.get(), refusal_);
    owed.client->not_owed();
  }
  if (finished()) relay_.lane_finished(*this);
}

// Nothing of it has been sent. What stays keeps its order.
void Lane::move_elsewhere() {
  if (use_ == Use::leased) return move_lease();
  bool any = false;
  for (std::size_t i = 0; i < owed_.size() && !any; ++i)
    any = relay_.backend_instead_of(*upstream_, owed_[i].home, declines_) != kNoBackend;
  if (!any) return;
  move_each([&](const Aside& one) { return relay_.lane_instead_of(*this, one.owed.home, declines_); });
}

// Its server is not configured any more, and nothing of what waits has been sent: it goes where it would go
// if it came now. What has done so meanwhile may have overtaken it: then only what reads may go.
void Lane::place_anew(bool only_reads) {
  if (use_ != Use::shared || state_ == State::up) return;
  const Generation& generation = *relay_.generation();
  std::string scratch;
  move_each([&](const Aside& one) -> Lane* {
    if (only_reads && !one.owed.reads) return nullptr;
    return relay_.lane(generation, generation.core->placed_anew(one.request.flat(scratch)), kind_).lane;
  });
}

// `where`: the lane that an Aside goes to; null: it stays, in its order.
template <class Where>
void Lane::move_each(Where where) {
  bool full = false;  // then what is behind stays, too
  for (std::size_t left = owed_.size(); left > 0; --left) {
    Aside one = take_front(0);
    Lane* other = where(one);
    full = full || (other != nullptr && other->queued() + one.request.size() > kQueueMost);
    (other == nullptr || full ? this : other)->take_over(std::move(one));
  }
}

void Lane::check_silence(SteadyTime now) {
  // A stream without messages may be silent as long as it likes, and who does not read can't hear.
  if (owner_ != nullptr || blocked_by_ != nullptr) return;
  if (owed_.empty() || owed_.front().start >= sent_) return;
  if (silent_too_long(now)) lose(Failure::timed_out, "no reply in time");
}

bool Lane::silent_too_long(SteadyTime now) {
  const bool down = upstream_->probe_failed();
  if (owed_.front().patient) {  // its silence says nothing: probes do
    down_since_ = down ? std::min(down_since_, now) : SteadyTime::max();
    return down && now - down_since_ >= kSilentAndDown;
  }
  const auto silent = now - std::max(heard_at_, owed_.front().since);
  return silent >= kSilent || (down && silent >= kSilentAndDown);
}

}  // namespace ambassador::proxy::net
