// The part of the session for clients that have something for themselves: a transaction, watched keys,
// subscriptions, or a command that blocks. What lies at a server goes by a lane of the client's own.
//
// The order of one client's commands. A lane of its own and the shared one are read by the server at their
// own pace, so the session settles before it begins to use its own, and again before the next message after
// it left it. In between, whatever goes to that server goes by the client's own lane: a GET behind a WATCH
// never overtakes it, which would miss a change between the two; what the client wrote is there for what it
// reads. Commands for other servers go by their shared lanes, in no order with these: as ever between
// servers.
#include <utility>

#include "proxy/redis/command_table.hpp"
#include "proxy/redis/failure.hpp"
#include "proxy/redis/reply.hpp"
#include "proxy/redis/session.hpp"

namespace ambassador::proxy::redis {
namespace {

// What Redis carries out inside a transaction instead of queueing it.
bool immediate(const Command& command) {
  switch (command.hold) {
    case Hold::multi:
    case Hold::exec:
    case Hold::discard:
    case Hold::watch:
      return true;
    default:
      return command.local == Local::quit || command.local == Local::reset;
  }
}

bool changes_lane(const Command& command) {
  return command.local == Local::select || command.local == Local::hello;
}

bool allowed_while_subscribed(const Command& command) {
  switch (command.hold) {
    case Hold::subscribe:
    case Hold::unsubscribe:
    case Hold::psubscribe:
    case Hold::punsubscribe:
    case Hold::ssubscribe:
    case Hold::sunsubscribe:
      return true;
    default:
      return command.local == Local::ping || command.local == Local::quit || command.local == Local::reset;
  }
}

}  // namespace

Verdict RedisSession::route_held(const Command& command) {
  const bool listens_only = subscribed() && client_.resp == Resp::two;
  if (listens_only && !allowed_while_subscribed(command)) {
    refuse_while_subscribed(command);
    return command.hold == Hold::exec ? refuse_exec() : answer();
  }
  if (leaving_) {
    if (!settled()) return settle();
    leaving_ = false;
    let_go();
  }
  if (in_transaction() && !immediate(command)) return queue(command);
  if (command.local == Local::reset) return reset(command);
  if (changes_lane(command) && held_) {  // what is held lies at connections of the kind that they were
    return answer_error(
        "ERR " + typed(command) +
        " is not supported by the ambassador while keys are watched or channels subscribed to");
  }
  if (listens_only && command.local == Local::ping && parser_.count() <= 2) {
    text_->clear();
    append_array(*text_, 2);
    append_bulk(*text_, "pong");
    append_bulk(*text_, parser_.count() == 2 ? parser_.arg(1) : std::string_view());
    return answer();
  }
  return route_plainly(command);
}

Verdict RedisSession::hold(const Command& command) {
  switch (command.hold) {
    case Hold::multi:
      return multi();
    case Hold::exec:
      return exec();
    case Hold::discard:
      return discard();
    case Hold::watch:
      return watch();
    case Hold::unwatch:
      return unwatch();
    case Hold::subscribe:
    case Hold::psubscribe:
    case Hold::ssubscribe:
      return subscribe(command);
    case Hold::unsubscribe:
    case Hold::punsubscribe:
    case Hold::sunsubscribe:
      return unsubscribe(command);
    case Hold::none:
      break;
  }
  return answer_error("ERR unknown command");
}

// A command that waits for a key: on a lane of its own, it holds up nobody else.
Verdict RedisSession::block(const Command& command) {
  const Shard shard = shard_of(command);
  if (shard.crosses) return answer_error(router_->crosses());
  const BackendIndex backend = shard.keyed ? shard.backend : router_->for_any();
  home_ = shard.home;
  if (backend == kNoBackend) return wait_for(kNoBackend);
  if (lease_to(backend) == Lease::none && !settled()) return settle();
  Verdict verdict = pass_to(backend);
  verdict.patient = true;
  if (verdict.lease == Lease::none) verdict.lease = Lease::last;
  leaving_ = true;  // nothing of this client is done while it is blocked
  plain_ = false;
  return verdict;
}

Verdict RedisSession::reset(const Command& command) {
  if (!settled()) return settle();
  held_.reset();
  let_go();
  Verdict verdict = answer_here(command);
  verdict.lease = Lease::drop;
  return verdict;
}

// What is held, and by which lane. --------------------------------------------------------------------------

// To be asked again when everything before has been answered.
Verdict RedisSession::settle() {
  settled_ = true;
  return {.kind = Verdict::Kind::settle};
}

bool RedisSession::settled() {
  return std::exchange(settled_, false);
}

RedisSession::Held& RedisSession::held() {
  if (!held_) held_ = std::make_unique<Held>();
  plain_ = false;
  return *held_;
}

// Something has ended: an ordinary client holds nothing.
void RedisSession::let_go() {
  if (held_ && !in_transaction() && !held_->watch.on && held_->subscriptions.empty()) held_.reset();
  plain_ = !held_ && !leaving_;
}

Lease RedisSession::held_lease_to(BackendIndex backend) const {
  const Watch& watch = held_->watch;
  const bool leased =
      (watch.on && !watch.lost && watch.backend == backend) || held_->subscriptions.at(backend);
  return leased ? Lease::keep : Lease::none;
}

// The backends have other numbers with `next`, and keys may have other places. What a client has may still be
// where it was; else its keys and channels can't be counted on.
void RedisSession::renumber_held(const Router& next) {
  const bool stays = router_->same_rules(next);
  const auto number = [&](BackendIndex backend) {
    return stays && backend < router_->backends() ? next.find(router_->name(backend)) : kNoBackend;
  };
  Watch& watch = held_->watch;
  if (in_transaction() && !stays) held_->transaction.abort();
  watch.backend = number(watch.backend);
  const bool moved = next.clustered() && next.backend_at(watch.home) != watch.backend;
  if (watch.on && (watch.backend == kNoBackend || moved)) watch.lost = true;
  if (!held_->subscriptions.renumber(number)) held_->stale = true;
}

bool RedisSession::in_transaction() const {
  return held_ && held_->transaction.begun();
}

bool RedisSession::subscribed() const {
  return held_ && !held_->subscriptions.empty();
}

void RedisSession::abort_transaction() {
  if (in_transaction()) held_->transaction.abort();
}

// Of watched keys EXEC will tell. Subscriptions can't be made again unnoticed: what was published meanwhile
// is gone, and a client that catches up does so when it connects. So it is closed, as by a server that ends.
bool RedisSession::lease_lost(BackendIndex backend) {
  if (!held_) return true;
  if (held_->watch.on && (held_->watch.backend == backend || backend == kNoBackend)) held_->watch.lost = true;
  return backend != kNoBackend ? !held_->subscriptions.at(backend) : held_->subscriptions.empty();
}

bool RedisSession::leases_stand() {
  return !subscribed() || places_stand();
}

}  // namespace ambassador::proxy::redis
