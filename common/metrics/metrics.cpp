#include "common/metrics/metrics.hpp"

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <iterator>

#include "common/metrics/process.hpp"

namespace ambassador::metrics {

Metrics::Metrics(std::size_t max_series)
    : registry_(std::make_unique<prometheus::Registry>()), max_series_(max_series) {}
Metrics::~Metrics() = default;

void Metrics::at_scrape(std::function<void(Sheet&)> collect) {
  const std::lock_guard lock(mutex_);
  collectors_.push_back(std::move(collect));
}

std::string Metrics::text() const {
  std::vector<prometheus::MetricFamily> families = registry_->Collect();
  Sheet sheet(max_series_);
  {
    const std::lock_guard lock(mutex_);
    for (const auto& collect : collectors_) collect(sheet);
  }
  Sheet process;
  collect_process(process);
  for (Sheet* filled : {&sheet, &process}) {
    auto collected = filled->take();
    families.insert(families.end(), std::make_move_iterator(collected.begin()),
                    std::make_move_iterator(collected.end()));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace ambassador::metrics
