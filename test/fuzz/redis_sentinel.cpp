// room: proxy/redis
// What a Sentinel, or who claims to be one, answers: read in whatever pieces it comes, never past its end; a
// verdict once given stands, and what comes out of it are places that can be connected to, no more of them
// than a listener may have.
//
// Input: the first byte says how the rest, the answer, is cut.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "common/config/parse.hpp"
#include "common/config/recognised.hpp"
#include "proxy/redis/sentinel.hpp"
#include "test/unit/proxy/redis/toy_relay.hpp"

namespace {

using namespace ambassador;
using namespace ambassador::proxy;
using test::must;
using Health = Probing::Health;

std::shared_ptr<const SeedQuestion> question() {
  config::Listener listener;
  listener.redis.sentinel = config::Sentinel{.master_name = "mymaster"};
  return redis::make_sentinel_question(listener, {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto asks = question();
  if (size < 1) return 0;
  const std::size_t step = 1 + data[0] % 64;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Health before = Health::need_more;
  for (std::size_t end = std::min(step, bytes.size());; end = std::min(end + step, bytes.size())) {
    // A copy of exactly what is shown, so that a read past its end is seen.
    const std::vector<char> shown(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(end));
    const std::string_view reply(shown.data(), shown.size());
    const Health health = asks->probe_reply(reply);
    must(before == Health::need_more || health == before, "more bytes change no verdict");
    before = health;
    const auto members = asks->members(reply, "");
    if (health == Health::healthy && members) {
      must(!members->servers.empty() && members->servers.front() == members->leader,
           "the leader is a server");
      must(members->servers.size() <= config::kMaxBackends, "servers are limited");
      for (const Place& place : members->servers) {
        must(place.port != 0 && config::is_server_host(place.host), "a server can be connected to");
        must(!place.host.starts_with('/'), "a server is no file");
      }
    }
    if (end == bytes.size()) return 0;
  }
}
