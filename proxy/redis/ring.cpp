#include "proxy/redis/ring.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

#include "proxy/redis/hash.hpp"
#include "proxy/redis/md5.hpp"

namespace ambassador::proxy::redis {
namespace {

constexpr std::uint16_t kMemcachedPort = 11211;  // twemproxy's KETAMA default: left out of ring names
constexpr unsigned kPointsPerServer = 160;
constexpr unsigned kPointsPerDigest = 4;

// twemproxy sorts its servers by ring name, shorter names first (nc_util.c string_compare).
bool comes_before(const RingServer& a, const RingServer& b) {
  if (a.name.size() != b.name.size()) return a.name.size() < b.name.size();
  return a.name < b.name;
}

// The number of points of one server. All in 32-bit float, as twemproxy does: the rounding shows (at 25
// servers of equal weight each gets 156 points, not 160).
unsigned points_of(unsigned weight, unsigned total_weight, std::size_t servers) {
  const float share = static_cast<float>(weight) / static_cast<float>(total_weight);
  const float digests = share * static_cast<float>(kPointsPerServer) / static_cast<float>(kPointsPerDigest) *
                        static_cast<float>(servers);
  const auto rounded = std::floor(static_cast<float>(static_cast<double>(digests) + 0.0000000001));
  return static_cast<unsigned>(rounded) * kPointsPerDigest;
}

}  // namespace

std::string ring_name(const config::Backend& backend) {
  const bool unix_socket = backend.host.starts_with('/');
  const std::string address =
      unix_socket ? backend.host + ":" : backend.host + ":" + std::to_string(backend.port);
  if (!backend.name.empty() && backend.name != address && !(unix_socket && backend.name == backend.host)) {
    return backend.name;
  }
  return !unix_socket && backend.port == kMemcachedPort ? backend.host : address;
}

std::vector<RingServer> ring_servers(std::span<const config::Backend> backends) {
  std::vector<RingServer> servers;
  servers.reserve(backends.size());
  for (const config::Backend& backend : backends) servers.push_back({ring_name(backend), backend.weight});
  return servers;
}

std::string_view tagged_part(std::string_view key, std::string_view hash_tag) {
  if (hash_tag.size() != 2) return key;
  const std::size_t open = key.find(hash_tag[0]);
  if (open == std::string_view::npos) return key;
  const std::size_t close = key.find(hash_tag[1], open + 1);
  if (close == std::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

Ring::Ring(std::span<const RingServer> servers, config::Hash hash, config::Distribution distribution,
           std::string_view hash_tag, const std::vector<bool>& live)
    : hash_(hash), distribution_(distribution), hash_tag_(hash_tag) {
  std::vector<std::uint32_t> order;  // indices of the live servers, sorted by ring name
  for (std::uint32_t i = 0; i < servers.size(); ++i) {
    if (live.empty() || live[i]) order.push_back(i);
  }
  std::ranges::stable_sort(
      order, [&](std::uint32_t a, std::uint32_t b) { return comes_before(servers[a], servers[b]); });
  if (servers.size() == 1 && !order.empty()) {
    only_ = order.front();
  } else if (distribution == config::Distribution::ketama) {
    place_ketama(servers, order);
  } else {
    for (const std::uint32_t server : order) owners_.insert(owners_.end(), servers[server].weight, server);
  }
}

void Ring::place_ketama(std::span<const RingServer> servers, std::span<const std::uint32_t> live) {
  unsigned total_weight = 0;
  for (const std::uint32_t server : live) total_weight += servers[server].weight;

  std::vector<std::pair<std::uint32_t, std::uint32_t>> circle;  // point, owner
  for (const std::uint32_t server : live) {
    const unsigned points = points_of(servers[server].weight, total_weight, live.size());
    for (unsigned i = 0; i < points / kPointsPerDigest; ++i) {
      for (const std::uint32_t point : md5(servers[server].name + "-" + std::to_string(i))) {
        circle.emplace_back(point, server);
      }
    }
  }
  if (circle.empty()) return;
  std::ranges::stable_sort(circle, {}, &std::pair<std::uint32_t, std::uint32_t>::first);
  for (const auto& [point, owner] : circle) {
    points_.push_back(point);
    owners_.push_back(owner);
  }

  // The circle in slices, about one per point: a look-up starts at its slice's first point.
  const auto slice_bits = static_cast<unsigned>(std::bit_width(points_.size()));
  slice_shift_ = 32 - slice_bits;
  std::uint32_t point = 0;
  for (std::uint64_t slice = 0; slice < (std::uint64_t{1} << slice_bits); ++slice) {
    while (point < points_.size() && points_[point] < (slice << slice_shift_)) ++point;
    first_of_.push_back(point);
  }
}

std::uint32_t Ring::on_ketama(std::uint32_t hash) const {
  // The first point at or after the hash; past the last one, the first.
  std::uint32_t point = first_of_[hash >> slice_shift_];
  while (point < points_.size() && points_[point] < hash) ++point;
  return owners_[point == points_.size() ? 0 : point];
}

std::uint32_t Ring::locate(std::string_view key, std::uint32_t random) const {
  if (only_ != kNone) return only_;
  if (owners_.empty()) return kNone;
  if (distribution_ == config::Distribution::random) return owners_[random % owners_.size()];
  const std::string_view hashed = hash_tag_.empty() ? key : tagged_part(key, hash_tag_);
  const std::uint32_t hash = hashed.empty() ? 0 : hash_key(hash_, hashed);
  if (distribution_ == config::Distribution::modula) return owners_[hash % owners_.size()];
  return on_ketama(hash);
}

}  // namespace ambassador::proxy::redis
