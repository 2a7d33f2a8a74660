#include "proxy/redis/cluster_view.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "common/config/recognised.hpp"
#include "proxy/redis/elements.hpp"
#include "proxy/redis/info_field.hpp"
#include "proxy/redis/slots.hpp"

namespace ambassador::proxy::redis {
namespace {

constexpr std::string_view kWhere = "CLUSTER SLOTS";
constexpr std::size_t kQuoted = 120;  // of a node's error

Error makes_no_sense(const char* what) {
  return Error{std::string(kWhere), what};
}

// A string's text, which in RESP3 may be a verbatim one; nothing: it is no string, or null.
std::optional<std::string_view> string_text(std::string_view reply) {
  return bulk_text(reply, reply.starts_with('=') ? '=' : '$');
}

std::optional<std::uint16_t> number_of(std::string_view reply, std::int64_t most) {
  if (!reply.starts_with(':')) return std::nullopt;
  const Header header = read_header(reply.data(), reply.size());
  if (header.state != Header::State::complete || header.number < 0 || header.number > most)
    return std::nullopt;
  return static_cast<std::uint16_t>(header.number);
}

class Reader {
 public:
  explicit Reader(std::string_view asked) : asked_(asked) {}

  Result<Members> read(std::string_view info, std::string_view slots) {
    const auto told = string_text(info);
    if (!told) return refused(info);
    view_.connected = info_field(*told, "cluster_state") == "ok";
    view_.epoch = whole_number<std::uint64_t>(info_field(*told, "cluster_current_epoch")).value_or(0);
    Elements ranges(slots);
    if (ranges.count() < 0) return refused(slots);
    if (ranges.count() > kSlots) return makes_no_sense("more ranges than there are slots");
    for (std::int64_t i = 0; i < ranges.count(); ++i) {
      if (const char* wrong = range(ranges.next())) return makes_no_sense(wrong);
    }
    put_in_order();
    const auto overlap = [](const config::SlotRange& one, const config::SlotRange& next) {
      return one.last >= next.first;
    };
    if (std::ranges::adjacent_find(view_.slots, overlap) != view_.slots.end())
      return makes_no_sense("a slot is in two ranges");
    return std::move(view_);
  }

 private:
  // What a node says instead of an answer.
  static Error refused(std::string_view reply) {
    if (!reply.starts_with('-')) return makes_no_sense("the reply is of another kind");
    std::string text(reply.substr(1, std::min(reply.size() - 1 - kLineEnd, kQuoted)));
    std::ranges::replace_if(
        text, [](char c) { return c < ' ' || c > '~'; }, '?');
    return Error{std::string(kWhere), std::move(text)};
  }

  // Null: it could be read.
  const char* range(std::string_view reply) {
    Elements elements(reply);
    if (elements.count() < 3) return "a range has no node";
    const auto first = number_of(elements.next(), kSlots - 1);
    const auto last = number_of(elements.next(), kSlots - 1);
    if (!first || !last || *first > *last) return "a range is none of slots";
    config::SlotRange range{.first = *first, .last = *last};
    bool owned = false;
    for (std::int64_t i = 2; i < elements.count(); ++i) {
      std::optional<std::uint32_t> position;
      if (!node(elements.next(), position)) return "a node makes no sense";
      if (view_.servers.size() > kMaxClusterNodes) return "more nodes than a cluster may have";
      if (i == 2) {
        owned = position.has_value();
        range.primary = position.value_or(0);
      } else if (position && *position != range.primary) {
        range.replicas.push_back(*position);
      }
    }
    if (owned) view_.slots.push_back(std::move(range));
    return nullptr;
  }

  // Each node tells in an order of its own; of two that say the same the lists are equal.
  void put_in_order() {
    std::vector<Place> servers = view_.servers;
    std::ranges::sort(servers);
    const auto position_now = [&](std::uint32_t before) {
      const auto found = std::ranges::lower_bound(servers, view_.servers[before]);
      return static_cast<std::uint32_t>(found - servers.begin());
    };
    for (config::SlotRange& range : view_.slots) {
      range.primary = position_now(range.primary);
      for (std::uint32_t& replica : range.replicas) replica = position_now(replica);
      std::ranges::sort(range.replicas);
      const auto doubled = std::ranges::unique(range.replicas);
      range.replicas.erase(doubled.begin(), doubled.end());
    }
    std::ranges::sort(view_.slots, {}, &config::SlotRange::first);
    view_.servers = std::move(servers);
  }

  // Where it is in the list; nothing: its place is not known. False: it is no node.
  bool node(std::string_view reply, std::optional<std::uint32_t>& position) {
    Elements elements(reply);
    if (elements.count() < 2) return false;
    const std::string_view host_reply = elements.next();
    const auto port = number_of(elements.next(), std::numeric_limits<std::uint16_t>::max());
    if (!port) return false;
    const bool is_null = host_reply.starts_with("$-1") || host_reply.starts_with('_');
    const auto told = string_text(host_reply);
    if (!is_null && !told) return false;
    const std::string_view host = told && !told->empty() ? *told : asked_;
    if (*port == 0 || !config::is_server_host(host)) return true;  // "?" is one that has no name yet
    const Place place{.host = std::string(host), .port = *port};
    const auto known = std::ranges::find(view_.servers, place);
    position = static_cast<std::uint32_t>(known - view_.servers.begin());
    if (known == view_.servers.end()) view_.servers.push_back(place);
    return true;
  }

  const std::string_view asked_;
  Members view_;
};

// Of each run of slots that lie with one node, or with none: the last slot, and who that is.
std::vector<std::pair<int, Place>> owners(const Members& view) {
  std::vector<std::pair<int, Place>> runs;
  const auto add = [&](int last, const Place& place) {
    if (!runs.empty() && runs.back().second == place) {
      runs.back().first = last;
    } else {
      runs.emplace_back(last, place);
    }
  };
  int next = 0;
  for (const config::SlotRange& range : view.slots) {
    if (range.first > next) add(range.first - 1, {});
    add(range.last, view.servers[range.primary]);
    next = range.last + 1;
  }
  if (next < kSlots) add(kSlots - 1, {});
  return runs;
}

}  // namespace

bool cluster_view_is_whole(std::string_view replies) {
  const std::size_t first = reply_size(replies);
  return first != 0 && reply_size(replies.substr(first)) != 0;
}

Result<Members> read_cluster_view(std::string_view replies, std::string_view asked) {
  const std::string_view info = replies.substr(0, reply_size(replies));
  const std::string_view slots = replies.substr(info.size());
  return Reader(asked).read(info, slots.substr(0, reply_size(slots)));
}

bool same_owners(const Members& one, const Members& other) {
  return owners(one) == owners(other);
}

}  // namespace ambassador::proxy::redis
