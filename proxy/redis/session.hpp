// One Redis client: looks at its requests one after the other and says what becomes of each. The work is done
// by others: request_parser finds the message, command_table and keys what it is about, router where it goes,
// split and merge make several requests of one and one reply of several, local answers what needs no server.
// Made by the core. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/redis/client_auth.hpp"
#include "proxy/redis/client_info.hpp"
#include "proxy/redis/command.hpp"
#include "proxy/redis/gathered.hpp"
#include "proxy/redis/in_step.hpp"
#include "proxy/redis/reply_cache.hpp"
#include "proxy/redis/request_name.hpp"
#include "proxy/redis/request_parser.hpp"
#include "proxy/redis/router.hpp"
#include "proxy/redis/subscriptions.hpp"
#include "proxy/redis/transaction.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

/// What the sessions of one core share.
struct CoreParts {
  const Router& router;
  const ProxyInfo& proxy;
  const ClientAuth& auth;
  const std::optional<config::MirrorCommands> mirrors;  // what is copied; nothing is: no mirror
  std::string& text;  // of the last verdict of any of them: idle clients hold no answers
  ReplyCache* cache;  // null: none
};

class RedisSession final : public Session {
 public:
  /// What is in `core` lives until rebind replaces it, or as long as the session, as `watch` does.
  RedisSession(const CoreParts& core, KeyWatch& watch, std::uint64_t id);

  Verdict on_client(std::span<const char> input) override;
  void stands(bool at_rest, std::chrono::steady_clock::time_point now) override;
  void give_up() override { gave_up_ = true; }
  void merge(std::span<const Part> parts, std::string& out) override;
  bool fail(Failure failure, std::string_view backend_name, std::string_view reason,
            std::string& out) override;
  bool lease_lost(BackendIndex backend) override;
  [[nodiscard]] bool leases_stand() override;
  [[nodiscard]] bool logging_in() const override { return !entered_; }

  void rebind(const CoreParts& core);

 private:
  // What on_client goes on with.
  enum class Doing : std::uint8_t {
    reading,    // the front of the input is the beginning of a message
    asking,     // a group's asks are being given out
    streaming,  // the front of the message was passed on
    dropping,   // the front of the message was dropped; refusal_ will be its answer
  };

  /// Where the keys of a message lie.
  struct Shard {
    Home home = Home::anywhere;         // of all of them
    BackendIndex backend = kNoBackend;  // likewise; kNoBackend: nobody is known, or all servers are ejected
    bool keyed = false;                 // it has some, as far as can be told
    bool crosses = false;               // they have several homes
  };

  // route.cpp: where a message goes.
  Verdict route(std::string_view input);
  Verdict route_plainly(const Command& command);
  bool primary_moved();
  bool slots_moved();
  Verdict read_from_replica();
  Verdict route_large(std::string_view input);
  const Command* recognise(std::string_view input, bool large);
  Shard shard_of(const Command& command);
  [[nodiscard]] Shard shard_at(Home home) const;
  [[nodiscard]] Home home_of(std::size_t argument) const {
    return router_->home_of(parser_.arg(argument), from_replicas_);
  }
  [[nodiscard]] Shard common_shard(std::size_t first, std::size_t step) const;
  Verdict to_same_shard(const Command& command);
  Verdict to_split(const Command& command);
  Verdict to_all(const Command& command);
  Verdict to_next_in_scan();
  [[nodiscard]] bool to_be_mirrored(const Command& command) const;
  Verdict answer_here(const Command& command);
  void look_who_it_is();
  Verdict select();
  BackendIndex backend_of(std::string_view key);
  Verdict ask_group();

  // route_kept.cpp: what is answered with replies that were kept.
  Verdict read_kept(const Command& command, BackendIndex backend);
  /// A message, or a part of it, goes there.
  void goes_to(BackendIndex backend, Lease lease) {
    if (cache_ != nullptr) [[unlikely]]
      keep_step(backend, lease);
  }
  void keep_step(BackendIndex backend, Lease lease);
  void use_lane();

