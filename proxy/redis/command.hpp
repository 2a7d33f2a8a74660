// What is known of one Redis command: how to find its keys, where it goes, how replies of several servers
// become one. The rows (command_data.cpp) are generated from a Redis server's own answer to COMMAND; see
// commands/generate.py. Pure data.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ambassador::proxy::redis {

/// Where a command goes when there is more than one server to choose from.
enum class Route : std::uint8_t {
  one_key,     // to the server of the key at `first`
  same_shard,  // to the server that holds all of its keys, wherever key_specs find them; else CROSSSLOT
  split,       // key by key to the servers that hold them; `merge` makes one reply of theirs
  fan_out,     // to every server; `merge` makes one reply of theirs
  scan,        // to one server after the other, as the cursor says
  patterns,    // about subscribers' patterns: as `any`; as `fan_out` in a cluster, whose nodes have some each
  any,         // to whichever server (it names no key)
  local,       // answered here: `local` says how
  hold,        // begins or ends what a client has for itself, here or at a server: `hold` says what
  refused,     // an error reply; `refusal` says why
  container,   // its second word decides: see subcommands
};

/// How replies of several servers become one (response_policy in Redis' metadata).
enum class Merge : std::uint8_t {
  none,
  in_key_order,   // arrays, one element per key: elements in the order of the keys (MGET)
  sum,            // integers
  all_succeeded,  // the first error, else the first reply
  one_succeeded,  // the first reply that is no error, else the first error
  logical_and,    // arrays of integers, element by element
  minimum,        // integers
  concatenate,    // arrays, end to end
  pick_one,       // one of the replies that are not null, else null (RANDOMKEY)
  next_cursor,    // of one server; its cursor gets the server's number (SCAN)
  selected,       // of one server or of none; what became of a SELECT
  executed,       // of one server to MULTI, commands, EXEC: the last of them
  confirmed,      // what the session prepared (of subscriptions), unless a server refused
};

/// The commands that are answered here.
enum class Local : std::uint8_t {
  none,
  auth,
  client_getname,
  client_id,
  client_info,
  client_list,
  client_no_evict,
  client_setinfo,
  client_setname,
  cluster_disabled,
  command,
  command_count,
  command_docs,
  command_info,
  command_list,
  echo,
  hello,
  info,
  ping,
  quit,
  reset,
  select,
};

/// The commands that change what a client has for itself: a transaction, watched keys, subscriptions.
enum class Hold : std::uint8_t {
  none,
  multi,
  exec,
  discard,
  watch,
  unwatch,
  subscribe,
  unsubscribe,
  psubscribe,
  punsubscribe,
  ssubscribe,
  sunsubscribe,
};

/// One way to find some of a command's keys (https://redis.io/docs/reference/key-specs/).
struct KeySpec {  // NOLINT(clang-analyzer-optin.performance.Padding): in the order of the metadata
  enum class Begin : std::uint8_t { index, keyword };
  enum class Find : std::uint8_t { range, keynum };
  Begin begin = Begin::index;
  std::int8_t from = 0;        // index: of the argument; keyword: where to start looking (negative: from the
                               // end, backwards)
  std::string_view keyword{};  // upper case
  Find find = Find::range;
  std::int8_t last = 0;   // range: of the last key, relative to the first; negative: from the end (-1: last)
  std::int8_t step = 1;   // distance between two keys
  std::int8_t limit = 0;  // range with last == -1: 2 takes the first half, 3 the first third, ...
  std::int8_t key_num = 0;    // keynum: of the argument that counts the keys, relative to the beginning
  std::int8_t first_key = 0;  // keynum: of the first key, relative to the beginning
};

struct Command {
  std::string_view name;   // lower case; a subcommand's is "container|name"
  std::int16_t arity = 0;  // arguments with the name: exactly, or at least -arity
  Route route = Route::refused;
  std::uint8_t first = 0;  // one_key and split: the first key
  std::uint8_t step = 1;   // split: from key to key (MSET: 2)
  bool write = false;
  bool reads = false;      // and nothing else: a replica's answer is as good
  bool blocks = false;     // until a key has something, or its time is over (BLPOP)
  bool may_block = false;  // likewise with its BLOCK option (XREAD)
  bool apart = false;      // must not wait behind what the server is doing for others (SCRIPT KILL)
  bool scripts = false;    // it may write, though that is not said, or what does needs it (EVAL, SCRIPT LOAD)
  bool sorts = false;      // SORT: BY, GET and STORE name further keys
  Merge merge = Merge::none;
  Local local = Local::none;
  Hold hold = Hold::none;
  std::uint8_t spec_begin = 0;  // same_shard: its key specs are kKeySpecs[spec_begin ...]
  std::uint8_t spec_count = 0;
  std::uint16_t sub_begin = 0;  // container: its subcommands are kSubcommands[sub_begin ...]
  std::uint8_t sub_count = 0;
  std::string_view refusal{};  // why it is refused; goes into the error reply
};

/// The version of the Redis server whose commands these are; what HELLO and INFO say here.
extern const std::string_view kRedisVersion;
/// All commands, sorted by name; containers' subcommands, each container's together.
extern const std::span<const Command> kCommands;
extern const std::span<const Command> kSubcommands;
extern const std::span<const KeySpec> kKeySpecs;

/// What COMMAND INFO and COMMAND DOCS say of kCommands[i], as RESP2.
extern const std::span<const std::string_view> kCommandInfo;
extern const std::span<const std::string_view> kCommandDocs;

}  // namespace ambassador::proxy::redis
