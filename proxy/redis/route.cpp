// The part of the session that decides where a message goes.
#include <algorithm>
#include <utility>

#include "proxy/redis/command_table.hpp"
#include "proxy/redis/failure.hpp"
#include "proxy/redis/keys.hpp"
#include "proxy/redis/limits.hpp"
#include "proxy/redis/local.hpp"
#include "proxy/redis/reply.hpp"
#include "proxy/redis/session.hpp"
#include "proxy/redis/split.hpp"

namespace ambassador::proxy::redis {
namespace {

constexpr std::size_t kQuoted = 128;  // bytes of a request that an error reply repeats, as in Redis

// What an error reply repeats of an argument: like Redis, up to a NUL.
std::string_view quoted(std::string_view text, std::size_t most = kQuoted) {
  return text.substr(0, std::min(text.find('\0'), most));
}

// Arguments of a message that is not collected are not repeated: how many are there is chance.
std::string unknown_command(const RequestParser& request, bool large) {
  std::string args;
  for (std::size_t i = large ? request.seen() : 1; i < request.seen() && args.size() < kQuoted; ++i) {
    const std::string_view arg = quoted(request.arg(i), kQuoted - args.size());
    args += '\'';
    args += arg;
    args += "' ";
  }
  return "ERR unknown command '" + std::string(quoted(request.arg(0))) +
         "', with args beginning with: " + args;
}

std::string wrong_arity(const Command& command) {
  return "ERR wrong number of arguments for '" + std::string(command.name) + "' command";
}

bool arity_fits(const Command& command, std::size_t arguments) {
  const auto count = static_cast<std::int64_t>(arguments);
  return command.arity >= 0 ? count == command.arity : count >= -command.arity;
}

}  // namespace

// The command that the message names, with its subcommand; null when it gets the error reply in text_ instead
// (empty: the client is to be closed).
const Command* RedisSession::recognise(std::string_view input, bool large) {
  const std::string_view name = parser_.arg(0);
  const char* const readable = parser_.is_inline() ? name.data() + name.size() : input.data() + input.size();
  const Command* command =
      find_command(name, static_cast<std::size_t>(readable - (name.data() + name.size())));
  if (command == nullptr) {
    // A browser was made to talk to us (cross-protocol scripting): like Redis, not a word.
    if (same_word(name, "post") || same_word(name, "host:")) {
      text_->clear();
    } else {
      set_error(unknown_command(parser_, large));
    }
    return nullptr;
  }
  if (command->sub_count != 0 && parser_.count() > 1) {
    const Command* sub = find_subcommand(*command, parser_.arg(1));
    if (sub == nullptr) {
      set_error("ERR unknown subcommand '" + std::string(quoted(parser_.arg(1))) + "'. Try " +
                typed(*command) + " HELP.");
      return nullptr;
    }
    command = sub;
  }
  if (!arity_fits(*command, parser_.count())) {
    set_error(wrong_arity(*command));
    return nullptr;
  }
  if (!client_.logged_in && !comes_before_login(*command)) {
    set_error(kLoginRequired);
    return nullptr;
  }
  if (command->route == Route::refused) {
    set_error("ERR " + typed(*command) +
              " is not supported in this version of the ambassador: " + std::string(command->refusal));
    return nullptr;
  }
  return command;
}

// The message is complete.
Verdict RedisSession::route(std::string_view input) {
  mirrored_ = false;
  const Command* command = recognise(input, parser_.size() > kCollect);
  if (command == nullptr) {
    if (same_word(parser_.arg(0), "exec")) return refuse_exec();
    abort_transaction();
    if (!text_->empty()) return answer();
    return {.kind = Verdict::Kind::close, .consumed = skipped_ + parser_.size()};
  }
  router_->follow_ejection();
  reads_ = command->reads;
  reads_in_order_ = reads_ && (command->route == Route::one_key || command->route == Route::split);
  if (mirrors_) [[unlikely]]
    mirrored_ = to_be_mirrored(*command);
  home_ = Home::anywhere;
  from_replicas_ = false;
  if ((router_->replicated() && primary_moved()) || (router_->clustered() && slots_moved())) [[unlikely]]
    return settle();
  if (!plain_) [[unlikely]]
    return route_held(*command);
  return route_plainly(*command);
}

// A copy of what waits for others might be done when the original is not, or hold up those behind it.
bool RedisSession::to_be_mirrored(const Command& command) const {
  const bool waits = command.blocks || (command.may_block && asks_to_block(parser_));
  if (command.apart || (waits && !in_transaction())) return false;
  if (*mirrors_ == config::MirrorCommands::writes) return command.write || command.scripts;
  return command.route != Route::local && command.route != Route::hold;
}

// What this client asked of another primary has to be answered before it asks the next one: a lane of that
// one may be quicker. True: it is to be waited for.
bool RedisSession::primary_moved() {
  const BackendIndex primary = router_->for_client(current_);
  if (primary == kNoBackend || (primary == current_ && !rebound_)) return false;
  const bool asked_before = current_ != kNoBackend || rebound_;
  if (asked_before && !settled()) return true;
  current_ = primary;
  rebound_ = false;
  if (held_ && held_->watch.on && held_->watch.backend != primary) held_->watch.lost = true;
  return false;
}

// Likewise of slots that may lie with other servers than before.
bool RedisSession::slots_moved() {
  if (!rebound_ || settled()) {
    rebound_ = false;
    return false;
  }
  return true;
}

Verdict RedisSession::read_from_replica() {
  const BackendIndex backend = router_->for_reading(reading_);
  if (backend != kNoBackend) return pass_to(reading_ = backend);
  const Verdict verdict = wait_for(kNoBackend);
  waits_to_read_ = true;
  return verdict;
}

Verdict RedisSession::route_plainly(const Command& command) {
  if (command.reads && router_->replicas_read() && !held_ && !(command.may_block && asks_to_block(parser_)))
      [[unlikely]] {
    if (!router_->clustered()) return read_from_replica();
    from_replicas_ = true;
  }
  if (command.route == Route::one_key) [[likely]] {
    const BackendIndex backend = backend_of(parser_.arg(command.first));
    if (cache_ != nullptr) [[unlikely]]
      return read_kept(command, backend);
    return pass_to(backend);
  }
  if (command.route == Route::local) return answer_here(command);
  if (command.route == Route::hold) return hold(command);
  if (command.blocks || (command.may_block && asks_to_block(parser_))) return block(command);
  if (router_->whole()) {
    Verdict verdict = pass_to(backend_of({}));
    if (command.apart && verdict.lease == Lease::none) verdict.lease = Lease::last;
    return verdict;
  }
  switch (command.route) {
    case Route::same_shard:
      return to_same_shard(command);
    case Route::split:
      return to_split(command);
    case Route::fan_out:
      return to_all(command);
    case Route::patterns:
      return router_->clustered() ? to_all(command) : pass_to(router_->for_any());
    case Route::scan:
      return to_next_in_scan();
    default:
      return pass_to(router_->for_any());
  }
}

// The message is not complete, and longer than what is collected without need.
Verdict RedisSession::route_large(std::string_view input) {
  if (skipped_ > 0) return {.kind = Verdict::Kind::need_more, .consumed = std::exchange(skipped_, 0)};
  // What is streamed can't be given to another server when one declines it.
  if ((router_->replicated() || router_->clustered()) && input.size() <= kMaxWhole) return {};
  const std::size_t seen = parser_.seen();
  const Command* command = seen > 0 ? find_command(parser_.arg(0)) : nullptr;
  const bool named = seen > 1 || (seen == 1 && (command == nullptr || command->sub_count == 0));
  if (named) {
    command = recognise(input, true);
    if (command == nullptr) {
      abort_transaction();
      if (text_->empty()) return {.kind = Verdict::Kind::close, .consumed = input.size()};
      return begin_to_drop(input);
    }
    const bool by_key = command->route == Route::one_key && seen > command->first;
    const bool anywhere = router_->whole() && command->route != Route::local &&
                          command->route != Route::hold && !command->may_block && !command->blocks;
    const bool is_held = in_transaction() || subscribed();
    home_ = Home::anywhere;
    reads_in_order_ = from_replicas_ = false;
    if ((by_key || anywhere) && !is_held) {
      router_->follow_ejection();
      mirrored_ = mirrors_ && to_be_mirrored(*command);
      const BackendIndex backend = backend_of(by_key ? parser_.arg(command->first) : std::string_view());
      if (backend != kNoBackend) {
        show_keys(false);
        return stream_to(backend, input);
      }
      if (has_to_wait(kNoBackend)) return {.kind = Verdict::Kind::wait};
      return begin_to_drop(input);
    }
  }
  if (input.size() > kMaxWhole) {
    abort_transaction();
    set_error("ERR a command that is not for one key only may have 8 MiB here; send it in smaller parts");
    return begin_to_drop(input);
  }
  return {};
}

Verdict RedisSession::answer_here(const Command& command) {
  constexpr std::size_t kKept = 256 << 10;  // COMMAND DOCS has half of it; a large ECHO is given back
  if (text_->capacity() > kKept) *text_ = {};
  text_->clear();
  if (command.local == Local::select) return select();
  if (command.local == Local::reset) reset_database();
  const bool close = answer_locally(command, parser_, client_, *proxy_, *auth_, *text_);
  use_lane();
  look_who_it_is();
  Verdict verdict = answer();
  verdict.secret = command.local == Local::auth || command.local == Local::hello;
  if (close) verdict.kind = Verdict::Kind::close;
  return verdict;
}

// Whoever is nobody yet may not make the proxy hold much.
void RedisSession::look_who_it_is() {
  parser_.trust(client_.logged_in);
  entered_ = entered_ || client_.logged_in;
}

BackendIndex RedisSession::backend_of(std::string_view key) {
  if (!router_->whole()) {
    home_ = router_->home_of(key, from_replicas_);
    return router_->backend_at(home_, client_.id);
  }
  if (held_ && held_->watch.on && !held_->watch.lost) return held_->watch.backend;
  if (router_->replicated()) return router_->for_client(current_);  // current_ is the last one that was asked
  return current_ = router_->for_client(current_);
}

RedisSession::Shard RedisSession::shard_at(Home home) const {
  return {.home = home, .backend = router_->backend_at(home, client_.id), .keyed = true, .crosses = false};
}

RedisSession::Shard RedisSession::common_shard(std::size_t first, std::size_t step) const {
  Shard shard = shard_at(home_of(first));
  for (std::size_t i = first + step; i < parser_.count(); i += step) {
    if (home_of(i) != shard.home) shard.crosses = true;
  }
  return shard;
}

// Which server all keys of a whole message lie on.
RedisSession::Shard RedisSession::shard_of(const Command& command) {
  if (router_->whole()) return {.backend = backend_of({}), .keyed = true, .crosses = false};
  switch (command.route) {
    case Route::one_key:
      return shard_at(home_of(command.first));
    case Route::split:
      return common_shard(command.first, command.step);
    case Route::fan_out:
    case Route::scan:
      return {.backend = kNoBackend, .keyed = false, .crosses = true};
    case Route::patterns:
      return {.backend = kNoBackend, .keyed = false, .crosses = router_->clustered()};
    case Route::same_shard:
      break;
    default:
      return {};
  }
  std::vector<std::uint32_t> keys;
  std::vector<std::uint32_t> patterns;
  if (!find_keys(command, parser_, keys)) return {};
  if (command.sorts) find_sort_keys(parser_, keys, patterns);
  if (keys.empty()) return {};
  Shard shard = shard_at(home_of(keys.front()));
  shard.crosses = std::ranges::any_of(keys, [&](std::uint32_t key) { return home_of(key) != shard.home; }) ||
                  std::ranges::any_of(patterns, [&](std::uint32_t pattern) {
                    return !router_->pattern_stays(parser_.arg(pattern), shard.home);
                  });
  return shard;
}

Verdict RedisSession::to_same_shard(const Command& command) {
  const Shard shard = shard_of(command);
  if (shard.crosses) return answer_error(router_->crosses());
  home_ = shard.home;
  return pass_to(shard.keyed ? shard.backend : router_->for_any());
}

Verdict RedisSession::to_split(const Command& command) {
  const std::size_t rest = parser_.count() - command.first;
  if (rest % command.step != 0)
    return answer_error(wrong_arity(command));  // a cluster's node has other words for it
  std::vector<Home> home_of_key;
  home_of_key.reserve(rest / command.step);
  for (std::size_t i = command.first; i < parser_.count(); i += command.step) {
    home_ = home_of(i);
    if (router_->backend_at(home_, client_.id) == kNoBackend) return wait_for(kNoBackend);
    home_of_key.push_back(home_);
  }
  if (std::ranges::count(home_of_key, home_of_key.front()) == std::ssize(home_of_key)) {
    return pass_to(router_->backend_at(home_, client_.id));
  }
  if (command.write) {  // all of it or nothing, as far as can be known beforehand
    for (const Home home : home_of_key) {
      const BackendIndex backend = router_->backend_at(home, client_.id);
      if (!router_->usable(backend)) return wait_for(backend);
    }
  }
  group_ = std::make_unique<Group>();
  group_->gathered.merge = command.merge;
  split_request(command, parser_, home_of_key, router_->homes(), group_->asks, group_->gathered);
  for (Ask& ask : group_->asks) ask.backend = router_->backend_at(ask.home, client_.id);
  return ask_group();
}

Verdict RedisSession::to_all(const Command& command) {
  const std::vector<Holder>& holders = router_->holders();
  if (holders.empty()) return wait_for(kNoBackend);
  if (command.merge == Merge::all_succeeded) {
    for (const Holder& holder : holders) {
      if (!router_->usable(holder.backend)) return wait_for(holder.backend);
    }
  }
  group_ = std::make_unique<Group>();
  group_->gathered.merge = command.merge;
  if (command.merge == Merge::pick_one) group_->gathered.random = router_->random();
  for (const Holder& holder : holders) {
    Ask& ask = group_->asks.emplace_back();
    ask.backend = holder.backend;
    ask.home = holder.home;
    if (command.apart && lease_to(holder.backend) == Lease::none) ask.lease = Lease::last;
  }
  return ask_group();
}

Verdict RedisSession::to_next_in_scan() {
  const auto number = whole_number<std::uint64_t>(parser_.arg(1));
  if (!number) return answer_error("ERR invalid cursor");
  const std::vector<Holder>& holders = router_->holders();
  if (holders.size() > ScanCursor::kMaxServers) return answer_error("ERR SCAN over more than 4096 shards");
  if (holders.empty()) return wait_for(kNoBackend);
  const ScanCursor at = ScanCursor::decoded(*number);
  if (at.server >= holders.size()) {  // there were more servers when the scan began: it is over
    *text_ = "*2\r\n$1\r\n0\r\n*0\r\n";
    return answer();
  }
  group_ = std::make_unique<Group>();
  group_->gathered.merge = Merge::next_cursor;
  group_->gathered.scan = at;
  group_->gathered.servers = static_cast<std::uint32_t>(holders.size());
  std::string request;
  append_array(request, parser_.count());
  request += parser_.raw(0);
  append_bulk(request, std::to_string(at.cursor));
  for (std::size_t i = 2; i < parser_.count(); ++i) request += parser_.raw(i);
  Ask& ask = group_->asks.emplace_back();
  ask.backend = holders[at.server].backend;
  ask.home = holders[at.server].home;
  ask.text = std::move(request);
  return ask_group();
}

Verdict RedisSession::ask_group() {
  doing_ = Doing::asking;
  return next_ask();
}

}  // namespace ambassador::proxy::redis
