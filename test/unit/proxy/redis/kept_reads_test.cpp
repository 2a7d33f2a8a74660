// When a client is answered with what was kept: only when it can't tell that from an answer of the server.
#include <catch2/catch.hpp>

#include "proxy/redis/in_step.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace std::chrono_literals;
using test::Scene;

namespace {

const std::string kOne = "$1\r\n1\r\n";
const std::string kTwo = "$1\r\n2\r\n";

config::Listener keeping(std::size_t backends, config::RedisMode mode = config::RedisMode::sharded) {
  config::Listener listener = test::listener(backends, mode);
  listener.redis.client_cache = config::ClientCache{};
  return listener;
}

/// A client that speaks RESP3, at rest.
struct Reader : Scene {
  explicit Reader(config::Listener l = keeping(1)) : Scene(std::move(l)) {
    send("HELLO 3");
    (void)answer();
    (void)verdicts();
  }
  /// Asks, and has the server answer if it is asked. What the client was sent.
  std::string ask(const std::string& line, const std::string& reply, std::size_t backend = 0) {
    send(line);
    while (relay.owed(backend) != nullptr) relay.deliver(backend, reply);
    return answer();
  }
  /// Asks, and no server may be asked.
  std::string kept(const std::string& line) {
    const std::size_t backends = config.backends.size();
    send(line);
    for (std::size_t i = 0; i < backends; ++i) CHECK(relay.owed(i) == nullptr);
    return answer();
  }
  /// Asks, and the server has to be asked.
  std::string fresh(const std::string& line, const std::string& reply, std::size_t backend = 0) {
    send(line);
    REQUIRE(relay.owed(backend) != nullptr);
    relay.deliver(backend, reply);
    CHECK(relay.owed(backend) == nullptr);
    return answer();
  }
};

}  // namespace

