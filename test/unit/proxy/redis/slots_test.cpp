// Redis Cluster's slots: where a key is, and with whom.
#include <catch2/catch.hpp>

#include "proxy/redis/slots.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::redis;

TEST_CASE("a key is in the slot that Redis says") {
  // CLUSTER KEYSLOT of Redis 7.0
  CHECK(slot_of("") == 0);
  CHECK(slot_of("123456789") == 12739);
  CHECK(slot_of("foo") == 12182);
  CHECK(slot_of("somekey") == 11058);
  CHECK(slot_of("\xff\xfe\x80") == 11813);
}

TEST_CASE("keys with one tag are in one slot, and braces around nothing are no tag") {
  CHECK(slot_of("{user1000}.following") == slot_of("user1000"));
  CHECK(slot_of("a{user1000}b{c}") == slot_of("user1000"));
  CHECK(slot_of("foo{{bar}}zap") == slot_of("{bar"));
  CHECK(slot_of("foo{}{bar}") != slot_of("bar"));
  CHECK(slot_of("foo{bar") != slot_of("bar"));
}

TEST_CASE("a map of slots says whose each one is, and knows shards by their lowest slot") {
  const std::vector<config::SlotRange> ranges{
      {8000, 16000, 2, {0}}, {0, 99, 1, {3, 4}}, {101, 7999, 1, {3, 4}}};
  const SlotMap map(ranges);
  CHECK(map.primary_of(0) == 1);
  CHECK(map.primary_of(99) == 1);
  CHECK(map.primary_of(100) == kNoBackend);
  CHECK(map.primary_of(101) == 1);
  CHECK(map.primary_of(7999) == 1);
  CHECK(map.primary_of(8000) == 2);
  CHECK(map.primary_of(16000) == 2);
  CHECK(map.primary_of(16001) == kNoBackend);
  CHECK(map.primary_of(kSlots - 1) == kNoBackend);
  REQUIRE(map.shards().size() == 2);
  CHECK(map.shards()[0] == ClusterShard{1, {3, 4}, 0});
  CHECK(map.shards()[1] == ClusterShard{2, {0}, 8000});
  REQUIRE(map.shard_of(500) != nullptr);
  CHECK(map.shard_of(500)->replicas == std::vector<BackendIndex>{3, 4});
}

TEST_CASE("without ranges every slot is nobody's") {
  const SlotMap map;
  CHECK(map.shard_of(0) == nullptr);
  CHECK(map.primary_of(kSlots - 1) == kNoBackend);
  CHECK(map.shards().empty());
}
