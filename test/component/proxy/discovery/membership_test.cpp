// Listeners whose servers are found, with seeds that the test speaks for and names that it resolves.
#include "proxy/discovery/membership.hpp"

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "proxy/balance/agreement.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using Names = std::vector<std::string>;

namespace {

/// Answers are words: the epoch, the leader's host, the other servers' hosts; or "none".
class ToyQuestion final : public SeedQuestion {
 public:
  explicit ToyQuestion(bool asks_servers) : asks_servers_(asks_servers) {}
  [[nodiscard]] std::string_view probe_request() const override { return "who?"; }
  [[nodiscard]] Health probe_reply(std::string_view) const override { return Health::healthy; }
  [[nodiscard]] std::optional<Members> members(std::string_view reply,
                                               std::string_view /*asked*/) const override {
    if (reply == "none") return std::nullopt;
    std::istringstream words{std::string(reply)};
    Members members;
    words >> members.epoch;
    for (std::string host; words >> host;) members.servers.push_back({host, 1});
    members.leader = members.servers.front();
    return members;
  }
  [[nodiscard]] std::unique_ptr<Consensus> new_consensus() const override {
    return std::make_unique<balance::Agreement>();
  }
  [[nodiscard]] bool asks_servers() const override { return asks_servers_; }
  [[nodiscard]] std::string nobody(bool answers, std::string_view why) const override {
    return answers ? "nobody knows" : "nobody answers: " + std::string(why);
  }

 private:
  const bool asks_servers_;
};

config::Listener listener(const Names& seeds, const std::string& master = "m") {
  config::Listener made;
  made.name = "cache";
  made.protocol = config::Protocol::redis;
  made.redis.mode = config::RedisMode::sentinel;
  made.redis.sentinel = config::Sentinel{.master_name = master};
  for (const std::string& seed : seeds) made.backends.push_back({seed + ":26379", seed, 26379, 1});
  return made;
}

struct Scene {
  boost::asio::io_context io;
  std::map<std::string, Names> names;  // what DNS says
  std::vector<std::string> asked_names;
  std::vector<std::string> events;
  int others = 0;  // so often were the servers others
  int seeds_changed = 0;
  bool takes = true;
  config::Document declared;
  discovery::Membership membership{
      io,
      {.resolve = [this](const std::string& name, auto done) { resolve(name, std::move(done)); },
       .events = [this](const net::Event& event) { events.push_back(event.what); },
       .question =
           [](const config::Listener& one) {
             return std::make_shared<const ToyQuestion>(one.redis.mode == config::RedisMode::cluster);
           },
       .servers_changed =
           [this] {
             ++others;
             return takes;
           },
       .seeds_changed = [this] { ++seeds_changed; }}};

  explicit Scene(config::Listener one) { follow(std::move(one)); }
  void follow(config::Listener one) {
    declared.listeners = {std::move(one)};
    membership.follow(declared);
    run();
  }
  void run() {
    io.restart();
    io.poll();
  }
  void resolve(const std::string& name, std::function<void(Result<net::Resolved>)> done) {
    asked_names.push_back(name);
    net::Resolved resolved;
    for (const std::string& address : names[name])
      resolved.addresses.push_back(*net::Address::ip(address, 0));
    boost::asio::post(io, [resolved, done = std::move(done)] {
      if (resolved.addresses.empty()) return done(Error{"", "no such name"});
      done(resolved);
    });
  }
  [[nodiscard]] std::vector<net::ProbeTarget> targets() const {
    return membership.targets([](const std::string&) { return nullptr; });
  }
  [[nodiscard]] Names addresses() const {
    Names all;
    for (const auto& target : targets()) all.push_back(target.upstream->addresses()->front().text());
    return all;
  }
  /// The seed at the `index`-th address answers; "": it does not.
  void says(std::size_t index, const std::string& answer) {
    const net::ProbeTarget target = targets().at(index);
    target.upstream->probed(!answer.empty(), "is silent", net::SteadyTime::clock::now());
    target.heard(answer.empty() ? std::nullopt : std::optional<std::string_view>(answer));
    run();
  }
  [[nodiscard]] Names servers() const {
    Names all;
    const config::Document effective = membership.effective(declared);
    for (const auto& backend : effective.listeners[0].backends) all.push_back(backend.name);
    return all;
  }
  [[nodiscard]] net::SeedsSnapshot seeds() const {
    net::Snapshot snapshot;
    snapshot.listeners.emplace_back().name = "cache";
    membership.describe(snapshot);
    REQUIRE(snapshot.listeners[0].seeds);
    return *snapshot.listeners[0].seeds;
  }
};

}  // namespace

