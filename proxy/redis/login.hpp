// How a connection to a Redis server begins: HELLO 3 or AUTH, SELECT, READONLY, all in one piece, and what
// the server's answers mean. The core makes one per connection; health probes begin so too. Pure.
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
  /// `account`: null when nobody logs in.
  Login(LaneKind kind, const Account* account);
  ~Login() override;

  Greeted on_bytes(std::span<const char> input) override;

 private:
  enum class Step : std::uint8_t { hello, auth, select, readonly };
  [[nodiscard]] Greeted refused(std::string_view error);

  std::string request_;  // of all steps; wiped when it was sent
  std::vector<Step> steps_;
  std::size_t done_ = 0;
  bool begun_ = false;
  bool within_ = false;  // a reply, whose beginning is gone
  ReplyFramer framer_{Resp::three};
  std::string why_;
};

/// What a connection of that kind begins with; null: nothing. `account` says who logs in; empty: nobody does.
[[nodiscard]] std::unique_ptr<Greeting> new_login(LaneKind kind, const AccountFunction& account);

/// A connection that can't be made, because the account to log in with is not known yet.
class NoAccount final : public Greeting {
 public:
  Greeted on_bytes(std::span<const char> input) override;
};

}  // namespace ambassador::proxy::redis
