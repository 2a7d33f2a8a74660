#include "proxy/net/histogram.hpp"

#include <algorithm>

namespace ambassador::proxy::net {

HistogramSnapshot& HistogramSnapshot::operator+=(const HistogramSnapshot& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  total += other.total;
  sum_microseconds += other.sum_microseconds;
  return *this;
}

std::uint64_t HistogramSnapshot::quantile(double q) const {
  if (total == 0) return 0;
  const auto wanted = static_cast<std::uint64_t>(q * static_cast<double>(total));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    seen += counts[i];
    if (seen > wanted || seen == total) return HistogramBuckets::upper(i);
  }
  return HistogramBuckets::upper(counts.size() - 1);
}

std::uint64_t HistogramSnapshot::below(std::uint64_t microseconds) const {
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts.size() && HistogramBuckets::upper(i) <= microseconds; ++i)
    seen += counts[i];
  return seen;
}

HistogramSnapshot Histogram::snapshot() const {
  HistogramSnapshot copy;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    copy.counts[i] = counts_[i].load(std::memory_order_relaxed);
    copy.total += copy.counts[i];
  }
  copy.sum_microseconds = sum_.load(std::memory_order_relaxed);
  return copy;
}

}  // namespace ambassador::proxy::net