TEST_CASE("a read is answered with what was kept, once the client is in step with its server") {
  Reader reader;
  CHECK(reader.fresh("GET k", kOne) == kOne);
  CHECK(reader.kept("GET k") == kOne);
  CHECK(reader.kept("GET k") == kOne);
  CHECK(reader.fresh("GET other", kTwo) == kTwo);
  CHECK(reader.kept("GET k") == kOne);
  reader.relay.tell(0, ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n");
  CHECK(reader.fresh("GET k", kTwo) == kTwo);
  CHECK(reader.kept("GET k") == kTwo);
  CHECK(reader.kept("GET other") == kTwo);
  reader.relay.connect_anew(0);
  CHECK(reader.fresh("GET k", kOne) == kOne);
}

TEST_CASE(
    "behind a write the next read is the server's, whatever is kept; then what is kept is right again") {
  for (const char* write :
       {"SET k 2", "EVAL script 0", "FLUSHALL", "PFCOUNT k", "BLPOP list 1", "XREAD STREAMS s 0"}) {
    Reader reader;
    INFO(write);
    CHECK(reader.fresh("GET k", kOne) == kOne);
    CHECK(reader.kept("GET k") == kOne);
    reader.send(write);
    if (reader.relay.leased_owed(0) != nullptr) {
      reader.relay.deliver_leased(0, "*-1\r\n");
    } else {
      reader.relay.deliver(0, ":1\r\n");
    }
    (void)reader.answer();
    // The server has told nothing yet.
    CHECK(reader.fresh("GET other", kTwo) == kTwo);
    CHECK(reader.kept("GET k") == kOne);
  }
}

TEST_CASE("as long as anything is open all goes to the server, in order") {
  Reader reader;
  CHECK(reader.fresh("GET k", kOne) == kOne);
  // A pipeline: k is kept, other is not, so k behind it is asked for as well.
  reader.relay.receive(reader.encoded("GET k") + reader.encoded("GET other") + reader.encoded("GET k"));
  CHECK(reader.answer() == kOne);
  reader.relay.deliver(0, kTwo);
  reader.relay.deliver(0, kTwo);
  CHECK(reader.answer() == kTwo + kTwo);
  CHECK(reader.kept("GET k") == kTwo);
  // Behind a write that is on its way, too, however late that is answered.
  reader.relay.receive(reader.encoded("SET k 3") + reader.encoded("GET k") + reader.encoded("GET k"));
  CHECK(reader.answer().empty());
  reader.relay.deliver(0, "+OK\r\n");
  reader.relay.deliver(0, "$1\r\n3\r\n");
  reader.relay.deliver(0, "$1\r\n3\r\n");
  CHECK(reader.answer() == "+OK\r\n$1\r\n3\r\n$1\r\n3\r\n");
  CHECK(reader.kept("GET k") == "$1\r\n3\r\n");
  // A read in front of the write is none behind it.
  reader.relay.receive(reader.encoded("GET third") + reader.encoded("SET k 4"));
  reader.relay.deliver(0, kOne);
  reader.relay.deliver(0, "+OK\r\n");
  (void)reader.answer();
  CHECK(reader.fresh("GET k", "$1\r\n4\r\n") == "$1\r\n4\r\n");
}

TEST_CASE("each shard by itself: a write to one leaves the client in step with the other") {
  Reader reader(keeping(2));
  CHECK(reader.fresh("GET a0", kOne, 0) == kOne);
  CHECK(reader.fresh("GET a1", kOne, 1) == kOne);
  CHECK(reader.fresh("SET b1 x", "+OK\r\n", 1) == "+OK\r\n");
  CHECK(reader.kept("GET a0") == kOne);
  CHECK(reader.fresh("GET a1", kTwo, 1) == kTwo);
  // A command that was split went to both, and changes nothing.
  reader.send("MGET a0 a1");
  reader.relay.deliver(0, "*1\r\n" + kOne);
  reader.relay.deliver(1, "*1\r\n" + kTwo);
  CHECK(reader.answer() == "*2\r\n" + kOne + kTwo);
  CHECK(reader.kept("GET a0") == kOne);
  CHECK(reader.kept("GET a1") == kTwo);
  reader.send("DEL a0 b1");
  reader.relay.deliver(0, ":1\r\n");
  reader.relay.deliver(1, ":1\r\n");
  CHECK(reader.answer() == ":2\r\n");
  CHECK(reader.fresh("GET a0", "_\r\n", 0) == "_\r\n");
  CHECK(reader.fresh("GET a1", kTwo, 1) == kTwo);
}

TEST_CASE("of servers that may copy from each other a client is in step with one at a time") {
  Reader reader(keeping(2, config::RedisMode::failover));
  CHECK(reader.fresh("GET k", kOne, 0) == kOne);
  CHECK(reader.kept("GET k") == kOne);
  reader.availability.up[0] = false;
  CHECK(reader.fresh("GET k", kTwo, 1) == kTwo);
  CHECK(reader.kept("GET k") == kTwo);
  reader.availability.up[0] = true;
  CHECK(reader.fresh("GET k", kTwo, 0) == kTwo);
}

TEST_CASE(
    "who speaks RESP2, is in another database, or has a connection of its own is not answered from here") {
  Scene two(keeping(1));
  for (int i = 0; i < 2; ++i) {
    two.send("GET k");
    REQUIRE(two.relay.owed(0) != nullptr);
    two.relay.deliver(0, kOne);
    CHECK(two.answer() == kOne);
  }
  Reader reader;
  CHECK(reader.fresh("GET k", kOne) == kOne);
  CHECK(reader.kept("GET k") == kOne);
  CHECK(reader.fresh("SELECT 1", "+OK\r\n") == "+OK\r\n");
  for (int i = 0; i < 2; ++i) CHECK(reader.fresh("GET k", kTwo) == kTwo);
  reader.send("SELECT 0");
  CHECK(reader.answer() == "+OK\r\n");
  CHECK(reader.fresh("GET k", kOne) == kOne);
  CHECK(reader.kept("GET k") == kOne);
  reader.send("WATCH k");
  reader.relay.deliver_leased(0, "+OK\r\n");
  (void)reader.answer();
  reader.send("GET k");
  REQUIRE(reader.relay.leased_owed(0) != nullptr);
  reader.relay.deliver_leased(0, kTwo);
  CHECK(reader.answer() == kTwo);
  reader.send("UNWATCH");
  reader.relay.deliver_leased(0, "+OK\r\n");
  (void)reader.answer();
  CHECK(reader.fresh("GET k", kTwo) == kTwo);  // what it saw by its own connection it must not unsee
  CHECK(reader.kept("GET k") == kTwo);
  reader.send("HELLO 2");
  (void)reader.answer();
  CHECK(reader.fresh("GET k", kTwo) == kTwo);
}

TEST_CASE(
    "a read that failed puts nobody in step; a client that changes its lane waits for all that is on its "
    "way") {
  Reader reader;
  CHECK(reader.fresh("GET k", kOne) == kOne);
  reader.send("SET k 2");
  reader.relay.lose(0, Failure::timed_out);
  reader.send("GET k");
  reader.relay.lose(0, Failure::overloaded);
  (void)reader.answer();
  CHECK(reader.fresh("GET k", kTwo) == kTwo);
  CHECK(reader.kept("GET k") == kTwo);

  Scene scene(keeping(1));
  scene.relay.receive(scene.encoded("SET k 1") + scene.encoded("HELLO 3") + scene.encoded("GET k"));
  scene.relay.deliver(0, "+OK\r\n");
  scene.relay.deliver(0, kOne);
  (void)scene.answer();
  scene.send("GET k");
  REQUIRE(scene.relay.owed(0) != nullptr);  // the first one may have overtaken the write
  scene.relay.deliver(0, kOne);
  (void)scene.answer();
  scene.send("GET k");
  CHECK(scene.relay.owed(0) == nullptr);
  CHECK(scene.answer() == kOne);
}

TEST_CASE("another configuration begins with nothing; without clientCache nothing is kept") {
  Reader reader;
  CHECK(reader.fresh("GET k", kOne) == kOne);
  CHECK(reader.kept("GET k") == kOne);
  const auto next = redis::make_core(reader.config, reader.availability);
  next->rebind(reader.relay.session());
  CHECK(reader.fresh("GET k", kTwo) == kTwo);
  for (auto listener : {test::listener(1), keeping(1, config::RedisMode::cluster)}) {
    const test::ToldAvailability availability(1);
    const auto core = redis::make_core(listener, availability);
    CHECK_FALSE(core->keeps_replies());
    CHECK_FALSE(core->kept());
    CHECK(core->new_keeper(0) == nullptr);
  }
}

TEST_CASE("hits and misses are counted over all cores of a listener") {
  const auto counters = std::make_shared<redis::KeptCounters>();
  const test::ToldAvailability availability(1);
  config::Listener listener = keeping(1);
  listener.redis.client_cache->max_memory = std::uint64_t{2} << 20;
  for (std::uint64_t cores = 1; cores <= 2; ++cores) {
    const auto core =
        redis::make_core(listener, availability, {}, {}, {}, {.workers = 2, .counters = counters});
    test::ToyRelay relay(*core, 1);
    relay.receive(test::request({"HELLO", "3"}));
    for (int i = 0; i < 3; ++i) {
      relay.receive(test::request({"GET", "k"}));
      if (relay.owed(0) != nullptr) relay.deliver(0, kOne);
    }
    const auto counts = core->kept();
    REQUIRE(counts);
    CHECK(counts->hits == 2 * cores);
    CHECK(counts->misses == cores);
    CHECK(counts->most_bytes == std::uint64_t{2} << 20);
    CHECK(counts->connections == 1);
    CHECK(counts->bytes > 0);
  }
}

TEST_CASE("in step is who has read behind all that it did") {
  redis::InStep steps;
  CHECK_FALSE(steps.with(0));
  steps.read(0, false);
  CHECK_FALSE(steps.with(0));  // not answered
  steps.all_answered();
  CHECK(steps.with(0));
  steps.read(1, false);
  steps.did(1, false);
  steps.all_answered();
  CHECK(steps.with(0));
  CHECK_FALSE(steps.with(1));
  steps.did(1, false);
  steps.read(1, false);
  steps.all_answered();
  CHECK(steps.with(1));
  steps.did(1, true);
  CHECK_FALSE(steps.with(0));
  steps.read(0, true);
  steps.lost();
  steps.read(0, true);
  steps.all_answered();
  CHECK_FALSE(steps.with(0));
  steps.read(0, true);
  steps.all_answered();
  CHECK(steps.with(0));
}
