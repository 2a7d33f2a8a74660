#include "proxy/net/hot_keys.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ambassador::proxy::net {
namespace {

/// After so many half-lives counts are made smaller, instead of new ones ever greater.
constexpr double kRescaleAfter = 64;
/// Shorter times tell nothing of how much there is in a second.
constexpr double kShortest = 1;

double seconds(SteadyTime::duration time) {
  return std::chrono::duration<double>(time).count();
}

double half_lives(SteadyTime::duration time) {
  return seconds(time) / static_cast<double>(HotKeys::kHalfLife.count());
}

AskedKeys::Key& find_or_add(std::vector<AskedKeys::Key>& keys, const std::string& key) {
  const auto found = std::ranges::find(keys, key, &AskedKeys::Key::key);
  if (found != keys.end()) return *found;
  return keys.emplace_back(AskedKeys::Key{.key = key});
}

}  // namespace

void HotKeys::limit(const HotLimits& limits) {
  if (limits == limits_) return;
  limits_ = limits;
  look_at(next());
  if (limits_.size == 0) entries_ = {};
}

// At random, so that clients who ask in a rhythm are not always met at the same beat; `one_in` on average.
std::uint32_t HotKeys::next() {
  if (limits_.size == 0) return kNever;
  random_ ^= random_ << 13;  // xorshift32 (Marsaglia 2003)
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  return 1 + random_ % (2 * limits_.one_in - 1);
}

// Instead of the old counts becoming smaller all the time, new ones are greater.
double HotKeys::weight(SteadyTime now) {
  const double passed = half_lives(now - unfaded_);
  if (passed < kRescaleAfter) return std::exp2(passed);
  const double rest = std::exp2(-passed);
  for (Entry& entry : entries_) {
    entry.count *= rest;
    entry.too_high *= rest;
  }
  total_ *= rest;
  unfaded_ = now;
  return 1;
}

void HotKeys::saw(std::string_view key) {
  const SteadyTime now = now_();
  if (entries_.empty()) {
    entries_.resize(kBuckets * kInBucket);
    total_ = 0;
    began_ = unfaded_ = now;
  }
  key = key.substr(0, kKeyShown);
  const double counts = limits_.one_in * weight(now);
  const std::size_t hash = std::hash<std::string_view>()(key);
  const auto bucket = entries_.begin() + static_cast<std::ptrdiff_t>(hash % kBuckets * kInBucket);
  total_ += counts;
  Entry* least = &*bucket;
  for (auto entry = bucket; entry != bucket + kInBucket; ++entry) {
    if (entry->hash == hash && entry->key == key) {
      entry->count += counts;
      return;
    }
    if (entry->count < least->count) least = &*entry;
  }
  least->hash = hash;
  least->key = key;
  least->too_high = least->count;
  least->count += counts;
}

void HotKeys::list(const std::string& listener, std::vector<AskedKeys>& out) const {
  if (limits_.size == 0) return;
  AskedKeys& asked = out.emplace_back();
  asked.listener = listener;
  asked.limits = limits_;
  asked.half_life = kHalfLife;
  if (entries_.empty()) return;
  const SteadyTime now = now_();
  // What is asked for evenly adds up to a half-life's worth by 1/ln 2, or to less if there was no time yet.
  const double time = std::max(seconds(now - began_), kShortest);
  const double counted = seconds(kHalfLife) / std::numbers::ln2 * (1 - std::exp2(-time / seconds(kHalfLife)));
  const double per_second = std::exp2(-half_lives(now - unfaded_)) / counted;
  asked.per_second = total_ * per_second;
  for (const Entry& entry : entries_) {
    if (entry.count == 0) continue;
    const double rate = entry.count * per_second;
    asked.keys.push_back({.key = entry.key,
                          .per_second = rate,
                          .too_high = entry.too_high * per_second,
                          .variance = (limits_.one_in - 1) * rate / counted});
  }
}

double AskedKeys::Key::error() const {
  return too_high + 2 * std::sqrt(variance);
}

std::vector<AskedKeys> put_together(std::vector<AskedKeys> of_workers) {
  std::vector<AskedKeys> all;
  for (AskedKeys& one : of_workers) {
    const auto same = std::ranges::find(all, one.listener, &AskedKeys::listener);
    if (same == all.end()) {
      all.push_back(std::move(one));
      continue;
    }
    same->per_second += one.per_second;
    for (const AskedKeys::Key& key : one.keys) {
      AskedKeys::Key& sum = find_or_add(same->keys, key.key);
      sum.per_second += key.per_second;
      sum.too_high += key.too_high;
      sum.variance += key.variance;
    }
  }
  for (AskedKeys& listener : all) {
    const auto may_be_chance = [](const AskedKeys::Key& key) {
      return key.per_second - key.too_high <= key.error();
    };
    std::erase_if(listener.keys, may_be_chance);
    std::ranges::sort(listener.keys, std::ranges::greater(), &AskedKeys::Key::per_second);
    if (listener.keys.size() > listener.limits.size) listener.keys.resize(listener.limits.size);
  }
  std::ranges::sort(all, {}, &AskedKeys::listener);
  return all;
}

}  // namespace ambassador::proxy::net
