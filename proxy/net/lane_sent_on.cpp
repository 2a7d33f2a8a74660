// What servers send on. One that does not have what a request is about names the one who has it, or says that
// it is just being moved. Each such request finds its way by itself, and holds up no other client's: it goes
// to the server that was named at once, or is put off for a moment and asked where it belongs by then.
#include <algorithm>
#include <utility>

#include "proxy/net/client.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

// The oldest request has all its replies: another server has what it is about (named_).
void Lane::send_on() {
  const Owed& owed = owed_.front();
  const bool once = owed.declined == Decline::once;
  if (!once) relay_.moved();
  if (use_ == Use::leased) return send_lease_on();
  const BackendIndex named = relay_.backend_named(*upstream_, named_);
  Lane* const other = relay_.lane(*relay_.generation(), named, kind_).lane;
  // An introduction is for one request; a transaction has several.
  const bool too_much = (once && owed.replies > 1) || owed.sent_on >= kMostSentOn;
  if (other == nullptr || other == this || too_much || other->queued() + front_length() > kQueueMost)
    return put_off();
  Aside one = take_front(front_length());
  ++one.owed.sent_on;
  other->take_over(std::move(one), once);
}

// The same of a lease, whose one message has not been begun.
void Lane::send_lease_on() {
  const bool once = owed_.front().declined == Decline::once;
  const BackendIndex named = relay_.backend_named(*upstream_, named_);
  const Generation& generation = *relay_.generation();
  if (named == kNoBackend || generation.upstreams[named] == upstream_ || owed_.front().sent_on >= kMostSentOn)
    return hold_back_and_ask_again();
  Aside one = take_front(front_length());
  ++one.owed.sent_on;
  drop_connection();
  retarget(generation.upstreams[named], generation.counters[named]);
  lent_from_ = sent_;
  take_over(std::move(one), once);
}

// Puts a request behind what is queued. It was owed before, by this lane or another one.
void Lane::take_over(Aside one, bool introduced) {
  const std::string_view introduction =
      introduced ? relay_.generation()->core->sent_here() : std::string_view();
  one.owed.introduced = introduced;
  owe(one.owed, introduction.size() + one.request.size());
  out_.copy(loop().pool(), introduction.data(), introduction.size());
  out_.take(loop().pool(), one.request);
  one.owed.client->not_owed();
}

void Lane::put_off() {
  if (use_ == Use::leased) return hold_back_and_ask_again();
  Aside one = take_front(front_length());
  one.owed.sent_on = 0;
  if (!std::exchange(one.owed.again, true)) one.owed.since = loop().now();
  one.owed.client->hold_back();
  put_off_.push_back({.one = std::move(one), .until = loop().now() + kAskAgain});
  loop().deadlines().no_later_than(*this, put_off_.back().until);
  relay_.moved();
}

// Those whose pause ends by `until`, of whoever has by now what they are about.
void Lane::ask_those_put_off(SteadyTime until) {
  std::vector<Owed> failed;
  for (std::size_t left = put_off_.size(); left > 0 && put_off_.front().until <= until; --left) {
    Aside one = std::move(put_off_.front().one);
    put_off_.pop_front();
    if (loop().now() - one.owed.since >= relay_.timeouts().queue) {
      failed.push_back(one.owed);
      continue;
    }
    Lane* const other = relay_.lane_instead_of(*this, one.owed.home, true);
    (other == nullptr ? this : other)->take_over(std::move(one));
  }
  if (!failed.empty()) tell(failed, Failure::declined);
}

bool Lane::waits_behind_put_off(const Owed& owed) const {
  const auto is_before = [&](const PutOff& later) { return later.one.owed.client == owed.client; };
  return std::ranges::any_of(put_off_, is_before);
}

// The oldest request was declined, and can't be asked again: of a stream the bytes are gone, and a lease is
// for one server, to which what is behind belongs, too.
void Lane::refuse_front() {
  if (holder_ != nullptr) {
    relay_.say(config::LogLevel::debug,
               "a client's own connection is to a server that does not have its keys now", upstream_.get(),
               {});
    relay_.moved();
    drop_connection();
    return fail_all(Failure::lost);
  }
  const Owed owed = owed_.front();
  sent_ = queued_total_;
  out_.clear();
  owed_.pop();
  relay_.moved();
  drop_connection();
  tell({owed}, Failure::declined);
}

}  // namespace ambassador::proxy::net
