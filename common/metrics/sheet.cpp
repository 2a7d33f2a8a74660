#include <prometheus/metric_family.h>

#include <cmath>
#include <limits>
#include <map>

#include "common/metrics/metrics.hpp"

namespace ambassador::metrics {

struct Sheet::Families {
  std::map<std::string, prometheus::MetricFamily, std::less<>> by_name;

  prometheus::ClientMetric& add(std::string_view name, std::string_view help, prometheus::MetricType type,
                                const Labels& labels) {
    prometheus::MetricFamily& family = by_name[std::string(name)];
    if (family.metric.empty()) {
      family.name = name;
      family.help = help;
      family.type = type;
    }
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    for (const auto& [key, value] : labels) {
      metric.label.push_back({key, value});
    }
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
  if (room_for(1)) {
    families_->add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
  }
}

void Sheet::gauge(std::string_view name, std::string_view help, const Labels& labels, double value) {
  if (room_for(1)) {
    families_->add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
  }
}

void Sheet::histogram(std::string_view name, std::string_view help, const Labels& labels,
                      const std::vector<std::pair<double, std::uint64_t>>& buckets, std::uint64_t count,
                      double sum) {
  if (!room_for(buckets.size() + 3)) {  // and +Inf, _count, _sum
    return;
  }
  prometheus::ClientMetric::Histogram& made =
      families_->add(name, help, prometheus::MetricType::Histogram, labels).histogram;
  made.sample_count = count;
  made.sample_sum = sum;
  for (const auto& [bound, cumulative] : buckets) {
    made.bucket.push_back({cumulative, bound});
  }
  made.bucket.push_back({count, std::numeric_limits<double>::infinity()});
}

std::vector<prometheus::MetricFamily> Sheet::take() {
  std::vector<prometheus::MetricFamily> taken;
  taken.reserve(families_->by_name.size());
  for (auto& [name, family] : families_->by_name) {
    taken.push_back(std::move(family));
  }
  families_->by_name.clear();
  series_ = 0;
  return taken;
}

}  // namespace ambassador::metrics