  // route_held.cpp: what a client has for itself, and what needs a connection of its own.
  struct Held;
  Verdict route_held(const Command& command);
  Verdict hold(const Command& command);
  Verdict block(const Command& command);
  Verdict reset(const Command& command);
  Verdict settle();
  bool settled();
  Held& held();
  void let_go();
  void renumber_held(const Router& next);
  [[nodiscard]] Lease lease_to(BackendIndex backend) const {
    return held_ ? held_lease_to(backend) : Lease::none;
  }
  [[nodiscard]] Lease held_lease_to(BackendIndex backend) const;
  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] bool subscribed() const;
  void abort_transaction();

  // route_transaction.cpp
  Verdict multi();
  Verdict exec();
  Verdict discard();
  Verdict watch();
  Verdict unwatch();
  Verdict queue(const Command& command);
  Verdict refuse_to_queue(std::string_view why);
  Verdict refuse_exec();
  Verdict end_watch(std::string_view reply);

  // route_subscription.cpp
  Verdict subscribe(const Command& command);
  Verdict unsubscribe(const Command& command);
  void refuse_while_subscribed(const Command& command);
  [[nodiscard]] bool places_stand();
  [[nodiscard]] bool asked_apart(Subscriptions::Kind kind) const;

  // session.cpp: how it gets there.
  /// The message goes where it belongs; `whole`: all of it is there.
  void show_keys(bool whole = true) {
    if (watch_->looks()) [[unlikely]]
      tell_keys(parser_, whole, *watch_);
  }
  Verdict pass_to(BackendIndex backend);
  [[nodiscard]] LaneKind lane_to(Home home, BackendIndex backend) const {
    return router_->is_replica_at(home, backend) ? lane_kind(client_.resp, 0, true) : lane_;
  }
  Verdict stream_to(BackendIndex backend, std::string_view input);
  Verdict go_on_streaming(std::string_view input);
  Verdict begin_to_drop(std::string_view input);
  Verdict drop(std::string_view input);
  std::size_t end_message();
  Verdict next_ask();
  Verdict answer();
  Verdict answer_error(std::string_view text);
  Verdict broken(std::size_t consumed);
  void set_error(std::string_view text);
  bool has_to_wait(BackendIndex backend);
  Verdict wait_for(BackendIndex backend);
  void forget_waiting();

  const Router* router_;
  const ProxyInfo* proxy_;
  const ClientAuth* auth_;
  std::optional<config::MirrorCommands> mirrors_;
  std::string* text_;
  ReplyCache* cache_;
  KeyWatch* const watch_;
  RequestParser parser_;
  Doing doing_ = Doing::reading;
  bool plain_ = true;            // it holds nothing and has nothing to settle: the short way
  bool reads_ = false;           // the command of the message that is being routed, and nothing else
  bool reads_in_order_ = false;  // and goes by the shared lanes, of which nothing changes behind its reply
  bool mirrored_ = false;        // there is to be a copy of that message
  bool from_replicas_ = false;   // and by keys, from replicas of their slots
  Home home_ = Home::anywhere;   // of that message's keys, if it has one
  bool entered_ = false;         // it has logged in, or had not to, once
  bool leaving_ = false;         // it left a lane of its own: what comes next waits until that has answered
  bool settled_ = false;         // it said settle, and is asked again
  bool gave_up_ = false;         // waiting for waiting_for_
  BackendIndex waiting_for_ = kNoBackend;  // kNoBackend: any...
  Home waiting_at_ = Home::anywhere;       // ...that this lies with
  bool waits_to_read_ = false;             // for a replica
  BackendIndex current_ = kNoBackend;      // a Spread client's backend, or the last primary
  BackendIndex reading_ = kNoBackend;      // whom the client reads from where replicas are read
  bool rebound_ = false;                   // what it asked the primary before was by other numbers
  std::size_t skipped_ = 0;                // bytes of empty messages before the one that is being read
  std::string refusal_;                    // of the message that is being dropped
  ClientInfo client_;
  LaneKind lane_ = LaneKind::ordinary;  // as client_ says

  // Where replies are kept: how it stands, and with whom.
  bool at_rest_ = false;
  std::chrono::steady_clock::time_point now_;
  InStep in_step_;

  // select.cpp: the databases that the client asked for, and what became of them.
  void selected(const Gathered& gathered, bool ok);
  void reset_database();
  std::uint64_t selects_ = 0;     // given so far
  std::uint64_t unanswered_ = 0;  // of them
  std::uint64_t void_until_ = 0;  // those up to this number were before a RESET
  std::uint16_t effective_ = 0;   // the database of the last one that was answered with OK

  struct Group {  // what is being asked; exists only while a client splits commands
    std::vector<Ask> asks;
    std::size_t next = 0;
    Gathered gathered;
  };
  std::unique_ptr<Group> group_;
  struct Held {  // exists only while there is any of it
    Transaction transaction;
    Watch watch;
    Subscriptions subscriptions;
    std::uint64_t moves = 0;  // of the router, when the subscriptions' places were right
    bool stale = false;       // they are not any more
  };
  std::unique_ptr<Held> held_;
  std::vector<Gathered> gathered_;  // in the order in which they were asked; from first_gathered_ on
  std::size_t first_gathered_ = 0;
};

}  // namespace ambassador::proxy::redis
