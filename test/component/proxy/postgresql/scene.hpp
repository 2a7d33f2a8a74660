// The pure objects over real sockets: a core with a toy pool of connections to the real server, clients that
// speak messages, and the same clients connected directly, for comparison.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/postgresql/core.hpp"
#include "proxy/postgresql/message.hpp"
#include "proxy/postgresql/write.hpp"
#include "test/component/proxy/postgresql/real_server.hpp"
#include "test/unit/proxy/postgresql/toy_messages.hpp"
#include "test/unit/proxy/postgresql/toy_pool.hpp"

namespace scene {

using namespace ambassador;
using namespace ambassador::proxy;
namespace pg = ambassador::proxy::postgresql;

inline constexpr std::chrono::seconds kPatience{20};

class SocketLine final : public test::Line {
 public:
  explicit SocketLine(int fd) : fd_(fd) {}
  ~SocketLine() override { ::close(fd_); }
  void send(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  std::string receive(bool& ended) override {
    std::string bytes(65536, '\0');
    const ssize_t n = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    ended = n == 0 || (n < 0 && errno != EAGAIN);
    bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return bytes;
  }

 private:
  const int fd_;
};

inline std::unique_ptr<test::Line> connect() {
  return std::make_unique<SocketLine>(real::Server::get().connect());
}

inline pg::Settings settings(config::Pooling pooling, const std::string& user = "trusty",
                             const std::string& password = "") {
  pg::Settings made;
  made.pooling = pooling;
  made.database = "shop";
  const auto account = std::make_shared<const Account>(user, password);
  made.account = [account] { return account; };
  made.random = [](std::span<char> out) {
    static unsigned char next = 0;
    for (char& c : out) c = static_cast<char>(next++);
  };
  made.pins = std::make_shared<pg::PinCounters>();
  return made;
}

// Messages of clients. --------------------------------------------------------------------------------------

using pg::test::bare;
using pg::test::parse;
using pg::test::query;
inline std::string startup(std::string_view more = {}) {
  return pg::test::startup(std::string("user\0trusty\0database\0shop\0", 26) + std::string(more));
}
inline std::string bind(std::string_view statement, std::vector<std::string> values = {},
                        std::string_view portal = {}) {
  std::string out;
  {
    pg::test::Made message(out, 'B');
    message.string(portal).string(statement).number16(0);
    message.number16(static_cast<std::uint16_t>(values.size()));
    for (const std::string& value : values)
      message.number32(static_cast<std::uint32_t>(value.size())).bytes(value);
    message.number16(0);
  }
  return out;
}
inline std::string describe(char what, std::string_view name) {
  std::string out;
  pg::test::Made(out, 'D').byte(what).string(name);
  return out;
}
inline std::string close(char what, std::string_view name) {
  std::string out;
  pg::test::Made(out, 'C').byte(what).string(name);
  return out;
}
inline std::string execute(std::string_view portal = {}, std::uint32_t rows = 0) {
  std::string out;
  pg::test::Made(out, 'E').string(portal).number32(rows);
  return out;
}
inline std::string synced() {
  return bare('S');
}

/// How many messages of that type are in `bytes`; fails where they are none.
inline std::size_t count(std::string_view bytes, char type) {
  std::size_t found = 0;
  while (!bytes.empty()) {
    const pg::Header front = pg::read_header(bytes);
    if (front.found != pg::Found::whole || bytes.size() < front.size()) break;
    if (front.type == type) ++found;
    bytes.remove_prefix(front.size());
  }
  return found;
}

// Clients. --------------------------------------------------------------------------------------------------

/// Sends and receives until so many ReadyForQuery have come.
class Client {
 public:
  virtual ~Client() = default;
  virtual void say(std::string_view bytes) = 0;
  virtual void turn() = 0;
  virtual std::string& out() = 0;
  [[nodiscard]] virtual bool closed() = 0;

  std::string ask(std::string_view bytes, std::size_t readies = 1) {
    say(bytes);
    return hear(readies);
  }
  std::string hear(std::size_t readies = 1) {
    wait([&] { return count(out(), 'Z') >= readies || closed(); });
    return std::exchange(out(), {});
  }
  template <class Condition>
  void wait(Condition holds) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
      REQUIRE(std::chrono::steady_clock::now() < until);
      turn();
    }
  }
};

class DirectClient final : public Client {
 public:
  explicit DirectClient(std::string_view more = {}) : line_(connect()) { ask(startup(more)); }
  void say(std::string_view bytes) override { line_->send(bytes); }
  void turn() override { out_ += line_->receive(closed_); }
  std::string& out() override { return out_; }
  bool closed() override { return closed_; }

 private:
  std::unique_ptr<test::Line> line_;
  std::string out_;
  bool closed_ = false;
};

struct Proxy {
  explicit Proxy(pg::Settings made, std::size_t servers = 2)
      : pins(made.pins), core(pg::make_core(std::move(made))), pool(*core, servers, connect) {}

  PooledCore::Client who() {
    PooledCore::Client client;
    client.number = ++number;
    client.secret.fill(static_cast<char>(number));
    return client;
  }

  std::shared_ptr<pg::PinCounters> pins;
  std::shared_ptr<const PooledCore> core;
  test::ToyPool pool;
  std::uint32_t number = 0;
};

class PooledClient final : public Client {
 public:
  explicit PooledClient(Proxy& proxy, std::string_view more = {}, bool login = true)
      : proxy_(proxy), client(*proxy.core, proxy.pool, proxy.who()) {
    if (login) greeting = ask(startup(more));
  }
  void say(std::string_view bytes) override { client.say(bytes); }
  void turn() override {
    proxy_.pool.turn();
    if (client.waits()) refuse_if_hopeless();
    client.turn();
  }
  std::string& out() override { return client.out; }
  bool closed() override { return client.closed; }

 private:
  void refuse_if_hopeless() {
    for (const auto& server : proxy_.pool.servers) {
      if (!server->failed) continue;
      const std::string why = server->why;
      return client.not_lent(Failure::unreachable, why);
    }
  }
  Proxy& proxy_;

 public:
  test::ToyClient client;
  std::string greeting;
};

}  // namespace scene
