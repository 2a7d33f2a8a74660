// The channels and patterns that one client is subscribed to, at which servers, and what it is told when that
// changes. A server knows only of those that lie with it, so the numbers in its confirmations would be wrong
// for the client: they are made here. Used by the session. Pure.
//
// Source: https://redis.io/docs/interact/pubsub/; Redis 7.0 pubsub.c.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/redis/command.hpp"
#include "proxy/redis/lane_kind.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

class Subscriptions {
 public:
  enum class Kind : std::uint8_t { channel, pattern, shard_channel };
  /// Where a pattern may be: a message may come from any server.
  static constexpr BackendIndex kEverywhere = kNoBackend;
  using Names = std::map<std::string, BackendIndex, std::less<>>;

  [[nodiscard]] static Kind kind_of(Hold command);

  [[nodiscard]] const Names& names(Kind kind) const { return names_[static_cast<std::size_t>(kind)]; }
  /// Over all kinds.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Something is subscribed at `backend`.
  [[nodiscard]] bool at(BackendIndex backend) const;

  /// False: it was there already, or was not.
  bool add(Kind kind, std::string_view name, BackendIndex backend);
  bool remove(Kind kind, std::string_view name);
  /// The backends are counted anew. False: some of what is subscribed lies with one that has no number now,
  /// or everywhere.
  bool renumber(const std::function<BackendIndex(BackendIndex before)>& number);

  /// Appends what the client is told of `name`, as of now; `word` is the command's name. In RESP3 a push.
  void confirm(std::string_view word, Kind kind, std::string_view name, Resp resp, std::string& out) const;
  /// The same when there was nothing to unsubscribe from.
  void confirm_nothing(std::string_view word, Kind kind, Resp resp, std::string& out) const;

 private:
  [[nodiscard]] Names& mutable_names(Kind kind) { return names_[static_cast<std::size_t>(kind)]; }
  void count(BackendIndex backend, std::int32_t change);
  void append_count(Kind kind, std::string& out) const;

  std::array<Names, 3> names_;
  std::vector<std::uint32_t> at_;  // names per backend
  std::uint32_t everywhere_ = 0;
};

}  // namespace ambassador::proxy::redis
