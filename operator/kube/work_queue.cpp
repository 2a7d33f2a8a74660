#include "operator/kube/work_queue.hpp"

#include <algorithm>
#include <cmath>

namespace ambassador::kube {

void Times::add(std::chrono::nanoseconds time) {
  ++count;
  sum += time;
  const double seconds = std::chrono::duration<double>(time).count();
  const auto place = std::ranges::lower_bound(kBounds, seconds);
  if (place != kBounds.end()) ++buckets.at(static_cast<std::size_t>(place - kBounds.begin()));
}

std::vector<std::pair<double, std::uint64_t>> Times::cumulative() const {
  std::vector<std::pair<double, std::uint64_t>> out;
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    so_far += buckets.at(i);
    out.emplace_back(kBounds.at(i), so_far);
  }
  return out;
}

WorkQueue::WorkQueue(std::string name, WorkQueueOptions options)
    : name_(std::move(name)), options_(options), tokens_(options.burst), refilled_(Clock::now()) {}

void WorkQueue::add_locked(const std::string& key) {
  if (shut_down_ || queued_at_.contains(key)) return;
  ++sums_.adds;
  queued_at_.emplace(key, Clock::now());
  if (working_.contains(key)) return;  // done() puts it in line
  waiting_.push_back(key);
  changed_.notify_one();
}

void WorkQueue::add(const std::string& key) {
  const std::lock_guard lock(mutex_);
  add_locked(key);
}

void WorkQueue::add_after(const std::string& key, std::chrono::milliseconds delay) {
  const std::lock_guard lock(mutex_);
  if (shut_down_) return;
  if (delay <= std::chrono::milliseconds::zero()) {
    add_locked(key);
    return;
  }
  const auto when = Clock::now() + delay;
  const auto found = delayed_.find(key);
  if (found != delayed_.end()) {
    if (found->second <= when) return;
    by_time_.erase({found->second, key});
    found->second = when;
  } else {
    delayed_.emplace(key, when);
  }
  by_time_.emplace(when, key);
  changed_.notify_all();  // the earliest time may have moved
}

void WorkQueue::add_rate_limited(const std::string& key) {
  std::chrono::milliseconds delay{};
  {
    const std::lock_guard lock(mutex_);
    const int failures = failures_[key]++;
    ++sums_.retries;
    const double factor = std::exp2(std::min(failures, 30));
    const double own = std::min(static_cast<double>(options_.backoff_base.count()) * factor,
                                static_cast<double>(options_.backoff_cap.count()));
    const auto now = Clock::now();
    const double passed = std::chrono::duration<double>(now - refilled_).count();
    refilled_ = now;
    tokens_ = std::min(options_.burst, tokens_ + passed * options_.per_second) - 1;
    const double shared = tokens_ < 0 ? -tokens_ / options_.per_second * 1000 : 0;
    delay = std::chrono::milliseconds(static_cast<long long>(std::max(own, shared)));
  }
  add_after(key, delay);
}

void WorkQueue::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  failures_.erase(key);
}

int WorkQueue::failures(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

void WorkQueue::promote_due(Clock::time_point now) {
  while (!by_time_.empty() && by_time_.begin()->first <= now) {
    const std::string key = by_time_.begin()->second;
    by_time_.erase(by_time_.begin());
    delayed_.erase(key);
    add_locked(key);
  }
}

std::optional<std::string> WorkQueue::get() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto now = Clock::now();
    promote_due(now);
    if (!waiting_.empty()) {
      std::string key = std::move(waiting_.front());
      waiting_.pop_front();
      const auto queued = queued_at_.find(key);
      sums_.queue_times.add(now - queued->second);
      queued_at_.erase(queued);
      working_.emplace(key, now);
      return key;
    }
    if (shut_down_) return std::nullopt;
    if (by_time_.empty()) {
      changed_.wait(lock);
    } else {
      const auto until = by_time_.begin()->first;  // a copy: the entry may go while we wait
      changed_.wait_until(lock, until);
    }
  }
}

void WorkQueue::done(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = working_.find(key);
  if (found == working_.end()) return;
  sums_.work_times.add(Clock::now() - found->second);
  working_.erase(found);
  if (queued_at_.contains(key)) {
    waiting_.push_back(key);
    changed_.notify_one();
  }
}

void WorkQueue::shut_down() {
  const std::lock_guard lock(mutex_);
  shut_down_ = true;
  delayed_.clear();
  by_time_.clear();
  changed_.notify_all();
}

void WorkQueue::reset() {
  const std::lock_guard lock(mutex_);
  waiting_.clear();
  queued_at_.clear();
  working_.clear();
  delayed_.clear();
  by_time_.clear();
  failures_.clear();
  shut_down_ = false;
}

bool WorkQueue::idle() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty() && working_.empty();
}

WorkQueueStatistics WorkQueue::statistics() const {
  const std::lock_guard lock(mutex_);
  WorkQueueStatistics out = sums_;
  out.depth = waiting_.size();
  out.in_work = working_.size();
  const auto now = Clock::now();
  for (const auto& [key, since] : working_) {
    out.running += now - since;
    out.longest_running = std::max<std::chrono::nanoseconds>(out.longest_running, now - since);
  }
  return out;
}

}  // namespace ambassador::kube
