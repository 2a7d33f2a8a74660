// SUBSCRIBE and its kin: where channels are, what the client is told, what it may do meanwhile.
#include <catch2/catch.hpp>

#include "proxy/redis/limits.hpp"
#include "proxy/redis/reply_framer.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;
using config::RedisMode;

namespace {

std::string told(const std::string& word, const std::string& name, int count) {
  return "*3\r\n$" + std::to_string(word.size()) + "\r\n" + word + "\r\n$" + std::to_string(name.size()) +
         "\r\n" + name + "\r\n:" + std::to_string(count) + "\r\n";
}

/// A server confirms what the client's lane to `backend` has been sent; what it counts is its own.
void confirm(Scene& scene, std::size_t backend) {
  REQUIRE(scene.relay.leased_owed(backend) != nullptr);
  std::string replies;
  for (std::uint32_t i = 0; i < scene.relay.leased_replies(backend); ++i)
    replies += told("subscribe", "any", 7);
  scene.relay.deliver_leased(backend, replies);
}

}  // namespace

TEST_CASE("channels are subscribed to where PUBLISH sends their messages, and counted together") {
  Scene scene(listener(2));
  const std::string c0 = key_on(scene.config, 0);
  const std::string c1 = key_on(scene.config, 1);
  const std::string d0 = key_on(scene.config, 0, 1);
  scene.send("subscribe a0 a1 b0 a0");
  CHECK(*scene.relay.leased_owed(0) == scene.encoded("subscribe a0 b0"));
  CHECK(*scene.relay.leased_owed(1) == scene.encoded("subscribe a1"));
  CHECK(scene.relay.leased_replies(0) == 2);
  CHECK(scene.relay.listens(0));
  confirm(scene, 1);
  CHECK(scene.answer().empty());
  confirm(scene, 0);
  CHECK(scene.answer() == told("subscribe", c0, 1) + told("subscribe", c1, 2) + told("subscribe", d0, 3) +
                              told("subscribe", c0, 3));
  Scene publisher(listener(2));
  publisher.send("publish a1 message");
  CHECK(publisher.relay.owed(1) != nullptr);
}

