// redis.clientCache in front of real Redis servers: reads are answered by the proxy as long as the server has
// not said that the key has changed, and nobody ever sees what it could not have seen at the server. How
// often a server is asked is never told exactly: it is asked once more whenever it has said nothing for a
// second, which a busy machine makes of any two lines here.
#include <array>
#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "test/component/proxy/app/redis_replicas.hpp"

using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

const std::string kCache = "  redis: {clientCache: {maxMemory: 16777216}}\n";

/// How often a server was asked a command.
int calls(const RedisServer& server, const std::string& command) {
  const std::string stats = server.info("commandstats", "cmdstat_" + command);
  return stats.empty() ? 0 : std::stoi(stats.substr(stats.find('=') + 1));
}

struct Scene {
  explicit Scene(const std::string& listener = kCache) : proxy({&server}, listener) { proxy.wait_started(); }
  [[nodiscard]] json cache() const {
    return json::parse(proxy.status_json())["listeners"][0].value("clientCache", json());
  }
  [[nodiscard]] int count(const char* of) const { return cache().at(of).get<int>(); }
  RedisServer server;
  ProxyProcess proxy;
};

/// Speaks RESP3 to the proxy.
struct Reader : RedisClient {
  explicit Reader(const Scene& scene) : Reader(scene.proxy.port) {}
  explicit Reader(std::uint16_t port) : RedisClient(port) { REQUIRE(ask({"HELLO", "3"}).starts_with("%")); }
  std::string get(const std::string& key) { return ask({"GET", key}); }
  /// Within a second, and never something else than the old or the new.
  bool comes_to_read(const std::string& key, const std::string& old, const std::string& expected) {
    for (int i = 0; i < 1000; ++i) {
      const std::string value = get(key);
      if (value == expected) return true;
      if (value != old) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }
};

}  // namespace

TEST_CASE("a key that is read again and again is asked for once; status and metrics tell of it") {
  const Scene scene;
  RedisClient writer(scene.server.port());
  CHECK(writer.ask({"SET", "k", "v"}) == "OK");
  CHECK(writer.ask({"HSET", "h", "f", "1", "g", "2"}) == "2");
  Reader reader(scene);
  for (int i = 0; i < 50; ++i) {
    CHECK(reader.get("k") == "v");
    CHECK(reader.get("nothing") == "(nil)");
    CHECK(reader.ask({"HGETALL", "h"}) == "%[f 1 g 2]");
    CHECK(reader.ask({"HGET", "h", "g"}) == "2");
  }
  const int asked = calls(scene.server, "get") + calls(scene.server, "hgetall") + calls(scene.server, "hget");
  CHECK(asked >= 4);
  CHECK(asked < 40);
  CHECK(scene.count("hits") == 200 - asked);
  CHECK(scene.count("misses") == asked);
  CHECK(scene.count("connections") == 1);
  CHECK(scene.count("bytes") > 0);
  CHECK(scene.count("limitBytes") == 16777216);
  CHECK_THAT(scene.proxy.status(),
             Contains("client cache: hits " + std::to_string(200 - asked) + "  misses " +
                      std::to_string(asked) + "  invalidated 0  evicted 0"));
  // A pipeline of nothing but hits.
  const std::vector<std::vector<std::string>> many(100, {"GET", "k"});
  for (int turn = 0; turn < 5; ++turn) {
    reader.send_at_once(many);
    for (std::size_t i = 0; i < many.size(); ++i) CHECK(reader.receive() == "v");
  }
  CHECK(scene.count("hits") >= 300);
}

TEST_CASE(
    "what another client writes is read by the next one within a moment, be it at the server or by the "
    "proxy") {
  const Scene scene;
  Reader reader(scene);
  RedisClient direct(scene.server.port());
  Reader other(scene);
  std::string old = "(nil)";
  for (int i = 0; i < 20; ++i) {
    CHECK(reader.get("k") == old);
    CHECK(reader.get("k") == old);
    const std::string value = std::to_string(i);
    CHECK((i % 2 == 0 ? direct : other).ask({"SET", "k", value}) == "OK");
    CHECK(reader.comes_to_read("k", old, value));
    old = value;
  }
  CHECK(scene.count("hits") >= 20);
  CHECK(scene.count("invalidations") >= 10);
  CHECK(direct.ask({"FLUSHALL"}) == "OK");
  CHECK(reader.comes_to_read("k", old, "(nil)"));
}