TEST_CASE("a listener has the servers that its seeds tell of, and nothing else of it changes") {
  Scene scene(listener({"10.0.0.1", "10.0.0.2"}));
  CHECK(scene.servers().empty());
  CHECK(scene.others == 0);
  scene.says(0, "1 b a");
  CHECK(scene.servers() == Names{"a:1", "b:1"});
  CHECK(scene.others == 1);
  scene.says(1, "1 b a");
  CHECK(scene.others == 1);
  config::Listener effective = scene.membership.effective(scene.declared).listeners[0];
  CHECK(effective.backends[0] == config::Backend{"a:1", "a", 1, 1});
  effective.backends = scene.declared.listeners[0].backends;
  CHECK(effective == scene.declared.listeners[0]);
}

TEST_CASE("a listener whose servers are declared is left as it is, and has no seeds") {
  config::Listener plain = listener({"10.0.0.1"});
  plain.redis.mode = config::RedisMode::replicated;
  plain.redis.sentinel.reset();
  Scene scene(plain);
  CHECK(scene.targets().empty());
  CHECK(scene.membership.effective(scene.declared) == scene.declared);
  net::Snapshot snapshot;
  snapshot.listeners.emplace_back().name = "cache";
  scene.membership.describe(snapshot);
  CHECK_FALSE(snapshot.listeners[0].seeds);
}

TEST_CASE("servers that could not be taken are told again with the next answer") {
  Scene scene(listener({"10.0.0.1"}));
  scene.takes = false;
  scene.says(0, "1 a");
  scene.says(0, "1 a");
  CHECK(scene.others == 2);
  scene.takes = true;
  scene.says(0, "");
  scene.says(0, "1 a");
  CHECK(scene.others == 3);
}

TEST_CASE("each address of a name is asked by itself, and those that stay keep what they said") {
  Scene scene(listener({"sentinel"}));
  CHECK(scene.seeds().known == 1);  // nobody knows yet how many there are
  CHECK(scene.seeds().trouble == "sentinel:26379: no such name");
  scene.names["sentinel"] = {"10.0.0.1", "10.0.0.2"};
  scene.io.restart();
  scene.io.run_for(net::Resolution::kRetry + std::chrono::milliseconds(300));
  CHECK(scene.seeds_changed == 1);
  REQUIRE(scene.addresses() == Names{"10.0.0.1:26379", "10.0.0.2:26379"});
  scene.says(0, "2 a");
  scene.says(1, "1 b");
  CHECK(scene.servers() == Names{"a:1"});
  // The first is elsewhere: it is asked for as soon as it is silent, and what the other one says is known.
  scene.names["sentinel"] = {"10.0.0.2", "10.0.0.3"};
  scene.says(0, "");
  scene.io.restart();
  scene.io.run_for(std::chrono::milliseconds(500));
  REQUIRE(scene.addresses() == Names{"10.0.0.2:26379", "10.0.0.3:26379"});
  CHECK(scene.seeds().answering == 1);
  CHECK(scene.servers() == Names{"a:1"});
  for (const auto& target : scene.targets())
    CHECK(target.upstream->backend().host == "sentinel");  // of certificates
}

TEST_CASE("one that stays silent is looked for once, and not with every question") {
  Scene scene(listener({"sentinel"}));
  scene.names["sentinel"] = {"10.0.0.1"};
  scene.io.restart();
  scene.io.run_for(net::Resolution::kRetry + std::chrono::milliseconds(300));
  REQUIRE(scene.addresses().size() == 1);
  const std::size_t before = scene.asked_names.size();
  for (int i = 0; i < 10; ++i) {
    scene.says(0, "");
    scene.io.restart();
    scene.io.run_for(std::chrono::milliseconds(60));
  }
  CHECK(scene.asked_names.size() == before + 1);
}

