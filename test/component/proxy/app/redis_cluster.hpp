// A real Redis Cluster: nodes on 127.0.0.1, put together by redis-cli as its users do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "test/component/proxy/app/proxy_process.hpp"

class RedisCluster {
 public:
  /// Three primaries with so many replicas each.
  explicit RedisCluster(int replicas = 1) {
    for (int i = 0; i < 3 * (1 + replicas); ++i) add_server();
    std::vector<std::string> create{"--cluster", "create"};
    for (const auto& node : nodes) create.push_back(node->place());
    create.insert(create.end(), {"--cluster-replicas", std::to_string(replicas), "--cluster-yes"});
    cli(create);
    for (const auto& node : nodes) {
      REQUIRE(eventually([&] { return knows(*node, "cluster_state:ok", "INFO"); }));
    }
    REQUIRE(eventually([&] { return linked(); }));
  }

  /// One that belongs to no cluster yet.
  RedisServer& add_server() {
    return *nodes.emplace_back(std::make_unique<RedisServer>(
        free_port(), std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-port",
                                              std::to_string(free_port()), "--cluster-config-file",
                                              "nodes.conf", "--cluster-replica-validity-factor", "0"}));
  }
  /// From now on nodes notice in a second who is away. Not while they meet or move slots: on a busy machine
  /// they would take each other for dead, and redis-cli gives up then, or waits for ever.
  void notice_soon() const {
    for (const auto& node : nodes)
      REQUIRE(RedisClient(node->port()).ask({"CONFIG", "SET", "cluster-node-timeout", "1000"}) == "OK");
  }
  /// redis-cli with these arguments, to its end.
  static std::string cli(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "redis-cli");
    Process process(std::move(arguments));
    const auto code = process.wait(std::chrono::seconds(60));
    INFO(process.output() << process.errors());
    REQUIRE(code == 0);
    return process.output();
  }
  [[nodiscard]] std::vector<OnPort> all() const {
    std::vector<OnPort> ports;
    for (const auto& node : nodes) ports.emplace_back(node.get());
    return ports;
  }
  [[nodiscard]] static std::string id(const RedisServer& node) {
    return RedisClient(node.port()).ask({"CLUSTER", "MYID"});
  }
  [[nodiscard]] static bool knows(const RedisServer& node, const std::string& text, const std::string& of) {
    return RedisClient(node.port()).ask({"CLUSTER", of}).find(text) != std::string::npos;
  }
  [[nodiscard]] static bool is_primary(const RedisServer& node) {
    return node.info("replication", "role") == "master";
  }
  /// The one that has the key now, by the word of the node of that number.
  [[nodiscard]] RedisServer& primary_of(const std::string& key, std::size_t asked = 0) const {
    const std::string reply = RedisClient(nodes[asked]->port()).ask({"GET", key});
    for (const auto& node : nodes) {
      if (reply.ends_with(":" + std::to_string(node->port()))) return *node;
    }
    return *nodes[asked];
  }

  std::vector<std::unique_ptr<RedisServer>> nodes;

 private:
  // Every replica has its primary's data.
  [[nodiscard]] bool linked() const {
    for (const auto& node : nodes) {
      if (!is_primary(*node) && node->info("replication", "master_link_status") != "up") return false;
    }
    return true;
  }
};
