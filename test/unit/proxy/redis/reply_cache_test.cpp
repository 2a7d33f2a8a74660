// What is kept of replies, how long, and how much of it.
#include "proxy/redis/reply_cache.hpp"

#include <catch2/catch.hpp>

#include "proxy/redis/command_table.hpp"
#include "proxy/redis/keepable.hpp"
#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::redis;
using namespace std::chrono_literals;
using test::request;

namespace {

constexpr std::size_t kRoom = std::size_t{1} << 20;

std::string changed(const std::string& key) {
  return ">2\r\n$10\r\ninvalidate\r\n*1\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
}

std::string bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

struct Kept {
  explicit Kept(std::size_t room = kRoom) : cache(std::make_shared<ReplyCache>(room, 2, counters)) {
    for (BackendIndex i = 0; i < 2; ++i) connect(i);
  }
  void connect(BackendIndex backend) {
    shelves[backend].reset();
    shelves[backend] = cache->new_shelf(backend);
    shelves[backend]->heard(now);
  }
  void get(const std::string& key, const std::string& reply, BackendIndex backend = 0) const {
    shelves[backend]->replied(request({"GET", key}), reply);
  }
  std::string find(const std::string& key, BackendIndex backend = 0) const {
    return std::string(cache->find(backend, key, request({"GET", key}), now).value_or("(none)"));
  }
  [[nodiscard]] KeptCounts counts() const { return counters->sum(); }

  std::shared_ptr<KeptCounters> counters = std::make_shared<KeptCounters>();
  std::shared_ptr<ReplyCache> cache;
  std::unique_ptr<Keeper> shelves[2];
  ReplyCache::Time now{1h};
};

}  // namespace

TEST_CASE(
    "a reply is given again to the same request, about the same server, until it is told to have changed") {
  const Kept kept;
  CHECK(kept.find("k") == "(none)");
  kept.get("k", bulk("1"));
  kept.get("other", "_\r\n");
  CHECK(kept.find("k") == bulk("1"));
  CHECK(kept.find("other") == "_\r\n");
  CHECK(kept.find("k", 1) == "(none)");
  CHECK_FALSE(kept.cache->find(0, "k", request({"get", "k"}), kept.now));
  kept.get("k", bulk("2"));
  CHECK(kept.find("k") == bulk("2"));
  kept.shelves[0]->told(changed("k"));
  CHECK(kept.find("k") == "(none)");
  CHECK(kept.find("other") == "_\r\n");
  kept.get("k", bulk("3"));
  kept.shelves[1]->told(changed("k"));  // of another server
  kept.shelves[0]->told(">2\r\n+something\r\n+else\r\n");
  CHECK(kept.find("k") == bulk("3"));
  CHECK(kept.counts().invalidations == 1);
  CHECK(kept.counts().hits == 5);
  CHECK(kept.counts().evictions == 0);
}

TEST_CASE(
    "what changes a key drops every reply about it; an emptied database, or too much news, all of a "
    "server's") {
  const Kept kept;
  const auto field = [](const char* name) { return request({"HGET", "h", name}); };
  const auto known = [&](const char* name) {
    return kept.cache->find(0, "h", field(name), kept.now).has_value();
  };
  for (const char* name : {"a", "b", "c"}) kept.shelves[0]->replied(field(name), bulk(name));
  CHECK(*kept.cache->find(0, "h", field("b"), kept.now) == bulk("b"));
  kept.shelves[0]->told(changed("h"));
  for (const char* name : {"a", "b", "c"}) CHECK_FALSE(known(name));
  CHECK(kept.counts().invalidations == 3);
  for (const char* news : {">2\r\n$10\r\ninvalidate\r\n_\r\n", ""}) {
    kept.get("x", bulk("1"));
    kept.get("y", bulk("1"));
    kept.get("x", bulk("1"), 1);
    kept.shelves[0]->told(news);
    CHECK(kept.find("x") == "(none)");
    CHECK(kept.find("y") == "(none)");
    CHECK(kept.find("x", 1) == bulk("1"));
  }
}

TEST_CASE("what came by a connection goes with it, before there is another one") {
  Kept kept;
  CHECK(kept.counts().connections == 2);
  kept.get("k", bulk("1"));
  kept.get("k", bulk("2"), 1);
  kept.shelves[0].reset();
  CHECK(kept.counts().connections == 1);
  CHECK(kept.find("k") == "(none)");
  CHECK(kept.find("k", 1) == bulk("2"));
  kept.connect(0);
  CHECK(kept.find("k") == "(none)");
  kept.get("k", bulk("3"));
  CHECK(kept.find("k") == bulk("3"));
  CHECK(kept.cache->new_shelf(2) == nullptr);  // there is no such backend
  CHECK(kept.counts().bytes == kept.cache->bytes());
  kept.shelves[0].reset();
  kept.shelves[1].reset();
  CHECK(kept.cache->bytes() == 0);
  CHECK(kept.counts().bytes == 0);
  CHECK(kept.counts().invalidations == 0);
}