TEST_CASE("a client reads what it wrote itself, at once, however it did") {
  const Scene scene;
  Reader client(scene);
  const std::string script = "return redis.call('incr', 'n')";
  for (int i = 0; i < 100; ++i) {
    CHECK(client.get("n") == (i == 0 ? "(nil)" : std::to_string(5 * i)));
    CHECK(client.get("n") == (i == 0 ? "(nil)" : std::to_string(5 * i)));
    const auto now = [&](int more) { return std::to_string(5 * i + more); };
    client.send_at_once({{"GET", "n"}, {"INCR", "n"}, {"GET", "n"}, {"GET", "n"}});
    (void)client.receive();
    for (int reply = 0; reply < 3; ++reply) CHECK(client.receive() == now(1));
    CHECK(client.get("n") == now(1));
    CHECK(client.ask({"EVAL", script, "0"}) == now(2));  // which key, nobody was told
    CHECK(client.get("n") == now(2));
    CHECK(client.get("n") == now(2));
    // On a connection of its own.
    CHECK(client.ask({"WATCH", "n"}) == "OK");
    CHECK(client.ask({"MULTI"}) == "OK");
    CHECK(client.ask({"INCR", "n"}) == "QUEUED");
    CHECK(client.ask({"EXEC"}) == "*[" + now(3) + "]");
    CHECK(client.get("n") == now(3));
    // By the shared one.
    client.send_at_once({{"MULTI"}, {"INCR", "n"}, {"GET", "n"}, {"EXEC"}});
    for (const char* reply : {"OK", "QUEUED", "QUEUED"}) CHECK(client.receive() == reply);
    CHECK(client.receive() == "*[" + now(4) + " " + now(4) + "]");
    CHECK(client.get("n") == now(4));
    CHECK(client.get("n") == now(4));
    CHECK(client.ask({"INCR", "n"}) == now(5));
  }
  CHECK(scene.count("hits") > 100);
  CHECK(client.ask({"FLUSHALL"}) == "OK");
  CHECK(client.get("n") == "(nil)");
  // A value that goes by a connection of its own because it is large.
  CHECK(client.ask({"SET", "large", std::string(300'000, 'x')}) == "OK");
  CHECK(client.get("large").size() == 300'000);
  CHECK(client.ask({"SET", "large", std::string(300'000, 'y')}) == "OK");
  CHECK(client.get("large") == std::string(300'000, 'y'));
}

TEST_CASE("what came from a server is gone when its connection is") {
  Scene scene;
  Reader reader(scene);
  RedisClient(scene.server.port()).ask({"SET", "k", "old"});
  CHECK(reader.get("k") == "old");
  CHECK(reader.get("k") == "old");
  scene.server.stop();
  CHECK(eventually([&] { return scene.count("connections") == 0; }));
  CHECK(scene.count("bytes") == 0);
  CHECK_THAT(reader.get("k"), Contains("-ERR"));
  scene.server.start();
  RedisClient(scene.server.port()).ask({"SET", "k", "new"});
  CHECK(eventually([&] { return !reader.get("k").starts_with('-'); }));
  CHECK(reader.get("k") == "new");
  // It ends the connections, and lives.
  CHECK(reader.get("k") == "new");
  RedisClient admin(scene.server.port());
  CHECK(admin.ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}) != "0");
  CHECK(admin.ask({"SET", "k", "newer"}) == "OK");
  CHECK(eventually([&] { return reader.get("k") == "newer"; }));
}

TEST_CASE("of a server that says nothing any more nothing is given after a second") {
  const Scene scene;
  Reader reader(scene);
  CHECK(reader.get("k") == "(nil)");
  CHECK(reader.get("k") == "(nil)");
  const int hits = scene.count("hits");
  const int misses = scene.count("misses");
  scene.server.freeze();
  std::this_thread::sleep_for(std::chrono::milliseconds(1'100));
  reader.send({"GET", "k"});
  CHECK(eventually([&] { return scene.count("misses") == misses + 1; }));
  CHECK(scene.count("hits") == hits);
  scene.server.thaw();
  CHECK(reader.receive() == "(nil)");
}

TEST_CASE("a key whose time is over is gone when the server has removed it") {
  const Scene scene;
  Reader reader(scene);
  RedisClient(scene.server.port()).ask({"SET", "k", "v", "PX", "300"});
  CHECK(reader.get("k") == "v");
  CHECK(reader.get("k") == "v");
  CHECK(reader.comes_to_read("k", "v", "(nil)"));
}

TEST_CASE("a server that may not tell of changes is asked every time, and status says why") {
  RedisServer server;
  RedisClient admin(server.port());
  REQUIRE(admin.ask({"ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "-client|tracking"}) == "OK");
  const Folder login;
  login.write("username", "app\n");
  login.write("password", "secret\n");
  ProxyProcess proxy({&server}, "  redis: {clientCache: {}, credentialsFolder: " + login.file(".") + "}\n");
  proxy.wait_started();
  Reader reader(proxy.port);
  for (int i = 0; i < 3; ++i) CHECK(reader.get("k") == "(nil)");
  CHECK(calls(server, "get") == 3);
  CHECK_THAT(proxy.status(), Contains("connections 0") &&
                                 Contains("clientCache keeps nothing of its replies: NOPERM this user has no "
                                          "permissions to run the 'client|tracking' command"));
}

TEST_CASE(
    "clients of RESP2 and of other databases are served as ever; who subscribes gets no news of the cache") {
  const Scene scene;
  RedisClient two(scene.proxy.port);
  Reader reader(scene);
  Reader other(scene);
  CHECK(other.ask({"SELECT", "1"}) == "OK");
  CHECK(other.ask({"SET", "k", "of 1"}) == "OK");
  CHECK(two.ask({"SET", "k", "of 0"}) == "OK");
  for (int i = 0; i < 3; ++i) {
    CHECK(two.ask({"GET", "k"}) == "of 0");
    CHECK(reader.get("k") == "of 0");
    CHECK(other.get("k") == "of 1");
  }
  CHECK(calls(scene.server, "get") < 3 + 3 + 3);
  Reader subscriber(scene);
  CHECK(subscriber.get("k") == "of 0");
  CHECK(subscriber.ask({"SUBSCRIBE", "c"}) == ">[subscribe c 1]");
  CHECK(subscriber.get("k") == "of 0");
  CHECK(two.ask({"SET", "k", "new"}) == "OK");
  CHECK(two.ask({"PUBLISH", "c", "hello"}) == "1");
  CHECK(subscriber.receive() == ">[message c hello]");
  CHECK(subscriber.get("k") == "new");
}

TEST_CASE("large replies are kept as far as they fit, and come whole; what was not used for long gives way") {
  const Scene scene("  redis: {clientCache: {maxMemory: 4194304}}\n");
  RedisClient writer(scene.server.port());
  // Two workers have 2 MiB each, of which one reply may take 128 KiB.
  const std::array<std::size_t, 4> sizes{20'000, 60'000, 100'000, 500'000};
  for (const std::size_t size : sizes)
    CHECK(writer.ask({"SET", std::to_string(size), std::string(size, 'x')}) == "OK");
  Reader reader(scene);
  for (int i = 0; i < 5; ++i) {
    for (const std::size_t size : sizes) CHECK(reader.get(std::to_string(size)) == std::string(size, 'x'));
  }
  const int most = calls(scene.server, "get");
  CHECK(most >= 3 + 5);
  CHECK(scene.count("hits") + most == 20);
  CHECK(scene.count("hits") > 0);
  for (int i = 0; i < 300; ++i) {
    CHECK(writer.ask({"SET", "many-" + std::to_string(i), std::string(20'000, 'y')}) == "OK");
    CHECK(reader.get("many-" + std::to_string(i)) == std::string(20'000, 'y'));
  }
  CHECK(scene.count("evictions") > 0);
  CHECK(scene.count("bytes") <= 4194304);
}

TEST_CASE("a reload turns the cache on and off, and drops what it had") {
  const Scene scene("");
  Reader reader(scene);
  RedisClient writer(scene.server.port());
  const auto reload = [&](const std::string& listener) {
    const auto applied = [&] {
      return json::parse(scene.proxy.status_json())["configuration"]["applied"].get<int>();
    };
    const int before = applied();
    scene.proxy.configure({&scene.server}, listener);
    scene.proxy.process->signal(SIGHUP);
    REQUIRE(eventually([&] { return applied() > before; }));
  };
  CHECK(writer.ask({"SET", "k", "1"}) == "OK");
  for (int i = 0; i < 3; ++i) CHECK(reader.get("k") == "1");
  CHECK(calls(scene.server, "get") == 3);
  CHECK(scene.cache().is_null());
  reload(kCache);
  for (int i = 0; i < 5; ++i) CHECK(reader.get("k") == "1");
  CHECK(scene.count("hits") > 0);
  CHECK(scene.count("connections") == 1);
  CHECK(writer.ask({"SET", "k", "2"}) == "OK");
  CHECK(reader.comes_to_read("k", "1", "2"));
  const int hits = scene.count("hits");
  reload("  redis: {clientCache: {maxMemory: 2097152}}\n");
  for (int i = 0; i < 3; ++i) CHECK(reader.get("k") == "2");
  CHECK(scene.count("hits") > hits);
  CHECK(writer.ask({"SET", "k", "3"}) == "OK");
  CHECK(reader.comes_to_read("k", "2", "3"));
  const int before = calls(scene.server, "get");
  reload("");
  CHECK(scene.cache().is_null());
  for (int i = 0; i < 3; ++i) CHECK(reader.get("k") == "3");
  CHECK(calls(scene.server, "get") == before + 3);
}

TEST_CASE("with Failover, what is kept is of the server that serves now") {
  RedisServer first;
  RedisServer second;
  ProxyProcess proxy({&first, &second}, "  redis: {mode: Failover, clientCache: {}}\n");
  proxy.wait_started();
  RedisClient(first.port()).ask({"SET", "k", "first"});
  RedisClient(second.port()).ask({"SET", "k", "second"});
  Reader reader(proxy.port);
  for (int i = 0; i < 3; ++i) CHECK(reader.get("k") == "first");
  CHECK(calls(first, "get") < 3);
  first.stop();
  CHECK(eventually([&] { return reader.get("k") == "second"; }));
  for (int i = 0; i < 3; ++i) CHECK(reader.get("k") == "second");
  CHECK(calls(second, "get") < 4);
}

namespace {

/// Counters that only grow: no connection may ever see one smaller than it saw it before, be it by its own
/// write or by a read, and none that is more than was written.
class Program {
 public:
  static constexpr std::size_t kKeys = 5;
  static std::string name_of(std::size_t key) { return std::to_string(key * 7919) + "-key"; }

  /// `tells_keys`: scripts name their keys, as they have to where there are several shards.
  Program(std::uint16_t port, unsigned seed, bool tells_keys)
      : client_(port), random_(seed), tells_keys_(tells_keys) {}
  void run(std::chrono::steady_clock::time_point until) {
    while (std::chrono::steady_clock::now() < until && wrong.empty() && client_.connected()) {
      begin();
      const std::size_t many = random_() % 3 == 0 ? 1 + random_() % 8 : 1;
      for (std::size_t i = 0; i < many; ++i) add();
      client_.send_at_once(commands_);
      for (const auto& expects : expected_) expects(client_.receive());
    }
    if (!client_.connected()) wrong = "the connection was closed";
  }

  std::string wrong;
  std::uint64_t reads = 0;

 private:
  using Commands = std::vector<std::vector<std::string>>;

  void begin() {
    commands_.clear();
    expected_.clear();
  }
  void saw(std::size_t key, const std::string& reply) {
    if (reply.starts_with('-')) return;  // its connection was lost
    const long value = reply == "(nil)" ? 0 : std::stol(reply);
    if (value < seen_[key]) {
      wrong = "key " + std::to_string(key) + ": " + std::to_string(value) + " after " +
              std::to_string(seen_[key]);
    }
    seen_[key] = value;
  }
  void add() {
    const std::size_t key = random_() % kKeys;
    const std::string name = name_of(key);
    const auto one = [this, key](const std::string& reply) { saw(key, reply); };
    const auto ignored = [](const std::string&) {};
    switch (random_() % 24) {
      case 0:
        commands_.push_back({"INCR", name});
        return expected_.emplace_back(one), void();
      case 1:
        commands_.push_back({"EVAL", "return redis.call('incr', '" + name + "')", tells_keys_ ? "1" : "0"});
        if (tells_keys_) commands_.back().push_back(name);
        return expected_.emplace_back(one), void();
      case 2:
        commands_.insert(commands_.end(), {{"WATCH", name}, {"MULTI"}, {"INCR", name}, {"EXEC"}});
        for (int i = 0; i < 3; ++i) expected_.emplace_back(ignored);
        expected_.emplace_back([this, key](const std::string& reply) {
          if (reply.starts_with("*[")) saw(key, reply.substr(2, reply.size() - 3));
        });
        return;
      case 3:
        commands_.push_back({"MGET", name});
        expected_.emplace_back([this, key](const std::string& reply) {
          if (reply.starts_with("*[")) saw(key, reply.substr(2, reply.size() - 3));
        });
        return;
      default:
        ++reads;
        commands_.push_back({"GET", name});
        return expected_.emplace_back(one), void();
    }
  }

  Reader client_;
  std::mt19937 random_;
  const bool tells_keys_;
  Commands commands_;
  std::vector<std::function<void(const std::string&)>> expected_;
  std::array<long, kKeys> seen_{};
};

/// Four of them at once.
class Programs {
 public:
  Programs(std::uint16_t port, bool tells_keys, std::chrono::seconds how_long)
      : until(std::chrono::steady_clock::now() + how_long) {
    for (unsigned i = 0; i < 4; ++i) {
      auto& program = programs_.emplace_back(std::make_unique<Program>(port, 100 + i, tells_keys));
      threads_.emplace_back([this, &program = *program] { program.run(until); });
    }
  }
  /// How many reads they did.
  std::uint64_t end() {
    for (std::thread& thread : threads_) thread.join();
    std::uint64_t reads = 0;
    for (const auto& program : programs_) {
      CHECK(program->wrong == "");
      reads += program->reads;
    }
    return reads;
  }

  const std::chrono::steady_clock::time_point until;

 private:
  std::vector<std::unique_ptr<Program>> programs_;
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("programs of many clients that write and read at once never see a counter go backwards") {
  const bool several = GENERATE(false, true);
  RedisServer one;
  RedisServer two;
  ProxyProcess proxy(several ? std::vector<OnPort>{&one, &two} : std::vector<OnPort>{&one}, kCache);
  proxy.wait_started();
  Programs programs(proxy.port, several, std::chrono::seconds(3));
  // Besides, somebody at one of the servers writes as well, and ends the proxy's connections now and then.
  RedisClient admin(one.port());
  for (unsigned i = 1; std::chrono::steady_clock::now() < programs.until; ++i) {
    for (std::size_t key = 0; key < Program::kKeys; ++key) {
      const std::string name = Program::name_of(key);
      if (admin.ask({"EXISTS", name}) == "1") admin.ask({"INCR", name});
    }
    if (i % 400 == 0) admin.ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const std::uint64_t reads = programs.end();
  const json kept = json::parse(proxy.status_json())["listeners"][0]["clientCache"];
  INFO(kept.dump() << ", " << reads << " reads");
  CHECK(kept["hits"].get<std::uint64_t>() > 1000);
  CHECK(kept["invalidations"].get<std::uint64_t>() > 100);
  CHECK(one.keys() > 0);
  CHECK((two.keys() > 0) == several);
  // When all is quiet everybody reads the same.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  Reader last(proxy.port);
  RedisClient plain(proxy.port);
  for (std::size_t key = 0; key < Program::kKeys; ++key) {
    const std::string name = Program::name_of(key);
    for (int i = 0; i < 2; ++i) CHECK(last.get(name) == plain.ask({"GET", name}));
  }
}

TEST_CASE("when a primary and its replica change places, nothing is given that only the old one told") {
  Trio trio;
  ProxyProcess proxy(trio.all(), "  redis: {mode: Replicated, clientCache: {}}\n");
  proxy.wait_started();
  Programs programs(proxy.port, false, std::chrono::seconds(4));
  const RedisServer* next = &trio.s1;
  const RedisServer* primary = &trio.s0;
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    REQUIRE(RedisClient(primary->port()).ask({"FAILOVER", "TO", "127.0.0.1", std::to_string(next->port())}) ==
            "OK");
    REQUIRE(eventually([&] { return next->info("replication", "role") == "master"; }));
    std::swap(primary, next);
  }
  const std::uint64_t reads = programs.end();
  const json kept = json::parse(proxy.status_json())["listeners"][0]["clientCache"];
  INFO(kept.dump() << ", " << reads << " reads");
  CHECK(kept["hits"].get<std::uint64_t>() > 1000);
  CHECK(calls(trio.s1, "incr") > 0);
}
