// The proxy-configuration document: the one contract between the operator (which writes it into the Pod
// annotation ambassador.dev/config) and the proxy (which reads it as a file). JSON or YAML on disk, these
// types in memory. parse.hpp reads it strictly, print.hpp writes it canonically, schema.hpp publishes its
// JSON Schema. Plain values, no threads, no I/O.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ambassador::config {

/// The version of the document's form that this build writes; older forms it still reads are listed in
/// parse.hpp.
inline constexpr int kVersion = 1;

enum class Protocol { redis, tcp, postgresql };  // "Redis", "TCP", "PostgreSQL"
/// "Sharded", "Failover", "Spread", "Replicated", "Sentinel", "Cluster"
enum class RedisMode { sharded, failover, spread, replicated, sentinel, cluster };
/// Where Redis::has_replicas(): who answers reads. The primary; a replica, or the primary when there is
/// none fit for it; a replica only; whoever answers the soonest. "Primary", "PreferReplica", "Replica",
/// "Nearest"
enum class ReadPreference { primary, prefer_replica, replica, nearest };
enum class Hash {  // names as twemproxy spells them
  one_at_a_time,
  md5,
  crc16,
  crc32,
  crc32a,
  fnv1_64,
  fnv1a_64,
  fnv1_32,
  fnv1a_32,
  hsieh,
  murmur,
  jenkins
};
enum class MirrorCommands { writes, all };            // "Writes", "All"
enum class Distribution { ketama, modula, random };   // "ketama", "modula", "random"
enum class LogLevel { debug, info, warning, error };  // "Debug", "Info", "Warning", "Error"
enum class Readiness { listeners, backends };         // "Listeners", "Backends"
/// Connections to the servers: not encrypted; encrypted, whoever is there; to one that the CA vouches for;
/// and that has the server's name or address. "Disabled", "Require", "VerifyCA", "VerifyFull"
enum class TlsMode { disabled, require, verify_ca, verify_full };
enum class Authentication { proxy, passthrough };  // who logs in at the server; "Proxy", "Passthrough"
enum class Pooling { session, transaction };  // how long a client keeps a server; "Session", "Transaction"
enum class Servers { primary, replicas };     // whom a listener's clients get; "Primary", "Replicas"
/// Of clients that get the primary, what goes to replicas: nothing, transactions begun as READ ONLY, or
/// single reads too. "Disabled", "ReadOnlyTransactions", "Statements"
enum class ReadWriteSplit { disabled, read_only_transactions, statements };

/// One server. `name` is what stands on the hash ring and in metrics: "host:port" unless given.
/// `host` is a DNS name, an IP literal or the absolute path of a Unix socket (then port is 0).
struct Backend {
  std::string name;
  std::string host;
  std::uint16_t port = 0;
  unsigned weight = 1;  // 1 to 1000
  friend bool operator==(const Backend&, const Backend&) = default;
};

/// Of a Redis Cluster: the keys of the slots from `first` to `last` (0 to 16383) lie with one server, and its
/// replicas have copies. By their positions in a list of servers.
struct SlotRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  std::uint32_t primary = 0;
  std::vector<std::uint32_t> replicas{};
  friend bool operator==(const SlotRange&, const SlotRange&) = default;
};

