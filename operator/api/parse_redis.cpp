#include "common/config/parse.hpp"
#include "common/config/recognised.hpp"
#include "operator/api/parse_parts.hpp"

namespace ambassador::api {
namespace {

using std::chrono::milliseconds;

/// `value` stays as it is where `key` is missing or wrong.
void read_unsigned(Fields& fields, std::string_view key, unsigned least, unsigned most, unsigned& value) {
  if (const auto given = fields.integer(key, least, most)) value = static_cast<unsigned>(*given);
}

std::optional<config::Ejection> read_ejection(Fields& redis) {
  const auto* object = redis.object("ejection");
  if (object == nullptr) return std::nullopt;
  Fields fields(*object, redis.path("ejection"), redis.problems());
  config::Ejection ejection;
  read_unsigned(fields, "failures", 1, 1000, ejection.failures);
  ejection.retry_after =
      fields.duration("retryAfter", milliseconds(100), std::chrono::hours(1)).value_or(ejection.retry_after);
  fields.finish();
  return ejection;
}

config::SlowLog read_slow_log(Fields& redis) {
  config::SlowLog slow_log;
  const auto* object = redis.object("slowLog");
  if (object == nullptr) return slow_log;
  Fields fields(*object, redis.path("slowLog"), redis.problems());
  slow_log.threshold =
      fields.duration("threshold", milliseconds(0), std::chrono::hours(1)).value_or(slow_log.threshold);
  read_unsigned(fields, "size", 0, config::kMaxSlowLog, slow_log.size);
  fields.finish();
  return slow_log;
}

config::HotKeys read_hot_keys(Fields& redis) {
  config::HotKeys hot_keys;
  const auto* object = redis.object("hotKeys");
  if (object == nullptr) return hot_keys;
  Fields fields(*object, redis.path("hotKeys"), redis.problems());
  read_unsigned(fields, "oneIn", 1, config::kMaxOneIn, hot_keys.one_in);
  read_unsigned(fields, "size", 0, config::kMaxKeys, hot_keys.size);
  fields.finish();
  return hot_keys;
}

config::BigKeys read_big_keys(Fields& redis) {
  config::BigKeys big_keys;
  const auto* object = redis.object("bigKeys");
  if (object == nullptr) return big_keys;
  Fields fields(*object, redis.path("bigKeys"), redis.problems());
  read_unsigned(fields, "threshold", config::kLeastBig, config::kMostBig, big_keys.threshold);
  read_unsigned(fields, "size", 0, config::kMaxKeys, big_keys.size);
  fields.finish();
  return big_keys;
}

/// @param judged `mode` and `readPreference` are right
std::optional<config::ClientCache> read_client_cache(Fields& redis, bool judged, const config::Redis& known) {
  const auto* object = redis.object("clientCache");
  if (object == nullptr) return std::nullopt;
  if (judged && !known.can_keep_replies()) {
    const bool cluster = known.mode == config::RedisMode::cluster;
    redis.problems().invalid(
        redis.path("clientCache"),
        cluster
            ? "can't be with mode Cluster, whose keys move from server to server: remove it, or give another "
              "mode"
            : "can't be with a readPreference other than Primary, as replicas do not see all at once: remove "
              "it, or use Primary");
  }
  Fields fields(*object, redis.path("clientCache"), redis.problems());
  config::ClientCache cache;
  if (const auto memory = fields.quantity("maxMemory")) {
    const std::int64_t bytes = memory->milli() / 1000;
    if (bytes < config::kMinClientCache || bytes > config::kMaxClientCache) {
      fields.problems().invalid(fields.path("maxMemory"),
                                "\"" + memory->text() + "\" is out of range: give 1Mi to 1Ti");
    }
    cache.max_memory = static_cast<std::uint64_t>(bytes);
  }
  fields.finish();
  return cache;
}

std::optional<config::RateLimit> read_rate_limit(Fields& redis) {
  const auto* object = redis.object("rateLimit");
  if (object == nullptr) return std::nullopt;
  Fields fields(*object, redis.path("rateLimit"), redis.problems());
  fields.required("requestsPerSecond", "1 to 1000000");
  config::RateLimit limit;
  read_unsigned(fields, "requestsPerSecond", 1, config::kMaxRate, limit.requests_per_second);
  read_unsigned(fields, "burst", 1, config::kMaxRate, limit.burst);
  fields.finish();
  return limit;
}

/// Whether there is such a listener is checked where all of them are known.
std::optional<config::Mirror> read_mirror(Fields& redis) {
  const auto* object = redis.object("mirror");
  if (object == nullptr) return std::nullopt;
  Fields fields(*object, redis.path("mirror"), redis.problems());
  fields.required("listener", "the name of another Redis listener of this policy");
  config::Mirror mirror;
  mirror.listener = fields.string("listener").value_or("");
  mirror.commands = fields.choice("commands", kMirrorCommands).value_or(mirror.commands);
  fields.finish();
  return mirror;
}

/// `readPreference` and `maxLag`. The former may be there in every mode, as the CRD's default is.
/// @param before how many problems there were before `mode` was read: while that or readPreference is wrong,
///     what they owe each other is not judged
void read_readers(Fields& fields, config::Redis& redis, std::size_t before) {
  redis.read_preference = fields.choice("readPreference", kReadPreferences).value_or(redis.read_preference);
  const bool judged = fields.problems().size() == before;
  const bool lags = redis.follows_primary();
  const bool primary = redis.read_preference == config::ReadPreference::primary;
  if (judged && !redis.has_replicas() && !primary) {
    fields.problems().invalid(fields.path("readPreference"),
                              shown(*fields.get("readPreference")) +
                                  " needs mode Replicated, Sentinel or Cluster, which alone tell a "
                                  "primary from its replicas: give one of these, or use Primary");
  }
  std::string_view missing;
  if (judged && !lags && (primary || redis.has_replicas()))
    missing = "mode Replicated or Sentinel and another readPreference";
  if (judged && lags && primary) missing = "another readPreference";
  redis.max_lag = read_max_lag(fields, missing).value_or(redis.max_lag);
}

/// @param judged `mode` is right
std::optional<config::Sentinel> read_sentinel(Fields& redis, bool judged, config::RedisMode mode) {
  const auto* object = redis.object("sentinel");
  const bool asks = mode == config::RedisMode::sentinel;
  if (judged && asks && object == nullptr) {
    redis.problems().invalid(redis.path("sentinel"),
                             "is missing, and mode Sentinel asks for a master by its name: give {masterName: "
                             "mymaster}, or another mode");
  }
  if (object == nullptr) return std::nullopt;
  if (judged && !asks)
    redis.problems().invalid(redis.path("sentinel"), "is for mode Sentinel: give that, or remove it");
  Fields fields(*object, redis.path("sentinel"), redis.problems());
  fields.required("masterName", "a name such as mymaster");
  const auto name = fields.string("masterName");
  if (name && !config::is_master_name(*name)) {
    fields.problems().invalid(fields.path("masterName"), shown(*name) +
                                                             " is no name that Sentinels know: use letters, "
                                                             "digits, '.', '-' and '_'");
  }
  fields.finish();
  return config::Sentinel{.master_name = name.value_or("")};
}

}  // namespace

config::Redis read_redis(Fields& listener) {
  config::Redis redis;
  const auto* object = listener.object("redis");
  if (object == nullptr) return redis;
  Fields fields(*object, listener.path("redis"), listener.problems());
  const std::size_t before = fields.problems().size();
  redis.mode = fields.choice("mode", kRedisModes).value_or(redis.mode);
  redis.sentinel = read_sentinel(fields, fields.problems().size() == before, redis.mode);
  read_readers(fields, redis, before);
  redis.client_cache = read_client_cache(fields, fields.problems().size() == before, redis);
  redis.hash = fields.choice("hash", kHashes).value_or(redis.hash);
  redis.distribution = fields.choice("distribution", kDistributions).value_or(redis.distribution);
  redis.hash_tag = fields.string("hashTag").value_or("");
  if (!redis.hash_tag.empty() && redis.hash_tag.size() != 2) {
    fields.problems().invalid(
        fields.path("hashTag"),
        shown(redis.hash_tag) + " is no pair: give two characters such as {} or leave it out");
  }
  redis.slow_log = read_slow_log(fields);
  redis.hot_keys = read_hot_keys(fields);
  redis.big_keys = read_big_keys(fields);
  redis.rate_limit = read_rate_limit(fields);
  redis.mirror = read_mirror(fields);
  redis.ejection = read_ejection(fields);
  if (redis.ejection && redis.mode != config::RedisMode::sharded) {
    fields.problems().invalid(
        fields.path("ejection"),
        "applies to mode Sharded alone (the others choose healthy servers anyway): remove it");
  }
  fields.finish();
  return redis;
}

}  // namespace ambassador::api
