#include "proxy/redis/ring.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "proxy/redis/hash.hpp"
#include "proxy/redis/md5.hpp"
#include "test/places.hpp"

using namespace ambassador;
using namespace ambassador::proxy::redis;
using config::Distribution;
using config::Hash;

namespace {

const std::map<std::string, Hash> kHashes{{"one_at_a_time", Hash::one_at_a_time},
                                          {"md5", Hash::md5},
                                          {"crc16", Hash::crc16},
                                          {"crc32", Hash::crc32},
                                          {"crc32a", Hash::crc32a},
                                          {"fnv1_64", Hash::fnv1_64},
                                          {"fnv1a_64", Hash::fnv1a_64},
                                          {"fnv1_32", Hash::fnv1_32},
                                          {"fnv1a_32", Hash::fnv1a_32},
                                          {"hsieh", Hash::hsieh},
                                          {"murmur", Hash::murmur},
                                          {"jenkins", Hash::jenkins}};

std::string from_base64(const std::string& text) {
  std::string out;
  unsigned bits = 0;
  int have = 0;
  for (const char c : text) {
    if (c == '=') break;
    const std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bits = bits << 6 | static_cast<unsigned>(digits.find(c));
    have += 6;
    if (have >= 8) out.push_back(static_cast<char>(bits >> (have -= 8)));
  }
  return out;
}

std::vector<RingServer> servers_of(std::initializer_list<const char*> names) {
  std::vector<RingServer> servers;
  for (const char* name : names) servers.push_back({name, 1});
  return servers;
}

}  // namespace

TEST_CASE("every key lies on the server that twemproxy itself picks") {
  std::ifstream file(SOURCE_DIR "/test/unit/proxy/redis/twemproxy-vectors.json");
  const auto vectors = nlohmann::json::parse(file);
  std::size_t looked_up = 0;
  std::set<std::string> hashes;
  for (const auto& c : vectors.at("cases")) {
    std::vector<config::Backend> backends;
    for (const auto& s : c.at("servers")) {
      backends.push_back({s.value("name", ""), s.at("host"), s.at("port"), s.at("weight")});
    }
    const std::string hash = c.at("hash");
    const std::string distribution = c.at("distribution");
    const std::string tag = c.at("hash_tag").is_null() ? "" : c.at("hash_tag").get<std::string>();
    const Ring ring(ring_servers(backends), kHashes.at(hash),
                    distribution == "modula" ? Distribution::modula : Distribution::ketama, tag);
    for (const auto& key : c.at("keys")) {
      INFO(hash << " " << distribution << " " << backends.size() << " servers, key " << key.at("key_base64"));
      REQUIRE(ring.locate(from_base64(key.at("key_base64"))) == key.at("server").get<std::uint32_t>());
      ++looked_up;
    }
    hashes.insert(hash);
  }
  CHECK(looked_up == 3120);
  CHECK(hashes.size() == 12);
}

TEST_CASE("MD5 agrees with RFC 1321 at every padding boundary it names") {
  CHECK(md5("") == std::array<std::uint32_t, 4>{0xd98c1dd4, 0x04b2008f, 0x980980e9, 0x7e42f8ec});
  CHECK(md5("abc") == std::array<std::uint32_t, 4>{0x98500190, 0xb04fd23c, 0x7d3f96d6, 0x727fe128});
  // 80 characters: two blocks
  CHECK(md5("12345678901234567890123456789012345678901234567890123456789012345678901234567890") ==
        std::array<std::uint32_t, 4>{0xa2f4ed57, 0x55c9e32b, 0x2eda49ac, 0x7ab60721});
}

TEST_CASE("the ring name of a server is the one twemproxy gives it") {
  CHECK(ring_name({"", "redis-0", 6379, 1}) == "redis-0:6379");
  CHECK(ring_name({"redis-0:6379", "redis-0", 6379, 1}) == "redis-0:6379");
  CHECK(ring_name({"", "redis-0", 11211, 1}) == "redis-0");
  CHECK(ring_name({"redis-0:11211", "redis-0", 11211, 1}) == "redis-0");
  CHECK(ring_name({"alpha", "redis-0", 11211, 1}) == "alpha");
  CHECK(ring_name({"", "/tmp/x", 0, 1}) == "/tmp/x:");
  CHECK(ring_name({"/tmp/x", "/tmp/x", 0, 1}) == "/tmp/x:");
}

