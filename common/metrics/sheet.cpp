#include <prometheus/metric_family.h>

#include <limits>
#include <map>

#include "common/metrics/metrics.hpp"

namespace ambassador::metrics {

struct Sheet::Families {
  std::map<std::string, prometheus::MetricFamily, std::less<>> by_name;

  prometheus::ClientMetric& add(std::string_view name, std::string_view help, prometheus::MetricType type,
                                const Labels& labels) {
    auto found = by_name.find(name);
    if (found == by_name.end()) {
      found = by_name.emplace(name, prometheus::MetricFamily{std::string(name), std::string(help), type, {}})
                  .first;
    }
    prometheus::ClientMetric& metric = found->second.metric.emplace_back();
    for (const auto& [label, value] : labels) metric.label.push_back({label, value});
    return metric;
  }
};

Sheet::Sheet(std::size_t max_series) : families_(std::make_unique<Families>()), max_series_(max_series) {}
Sheet::~Sheet() = default;
Sheet::Sheet(Sheet&&) noexcept = default;
Sheet& Sheet::operator=(Sheet&&) noexcept = default;

bool Sheet::room_for(std::size_t series) {
  if (series_ + series > max_series_) {
    dropped_ += series;
    return false;
  }
  series_ += series;
  return true;
}

void Sheet::counter(std::string_view name, std::string_view help, const Labels& labels, double value) {
  if (!room_for(1)) return;
  families_->add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
}

void Sheet::gauge(std::string_view name, std::string_view help, const Labels& labels, double value) {
  if (!room_for(1)) return;
  families_->add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void Sheet::histogram(std::string_view name, std::string_view help, const Labels& labels,
                      const std::vector<std::pair<double, std::uint64_t>>& buckets, std::uint64_t count,
                      double sum) {
  if (!room_for(buckets.size() + 3)) return;
  auto& histogram = families_->add(name, help, prometheus::MetricType::Histogram, labels).histogram;
  histogram.sample_count = count;
  histogram.sample_sum = sum;
  for (const auto& [bound, below] : buckets) histogram.bucket.push_back({below, bound});
  histogram.bucket.push_back({count, std::numeric_limits<double>::infinity()});
}

std::vector<prometheus::MetricFamily> Sheet::take() {
  std::vector<prometheus::MetricFamily> all;
  for (auto& [name, family] : families_->by_name) all.push_back(std::move(family));
  families_->by_name.clear();
  series_ = 0;
  return all;
}

}  // namespace ambassador::metrics
