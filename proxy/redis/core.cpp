#include "proxy/redis/core.hpp"

#include "proxy/redis/limits.hpp"
#include "proxy/redis/login.hpp"
#include "proxy/redis/probe.hpp"
#include "proxy/redis/reply.hpp"
#include "proxy/redis/reply_cache.hpp"
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

RateLimit rate_limit_of(const config::Redis& redis) {
  if (!redis.rate_limit) return {};
  const unsigned rate = redis.rate_limit->requests_per_second;
  const unsigned burst = redis.rate_limit->burst;
  return {.per_second = rate, .burst = burst == 0 ? rate : burst};
}

class RedisCore final : public ProtocolCore {
 public:
  RedisCore(const config::Listener& listener, const Availability& availability, AccountFunction account,
            AccountFunction client_account, NobodyFunction nobody, CacheShare share)
      : account_(std::move(account)),
        auth_(std::move(client_account)),
        rate_limit_(rate_limit_of(listener.redis)),
        mirror_(listener.redis.mirror),
        note_limits_{.slow = {listener.redis.slow_log.threshold, listener.redis.slow_log.size},
                     .hot = {listener.redis.hot_keys.one_in, listener.redis.hot_keys.size},
                     .big = {listener.redis.big_keys.threshold, listener.redis.big_keys.size}},
        router_(listener, availability, std::move(nobody)),
        info_{listener.name, mode_name(listener.redis.mode), listener.backends.size()},
        most_kept_(listener.redis.client_cache ? listener.redis.client_cache->max_memory : 0),
        kept_(share.counters ? std::move(share.counters) : std::make_shared<KeptCounters>()) {
    // Where servers have copies of each other's keys, or move them about, what one of them tells is not
    // enough.
    if (most_kept_ == 0 || router_.clustered() || router_.replicas_read()) return;
    cache_ = std::make_shared<ReplyCache>(most_kept_ / share.workers, listener.backends.size(), kept_);
    parts_.cache = cache_.get();
  }

  [[nodiscard]] bool shares_lanes() const override { return true; }
  [[nodiscard]] bool keeps_requests() const override { return true; }
  [[nodiscard]] std::size_t max_message() const override { return kMaxWhole + kCollect; }

  [[nodiscard]] std::unique_ptr<Session> new_session(KeyWatch& watch) const override {
    return std::make_unique<RedisSession>(parts_, watch, ++last_id_);
  }
  [[nodiscard]] std::unique_ptr<Framer> new_framer(LaneKind kind) const override {
    return std::make_unique<ReplyFramer>(resp_of(kind), heeds_);
  }
  [[nodiscard]] std::unique_ptr<Greeting> new_greeting(LaneKind kind) const override {
    return new_login(kind, account_);
  }
  [[nodiscard]] bool keeps_replies() const override { return cache_ != nullptr; }
  [[nodiscard]] std::unique_ptr<Greeting> new_shared_greeting(LaneKind kind) const override {
    return new_login(kind, account_, cache_ != nullptr && kind == kTrackedKind);
  }
  [[nodiscard]] std::unique_ptr<Keeper> new_keeper(BackendIndex backend) const override {
    return cache_ ? cache_->new_shelf(backend) : nullptr;
  }
  [[nodiscard]] std::optional<KeptCounts> kept() const override {
    if (!cache_) return std::nullopt;
    KeptCounts counts = kept_->sum();
    counts.most_bytes = most_kept_;
    return counts;
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
    const CoreParts parts{router_, info_, anybody, std::nullopt, text, nullptr};
    NobodyLooks nobody;
    const Verdict verdict = RedisSession(parts, nobody, 0).on_client(request);
    const bool whole = (verdict.kind == Verdict::Kind::pass || verdict.kind == Verdict::Kind::send) &&
                       verdict.lease == Lease::none && verdict.consumed == request.size();
    return whole ? verdict.backend : kNoBackend;
  }
  [[nodiscard]] bool follows_homes() const override { return router_.clustered(); }
  [[nodiscard]] BackendIndex named(BackendIndex from, std::string_view to) const override {
    return router_.named(from, to);
  }
  [[nodiscard]] std::string_view sent_here() const override { return "*1\r\n$6\r\nASKING\r\n"; }

  [[nodiscard]] RateLimit rate_limit() const override { return rate_limit_; }
  [[nodiscard]] std::string_view mirror() const override {
    return mirror_ ? std::string_view(mirror_->listener) : std::string_view();
  }
  bool change_kind(LaneKind from, LaneKind to, std::string& out) const override {
    const std::uint16_t database = database_of(to);
    if (database == database_of(from)) return true;
    if (router_.clustered() && database != 0) return false;
    append_array(out, 2);
    append_bulk(out, "SELECT");
    append_bulk(out, std::to_string(database));
    return true;
  }
  [[nodiscard]] bool is_error(std::string_view reply) const override { return reply.starts_with('-'); }
  [[nodiscard]] NoteLimits note_limits() const override { return note_limits_; }
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
  const RateLimit rate_limit_;
  const std::optional<config::Mirror> mirror_;
  const NoteLimits note_limits_;
  const Router router_;
  const ProxyInfo info_;
  const Heeds heeds_ = router_.clustered()    ? Heeds::slots
                       : router_.replicated() ? Heeds::roles
                                              : Heeds::nothing;
  const std::uint64_t most_kept_;  // by all the listener's cores; 0: nothing is
  const std::shared_ptr<KeptCounters> kept_;
  std::shared_ptr<ReplyCache> cache_;
  mutable std::string text_;
  CoreParts parts_{router_, info_,
                   auth_,   mirror_ ? std::optional<config::MirrorCommands>(mirror_->commands) : std::nullopt,
                   text_,   nullptr};
  mutable std::uint64_t last_id_ = 0;
};

}  // namespace

std::shared_ptr<const ProtocolCore> make_core(const config::Listener& listener,
                                              const Availability& availability, AccountFunction account,
                                              AccountFunction client_account, NobodyFunction nobody,
                                              CacheShare share) {
  return std::make_shared<const RedisCore>(listener, availability, std::move(account),
                                           std::move(client_account), std::move(nobody), std::move(share));
}

}  // namespace ambassador::proxy::redis