TEST_CASE("servers that are seeds themselves are asked as well, each address once") {
  config::Listener cluster = listener({"10.0.0.1"});
  cluster.redis.mode = config::RedisMode::cluster;
  cluster.redis.sentinel.reset();
  cluster.backends[0].port = 1;
  Scene scene(cluster);
  scene.says(0, "1 10.0.0.1 10.0.0.2 c");
  CHECK(scene.addresses() == Names{"10.0.0.1:1", "10.0.0.2:1"});
  scene.names["c"] = {"10.0.0.3"};
  scene.says(1, "2 10.0.0.2 c 10.0.0.4");
  CHECK(scene.servers() == Names{"10.0.0.2:1", "10.0.0.4:1", "c:1"});
  CHECK(scene.asked_names == Names{"c"});
  CHECK(scene.addresses() == Names{"10.0.0.1:1", "10.0.0.2:1", "10.0.0.4:1"});
  scene.says(0, "");  // the one that was named is gone; the others know
  scene.says(1, "3 10.0.0.2 10.0.0.5");
  CHECK(scene.servers() == Names{"10.0.0.2:1", "10.0.0.5:1"});
  CHECK(scene.addresses() == Names{"10.0.0.1:1", "10.0.0.2:1", "10.0.0.5:1"});
  std::string many = "4";
  for (int i = 10; i < 40; ++i) many += " 10.0.0." + std::to_string(i);
  scene.says(1, many);
  CHECK(scene.servers().size() == 30);
  CHECK(scene.addresses().size() == 1 + discovery::kServersAsked);
}

TEST_CASE("a new configuration keeps what was found while it looks for the same, with one of the seeds") {
  Scene scene(listener({"10.0.0.1", "10.0.0.2"}));
  scene.says(0, "1 a");
  const auto kept = scene.targets()[1].upstream;
  SECTION("other seeds beside one that stays") {
    scene.follow(listener({"10.0.0.2", "10.0.0.3"}));
    CHECK(scene.servers() == Names{"a:1"});
    CHECK(scene.addresses() == Names{"10.0.0.2:26379", "10.0.0.3:26379"});
    CHECK(scene.targets()[0].upstream == kept);
  }
  SECTION("none for now") {
    scene.follow(listener({}));
    CHECK(scene.servers() == Names{"a:1"});
    CHECK(scene.targets().empty());
    SECTION("and then the same again") {
      scene.follow(listener({"10.0.0.1", "10.0.0.2"}));
      CHECK(scene.servers() == Names{"a:1"});
    }
    SECTION("and then others altogether") {
      scene.follow(listener({"10.0.0.3"}));
      CHECK(scene.servers().empty());
    }
  }
  SECTION("other seeds altogether") {
    scene.follow(listener({"10.0.0.3"}));
    CHECK(scene.servers().empty());
  }
  SECTION("another master") {
    scene.follow(listener({"10.0.0.1", "10.0.0.2"}, "another"));
    CHECK(scene.servers().empty());
    scene.says(0, "0 z");
    CHECK(scene.servers() == Names{"z:1"});
  }
  SECTION("it does not look for any") {
    const net::ProbeTarget late = scene.targets()[0];
    scene.follow(config::Listener{});
    late.heard("2 b");  // an answer that was on its way
    CHECK(scene.targets().empty());
    CHECK(scene.others == 1);
  }
}

TEST_CASE("clients who wait for a first server are told how far the search is") {
  Scene scene(listener({"10.0.0.1", "10.0.0.2"}));
  const NobodyFunction nobody = scene.membership.nobody("cache");
  CHECK(nobody() == "nobody answers: ");
  scene.says(0, "");
  CHECK(nobody() == "nobody answers: 10.0.0.1:26379: is silent");
  scene.says(1, "none");
  CHECK(nobody() == "nobody knows");
  const auto seeds = scene.seeds();
  CHECK(seeds.known == 2);
  CHECK(seeds.answering == 1);
  CHECK(seeds.trouble == "10.0.0.1:26379: is silent");
}

TEST_CASE("the log says once that nobody answers, and once that somebody does again") {
  Scene scene(listener({"10.0.0.1", "10.0.0.2"}));
  scene.says(0, "");
  CHECK(scene.events.empty());  // the other one has not been asked yet
  for (int i = 0; i < 3; ++i) scene.says(1, "");
  scene.says(1, "none");
  scene.says(0, "1 a");
  CHECK(scene.events == Names{"nobody tells the servers of a listener, those found before stay",
                              "the servers of a listener are told again", "found the servers of a listener"});
}
