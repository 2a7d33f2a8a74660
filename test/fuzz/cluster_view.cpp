// room: proxy/redis
// What nodes of a Redis Cluster say of it, as arbitrary bytes: nothing is read out of bounds, what is taken
// is within its limits and makes a map, and of several such words one agreement is found that is one of them.
//
// Input: replies to kClusterQuestion of several nodes, parted by 0xff bytes.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/redis/cluster_agreement.hpp"
#include "proxy/redis/cluster_view.hpp"
#include "proxy/redis/slots.hpp"
#include "test/unit/proxy/redis/toy_relay.hpp"

namespace {

using namespace ambassador::proxy;
using namespace ambassador::proxy::redis;
using test::must;

std::optional<Members> read(std::string_view bytes) {
  const std::vector<char> shown(bytes.begin(), bytes.end());  // so that a read past its end is seen
  const std::string_view replies(shown.data(), shown.size());
  if (!cluster_view_is_whole(replies)) return std::nullopt;
  auto view = read_cluster_view(replies, "asked");
  if (!view) {
    must(!view.error().text().empty() && view.error().text().size() < 256, "an error has a short text");
    return std::nullopt;
  }
  must(view->servers.size() <= kMaxClusterNodes, "nodes are limited");
  for (const Place& node : view->servers) must(!node.host.empty() && node.port != 0, "a node has a place");
  must(std::ranges::is_sorted(view->servers), "nodes are sorted");
  int next = 0;
  for (const auto& range : view->slots) {
    must(range.first >= next && range.first <= range.last && range.last < kSlots,
         "ranges are sorted and apart");
    next = range.last + 1;
    must(range.primary < view->servers.size(), "a primary is a node");
    for (const std::uint32_t replica : range.replicas) {
      must(replica < view->servers.size() && replica != range.primary, "a replica is another node");
    }
  }
  const SlotMap map(view->slots);
  for (const auto& range : view->slots) {
    must(map.primary_of(range.first) == range.primary && map.primary_of(range.last) == range.primary,
         "a slot is its primary's");
  }
  must(same_owners(*view, *view), "a view agrees with itself");
  return std::move(*view);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::vector<SeedAnswer> said;
  ClusterAgreement agreement;
  for (bool more = true; more && said.size() < 8;) {
    const std::size_t end = bytes.find('\xff');
    more = end != std::string_view::npos;
    auto members = read(bytes.substr(0, end));
    said.push_back({.answers = members.has_value(), .members = std::move(members)});
    if (more) bytes.remove_prefix(end + 1);
    agreement.weigh(said);
    if (!agreement.members()) continue;
    bool told = false;
    for (const SeedAnswer& heard : said) told = told || heard.members == agreement.members();
    must(told, "what is agreed on was said");
    must(!agreement.weigh(said), "who says the same again changes nothing");
  }
  return 0;
}
