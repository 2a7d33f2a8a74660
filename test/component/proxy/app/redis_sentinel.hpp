// Redis Sentinels: a real one, and one that goes on saying what it was told to say.
#pragma once

#include <string>
#include <vector>

#include "test/component/proxy/app/proxy_process.hpp"
#include "test/component/proxy/net/threaded_server.hpp"

inline constexpr const char* kMaster = "mymaster";

class RedisSentinel {
 public:
  /// Of three, of which two have to agree.
  explicit RedisSentinel(const RedisServer& primary, const std::string& more = "",
                         std::uint16_t port = free_port())
      : port_(port) {
    const std::string name = kMaster;
    folder_.write("sentinel.conf", "port " + std::to_string(port_) + "\nbind 127.0.0.1\nsentinel monitor " +
                                       name + " 127.0.0.1 " + std::to_string(primary.port()) +
                                       " 2\nsentinel down-after-milliseconds " + name +
                                       " 700\nsentinel failover-timeout " + name + " 4000\n" + more);
    start();
  }
  /// With what it knew when it stopped.
  void start() {
    process_ = std::make_unique<Process>(
        std::vector<std::string>{"redis-server", folder_.file("sentinel.conf"), "--sentinel"});
    REQUIRE(eventually([this] { return RedisClient(port_).connected(); }));
  }
  void stop() { process_.reset(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string ask(const std::vector<std::string>& words) const {
    return RedisClient(port_).ask(words);
  }
  /// "name value name value ..." of the master.
  [[nodiscard]] bool says(const std::string& pair) const {
    return ask({"SENTINEL", "MASTER", kMaster}).find(pair) != std::string::npos;
  }

 private:
  std::uint16_t port_;
  Folder folder_;  // it keeps there what it knows
  std::unique_ptr<Process> process_;
};

/// Cut off from the others: it tells of a master and one replica that were right once.
class StaleSentinel final : public ThreadedServer {
 public:
  StaleSentinel(const RedisServer& primary, const RedisServer& replica) : ThreadedServer(0) {
    answer_ = described(primary.port(), "master") + "*1\r\n" + described(replica.port(), "slave");
    start();
  }
  ~StaleSentinel() {
    stop([] {});
  }

 private:
  static std::string described(std::uint16_t port, const std::string& flags) {
    std::string out = "*8\r\n";
    for (const std::string& word :
         {std::string("ip"), std::string("127.0.0.1"), std::string("port"), std::to_string(port),
          std::string("flags"), flags, std::string("config-epoch"), std::string("0")})
      out += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    return out;
  }
  void serve(int fd) override {
    char bytes[4096];
    while (::recv(fd, bytes, sizeof bytes, 0) > 0) ::send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
  }

  std::string answer_;
};