TEST_CASE("the order of the servers in the configuration does not matter") {
  const auto forward = servers_of({"a:1", "bb:1", "ccc:1", "b:1"});
  const auto backward = servers_of({"b:1", "ccc:1", "bb:1", "a:1"});
  for (const auto distribution : {Distribution::ketama, Distribution::modula}) {
    const Ring one(forward, Hash::fnv1a_64, distribution, "");
    const Ring other(backward, Hash::fnv1a_64, distribution, "");
    for (int i = 0; i < 1000; ++i) {
      const std::string key = "key" + std::to_string(i);
      REQUIRE(forward[one.locate(key)].name == backward[other.locate(key)].name);
    }
  }
}

TEST_CASE("a hash tag is the first opening character and the first closing one after it") {
  CHECK(tagged_part("user:{7}:name", "{}") == "7");
  CHECK(tagged_part("user:{}:name", "{}") == "user:{}:name");
  CHECK(tagged_part("user:{}{7}", "{}") == "user:{}{7}");  // no second attempt
  CHECK(tagged_part("}user:{7}", "{}") == "7");
  CHECK(tagged_part("user:{7", "{}") == "user:{7");
  CHECK(tagged_part("a$b$c", "$$") == "b");
  CHECK(tagged_part("{7}", "") == "{7}");
  CHECK(tagged_part("", "{}").empty());
}

TEST_CASE("one configured server holds every key") {
  const Ring ring(servers_of({"only:1"}), Hash::md5, Distribution::modula, "{}");
  CHECK(ring.locate("a") == 0);
  CHECK(ring.locate("") == 0);
}

TEST_CASE("a ring without servers holds nothing") {
  CHECK(Ring().locate("a") == Ring::kNone);
  CHECK(Ring({}, Hash::md5, Distribution::ketama, "").locate("a") == Ring::kNone);
  CHECK(Ring(servers_of({"a:1", "b:1"}), Hash::md5, Distribution::ketama, "", {false, false}).locate("a") ==
        Ring::kNone);
}

TEST_CASE("an ejected server's keys go to others, and theirs stay when the weights are equal") {
  const auto servers = servers_of({"a:1", "b:1", "c:1"});
  const Ring all(servers, Hash::fnv1a_64, Distribution::ketama, "");
  const Ring without_b(servers, Hash::fnv1a_64, Distribution::ketama, "", {true, false, true});
  int moved = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "key" + std::to_string(i);
    const auto before = all.locate(key);
    const auto after = without_b.locate(key);
    REQUIRE(after != 1);
    if (before == 1) {
      ++moved;
    } else {
      REQUIRE(after == before);
    }
  }
  CHECK(moved > 100);
}

TEST_CASE("the one server left of several is still hashed onto, and holds every key") {
  const Ring ring(servers_of({"a:1", "b:1"}), Hash::crc32a, Distribution::ketama, "", {false, true});
  CHECK(ring.locate("x") == 1);
  CHECK(ring.locate("") == 1);
}

TEST_CASE("the random distribution follows the number it is given, by weight") {
  const std::vector<RingServer> servers{{"a:1", 1}, {"b:1", 3}};
  const Ring ring(servers, Hash::fnv1a_64, Distribution::random, "");
  std::map<std::uint32_t, int> hits;
  for (std::uint32_t i = 0; i < 400; ++i) ++hits[ring.locate("same", i)];
  CHECK(hits[0] == 100);
  CHECK(hits[1] == 300);
}

TEST_CASE("a precomputed look-up finds the same point as a search of the whole circle") {
  // Heavy weights crowd points; keys that hash beyond the last point wrap to the first.
  const std::vector<RingServer> servers{{"a:1", 1000}, {"b:1", 1}, {"c:1", 37}};
  const Ring ring(servers, Hash::fnv1a_64, Distribution::ketama, "");
  std::map<std::uint32_t, std::uint32_t> circle;  // built the slow way: digests of server 0 and 2
  const float total = 1038;
  for (const std::uint32_t i : {0U, 1U, 2U}) {
    const float share = static_cast<float>(servers[i].weight) / total;
    const auto digests = static_cast<unsigned>(share * 160.0F / 4.0F * 3.0F);
    for (unsigned d = 0; d < digests; ++d) {
      for (const auto point : md5(servers[i].name + "-" + std::to_string(d))) circle.emplace(point, i);
    }
  }
  for (int i = 0; i < 20000; ++i) {
    const std::string key = "k" + std::to_string(i);
    auto at = circle.lower_bound(hash_key(Hash::fnv1a_64, key));
    if (at == circle.end()) at = circle.begin();
    REQUIRE(ring.locate(key) == at->second);
  }
}
