// Prometheus metrics of a program: counters and histograms that code increments (prometheus-cpp's registry),
// and families made at the moment of the scrape from what the program knows anyway. One Metrics per program;
// text() is what /metrics answers.
//
// Threads: every member may be called by every thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace prometheus {
class Registry;
struct MetricFamily;
}  // namespace prometheus

namespace ambassador::metrics {

inline constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

using Labels = std::vector<std::pair<std::string, std::string>>;

/// Collects samples for one scrape; samples of one name become one family, whatever their order. `help` of
/// the first sample of a name counts. A Sheet takes at most `max_series` samples (a histogram counts as its
/// buckets + 3); the rest is dropped and dropped() counts it, so that a scrape stays bounded.
class Sheet {
 public:
  explicit Sheet(std::size_t max_series = 10000);
  ~Sheet();
  Sheet(Sheet&&) noexcept;
  Sheet& operator=(Sheet&&) noexcept;

  void counter(std::string_view name, std::string_view help, const Labels& labels, double value);
  void gauge(std::string_view name, std::string_view help, const Labels& labels, double value);
  /// `buckets`: upper bound (seconds) and how many values lie at or below it, ascending; +Inf is added from
  /// `count`.
  void histogram(std::string_view name, std::string_view help, const Labels& labels,
                 const std::vector<std::pair<double, std::uint64_t>>& buckets, std::uint64_t count,
                 double sum);

  [[nodiscard]] std::size_t dropped() const { return dropped_; }
  [[nodiscard]] std::vector<prometheus::MetricFamily> take();

 private:
  struct Families;
  bool room_for(std::size_t series);
  std::unique_ptr<Families> families_;
  std::size_t max_series_;
  std::size_t series_ = 0;
  std::size_t dropped_ = 0;
};

class Metrics {
 public:
  /// `max_series` bounds what at_scrape() functions add to one scrape.
  explicit Metrics(std::size_t max_series = 10000);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// For prometheus::BuildCounter() and its kin (include <prometheus/counter.h> where you do that).
  [[nodiscard]] prometheus::Registry& registry() { return *registry_; }

  /// `collect` fills the sheet at every scrape, on the scraping thread; it must not throw and lives as long
  /// as this.
  void at_scrape(std::function<void(Sheet&)> collect);

  /// The text exposition of registry and scrape-time families, followed by process_* (CPU, memory, open
  /// descriptors, start time) under Prometheus' usual names.
  [[nodiscard]] std::string text() const;

 private:
  std::unique_ptr<prometheus::Registry> registry_;
  const std::size_t max_series_;
  mutable std::mutex mutex_;
  std::vector<std::function<void(Sheet&)>> collectors_;
};

}  // namespace ambassador::metrics
