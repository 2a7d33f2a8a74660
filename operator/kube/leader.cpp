#include "operator/kube/leader.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>

#include "operator/kube/lease_record.hpp"
#include "operator/kube/timestamp.hpp"

namespace ambassador::kube {

namespace {
/// Tries are spread by up to 20 % so that replicas do not meet again and again (client-go's JitterFactor).
std::chrono::milliseconds jittered(std::chrono::milliseconds period) {
  thread_local std::minstd_rand random{std::random_device{}()};
  std::uniform_real_distribution<double> factor(1.0, 1.2);
  return std::chrono::milliseconds(static_cast<long>(static_cast<double>(period.count()) * factor(random)));
}

std::string now_text() {
  return rfc3339_micro(std::chrono::system_clock::now());
}
}  // namespace

LeaderElector::LeaderElector(const Client& client, LeaderOptions options, LeaderCallbacks callbacks)
    : client_(client), options_(std::move(options)), callbacks_(std::move(callbacks)) {}

LeaderElector::~LeaderElector() {
  stop();
}

void LeaderElector::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void LeaderElector::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

bool LeaderElector::is_leader() const {
  return Clock::now().time_since_epoch().count() < leads_until_;
}

void LeaderElector::run(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  const auto sleep = [&](std::chrono::milliseconds duration) {
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, duration, [] { return false; });
  };
  bool leading = false;
  while (!stop.stop_requested()) {
    const bool renewed = try_acquire_or_renew(stop);
    if (renewed && !leading) {
      leading = true;
      ++terms_;
      if (callbacks_.started) callbacks_.started();
    } else if (leading && !renewed && (!is_leader() || observed_holder_ != options_.identity)) {
      leading = false;
      leads_until_ = 0;
      if (callbacks_.stopped) callbacks_.stopped();
    }
    sleep(renewed ? options_.retry_period : jittered(options_.retry_period));
  }
  if (leading) {
    // Workers first, the lease after: the next leader starts only when ours have stopped. Writes may go on
    // while they finish, for as long as the lease is ours anyway.
    if (callbacks_.stopped) callbacks_.stopped();
    leads_until_ = 0;
    release();
  }
}

bool LeaderElector::try_acquire_or_renew(std::stop_token stop) {
  // A renewal that hangs must leave time for another before the deadline.
  const CallOptions call{std::max(options_.renew_deadline / 2, std::chrono::milliseconds(1)), stop};
  const auto asked_at = Clock::now();
  auto read = client_.get(resources::leases, options_.name_space, options_.name, call);
  if (!read.ok() && !read.error().not_found()) return false;
  const bool exists = read.ok();
  const Json none;
  if (exists) {
    const bool changed = !observed_ || lease_fingerprint(*observed_) != lease_fingerprint(**read);
    if (changed) {
      observed_ = *read;
      observed_at_ = Clock::now();
    }
    const std::string holder = string_at(**read, {"spec", "holderIdentity"});
    if (holder != observed_holder_) {
      observed_holder_ = holder;
      if (!holder.empty() && holder != options_.identity && callbacks_.observed) callbacks_.observed(holder);
    }
    const auto unchanged = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - observed_at_);
    if (judge_lease(**read, options_.identity, unchanged) == LeaseVerdict::wait) return false;
  }
  const Json claim = claim_lease(exists ? **read : none, options_.name_space, options_.name,
                                 options_.identity, options_.lease_duration, now_text());
  WriteOptions write;
  write.timeout = call.timeout;
  write.stop = stop;
  auto written = exists ? client_.update(resources::leases, claim, write)
                        : client_.create(resources::leases, options_.name_space, claim, write);
  if (!written.ok()) return false;
  observed_ = *written;
  observed_at_ = Clock::now();
  observed_holder_ = options_.identity;
  // Counted from before the calls: others count from when they saw the record, which is later.
  leads_until_ = (asked_at + options_.renew_deadline).time_since_epoch().count();
  return true;
}

void LeaderElector::release() {
  // Read again: a renewal whose answer got lost may have moved the resourceVersion on.
  const CallOptions call{.timeout = options_.retry_period};
  auto read = client_.get(resources::leases, options_.name_space, options_.name, call);
  if (!read.ok() || string_at(**read, {"spec", "holderIdentity"}) != options_.identity) return;
  WriteOptions write;
  write.timeout = options_.retry_period;
  (void)client_.update(resources::leases, release_lease(**read, now_text()), write);
  // If that failed the lease simply runs out.
}

}  // namespace ambassador::kube
