#include "common/metrics/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <catch2/catch.hpp>

using ambassador::metrics::Metrics;
using ambassador::metrics::Sheet;
using Catch::Matchers::Contains;

TEST_CASE("the exposition holds what was counted and what is collected at the scrape") {
  Metrics metrics;
  prometheus::BuildCounter()
      .Name("things_total")
      .Help("Things.")
      .Register(metrics.registry())
      .Add({{"kind", "a"}})
      .Increment(3);
  int scrapes = 0;
  metrics.at_scrape([&](Sheet& sheet) { sheet.gauge("scrapes", "Scrapes so far.", {}, ++scrapes); });
  CHECK_THAT(metrics.text(), Contains("# TYPE things_total counter\nthings_total{kind=\"a\"} 3"));
  CHECK_THAT(metrics.text(), Contains("# HELP scrapes Scrapes so far.\n# TYPE scrapes gauge\nscrapes 2"));
}

TEST_CASE("samples of one name are one family, and labels are escaped") {
  Metrics metrics;
  metrics.at_scrape([](Sheet& sheet) {
    sheet.counter("a_total", "A.", {{"x", "1"}}, 1);
    sheet.counter("b_total", "B.", {}, 2);
    sheet.counter("a_total", "A.", {{"x", "quo\"te"}}, 3);
  });
  const std::string text = metrics.text();
  CHECK_THAT(text, Contains("a_total{x=\"1\"} 1\na_total{x=\"quo\\\"te\"} 3\n"));
  CHECK(text.find("# TYPE a_total") == text.rfind("# TYPE a_total"));
}

TEST_CASE("a histogram ends in +Inf") {
  Metrics metrics;
  metrics.at_scrape([](Sheet& sheet) { sheet.histogram("d_seconds", "D.", {}, {{0.1, 2}, {1, 3}}, 4, 5.5); });
  CHECK_THAT(metrics.text(), Contains("d_seconds_count 4\nd_seconds_sum 5.5\nd_seconds_bucket{le=\"0.1\"} 2\n"
                                      "d_seconds_bucket{le=\"1\"} 3\nd_seconds_bucket{le=\"+Inf\"} 4"));
}

TEST_CASE("a sheet takes no more series than it may") {
  Sheet sheet(5);
  for (int i = 0; i < 4; ++i) sheet.gauge("g", "G.", {{"i", std::to_string(i)}}, i);
  sheet.histogram("h", "H.", {}, {{1, 1}}, 1, 1);
  sheet.gauge("last", "L.", {}, 1);
  sheet.gauge("one_too_many", "O.", {}, 1);
  CHECK(sheet.dropped() == 5);
  CHECK(sheet.take().size() == 2);
}

TEST_CASE("a program may bound what one scrape shows") {
  Metrics metrics(3);
  metrics.at_scrape([](Sheet& sheet) {
    for (int i = 0; i < 10; ++i) sheet.gauge("g", "G.", {{"i", std::to_string(i)}}, i);
  });
  CHECK_THAT(metrics.text(), Contains("g{i=\"2\"} 2") && !Contains("g{i=\"3\"}"));
}

TEST_CASE("the process tells of itself") {
  const std::string text = Metrics().text();
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ",
                           "process_open_fds ", "process_max_fds ", "process_start_time_seconds "}) {
    CHECK_THAT(text, Contains(std::string("\n") + name));
  }
}
