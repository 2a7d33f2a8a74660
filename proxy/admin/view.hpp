// What the health and admin ports look into: the running proxy and what proxy/app knows of its configuration.
// proxy/app fills one in. Nothing here changes anything but pause and resume.
//
// Threads: every function is called on the control thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/config/document.hpp"
#include "proxy/net/snapshot.hpp"

namespace ambassador::proxy::admin {

/// What became of the configuration since the start.
struct ConfigurationState {
  std::string source;            // file name, or "REDIS_SERVERS"
  std::string hash;              // config::content_hash of what runs
  net::SystemTime applied_at{};  // when what runs was taken
  std::uint64_t applied = 0;     // documents taken, the first among them
  std::uint64_t refused = 0;     // documents refused since the start
  std::string last_refusal;      // why the newest file is not what runs; empty when it is
  net::SystemTime last_refusal_at{};
};

struct View {
  std::string version;  // of the program, "0.1.0"
  std::string commit;
  net::SystemTime started_at{};
  std::function<net::Snapshot()> snapshot;
  std::function<void(std::size_t limit, std::function<void(std::vector<net::ClientSnapshot>)> done)>
      list_clients;
  std::function<void(std::size_t limit, std::function<void(std::vector<net::SlowRequest>)> done)>
      list_slow_requests;  // the newest first
  std::function<void(std::function<void(std::vector<net::AskedKeys>)> done)> list_hot_keys;
  std::function<void(std::size_t limit, std::function<void(std::vector<net::BigKey>)> done)>
      list_big_keys;                                  // the largest first
  std::function<const config::Document&()> document;  // what runs
  std::function<const ConfigurationState&()> configuration;
  std::function<bool()> listening;  // every listener is bound
  /// net::Proxy's.
  std::function<bool(const std::string& listener, std::chrono::milliseconds duration)> pause;
  std::function<bool(const std::string& listener)> resume;
};

}  // namespace ambassador::proxy::admin
