#include "proxy/net/big_keys.hpp"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace ambassador::proxy::net {
namespace {

bool forgotten(const BigKey& big, SystemTime now) {
  return now - big.at >= BigKeys::kKept;
}

void largest_first(std::vector<BigKey>& keys) {
  std::ranges::stable_sort(keys, std::ranges::greater(), &BigKey::bytes);
}

}  // namespace

void BigKeys::limit(const BigLimits& limits) {
  most_ = limits.size;
  threshold_ = most_ == 0 ? std::numeric_limits<std::uint64_t>::max() : limits.threshold;
  if (keys_.size() <= most_) return;
  largest_first(keys_);
  keys_.resize(most_);
  keys_.shrink_to_fit();
}

bool BigKeys::takes(std::uint64_t bytes, SystemTime now) const {
  const auto gives_way = [&](const BigKey& big) { return big.bytes <= bytes || forgotten(big, now); };
  return keys_.size() < most_ || std::ranges::any_of(keys_, gives_way);
}

void BigKeys::add(BigKey big) {
  std::erase_if(keys_, [&](const BigKey& other) { return forgotten(other, big.at); });
  auto place = std::ranges::find(keys_, big.key, &BigKey::key);
  if (place == keys_.end() && keys_.size() < most_) {
    keys_.push_back(std::move(big));
    return;
  }
  if (place == keys_.end()) place = std::ranges::min_element(keys_, {}, &BigKey::bytes);
  if (place != keys_.end() && place->bytes <= big.bytes) *place = std::move(big);
}

void BigKeys::list(SystemTime now, std::vector<BigKey>& out) const {
  std::ranges::copy_if(keys_, std::back_inserter(out),
                       [&](const BigKey& big) { return !forgotten(big, now); });
}

std::vector<BigKey> put_together(std::vector<BigKey> of_workers) {
  const auto name = [](const BigKey& big) { return std::tie(big.listener, big.key); };
  largest_first(of_workers);
  std::ranges::stable_sort(of_workers, {}, name);
  const auto others = std::ranges::unique(of_workers, {}, name);
  of_workers.erase(others.begin(), others.end());
  largest_first(of_workers);
  return of_workers;
}

}  // namespace ambassador::proxy::net
