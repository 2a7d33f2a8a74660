// The command line of ambassador-proxy, and the few environment variables: read once, in main. Says what is
// to be done; does nothing itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/config/document.hpp"

namespace ambassador::proxy::app {

/// Where the operator mounts the configuration (operator/api/names.hpp); used when nothing else is given.
inline constexpr const char* kDefaultConfig = "/etc/ambassador/config.json";
inline constexpr std::uint16_t kDefaultHealthPort = 19901;
inline constexpr std::uint16_t kDefaultAdminPort = 19900;

enum class Command { run, check, schema, status, slowlog, hotkeys, bigkeys, probe, locate, pause, resume };

struct Options {
  Command command = Command::run;

  // run
  std::string config;         // --config; empty: REDIS_SERVERS, else kDefaultConfig
  unsigned threads = 0;       // --threads; 0: the CPU limit rounded up, 1 without a limit
  bool log_text = false;      // --log-format text
  std::string redis_servers;  // REDIS_SERVERS
  std::string redis_listen;   // REDIS_LISTEN
  std::optional<std::uint16_t>
      health_port;  // AMBASSADOR_HEALTH_PORT, AMBASSADOR_ADMIN_PORT: the drop-in's; 0 = off
  std::optional<std::uint16_t> admin_port;
  /// AMBASSADOR_TEST_BIND_DELAY: a test hook; the listeners bind so much later.
  std::chrono::milliseconds bind_delay{0};

  // check
  std::string file;

  // pause, resume
  std::string listener;                    // empty: all that lend servers
  std::chrono::milliseconds pause_for{0};  // --for

  // status, slowlog, hotkeys, bigkeys, probe, pause, resume
  std::uint16_t port = 0;                         // --port
  bool json = false;                              // the first four: -o json
  std::optional<std::chrono::milliseconds> wait;  // probe, pause: --wait

  // locate
  std::vector<std::string> servers;
  config::Hash hash = config::Hash::fnv1a_64;
  config::Distribution distribution = config::Distribution::ketama;
  std::string hash_tag;
  bool base64 = false;
};

/// What parse_options() found: options, or that the program shall print `text` (help, version, an error) and
/// exit with `exit_code` (0; 2 for a wrong call).
struct Parsed {
  std::optional<Options> options;
  std::string text;
  int exit_code = 0;
};

/// `version` is printed by --version.
Parsed parse_options(int argc, const char* const* argv, const std::string& version);

}  // namespace ambassador::proxy::app
