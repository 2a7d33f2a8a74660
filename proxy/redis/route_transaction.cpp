// The part of the session that keeps transactions: MULTI, EXEC, DISCARD, WATCH, UNWATCH, and what is queued.
#include "proxy/redis/command_table.hpp"
#include "proxy/redis/failure.hpp"
#include "proxy/redis/reply.hpp"
#include "proxy/redis/session.hpp"

namespace ambassador::proxy::redis {
namespace {

constexpr std::string_view kOk = "+OK\r\n";
constexpr std::string_view kUnwatch = "*1\r\n$7\r\nUNWATCH\r\n";

}  // namespace

Verdict RedisSession::multi() {
  if (in_transaction()) return answer_error("ERR MULTI calls can not be nested");
  held().transaction.begin();
  *text_ = kOk;
  return answer();
}

Verdict RedisSession::queue(const Command& command) {
  const bool to_server =
      command.route != Route::local || command.local == Local::ping || command.local == Local::echo;
  if (!to_server || (command.route == Route::hold && command.hold != Hold::unwatch)) {
    return refuse_to_queue("ERR " + typed(command) + " inside MULTI is not supported by the ambassador");
  }
  Transaction& transaction = held_->transaction;
  const Watch& watch = held_->watch;
  const Shard shard = shard_of(command);
  if (shard.crosses) return refuse_to_queue(router_->crosses());
  if (shard.keyed && !router_->whole()) {
    home_ = shard.home;
    if (shard.backend == kNoBackend) {
      if (has_to_wait(kNoBackend)) return {.kind = Verdict::Kind::wait};
      transaction.abort();
      return answer();
    }
    if (transaction.home == Home::anywhere) transaction.home = watch.on ? watch.home : shard.home;
    if (transaction.home != shard.home) return refuse_to_queue(router_->crosses());
  }
  if (!transaction.add(parser_.message())) {
    return refuse_to_queue("ERR the commands of a transaction may have 8 MiB here");
  }
  show_keys();
  transaction.mirrored = transaction.mirrored || mirrored_;
  *text_ = "+QUEUED\r\n";
  return answer();
}

Verdict RedisSession::refuse_to_queue(std::string_view why) {
  held_->transaction.abort();
  return answer_error(why);
}

Verdict RedisSession::exec() {
  if (!in_transaction()) return answer_error("ERR EXEC without MULTI");
  Transaction& transaction = held_->transaction;
  const Watch watch = held_->watch;
  if (watch.lost) {
    return end_watch(
        "-EXECABORT Transaction discarded because the connection that watched its keys was lost\r\n");
  }
  if (transaction.aborted()) {
    return end_watch("-EXECABORT Transaction discarded because of previous errors.\r\n");
  }
  if (transaction.empty() && !watch.on) return end_watch("*0\r\n");

  const Home home = watch.on ? watch.home : transaction.home;
  home_ = home;
  BackendIndex backend = watch.on ? watch.backend : router_->backend_at(home);
  if (home == Home::anywhere && !watch.on) backend = router_->whole() ? backend_of({}) : router_->for_any();
  if (backend == kNoBackend) {
    if (has_to_wait(kNoBackend)) return {.kind = Verdict::Kind::wait};
    held_->transaction = {};
    let_go();
    return answer();
  }
  Lease lease = lease_to(backend);
  if (watch.on && !held_->subscriptions.at(backend)) lease = Lease::last;

  mirrored_ = transaction.mirrored && !watch.on;  // whether watched keys let it, only this server knows
  group_ = std::make_unique<Group>();
  group_->gathered.merge = Merge::executed;
  group_->gathered.replies = transaction.replies();
  Ask& ask = group_->asks.emplace_back();
  ask.backend = backend;
  ask.home = home;
  ask.replies = transaction.replies();
  ask.lease = lease;
  ask.text = transaction.end();
  held_->watch = {};
  leaving_ = leaving_ || lease == Lease::last;
  let_go();
  return ask_group();
}

// EXEC itself is wrong, by the error reply in text_: as in Redis (rejectCommand), the transaction is over.
Verdict RedisSession::refuse_exec() {
  constexpr std::string_view kOrdinary = "-ERR ";
  const std::size_t begin = text_->starts_with(kOrdinary) ? kOrdinary.size() : 1;
  return end_watch("-EXECABORT Transaction discarded because of: " + text_->substr(begin));
}

Verdict RedisSession::discard() {
  if (!in_transaction()) return answer_error("ERR DISCARD without MULTI");
  return end_watch(kOk);
}

Verdict RedisSession::unwatch() {
  return end_watch(kOk);
}

// The transaction is over, and keys are watched no more; the client is told `reply`.
Verdict RedisSession::end_watch(std::string_view reply) {
  if (!held_) {
    *text_ = reply;
    return answer();
  }
  const Watch watch = held_->watch;
  const bool closes = watch.lost && !subscribed();
  if (closes && !settled()) return settle();
  held_->watch = {};
  held_->transaction = {};
  if (!watch.on || watch.lost) {
    let_go();
    *text_ = reply;
    Verdict verdict = answer();
    if (closes) verdict.lease = Lease::drop;
    return verdict;
  }
  group_ = std::make_unique<Group>();
  group_->gathered.merge = Merge::confirmed;
  group_->gathered.text = reply;
  group_->gathered.regardless = true;
  Ask& ask = group_->asks.emplace_back();
  ask.backend = watch.backend;
  ask.text = kUnwatch;
  ask.lease = held_->subscriptions.at(watch.backend) ? Lease::keep : Lease::last;
  leaving_ = leaving_ || ask.lease == Lease::last;
  let_go();
  return ask_group();
}

Verdict RedisSession::watch() {
  if (in_transaction()) return answer_error("ERR WATCH inside MULTI is not allowed");
  const Shard shard = router_->whole() ? shard_of(*find_command("watch")) : common_shard(1, 1);
  if (shard.crosses) return answer_error(router_->crosses());
  home_ = shard.home;
  if (shard.backend == kNoBackend) return wait_for(kNoBackend);
  if (held_ && held_->watch.on) {
    if (held_->watch.lost) {  // EXEC will say so
      *text_ = kOk;
      return answer();
    }
    if (held_->watch.home != shard.home) return answer_error(router_->crosses());
  }
  if (lease_to(shard.backend) == Lease::none && !settled()) return settle();
  held().watch = {.on = true, .lost = false, .backend = shard.backend, .home = shard.home};
  return pass_to(shard.backend);
}

}  // namespace ambassador::proxy::redis
