#include "proxy/redis/core.hpp"

#include "proxy/redis/limits.hpp"
#include "proxy/redis/login.hpp"
#include "proxy/redis/probe.hpp"
#include "proxy/redis/reply_framer.hpp"
#include "proxy/redis/request_name.hpp"
#include "proxy/redis/router.hpp"
#include "proxy/redis/session.hpp"

namespace ambassador::proxy::redis {
namespace {

std::string mode_name(config::RedisMode mode) {
  switch (mode) {
    case config::RedisMode::sharded:
      return "sharded";
    case config::RedisMode::failover:
      return "failover";
    case config::RedisMode::spread:
      return "spread";
    case config::RedisMode::replicated:
      return "replicated";
    case config::RedisMode::sentinel:
      return "sentinel";
    case config::RedisMode::cluster:
      return "cluster";
  }
  return "";
}

class RedisCore final : public ProtocolCore {
 public:
  RedisCore(const config::Listener& listener, const Availability& availability, AccountFunction account,
            AccountFunction client_account, NobodyFunction nobody)
      : account_(std::move(account)),
        auth_(std::move(client_account)),
        slow_limits_{listener.redis.slow_log.threshold, listener.redis.slow_log.size},
        router_(listener, availability, std::move(nobody)),
        info_{listener.name, mode_name(listener.redis.mode), listener.backends.size()} {}

  [[nodiscard]] bool shares_lanes() const override { return true; }
  [[nodiscard]] bool keeps_requests() const override { return true; }
  [[nodiscard]] std::size_t max_message() const override { return kMaxWhole + kCollect; }

  [[nodiscard]] std::unique_ptr<Session> new_session() const override {
    return std::make_unique<RedisSession>(parts_, ++last_id_);
  }
  [[nodiscard]] std::unique_ptr<Framer> new_framer(LaneKind kind) const override {
    return std::make_unique<ReplyFramer>(resp_of(kind), heeds_);
  }
  [[nodiscard]] std::unique_ptr<Greeting> new_greeting(LaneKind kind) const override {
    return new_login(kind, account_);
  }
  void rebind(Session& session) const override {
    static_cast<RedisSession&>(session).rebind(parts_);  // the relay never mixes protocols
  }

  [[nodiscard]] BackendIndex choose(std::span<const std::uint32_t> /*open_connections*/) const override {
    return kNoBackend;  // lanes are shared
  }
  [[nodiscard]] BackendIndex elsewhere(BackendIndex backend, Home home, bool declined) const override {
    return router_.elsewhere(backend, home, declined);
  }
  // As from a client that says it now, and has no need to log in.
  [[nodiscard]] BackendIndex placed_anew(std::string_view request) const override {
    const ClientAuth anybody;
    std::string text;
    const CoreParts parts{router_, info_, anybody, text};
    const Verdict verdict = RedisSession(parts, 0).on_client(request);
    const bool whole = (verdict.kind == Verdict::Kind::pass || verdict.kind == Verdict::Kind::send) &&
                       verdict.lease == Lease::none && verdict.consumed == request.size();
    return whole ? verdict.backend : kNoBackend;
  }
  [[nodiscard]] bool follows_homes() const override { return router_.clustered(); }
  [[nodiscard]] BackendIndex named(BackendIndex from, std::string_view to) const override {
    return router_.named(from, to);
  }
  [[nodiscard]] std::string_view sent_here() const override { return "*1\r\n$6\r\nASKING\r\n"; }

  [[nodiscard]] SlowLimits slow_limits() const override { return slow_limits_; }
  [[nodiscard]] RequestName name_request(std::string_view request) const override {
    return redis::name_request(request);
  }

  [[nodiscard]] std::string_view probe_request() const override {
    return heeds_ == Heeds::nothing ? kProbeRequest : kRoleProbeRequest;
  }
  [[nodiscard]] Health probe_reply(std::string_view bytes) const override {
    if (router_.clustered()) return judge_node_probe(bytes);
    return router_.replicated() ? judge_role_probe(bytes) : judge_probe(bytes);
  }
  [[nodiscard]] bool follows_primary() const override { return router_.replicated(); }
  [[nodiscard]] Standing probe_standing(std::string_view reply) const override {
    return read_standing(reply);
  }

 private:
  const AccountFunction account_;
  const ClientAuth auth_;
  const SlowLimits slow_limits_;
  const Router router_;
  const ProxyInfo info_;
  const Heeds heeds_ = router_.clustered()    ? Heeds::slots
                       : router_.replicated() ? Heeds::roles
                                              : Heeds::nothing;
  mutable std::string text_;
  const CoreParts parts_{router_, info_, auth_, text_};
  mutable std::uint64_t last_id_ = 0;
};

}  // namespace

std::shared_ptr<const ProtocolCore> make_core(const config::Listener& listener,
                                              const Availability& availability, AccountFunction account,
                                              AccountFunction client_account, NobodyFunction nobody) {
  return std::make_shared<const RedisCore>(listener, availability, std::move(account),
                                           std::move(client_account), std::move(nobody));
}

}  // namespace ambassador::proxy::redis
