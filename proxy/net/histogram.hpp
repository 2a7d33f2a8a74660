// Durations in log-linear buckets: cheap enough to count every request. One thread records, any thread reads.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ambassador::proxy::net {

/// Buckets: 4 per doubling, from 1 us to about 67 s; what is longer counts in the last one. The error of a
/// quantile is so at most a quarter of its value.
struct HistogramBuckets {
  static constexpr unsigned kPerDoubling = 4;
  static constexpr unsigned kDoublings = 26;
  static constexpr std::size_t kCount = kPerDoubling * kDoublings + 1;

  [[nodiscard]] static constexpr std::size_t of(std::uint64_t microseconds) {
    if (microseconds < kPerDoubling) return static_cast<std::size_t>(microseconds);
    const auto top = static_cast<unsigned>(std::bit_width(microseconds)) - 1;  // >= 2
    const auto within = static_cast<std::size_t>(microseconds >> (top - 2)) & (kPerDoubling - 1);
    const auto bucket = std::size_t{kPerDoubling} * (top - 1) + within;
    return bucket < kCount ? bucket : kCount - 1;
  }
  /// The smallest value, in microseconds, that lies above the bucket.
  [[nodiscard]] static constexpr std::uint64_t upper(std::size_t bucket) {
    if (bucket < kPerDoubling) return bucket + 1;
    const auto top = bucket / kPerDoubling + 1;
    return (std::uint64_t{kPerDoubling} + bucket % kPerDoubling + 1) << (top - 2);
  }
};

/// A copy that can be added up and asked for quantiles.
struct HistogramSnapshot {
  std::array<std::uint64_t, HistogramBuckets::kCount> counts{};
  std::uint64_t total = 0;
  std::uint64_t sum_microseconds = 0;

  HistogramSnapshot& operator+=(const HistogramSnapshot& other);
  /// The value below which the share `q` (0 to 1) of all lies, in microseconds; 0 when there is none.
  [[nodiscard]] std::uint64_t quantile(double q) const;
  /// How many values lie below `microseconds` (rounded to a bucket): for Prometheus' cumulative buckets.
  [[nodiscard]] std::uint64_t below(std::uint64_t microseconds) const;
};

class Histogram {
 public:
  void record(std::uint64_t microseconds) {  // the owning thread only
    add(counts_[HistogramBuckets::of(microseconds)], 1);
    add(sum_, microseconds);
  }
  [[nodiscard]] HistogramSnapshot snapshot() const;  // any thread

 private:
  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::array<std::atomic<std::uint64_t>, HistogramBuckets::kCount> counts_{};
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace ambassador::proxy::net
