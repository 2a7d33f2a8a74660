// Listeners: where they are bound, how they change while clients work, how they end.
#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "cores.hpp"
#include "line_server.hpp"

using namespace running;

namespace {

std::string scratch(const std::string& name) {
  char folder[] = "/tmp/net-test-XXXXXX";
  return std::string(::mkdtemp(folder)) + "/" + name;
}

struct OneServer {
  line::Server server{"s"};
  config::Listener listener = listener_named("lines", config::Protocol::redis, {backend("s", server.port())});
  running::Proxy proxy{cores()};
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace

TEST_CASE("a listener is on both loopback addresses, and on nothing else") {
  OneServer one;
  REQUIRE(one.proxy.apply(one.listener));
  CHECK(Client(one.listener.port).ask("get 0") == "s:get 0");
  CHECK(Client(one.listener.port, AF_INET6).ask("get 0") == "s:get 0");
  const auto bound = one.proxy.listener().addresses;
  const std::string port = std::to_string(one.listener.port);
  CHECK(bound == std::vector<std::string>{"127.0.0.1:" + port, "[::1]:" + port});
}

TEST_CASE("a Unix socket is for everybody, replaces a stale file and its folder is made") {
  OneServer one;
  const std::string path = scratch("policy/cache.sock");
  one.listener.port = 0;
  one.listener.unix_socket = path;
  REQUIRE(one.proxy.apply(one.listener));
  struct stat file {};
  REQUIRE(::stat(path.c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0666);
  Client client(path);
  CHECK(client.ask("get 0") == "s:get 0");
  client.end_of_writing();
  CHECK(client.line() == "EOF");

  SECTION("a second proxy is told that somebody listens there") {
    running::Proxy second(cores());
    const auto applied = second.apply(one.listener);
    REQUIRE_FALSE(applied);
    CHECK(applied.error().text() == "listeners[0]: unix:" + path +
                                        ": another process listens on it: stop that, or choose another path");
  }
  SECTION("what a killed process left behind is replaced") {
    const std::string left = scratch("left.sock");
    {
      const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
      const auto address = *net::Address::unix_path(left);
      REQUIRE(::bind(fd, address.data(), address.size()) == 0);
      ::close(fd);
    }
    one.listener.unix_socket = left;
    REQUIRE(one.proxy.apply(one.listener));
    CHECK(Client(left).ask("get 0") == "s:get 0");
    CHECK_FALSE(std::filesystem::exists(path));
  }
  SECTION("another kind of file is not touched") {
    const std::string text = scratch("notes.txt");
    std::ofstream(text) << "mine";
    one.listener.unix_socket = text;
    CHECK_FALSE(one.proxy.apply(one.listener));
    CHECK(std::filesystem::file_size(text) == 4);
  }
}

TEST_CASE("a document that cannot be bound changes nothing") {
  OneServer one;
  REQUIRE(one.proxy.apply(one.listener));
  Client client(one.listener.port);
  CHECK(client.ask("get 0") == "s:get 0");
  auto other = one.listener;
  other.name = "lines.other";
  other.port = one.server.port();  // taken by the backend
  config::Document document;
  document.listeners = {one.listener, other};
  const auto applied = one.proxy.apply(document);
  REQUIRE_FALSE(applied);
  CHECK(applied.error().where == "listeners[1]");
  CHECK(applied.error().what.find("another process uses it") != std::string::npos);
  CHECK(one.proxy.snapshot().listeners.size() == 1);
  CHECK(client.ask("get 1") == "s:get 1");
  CHECK(Client(one.listener.port).ask("get 0") == "s:get 0");
}

TEST_CASE("listeners come, move and go; clients of what stays notice nothing") {
  OneServer one;
  REQUIRE(one.proxy.apply(one.listener));
  Client stays(one.listener.port);
  CHECK(stays.ask("get 0") == "s:get 0");

  auto second = one.listener;
  second.name = "lines.second";
  second.port = free_port();
  config::Document document;
  document.listeners = {one.listener, second};
  REQUIRE(one.proxy.apply(document));
  Client leaves(second.port);
  CHECK(leaves.ask("get 1") == "s:get 1");

  document.listeners = {one.listener};
  leaves.send("get 0 !hold\n");
  CHECK(eventually([&] { return one.server.requests() == 3; }));
  REQUIRE(one.proxy.apply(document));
  CHECK_THROWS(Client(second.port));
  one.server.release();
  CHECK(leaves.line() == "s:get 0 !hold");  // in flight when its listener went
  CHECK(leaves.line() == "EOF");
  CHECK(eventually([&] { return one.proxy.clients() == 1; }));

  const std::uint16_t old_port = one.listener.port;
  document.listeners[0].port = free_port();
  REQUIRE(one.proxy.apply(document));
  CHECK(Client(document.listeners[0].port).ask("get 0") == "s:get 0");
  CHECK_THROWS(Client(old_port));
  CHECK(stays.ask("get 2") == "s:get 2");

  // A listener with another name takes over the address without a gap.
  document.listeners[0].name = "lines.renamed";
  REQUIRE(one.proxy.apply(document));
  CHECK(Client(document.listeners[0].port).ask("get 0") == "s:get 0");
  CHECK(one.proxy.listener().name == "lines.renamed");
}

TEST_CASE("while backends come and go, one connection under load sees no error and no end") {
  std::vector<std::unique_ptr<line::Server>> servers;
  std::vector<config::Backend> backends;
  for (int i = 0; i < 3; ++i) {
    servers.push_back(std::make_unique<line::Server>("s" + std::to_string(i)));
    backends.push_back(backend("s" + std::to_string(i), servers.back()->port()));
  }
  auto listener = listener_named("lines", config::Protocol::redis, backends);
  running::Proxy proxy(cores());
  REQUIRE(proxy.apply(listener));
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0}, right{0};
  std::thread load([&] {
    Client client(listener.port);
    for (int i = 0; !stop; ++i) {
      const std::string key = std::to_string(i);
      client.send("get " + key + "\nall " + key + "\nput " + key + " 70000\n" + std::string(70000, 'a') +
                  "get " + key + "\n");
      for (const auto& suffix : {":get " + key, ":get " + key, ":put " + key, ":get " + key}) {
        const std::string line = client.line();
        (line.find(suffix) != std::string::npos && line.find('-') == std::string::npos ? right : wrong)++;
      }
    }
  });
  for (int i = 0; i < 60; ++i) {
    // 3, 2, 1 of them, in changing order.
    listener.backends.clear();
    for (std::size_t k = 0; k < static_cast<std::size_t>(3 - i % 3); ++k) {
      listener.backends.push_back(backends[(static_cast<std::size_t>(i) + k) % 3]);
    }
    listener.timeouts.connect = std::chrono::milliseconds(1000 + i);
    REQUIRE(proxy.apply(listener));
    std::this_thread::sleep_for(10ms);
  }
  stop = true;
  load.join();
  CHECK(wrong == 0);
  CHECK(right > 100);
  CHECK(proxy.listener().clients_total == 1);
  CHECK(eventually([&] { return proxy.snapshot().buffered_bytes == 0; }));
}

TEST_CASE("a drain lets what is in flight finish, and takes no one new") {
  OneServer one;
  REQUIRE(one.proxy.apply(one.listener));
  Client idle(one.listener.port), busy(one.listener.port);
  CHECK(idle.ask("get 0") == "s:get 0");
  busy.send("get 0 !hold\nget 1\n");
  CHECK(eventually([&] { return one.server.requests() == 2; }));
  one.proxy.begin_drain();
  CHECK(idle.line() == "EOF");
  CHECK_THROWS(Client(one.listener.port));
  CHECK(eventually([&] { return one.proxy.clients() == 1; }));  // it hears of the end before it is counted
  one.server.release();
  CHECK(busy.line() == "s:get 0 !hold");
  CHECK(busy.line() == "s:get 1");
  CHECK(busy.line() == "EOF");
  CHECK(eventually([&] { return one.proxy.clients() == 0; }));
}

TEST_CASE("out of descriptors, accepting pauses and comes back; connected clients go on") {
  OneServer one;
  REQUIRE(one.proxy.apply(one.listener));
  Client client(one.listener.port);
  CHECK(client.ask("get 0") == "s:get 0");

  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit tight = before;
  std::vector<int> hogs;
  tight.rlim_cur = open_descriptors() + 20;
  setrlimit(RLIMIT_NOFILE, &tight);
  Client waiting(one.listener.port);
  CHECK(waiting.ask("get 5") == "s:get 5");  // it is accepted before nothing is left
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) hogs.push_back(fd);
  ::close(hogs.back());
  hogs.pop_back();
  Client late(one.listener.port);  // takes the last descriptor: the proxy has none to accept it with
  CHECK(eventually([&] { return one.proxy.snapshot().accept_pauses > 0; }));
  rusage used_before{}, used_after{};
  getrusage(RUSAGE_SELF, &used_before);
  for (int i = 0; i < 10; ++i) {
    CHECK(client.ask("get 1") == "s:get 1");
    std::this_thread::sleep_for(30ms);
  }
  getrusage(RUSAGE_SELF, &used_after);
  const auto micros = [](const timeval& t) { return t.tv_sec * 1'000'000 + t.tv_usec; };
  CHECK(micros(used_after.ru_utime) + micros(used_after.ru_stime) - micros(used_before.ru_utime) -
            micros(used_before.ru_stime) <
        150'000);  // half of the time would be a spin
  for (const int fd : hogs) ::close(fd);
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(late.ask("get 2", 1s) == "s:get 2");
  CHECK(one.proxy.said("cannot accept clients for now"));
}

TEST_CASE("a thousand idle clients cost little memory, and none when they are gone") {
  OneServer one;
  REQUIRE(one.proxy.apply(one.listener));
  const auto resident = [] {
    std::ifstream file("/proc/self/statm");
    std::size_t size = 0, pages = 0;
    file >> size >> pages;
    return pages * 4096;
  };
  std::vector<Client> clients;
  const std::size_t before = resident();
  for (int i = 0; i < 1000; ++i) {
    clients.emplace_back(one.listener.port);
    CHECK(clients.back().ask("get 0") == "s:get 0");
  }
  const std::size_t each = (resident() - before) / 1000;
  INFO(each << " bytes for each client, the test's own end of it included");
#ifndef __SANITIZE_THREAD__  // its shadow of what they hold is larger than that
  CHECK(each < 4096);
#endif
  CHECK(eventually([&] { return one.proxy.snapshot().buffered_bytes == 0; }));
  CHECK(one.proxy.list_clients().size() == 1000);
  const auto descriptors = open_descriptors();
  clients.clear();
  CHECK(eventually([&] { return one.proxy.clients() == 0; }));
  CHECK(open_descriptors() + 1990 < descriptors);
}

TEST_CASE("clients spread evenly over the workers") {
  line::Server server("s");
  auto listener = listener_named("lines", config::Protocol::redis, {backend("s", server.port())});
  net::Options options;
  options.workers = 4;
  running::Proxy proxy(cores(), options);
  REQUIRE(proxy.apply(listener));
  std::vector<Client> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back(listener.port);
    CHECK(clients.back().ask("get 0") == "s:get 0");
  }
  // Every worker that has clients has a lane of its own.
  CHECK(proxy.backend(0).lanes_open == 4);
  CHECK(server.accepted() == 4);
}
