// The program in front of a Redis Cluster of six nodes: clients know nothing of it, whatever happens there.
#include <set>

#include "test/component/proxy/app/redis_cluster.hpp"
#include "test/component/proxy/app/redis_replicas.hpp"

using Catch::Matchers::StartsWith;
using namespace std::chrono_literals;

namespace {

constexpr const char* kCluster = "  redis: {mode: Cluster}\n";

// Keys of a few hundred slots.
std::vector<std::string> keys(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back("key:" + std::to_string(i));
  return all;
}

int count(const std::string& text, const std::string& word) {
  int found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("one node is named, and all keys are found") {
  RedisCluster cluster;
  ProxyProcess proxy({cluster.nodes[3].get()}, kCluster);
  proxy.wait_started();
  RedisClient client(proxy.port);
  std::vector<std::string> mset{"MSET"}, mget{"MGET"};
  for (const std::string& key : keys(300)) {
    mset.insert(mset.end(), {key, key + "!"});
    mget.push_back(key);
  }
  CHECK(client.ask(mset) == "OK");
  std::string expected = "*[";
  for (const std::string& key : keys(300)) expected += (expected.size() > 2 ? " " : "") + key + "!";
  CHECK(client.ask(mget) == expected + "]");
  CHECK(client.ask({"DBSIZE"}) == "300");
  CHECK(client.ask({"SET", "alone", "1"}) == "OK");
  CHECK(client.ask({"GET", "alone"}) == "1");
  CHECK_THAT(client.ask({"RENAME", "key:1", "key:2"}),
             StartsWith("-CROSSSLOT Keys in request don't hash to the same slot"));
  std::set<std::string> seen;
  std::string cursor = "0";
  do {
    const std::string reply = client.ask({"SCAN", cursor, "COUNT", "100"});
    std::istringstream words(reply.substr(2, reply.size() - 3));
    words >> cursor;
    for (std::string key; words >> key;) {
      while (key.starts_with("*[")) key.erase(0, 2);
      while (key.ends_with("]")) key.pop_back();
      if (!key.empty()) seen.insert(key);
    }
  } while (cursor != "0");
  CHECK(seen.size() == 301);
  CHECK(client.ask({"FLUSHALL"}) == "OK");
  CHECK(client.ask({"DBSIZE"}) == "0");
  CHECK(eventually([&] {
    const std::string status = proxy.status();
    return count(status, ", primary") == 3 && count(status, ", replica") == 3;
  }));
}

TEST_CASE("published is what every subscriber hears, once") {
  RedisCluster cluster;
  ProxyProcess proxy(cluster.all(), kCluster);
  proxy.wait_started();
  RedisClient listener(proxy.port), sharded(proxy.port), speaker(proxy.port);
  CHECK(listener.ask({"PSUBSCRIBE", "news.*"}) == "*[psubscribe news.* 1]");
  CHECK(listener.ask({"SUBSCRIBE", "a"}) == "*[subscribe a 2]");
  CHECK(sharded.ask({"SSUBSCRIBE", "b"}) == "*[ssubscribe b 1]");
  for (const std::string channel : {"news.1", "news.2", "news.3"}) {
    speaker.ask({"PUBLISH", channel, "x"});
    CHECK(listener.receive() == "*[pmessage news.* " + channel + " x]");
  }
  speaker.ask({"PUBLISH", "a", "y"});
  CHECK(listener.receive() == "*[message a y]");
  CHECK(speaker.ask({"SPUBLISH", "b", "z"}) == "1");
  CHECK(sharded.receive() == "*[smessage b z]");
}

TEST_CASE("reads are answered by replicas where that is wanted") {
  RedisCluster cluster;
  ProxyProcess proxy(cluster.all(), "  redis: {mode: Cluster, readPreference: PreferReplica}\n");
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  const auto read_by_replica = [&] {
    client.ask({"GET", "a"});
    return std::ranges::any_of(cluster.nodes, [](const auto& node) {
      return !RedisCluster::is_primary(*node) && !node->info("commandstats", "cmdstat_get").empty();
    });
  };
  CHECK(eventually(read_by_replica));
  CHECK(eventually([&] { return client.ask({"GET", "a"}) == "1"; }));
}

TEST_CASE("slots are moved under load, and no client notices") {
  RedisCluster cluster;
  ProxyProcess proxy({cluster.nodes[0].get()}, kCluster);
  proxy.wait_started();
  RedisClient client(proxy.port);
  for (const std::string& key : keys(200)) REQUIRE(client.ask({"SET", key, key}) == "OK");
  Writers writers(proxy.port);
  REQUIRE(writers.go_on());
  // All slots of the first node, one after the other.
  const std::string from = RedisCluster::id(*cluster.nodes[0]);
  const std::string to = RedisCluster::id(*cluster.nodes[1]);
  RedisCluster::cli({"--cluster", "reshard", cluster.nodes[0]->place(), "--cluster-from", from,
                     "--cluster-to", to, "--cluster-slots", "5461", "--cluster-yes"});
  CHECK(writers.go_on());
  writers.stop();
  INFO(writers.error());
  CHECK(writers.errors() == 0);
  for (const std::string& key : keys(200)) REQUIRE(client.ask({"GET", key}) == key);
}

TEST_CASE("a primary that dies is followed by its replica, and clients go on") {
  RedisCluster cluster;
  ProxyProcess proxy(cluster.all(), "  timeouts: {queue: 15s}\n" + std::string(kCluster));
  proxy.wait_started();
  Writers writers(proxy.port, Writers::By::setting);
  REQUIRE(writers.go_on());
  cluster.notice_soon();
  RedisServer& dies = cluster.primary_of("k0");
  dies.stop();
  CHECK(writers.go_on());
  const long errors = writers.errors();
  CHECK(errors <= Writers::kClients);  // what was on its way there may have been done
  CHECK(writers.go_on());
  dies.start();  // it becomes a replica
  REQUIRE(eventually([&] { return !RedisCluster::is_primary(dies); }));
  CHECK(writers.go_on());
  writers.stop();
  INFO(writers.error());
  CHECK(writers.errors() == errors);
}

TEST_CASE("a switch-over by hand costs no error") {
  RedisCluster cluster;
  cluster.notice_soon();
  ProxyProcess proxy(cluster.all(), kCluster);
  proxy.wait_started();
  Writers writers(proxy.port);
  REQUIRE(writers.go_on());
  const auto replica =
      std::ranges::find_if(cluster.nodes, [](const auto& node) { return !RedisCluster::is_primary(*node); });
  // On a busy machine votes come too late, and whoever wants it asks again.
  const auto comes_about = [&] {
    REQUIRE(RedisClient((*replica)->port()).ask({"CLUSTER", "FAILOVER"}) == "OK");
    return eventually([&] { return RedisCluster::is_primary(**replica); });
  };
  REQUIRE((comes_about() || comes_about() || comes_about()));
  CHECK(writers.go_on());
  writers.stop();
  INFO(writers.error());
  CHECK(writers.errors() == 0);
}

TEST_CASE("a node that is added gets clients with its first slots, and outlives the one that was named") {
  RedisCluster cluster;
  ProxyProcess proxy({cluster.nodes[0].get()}, kCluster);
  proxy.wait_started();
  Writers writers(proxy.port);
  REQUIRE(writers.go_on());
  RedisServer& added = cluster.add_server();
  RedisCluster::cli({"--cluster", "add-node", added.place(), cluster.nodes[1]->place()});
  for (const auto& node : cluster.nodes) {
    REQUIRE(eventually([&] { return RedisCluster::knows(*node, RedisCluster::id(added), "NODES"); }));
  }
  RedisCluster::cli({"--cluster", "reshard", cluster.nodes[1]->place(), "--cluster-from", "all",
                     "--cluster-to", RedisCluster::id(added), "--cluster-slots", "4096", "--cluster-yes"});
  CHECK(writers.go_on());
  writers.stop();
  INFO(writers.error());
  CHECK(writers.errors() == 0);
  CHECK(eventually([&] { return proxy.status().find(added.place()) != std::string::npos; }));
  CHECK_FALSE(added.info("commandstats", "cmdstat_incr").empty());

  cluster.notice_soon();
  cluster.nodes[0]->stop();  // the only one that the configuration names
  RedisClient client(proxy.port);
  CHECK(eventually([&] {
    return std::ranges::all_of(keys(50), [&](const auto& key) {
      return client.ask({"SET", key, "1"}) == "OK";
    });
  }));
}

TEST_CASE("before the cluster is made clients are told so, and afterwards they need not come again") {
  RedisServer alone(free_port(), {"--cluster-enabled", "yes", "--cluster-port", std::to_string(free_port()),
                                  "--cluster-config-file", "nodes.conf"});
  ProxyProcess proxy({&alone}, "  timeouts: {queue: 500ms}\n" + std::string(kCluster));
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(eventually([&] {
    return client.ask({"GET", "a"}).starts_with("-ERR no node of the cluster knows of slots");
  }));
  REQUIRE(RedisClient(alone.port()).ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"}) == "OK");
  CHECK(eventually([&] { return client.ask({"SET", "a", "1"}) == "OK"; }));
}
