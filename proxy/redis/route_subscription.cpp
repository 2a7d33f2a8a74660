// The part of the session that keeps subscriptions. A channel lies where a key of its name would, and PUBLISH
// goes there too, so that the two meet; a pattern is subscribed to at every server, each of which has some of
// the channels that it fits. The nodes of a cluster tell each other what is published, but for sharded
// channels: there a channel may stay where it is, whoever its slot lies with, and a pattern is subscribed to
// at one. Messages come by the client's own lanes, unasked, and the session does not see them.
#include <algorithm>
#include <span>

#include "proxy/redis/reply.hpp"
#include "proxy/redis/session.hpp"

namespace ambassador::proxy::redis {
namespace {

using Kind = Subscriptions::Kind;

// Requests of one command, to each server for the names that lie there.
class Requests {
 public:
  explicit Requests(std::size_t backends) : names_(backends) {}

  void add(BackendIndex backend, std::string_view name) {
    if (backend != Subscriptions::kEverywhere) {
      names_[backend].push_back(name);
    } else {
      for (auto& names : names_) names.push_back(name);
    }
  }
  /// A server confirms each name by itself. `apart`: they may not have one slot, and are asked for one by
  /// one.
  void append_to(std::vector<Ask>& asks, std::string_view word, bool apart) const {
    for (BackendIndex i = 0; i < names_.size(); ++i) {
      const std::span<const std::string_view> all = names_[i];
      const std::size_t at_once = apart ? 1 : all.size();
      for (std::size_t from = 0; from < all.size(); from += at_once)
        append(asks.emplace_back(), i, word, all.subspan(from, at_once));
    }
  }

 private:
  static void append(Ask& ask, BackendIndex backend, std::string_view word,
                     std::span<const std::string_view> names) {
    ask.backend = backend;
    ask.replies = static_cast<std::uint32_t>(names.size());
    ask.listens = true;
    append_array(ask.text, 1 + names.size());
    append_bulk(ask.text, word);
    for (const std::string_view name : names) append_bulk(ask.text, name);
  }

  std::vector<std::vector<std::string_view>> names_;
};

}  // namespace

Verdict RedisSession::subscribe(const Command& command) {
  if (!router_->meets()) {
    return answer_error(
        "ERR subscriptions are not supported by the ambassador where a channel has no server of its own "
        "(mode Spread, "
        "distribution random)");
  }
  const Kind kind = Subscriptions::kind_of(command.hold);
  std::vector<BackendIndex> places;
  for (std::size_t i = 1; i < parser_.count(); ++i) {
    if (parser_.arg(i).size() > kMaxChannelName)
      return answer_error("ERR a channel's name may have 4096 bytes here");
    const bool everywhere = kind == Kind::pattern && !router_->whole() && !router_->clustered();
    places.push_back(everywhere ? Subscriptions::kEverywhere : backend_of(parser_.arg(i)));
    if (!everywhere && places.back() == kNoBackend) return wait_for(kNoBackend);
  }
  if (router_->backends() == 0) return wait_for(kNoBackend);
  if ((held_ ? held_->subscriptions.size() : 0) + places.size() > kMaxSubscriptions) {
    return answer_error("ERR a client may have 16384 subscriptions here");
  }
  if (!settled()) return settle();

  Subscriptions& subscriptions = held().subscriptions;
  if (subscriptions.empty()) held_->moves = router_->moves();
  group_ = std::make_unique<Group>();
  group_->gathered.merge = Merge::confirmed;
  Requests requests(router_->backends());
  for (std::size_t i = 1; i < parser_.count(); ++i) {
    const std::string_view name = parser_.arg(i);
    if (subscriptions.add(kind, name, places[i - 1])) requests.add(places[i - 1], name);
    subscriptions.confirm(command.name, kind, name, client_.resp, group_->gathered.text);
  }
  requests.append_to(group_->asks, command.name, asked_apart(kind));
  for (Ask& ask : group_->asks) ask.lease = Lease::keep;
  return ask_group();
}

Verdict RedisSession::unsubscribe(const Command& command) {
  const Kind kind = Subscriptions::kind_of(command.hold);
  Subscriptions& subscriptions = held().subscriptions;
  std::vector<std::string> names;
  for (std::size_t i = 1; i < parser_.count(); ++i) names.emplace_back(parser_.arg(i));
  if (names.empty()) {
    for (const auto& [name, backend] : subscriptions.names(kind)) names.push_back(name);
  }
  group_ = std::make_unique<Group>();
  group_->gathered.merge = Merge::confirmed;
  Requests requests(router_->backends());
  for (const std::string& name : names) {
    const auto found = subscriptions.names(kind).find(name);
    if (found != subscriptions.names(kind).end()) {
      requests.add(found->second, name);
      subscriptions.remove(kind, name);
    }
    subscriptions.confirm(command.name, kind, name, client_.resp, group_->gathered.text);
  }
  if (names.empty()) subscriptions.confirm_nothing(command.name, kind, client_.resp, group_->gathered.text);
  requests.append_to(group_->asks, command.name, asked_apart(kind));
  for (Ask& ask : group_->asks) {
    // A lane that listened does not serve another client: a message might still be on its way.
    ask.lease = lease_to(ask.backend) == Lease::keep ? Lease::keep : Lease::drop;
    leaving_ = leaving_ || ask.lease == Lease::drop;
  }
  let_go();
  return ask_group();
}

// Where a server wants the channels of one command to have one slot.
bool RedisSession::asked_apart(Subscriptions::Kind kind) const {
  return router_->clustered() && kind == Kind::shard_channel;
}

// RESP2 has no way to tell a reply from a message.
void RedisSession::refuse_while_subscribed(const Command& command) {
  set_error("ERR Can't execute '" + std::string(command.name) +
            "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context");
}

// Publishers look for each channel where this client has subscribed to it.
bool RedisSession::places_stand() {
  if (held_->stale) return false;
  const auto lies_elsewhere = [&](Kind kind) {
    return std::ranges::any_of(held_->subscriptions.names(kind), [&](const auto& entry) {
      const BackendIndex now = router_->whole() ? backend_of({}) : router_->for_key(entry.first);
      return now != kNoBackend && now != entry.second;
    });
  };
  router_->follow_ejection();
  if (router_->whole()) {
    for (const Kind kind : {Kind::channel, Kind::shard_channel, Kind::pattern}) {
      if (lies_elsewhere(kind)) return false;
    }
    return true;
  }
  if (router_->clustered()) return !lies_elsewhere(Kind::shard_channel);  // others are heard at every server
  if (held_->moves == router_->moves()) return true;
  held_->moves = router_->moves();
  return !lies_elsewhere(Kind::channel) && !lies_elsewhere(Kind::shard_channel);
}

}  // namespace ambassador::proxy::redis