TEST_CASE("unsubscribing gives up a lane when nothing lies there any more") {
  Scene scene(listener(2));
  const std::string c0 = key_on(scene.config, 0);
  const std::string c1 = key_on(scene.config, 1);
  scene.send("subscribe a0 a1");
  confirm(scene, 0);
  confirm(scene, 1);
  scene.answer();
  scene.send("unsubscribe a0 nowhere");
  CHECK(*scene.relay.leased_owed(0) == scene.encoded("unsubscribe a0"));
  confirm(scene, 0);
  CHECK(scene.answer() == told("unsubscribe", c0, 1) + told("unsubscribe", "nowhere", 1));
  CHECK_FALSE(scene.relay.leased(0));
  CHECK(scene.relay.leased(1));
  scene.send("unsubscribe");
  confirm(scene, 1);
  CHECK(scene.answer() == told("unsubscribe", c1, 0));
  CHECK_FALSE(scene.relay.leased(1));
  scene.send("unsubscribe");
  CHECK(scene.answer() == "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
  scene.send("punsubscribe p");
  CHECK(scene.answer() == told("punsubscribe", "p", 0));
  scene.send("get a0");
  CHECK(scene.relay.owed(0) != nullptr);
}

TEST_CASE("a pattern is subscribed to at every server") {
  Scene scene(listener(2));
  scene.send("psubscribe news.*");
  for (std::size_t i : {0U, 1U}) {
    CHECK(*scene.relay.leased_owed(i) == scene.encoded("psubscribe news.*"));
    confirm(scene, i);
  }
  CHECK(scene.answer() == told("psubscribe", "news.*", 1));
  scene.send("punsubscribe");
  for (std::size_t i : {0U, 1U}) confirm(scene, i);
  CHECK(scene.answer() == told("punsubscribe", "news.*", 0));
  CHECK_FALSE(scene.relay.leased(0));
  CHECK_FALSE(scene.relay.leased(1));
}

TEST_CASE("sharded channels are counted apart") {
  Scene scene(listener(2));
  scene.send("subscribe a0");
  confirm(scene, 0);
  scene.answer();
  scene.send("ssubscribe a0");
  CHECK(*scene.relay.leased_owed(0) == scene.encoded("ssubscribe a0"));
  confirm(scene, 0);
  CHECK(scene.answer() == told("ssubscribe", key_on(scene.config, 0), 1));
  scene.send("unsubscribe");
  confirm(scene, 0);
  CHECK(scene.relay.leased(0));
}

TEST_CASE("a subscribed client may do what Redis lets it do") {
  Scene scene(listener(2));
  scene.send("subscribe a0");
  confirm(scene, 0);
  scene.answer();
  for (const char* word : {"get a0", "multi", "publish a0 x", "client id"}) {
    scene.send(word);
    CHECK(scene.answer().ends_with(
        "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n"));
  }
  scene.send("get a0");
  CHECK(scene.answer().starts_with("-ERR Can't execute 'get': "));
  scene.send("client id");
  CHECK(scene.answer().starts_with("-ERR Can't execute 'client|id': "));
  scene.send("exec");
  CHECK(scene.answer().starts_with("-EXECABORT Transaction discarded because of: Can't execute 'exec': "));
  scene.send("ping");
  CHECK(scene.answer() == "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
  scene.send("ping hello");
  CHECK(scene.answer() == "*2\r\n$4\r\npong\r\n$5\r\nhello\r\n");
  SECTION("RESET ends it") {
    scene.send("reset");
    CHECK(scene.answer() == "+RESET\r\n");
    CHECK_FALSE(scene.relay.leased(0));
    scene.send("get a0");
    CHECK(scene.relay.owed(0) != nullptr);
  }
  SECTION("QUIT does") {
    scene.send("quit");
    CHECK(scene.answer() == "+OK\r\n");
    CHECK(scene.relay.closed());
  }
}

TEST_CASE("a subscriber whose server is gone is closed, so that it can catch up") {
  Scene scene(listener(2));
  scene.send("subscribe a0 a1");
  confirm(scene, 0);
  confirm(scene, 1);
  scene.relay.lose_lease(1);
  CHECK(scene.relay.closed());
}

TEST_CASE("a subscription that a server refuses is told, and the client has to begin anew") {
  Scene scene(listener(2));
  scene.send("subscribe a0");
  scene.relay.deliver_leased(0, "-NOPERM no permissions\r\n");
  CHECK(scene.answer() == "-NOPERM no permissions\r\n");
  scene.relay.check_leases();
  CHECK(scene.relay.closed());
}

TEST_CASE("a subscriber does not stay where nobody publishes any more") {
  SECTION("an ejected server's channels are elsewhere") {
    config::Listener config = listener(2);
    config.redis.ejection = config::Ejection{};
    for (const bool its_own : {true, false}) {
      Scene scene(config);
      scene.send("subscribe a0");
      confirm(scene, 0);
      scene.relay.check_leases();
      CHECK_FALSE(scene.relay.closed());
      scene.availability.up = {!its_own, its_own};
      scene.relay.check_leases();
      CHECK(scene.relay.closed() == its_own);
    }
  }
  SECTION("Failover goes to the next one") {
    Scene scene(listener(2, RedisMode::failover));
    scene.send("subscribe ch");
    confirm(scene, 0);
    scene.relay.check_leases();
    CHECK_FALSE(scene.relay.closed());
    scene.availability.up = {false, true};
    scene.relay.check_leases();
    CHECK(scene.relay.closed());
  }
  SECTION("a reload moves the channels") {
    Scene scene(listener(2));
    scene.send("subscribe a0");
    confirm(scene, 0);
    ToldAvailability availability(3);
    const auto core = redis::make_core(listener(3), availability);
    core->rebind(scene.relay.session());
    scene.relay.check_leases();
    CHECK(scene.relay.closed());
  }
}

TEST_CASE("in RESP3 a subscriber is an ordinary client, told by pushes") {
  Scene scene(listener(2));
  scene.send("hello 3");
  scene.answer();
  scene.send("subscribe a0");
  confirm(scene, 0);
  const std::string c0 = key_on(scene.config, 0);
  CHECK(scene.answer() == ">" + told("subscribe", c0, 1).substr(1));
  scene.send("get b0");  // behind the subscription, so that it sees what it publishes
  CHECK(scene.relay.leased_owed(0) != nullptr);
  scene.send("get a1");
  CHECK(scene.relay.owed(1) != nullptr);
  scene.relay.deliver_leased(0, "_\r\n");
  scene.relay.deliver(1, "_\r\n");
  CHECK(scene.answer() == "_\r\n_\r\n");
  scene.send("ping");
  CHECK(scene.answer() == "+PONG\r\n");
  for (const char* line : {"select 1", "hello 2"}) {
    scene.send(line);
    CHECK(scene.answer().find("is not supported by the ambassador while") != std::string::npos);
  }
  scene.send("unsubscribe");
  confirm(scene, 0);
  CHECK(scene.answer() == ">" + told("unsubscribe", c0, 0).substr(1));
  scene.send("unsubscribe");
  CHECK(scene.answer() == ">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n");
  scene.send("hello 2");
  CHECK(scene.answer().starts_with("*14\r\n"));
}

TEST_CASE("in RESP3 only what confirms is a reply among the pushes") {
  redis::ReplyFramer framer(redis::Resp::three);
  framer.listen();
  const std::string confirmed = ">" + told("ssubscribe", "ch", 1).substr(1);
  for (const std::string word : {"message", "invalidate", "a longer word than any"}) {
    const std::string push = ">" + told(word, "ch", 1).substr(1);
    CHECK(framer.next({push.data(), push.size()}).news);
    CHECK_FALSE(framer.next({confirmed.data(), confirmed.size()}).news);
  }
  const std::string array = told("message", "ch", 1);
  CHECK_FALSE(framer.next({array.data(), array.size()}).news);
}

TEST_CASE("subscriptions have bounds") {
  Scene scene(listener(2));
  scene.relay.receive(request({"subscribe", std::string(redis::kMaxChannelName + 1, 'c')}));
  CHECK(scene.answer().starts_with("-ERR "));
  std::vector<std::string> many{"subscribe"};
  many.resize(redis::kMaxSubscriptions + 2, "c");
  scene.relay.receive(request(many));
  CHECK(scene.answer().starts_with("-ERR "));
  CHECK_FALSE(scene.relay.leased(0));
}

TEST_CASE("where a channel has no server of its own there are no subscriptions") {
  Scene spread(listener(2, RedisMode::spread));
  spread.send("subscribe ch");
  CHECK(spread.answer().starts_with("-ERR subscriptions are not supported"));
  config::Listener config = listener(2);
  config.redis.distribution = config::Distribution::random;
  Scene random(config);
  random.send("psubscribe ch");
  CHECK(random.answer().starts_with("-ERR subscriptions are not supported"));
}

TEST_CASE("messages are told apart from replies on a lane that listens, however they are cut") {
  const std::string message = request({"message", "ch", "x"});
  const std::string pmessage = request({"pmessage", "c*", "ch", "payload"});
  const std::string bytes = told("subscribe", "ch", 1) + message + pmessage +
                            "*2\r\n$4\r\npong\r\n$0\r\n\r\n" +
                            request({"smessage", "ch", std::string(100, 'z')}) + told("unsubscribe", "ch", 0);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    INFO("cut at " << cut);
    redis::ReplyFramer framer;
    framer.listen();
    std::vector<bool> pushes;
    std::string_view rest = bytes;
    std::size_t there = cut;
    while (!rest.empty()) {
      const Framer::Frame frame = framer.next({rest.data(), there});
      REQUIRE_FALSE(frame.broken);
      rest.remove_prefix(frame.bytes);
      there -= frame.bytes;
      if (frame.complete) pushes.push_back(frame.news);
      if (!frame.complete && frame.bytes == 0 && there == rest.size()) break;
      if (!frame.complete || there == 0) there = rest.size();
    }
    CHECK(rest.empty());
    CHECK(pushes == std::vector<bool>{false, true, true, false, true, false});
  }
  redis::ReplyFramer ordinary;  // where nobody listens it is what an EVAL returned
  CHECK_FALSE(ordinary.next({message.data(), message.size()}).news);
}