struct Timeouts {
  std::chrono::milliseconds connect{std::chrono::seconds(1)};  // to one backend
  std::chrono::milliseconds queue{std::chrono::seconds(5)};    // the longest a request waits for a backend
  std::chrono::milliseconds idle{std::chrono::hours(1)};  // a client without traffic is closed; 0 = never
  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

/// Ejection of failing servers from the ring; absent = never (a store must not lose its place).
struct Ejection {
  unsigned failures = 2;  // connection failures in a row
  std::chrono::milliseconds retry_after{std::chrono::seconds(30)};
  friend bool operator==(const Ejection&, const Ejection&) = default;
};

/// What Redis Sentinels are asked for; Listener::backends are they.
struct Sentinel {
  std::string master_name;  // of the primary and its replicas, as the Sentinels call them
  friend bool operator==(const Sentinel&, const Sentinel&) = default;
};

/// Requests whose reply takes as long as `threshold`, or longer, are kept for people to look at: the last
/// `size` of each worker. 0: none.
struct SlowLog {
  std::chrono::milliseconds threshold{10};
  unsigned size = 128;
  friend bool operator==(const SlowLog&, const SlowLog&) = default;
};

/// The keys that most requests ask for, of which one in `one_in` is looked at: the `size` first of them are
/// told. 0: none are looked at.
struct HotKeys {
  unsigned one_in = 64;
  unsigned size = 32;
  friend bool operator==(const HotKeys&, const HotKeys&) = default;
};

/// The keys of messages of `threshold` bytes or more: the `size` largest of each worker are kept. 0: none.
struct BigKeys {
  unsigned threshold = 16 * 1024;
  unsigned size = 32;
  friend bool operator==(const BigKeys&, const BigKeys&) = default;
};

/// Replies of servers are kept, to answer reads with them until the servers say that they are so no more.
struct ClientCache {
  std::uint64_t max_memory = std::uint64_t{16} << 20;  // bytes, over all workers
  friend bool operator==(const ClientCache&, const ClientCache&) = default;
};

/// How often each client may ask. One that asks more often is read later, never refused.
struct RateLimit {
  unsigned requests_per_second = 1;
  unsigned burst = 0;  // so many at once, after a pause; 0: requests_per_second
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

/// Another Redis listener of the document, by its name, gets copies of what clients ask; nobody waits for it.
struct Mirror {
  std::string listener;
  MirrorCommands commands = MirrorCommands::writes;
  friend bool operator==(const Mirror&, const Mirror&) = default;
};

struct Redis {
  RedisMode mode = RedisMode::sharded;
  Hash hash = Hash::fnv1a_64;
  Distribution distribution = Distribution::ketama;
  std::string hash_tag;  // empty, or two characters such as "{}"
  std::optional<Ejection> ejection;
  ReadPreference read_preference = ReadPreference::primary;
  std::chrono::milliseconds max_lag{std::chrono::seconds(10)};  // replicas further behind get no reads
  /// Holds the files username and password, or password alone for the default user; empty: nobody logs in.
  std::string credentials_folder;
  std::string client_credentials_folder;  // likewise: what clients have to know; empty: they are trusted
  SlowLog slow_log;
  HotKeys hot_keys;
  BigKeys big_keys;
  std::optional<ClientCache> client_cache;  // absent: nothing is kept
  std::optional<RateLimit> rate_limit;      // absent: as often as they like
  std::optional<Mirror> mirror;
  std::optional<Sentinel> sentinel;  // there with RedisMode::sentinel, and only there
  /// One server takes writes, the others follow it.
  [[nodiscard]] bool follows_primary() const {
    return mode == RedisMode::replicated || mode == RedisMode::sentinel;
  }
  /// Some servers have copies of what others have.
  [[nodiscard]] bool has_replicas() const { return follows_primary() || mode == RedisMode::cluster; }
  /// One server has the last word about a key, so that it can tell when a reply about it holds no more.
  [[nodiscard]] bool can_keep_replies() const {
    return mode != RedisMode::cluster && read_preference == ReadPreference::primary;
  }
  /// Of RedisMode::cluster: where keys lie, by positions in Listener::backends. Found while the proxy runs,
  /// never part of a document.
  std::vector<SlotRange> slots;
  friend bool operator==(const Redis&, const Redis&) = default;
};

/// TLS towards the servers. Files are PEM and may be replaced while the proxy runs.
struct ServerTls {
  TlsMode mode = TlsMode::disabled;
  std::string ca_file;  // for verify_ca and verify_full; empty: the system's CAs
  /// What the proxy shows of itself: both or none. Where neither file exists it shows nothing (the Secret
  /// that they come from need not have them).
  std::string certificate_file, key_file;
  friend bool operator==(const ServerTls&, const ServerTls&) = default;
};

/// TLS towards the clients who ask for it. Files are PEM and may be replaced while the proxy runs.
struct ListenerTls {
  std::string certificate_file, key_file;  // both, or none: no TLS
  friend bool operator==(const ListenerTls&, const ListenerTls&) = default;
};

struct Sql {
  std::string database;  // for clients that name none; empty: the user's name, as the protocol has it
  std::string credentials_folder;         // holds the files username and password; for Authentication::proxy
  std::string client_credentials_folder;  // likewise: what clients have to know; empty: they are trusted
  unsigned max_server_connections = 10;   // to all backends together
  Authentication authentication = Authentication::proxy;
  Pooling pooling = Pooling::session;
  Servers servers = Servers::primary;
  ReadWriteSplit read_write_split = ReadWriteSplit::disabled;
  std::chrono::milliseconds max_lag{std::chrono::seconds(10)};  // replicas further behind get nobody
  bool causal_reads = true;  // with read_write_split: a client's reads see what it wrote itself
  /// Some clients get replicas.
  [[nodiscard]] bool uses_replicas() const {
    return servers == Servers::replicas || read_write_split != ReadWriteSplit::disabled;
  }
  friend bool operator==(const Sql&, const Sql&) = default;
};

struct Listener {
  std::string name;  // "<policy>.<listener>": the key of metrics, logs and sockets
  Protocol protocol = Protocol::tcp;
  std::vector<std::string>
      addresses;                  // IP literals to bind; default 127.0.0.1, and ::1 where the host has it
  std::uint16_t port = 0;         // 0 = no TCP listener (then unix_socket is set)
  std::string unix_socket;        // absolute path, mode 0666; empty = none
  std::vector<Backend> backends;  // may be empty: not resolved yet
  Timeouts timeouts;
  unsigned max_clients = 10000;
  Redis redis;               // meaningful for Protocol::redis
  Sql sql;                   // meaningful where servers are lent from a pool: Protocol::postgresql
  ServerTls server_tls;      // likewise, and for Protocol::redis
  ListenerTls listener_tls;  // likewise
  /// `backends` only know who the servers are; those are asked for while the proxy runs.
  [[nodiscard]] bool finds_servers() const {
    return protocol == Protocol::redis &&
           (redis.mode == RedisMode::sentinel || redis.mode == RedisMode::cluster);
  }
  /// Of its protocol.
  [[nodiscard]] const std::string& credentials_folder() const {
    return protocol == Protocol::redis ? redis.credentials_folder : sql.credentials_folder;
  }
  [[nodiscard]] const std::string& client_credentials_folder() const {
    return protocol == Protocol::redis ? redis.client_credentials_folder : sql.client_credentials_folder;
  }
  friend bool operator==(const Listener&, const Listener&) = default;
};

struct Document {
  int version = kVersion;
  bool shutdown = false;  // "shutdown: true": every application container has ended; drain and exit 0
  LogLevel log_level = LogLevel::info;
  std::chrono::milliseconds drain_timeout{std::chrono::seconds(25)};
  Readiness readiness = Readiness::listeners;
  std::string health_address = "::";  // IP literal, "::" = every address of the Pod, v4 and v6
  std::uint16_t health_port = 19901;  // /livez /readyz /startupz /metrics; 0 = off
  std::uint16_t admin_port = 19900;   // on loopback; 0 = off
  std::vector<Listener> listeners;
  friend bool operator==(const Document&, const Document&) = default;
};

}  // namespace ambassador::config
