// How a connection to a Redis server begins: HELLO 3 or AUTH, SELECT, READONLY, all in one piece; then CLIENT
// TRACKING where replies are kept; and what the server's answers mean. The core makes one per connection;
// health probes begin so too. Pure.
//
// Source: https://redis.io/docs/latest/commands/hello/, .../auth/, .../select/; networking.c, acl.c of Redis
// 7.0 for the errors.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/redis/lane_kind.hpp"
#include "proxy/redis/reply_framer.hpp"
#include "proxy/session/account.hpp"
#include "proxy/session/greeting.hpp"

namespace ambassador::proxy::redis {

class Login final : public Greeting {
 public:
  /// Servers before this one put what they tell in the middle of replies
  /// (https://github.com/redis/redis/issues/8935).
  static constexpr std::int64_t kTracksWell = 7;

  /// `account`: null when nobody logs in. `tracked`: the server shall tell when keys that it was asked for
  /// change (Greeted::tells); where it will not, the connection is used all the same. RESP3 alone has that.
  Login(LaneKind kind, const Account* account, bool tracked = false);
  ~Login() override;

  Greeted on_bytes(std::span<const char> input) override;

 private:
  enum class Step : std::uint8_t { hello, auth, select, readonly, track };
  [[nodiscard]] Greeted done();
  [[nodiscard]] Greeted untracked(std::string_view why);
  [[nodiscard]] Greeted refused(std::string_view error, std::size_t consumed);

  std::string request_;  // of all steps; wiped when it was sent
  std::vector<Step> steps_;
  std::size_t done_ = 0;
  const bool tracked_;
  bool begun_ = false;
  bool within_ = false;  // a reply, whose beginning is gone
  ReplyFramer framer_{Resp::three};
  std::string about_;  // the reply to HELLO, if tracked_
  std::string why_;
};

/// What a connection of that kind begins with; null: nothing. `account` says who logs in; empty: nobody does.
/// `tracked`: see Login.
[[nodiscard]] std::unique_ptr<Greeting> new_login(LaneKind kind, const AccountFunction& account,
                                                  bool tracked = false);

/// A connection that can't be made, because the account to log in with is not known yet.
class NoAccount final : public Greeting {
 public:
  Greeted on_bytes(std::span<const char> input) override;
};

}  // namespace ambassador::proxy::redis
