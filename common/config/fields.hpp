// The one description of the document's fields: spelling, kind, range, meaning. The strict reader, the
// printer and the schema are visitors that walk it, so they cannot disagree. Inside of common/config.
//
// A visitor of T has: integer, boolean, duration, choice, text, texts (a list of text), object, optional,
// objects (a list), group (fields of T itself under one key). Members are given as pointers, so that a
// visitor may look at a value, a default, or nothing.
#pragma once

#include <chrono>
#include <cstdint>

#include "common/config/document.hpp"
#include "common/config/duration.hpp"
#include "common/config/parse.hpp"
#include "common/config/spelling.hpp"
#include "common/config/text_rule.hpp"

namespace ambassador::config {

enum class Presence { optional, required };

struct Range {
  std::int64_t least;
  std::int64_t most;
};

struct DurationRange {
  std::chrono::milliseconds least;
  std::chrono::milliseconds most;
};

template <class T>
struct Of {};  // names the type whose fields are described

template <class V>
void describe(V& v, Of<Backend>) {
  using enum Presence;
  v.text("name", &Backend::name, kBackendName, optional,
         "What stands on the hash ring and in metrics. Default: host:port.");
  v.text("host", &Backend::host, kHost, required,
         "A DNS name, an IP address without brackets, or the absolute path of a Unix socket.");
  v.integer("port", &Backend::port, Range{0, 65535}, optional,
            "The server's port; 0 with a Unix socket only.");
  v.integer("weight", &Backend::weight, Range{1, kMaxWeight}, optional,
            "The server's share of the keys, relative to the others'.");
}

template <class V>
void describe(V& v, Of<Timeouts>) {
  using namespace std::chrono_literals;
  v.duration("connect", &Timeouts::connect, DurationRange{1ms, 1h}, "For connecting to one backend.");
  v.duration("queue", &Timeouts::queue, DurationRange{1ms, 1h},
             "The longest that a request waits for a backend before it gets an error.");
  v.duration("idle", &Timeouts::idle, DurationRange{0ms, kMaxDuration},
             "A client without traffic for this long is closed; 0s: never.");
}

template <class V>
void describe(V& v, Of<Ejection>) {
  using namespace std::chrono_literals;
  v.integer("failures", &Ejection::failures, Range{1, 1000}, Presence::optional,
            "Connection failures in a row that take a server off the ring.");
  v.duration("retryAfter", &Ejection::retry_after, DurationRange{1ms, 24h},
             "How long it stays off before it is tried again.");
}

template <class V>
void describe(V& v, Of<Sentinel>) {
  v.text("masterName", &Sentinel::master_name, kMasterName, Presence::required,
         "What the Sentinels call the primary and its replicas.");
}

template <class V>
void describe(V& v, Of<SlowLog>) {
  using namespace std::chrono_literals;
  v.duration("threshold", &SlowLog::threshold, DurationRange{0ms, 1h},
             "Commands whose reply takes as long as this, or longer, are slow; 0s: all are.");
  v.integer("size", &SlowLog::size, Range{0, kMaxSlowLog}, Presence::optional,
            "So many of the last slow commands are kept, per worker; 0: none.");
}

template <class V>
void describe(V& v, Of<HotKeys>) {
  v.integer("oneIn", &HotKeys::one_in, Range{1, kMaxOneIn}, Presence::optional,
            "Of so many commands one is looked at, for its keys; 1: all are.");
  v.integer("size", &HotKeys::size, Range{0, kMaxKeys}, Presence::optional,
            "So many keys are told; 0: no command is looked at.");
}

template <class V>
void describe(V& v, Of<BigKeys>) {
  v.integer("threshold", &BigKeys::threshold, Range{kLeastBig, kMostBig}, Presence::optional,
            "Bytes: keys of messages as large as this, or larger, are big.");
  v.integer("size", &BigKeys::size, Range{0, kMaxKeys}, Presence::optional,
            "So many of the largest are kept, per worker; 0: none.");
}

template <class V>
void describe(V& v, Of<ClientCache>) {
  v.integer("maxMemory", &ClientCache::max_memory, Range{kMinClientCache, kMaxClientCache},
            Presence::optional,
            "The most memory for what is kept, in bytes; the workers share it out equally.");
}

template <class V>
void describe(V& v, Of<RateLimit>) {
  v.integer("requestsPerSecond", &RateLimit::requests_per_second, Range{1, kMaxRate}, Presence::required,
            "So many requests of one connection are read in a second.");
  v.integer("burst", &RateLimit::burst, Range{0, kMaxRate}, Presence::optional,
            "So many are read at once after a pause; 0: requestsPerSecond.");
}

template <class V>
void describe(V& v, Of<Mirror>) {
  v.text("listener", &Mirror::listener, kListenerName, Presence::required,
         "The name of the Redis listener that gets the copies, with servers of its own.");
  v.choice("commands", &Mirror::commands, kMirrorCommands, Presence::optional,
           "Writes: those that write, and scripts. All: reads too.");
}

template <class V>
void describe(V& v, Of<Redis>) {
  using namespace std::chrono_literals;
  v.choice("mode", &Redis::mode, kRedisModes, Presence::optional,
           "Sharded: keys are spread by hash. Failover: the first healthy backend serves all. Spread: any "
           "healthy backend serves a request. Replicated: the primary takes writes, whichever backend that "
           "is, and readPreference says who answers reads. Sentinel: the same with the servers that the "
           "backends, Redis Sentinels, tell of. Cluster: keys lie where the nodes of a Redis Cluster say, of "
           "which the backends are some.");
  v.choice("hash", &Redis::hash, kHashes, Presence::optional, "How keys are hashed, as twemproxy names it.");
  v.choice("distribution", &Redis::distribution, kDistributions, Presence::optional,
           "How hashes are put on servers, as twemproxy names it.");
  v.text("hashTag", &Redis::hash_tag, kHashTag, Presence::optional,
         "Two characters; what stands between them in a key is hashed instead of the whole key.");
  v.choice("readPreference", &Redis::read_preference, kReadPreferences, Presence::optional,
           "Who answers reads, with modes Replicated, Sentinel and Cluster. Primary: the primary alone. "
           "PreferReplica: a replica, or the primary while no replica is fit. Replica: a replica alone. "
           "Nearest: who answers the soonest.");
  v.duration("maxLag", &Redis::max_lag, DurationRange{100ms, kMaxDuration},
             "Replicas that are further behind the primary get no reads.");
  v.text(
      "credentialsFolder", &Redis::credentials_folder, kFilePath, Presence::optional,
      "The folder with the files username and password that the proxy logs in with at the servers; without "
      "username as the default user. Default: it does not log in.");
  v.text(
      "clientCredentialsFolder", &Redis::client_credentials_folder, kFilePath, Presence::optional,
      "The folder with the files username and password that clients have to log in with, by AUTH or HELLO; "
      "without username as the default user. Default: clients are trusted.");
  v.object("slowLog", &Redis::slow_log,
           "Which commands are kept for `ambassador-proxy slowlog`, by their name and key.");
  v.object("hotKeys", &Redis::hot_keys,
           "How the keys that are asked for most are found, for `ambassador-proxy hotkeys`.");
  v.object("bigKeys", &Redis::big_keys,
           "Which keys are kept for `ambassador-proxy bigkeys`, by the size of messages.");
  v.optional(
      "clientCache", &Redis::client_cache,
      "Keep replies to reads of clients that speak RESP3, and answer with them until the server says that "
      "they are so no more. Not with mode Cluster, nor where replicas are read.");
  v.optional("rateLimit", &Redis::rate_limit,
             "How often each client may ask: beyond that its requests are read later. Default: as it likes.");
  v.optional("mirror", &Redis::mirror,
             "Another listener gets a copy of what clients ask of this one; its replies are dropped.");
  v.optional("ejection", &Redis::ejection,
             "Take failing servers off the ring. Without it never: their keys then get errors.");
  v.optional("sentinel", &Redis::sentinel, "What the Sentinels are asked for; with mode Sentinel only.");
}

template <class V>
void describe(V& v, Of<Sql>) {
  using namespace std::chrono_literals;
  using enum Presence;
  v.text("database", &Sql::database, kDatabase, optional,
         "The database of clients that name none. Default: the user's name.");
  v.text("credentialsFolder", &Sql::credentials_folder, kFilePath, optional,
         "The folder with the files username and password; authentication Proxy needs it.");
  v.text(
      "clientCredentialsFolder", &Sql::client_credentials_folder, kFilePath, optional,
      "The folder with the files username and password that clients have to log in with, by SCRAM-SHA-256. "
      "Default: clients are trusted.");
  v.integer("maxServerConnections", &Sql::max_server_connections, Range{1, 10'000}, optional,
            "Connections to the servers, all together.");
  v.choice("authentication", &Sql::authentication, kAuthentications, optional,
           "Proxy: the proxy logs in at the server with its credentials. Passthrough: the client does.");
  v.choice("pooling", &Sql::pooling, kPoolings, optional,
           "A server connection belongs to a client for its session, or for one transaction.");
  v.choice("servers", &Sql::servers, kServers, optional,
           "Whom clients get. Replicas: the primary only where there is no replica; needs pooling "
           "Transaction.");
  v.choice("readWriteSplit", &Sql::read_write_split, kReadWriteSplits, optional,
           "What goes to replicas, with servers Primary and pooling Transaction. ReadOnlyTransactions: those "
           "begun as READ ONLY. Statements: single reads too, by their text.");
  v.duration("maxLag", &Sql::max_lag, DurationRange{100ms, kMaxDuration},
             "Replicas that are further behind the primary get no clients.");
  v.boolean("causalReads", &Sql::causal_reads,
            "With readWriteSplit: a client's reads go to replicas that have what it wrote before.");
}

template <class V>
void describe(V& v, Of<ServerTls>) {
  using enum Presence;
  v.choice("mode", &ServerTls::mode, kTlsModes, optional,
           "Require encrypts. VerifyCA checks the server's certificate too, VerifyFull also its name.");
  v.text("caFile", &ServerTls::ca_file, kFilePath, optional,
         "PEM certificates that are trusted, for VerifyCA and VerifyFull. Default: the system's.");
  v.text("certificateFile", &ServerTls::certificate_file, kFilePath, optional,
         "PEM certificate chain that the proxy shows. Where neither this nor keyFile exists, it shows none.");
  v.text("keyFile", &ServerTls::key_file, kFilePath, optional, "PEM private key of certificateFile.");
}

template <class V>
void describe(V& v, Of<ListenerTls>) {
  using enum Presence;
  v.text("certificateFile", &ListenerTls::certificate_file, kFilePath, required,
         "PEM certificate chain that is shown to clients who ask for TLS.");
  v.text("keyFile", &ListenerTls::key_file, kFilePath, required, "PEM private key of certificateFile.");
}

template <class V>
void describe(V& v, Of<Listener>) {
  using enum Presence;
  v.text("name", &Listener::name, kListenerName, required,
         "The key of metrics, logs and sockets: <policy>.<listener>.");
  v.choice("protocol", &Listener::protocol, kProtocols, required, "What is spoken.");
  v.texts("addresses", &Listener::addresses, kAddress, 16,
          "IP addresses to listen on. Default: 127.0.0.1, and ::1 where the host has it.");
  v.integer("port", &Listener::port, Range{0, 65535}, optional, "The port to listen on; 0: the socket only.");
  v.text("unixSocket", &Listener::unix_socket, kSocketPath, optional,
         "Listen on a Unix socket too: its absolute path.");
  v.objects("backends", &Listener::backends, kMaxBackends,
            "The servers; their order matters to Failover only. May be empty: clients then get errors.");
  v.object("timeouts", &Listener::timeouts, "");
  v.integer("maxClients", &Listener::max_clients, Range{1, 1'000'000}, optional,
            "Clients at the same time; further ones are refused.");
  v.object("redis", &Listener::redis, "Only with protocol Redis.");
  v.object("sql", &Listener::sql, "Only with protocol PostgreSQL.");
  v.object("serverTLS", &Listener::server_tls,
           "TLS towards the servers; only with protocols PostgreSQL and Redis.");
  v.object("listenerTLS", &Listener::listener_tls,
           "TLS towards the clients who ask for it; only with protocols PostgreSQL and Redis.");
}

template <class V>
void describe(V& v, Of<Document>) {
  using namespace std::chrono_literals;
  using enum Presence;
  v.integer("version", &Document::version, Range{1, kVersion}, required, "The version of this form.");
  v.boolean("shutdown", &Document::shutdown,
            "true: drain and exit 0; every application container has ended.");
  v.choice("logLevel", &Document::log_level, kLogLevels, optional,
           "The least severe events that are logged.");
  v.duration("drainTimeout", &Document::drain_timeout, DurationRange{0ms, 24h},
             "The longest that clients are still served after SIGTERM.");
  v.choice("readiness", &Document::readiness, kReadiness, optional,
           "What /readyz means. Listeners: configured and accepting. Backends: each listener has a usable "
           "backend too.");
  v.group("health", "The health port: /livez /readyz /startupz /metrics.", [](auto& g) {
    g.text("address", &Document::health_address, kAddress, optional, "An IP address; \"::\": all, IPv4 too.");
    g.integer("port", &Document::health_port, Range{0, 65535}, optional, "0: no health port.");
  });
  v.group("admin",
          "The admin port, on loopback only: status page, /config /backends /clients /top "
          "/slowlog /hotkeys /bigkeys.",
          [](auto& g) {
            g.integer("port", &Document::admin_port, Range{0, 65535}, optional, "0: no admin port.");
          });
  v.objects("listeners", &Document::listeners, kMaxListeners, "Where applications connect.");
}

}  // namespace ambassador::config