TEST_CASE("nothing is given by a server that has been silent, and nothing old") {
  Kept kept;
  kept.get("k", bulk("1"));
  kept.now += ReplyCache::kSilent;
  CHECK(kept.find("k") == bulk("1"));
  kept.now += 1ms;
  CHECK(kept.find("k") == "(none)");
  kept.shelves[0]->heard(kept.now);
  CHECK(kept.find("k") == bulk("1"));
  for (kept.now = ReplyCache::Time(1h); kept.now <= ReplyCache::Time(1h) + ReplyCache::kOldest;
       kept.now += 500ms) {
    kept.shelves[0]->heard(kept.now);
    CHECK(kept.find("k") == bulk("1"));
  }
  kept.shelves[0]->heard(kept.now);
  CHECK(kept.find("k") == "(none)");
  kept.get("k", bulk("1"));
  CHECK(kept.find("k") == bulk("1"));
}

TEST_CASE("no more is held than was allowed: what was used last stays") {
  const Kept kept(kRoom);
  const std::string value = bulk(std::string(10'000, 'x'));
  const auto key = [](int i) { return "key-" + std::to_string(i); };
  constexpr int kMany = 400;  // four times what fits
  for (int i = 0; i < kMany; ++i) {
    kept.get(key(i), value);
    CHECK(kept.cache->bytes() <= kRoom);
    if (i >= 1) CHECK(kept.find(key(0)) == value);
  }
  CHECK(kept.cache->bytes() > kRoom / 2);
  CHECK(kept.find(key(kMany - 1)) == value);
  CHECK(kept.find(key(1)) == "(none)");
  const KeptCounts counts = kept.counts();
  CHECK(counts.evictions > 0);
  CHECK(counts.bytes == kept.cache->bytes());
}

TEST_CASE("errors, what is too large, and a key's 65th request are not kept") {
  const Kept kept;
  kept.get("k", bulk("1"));
  kept.get("k", "-LOADING Redis is loading the dataset in memory\r\n");
  CHECK(kept.find("k") == "(none)");
  kept.get("k", "!5\r\nERR x\r\n");
  CHECK(kept.find("k") == "(none)");
  CHECK(kept.shelves[0]->longest_reply() == kRoom / ReplyCache::kLeastReplies);
  kept.get("k", bulk(std::string(kRoom / ReplyCache::kLeastReplies, 'x')));
  CHECK(kept.find("k") == "(none)");
  CHECK(kept.cache->bytes() == 0);
  const auto field = [](std::size_t i) { return request({"HGET", "h", std::to_string(i)}); };
  for (std::size_t i = 0; i <= ReplyCache::kMostOfKey; ++i) kept.shelves[0]->replied(field(i), bulk("x"));
  CHECK(kept.cache->find(0, "h", field(ReplyCache::kMostOfKey - 1), kept.now));
  CHECK_FALSE(kept.cache->find(0, "h", field(ReplyCache::kMostOfKey), kept.now));
  for (const char* nonsense :
       {"", "*1\r\n$4\r\nPING\r\n", "PING\r\n", "*2\r\n$3\r\nGET", "*2\r\n$3\r\nGET\r\n$9\r\nk\r\n"})
    kept.shelves[0]->replied(nonsense, bulk("x"));
  CHECK(Kept(std::size_t{64} << 20).shelves[0]->longest_reply() == ReplyCache::kLongest);
}

TEST_CASE("replies are kept that are a function of what one key holds") {
  for (const char* name : {"get", "hget", "hgetall", "smembers", "zrange", "strlen", "lrange", "type"})
    CHECK(is_keepable(*find_command(name)));
  for (const char* name : {"ttl", "pttl", "hrandfield", "srandmember", "sscan", "mget", "exists", "getex",
                           "set", "xread", "touch", "dump", "sort_ro", "pfcount", "ping", "client"})
    CHECK_FALSE(is_keepable(*find_command(name)));
  for (const Command& command : kCommands) {
    INFO(command.name);
    if (is_keepable(command)) CHECK((command.reads && !command.write && command.route == Route::one_key));
  }
  for (const Command& command : kSubcommands) CHECK_FALSE(is_keepable(command));
}
