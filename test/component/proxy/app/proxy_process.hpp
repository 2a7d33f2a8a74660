// The ambassador-proxy that was built, run as people run it.
#pragma once

#include "test/component/proxy/app/redis.hpp"
#include "test/places.hpp"

inline const std::string kProgram = std::string(BINARY_DIR) + "/ambassador-proxy";

/// Runs a command to its end.
struct Ran {
  int code;
  std::string output;
  std::string errors;
};
inline Ran run(std::vector<std::string> arguments, const std::string& input = "",
               const Process::Environment& environment = {}) {
  arguments.insert(arguments.begin(), kProgram);
  Process process(std::move(arguments), environment, input);
  const auto code = process.wait();
  REQUIRE(code);
  return {*code, process.output(), process.errors()};
}

/// Who answers on a port of 127.0.0.1.
struct OnPort {
  OnPort(std::uint16_t number) : port(number) {}               // NOLINT(google-explicit-constructor)
  OnPort(const RedisServer* server) : port(server->port()) {}  // NOLINT(google-explicit-constructor)
  std::uint16_t port;
};

/// A running proxy with ports of its own, from a file that can be rewritten.
class ProxyProcess {
 public:
  explicit ProxyProcess(const std::vector<OnPort>& servers, const std::string& more_of_listener = "",
                        const std::string& more_of_document = "",
                        const Process::Environment& environment = {}) {
    configure(servers, more_of_listener, more_of_document);
    process = std::make_unique<Process>(
        std::vector<std::string>{kProgram, "--config", folder.file("config.yaml")}, environment);
  }

  void configure(const std::vector<OnPort>& servers, const std::string& more_of_listener = "",
                 const std::string& more_of_document = "") const {
    folder.write("config.yaml", document(servers, more_of_listener, more_of_document));
  }

  [[nodiscard]] std::string document(const std::vector<OnPort>& servers,
                                     const std::string& more_of_listener = "",
                                     const std::string& more_of_document = "") const {
    std::string text =
        "version: 1\nhealth: {address: 127.0.0.1, port: " + std::to_string(health) +
        "}\nadmin: {port: " + std::to_string(admin) + "}\n" + more_of_document +
        "listeners:\n- name: test.cache\n  protocol: Redis\n  addresses: [127.0.0.1]\n  port: " +
        std::to_string(port) + "\n" + more_of_listener + "  backends:\n";
    for (const OnPort& server : servers) {
      text += "  - {host: 127.0.0.1, port: " + std::to_string(server.port) + "}\n";
    }
    return text;
  }

  /// Waits until it accepts.
  void wait_started() {
    REQUIRE(eventually([this] { return probe() == 0; }));
  }
  [[nodiscard]] int probe() const { return run({"probe", "--port", std::to_string(health)}).code; }
  [[nodiscard]] std::string status() const { return run({"status", "--port", std::to_string(admin)}).output; }
  [[nodiscard]] std::string status_json() const {
    return run({"status", "-o", "json", "--port", std::to_string(admin)}).output;
  }

  Folder folder;
  std::uint16_t port = free_port();
  std::uint16_t health = free_port();
  std::uint16_t admin = free_port();
  std::unique_ptr<Process> process;
};
