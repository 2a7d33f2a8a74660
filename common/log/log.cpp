#include "common/log/log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <ctime>
#include <iterator>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

namespace ambassador::log {
namespace {

std::atomic<Level> threshold{Level::info};
std::atomic<Form> chosen_form{Form::automatic};
std::mutex sink_mutex;
std::function<void(std::string_view)> sink;  // NOLINT(bugprone-throwing-static-initialization): empty

std::string_view name(Level level) {
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
  return kNames[static_cast<std::size_t>(level)];
}

bool as_text(Form form) {
  static const bool kTerminal = isatty(STDERR_FILENO) == 1;
  return form == Form::text || (form == Form::automatic && kTerminal);
}

// RFC 3339 in UTC with milliseconds.
std::string timestamp(std::chrono::system_clock::time_point now) {
  const auto since = now.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since - seconds).count();
  const std::time_t time = static_cast<std::time_t>(seconds.count());
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, millis);
}

// A JSON string; what is not UTF-8 is replaced, so that a hostile value cannot break the line.
std::string quoted(std::string_view text) {
  return nlohmann::json(std::string(text.substr(0, kMaxValueBytes)))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

struct Printed {
  bool text_form;
  std::string operator()(std::string_view value) const {
    const bool plain = text_form && !value.empty() && value.find_first_of(" \"\\=\n\r\t") == value.npos;
    return plain ? std::string(value.substr(0, kMaxValueBytes)) : quoted(value);
  }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(double value) const { return nlohmann::json(value).dump(); }
  std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(std::uint64_t value) const { return fmt::format("{}", value); }
};

// spdlog owns standard error: it serialises the lines of all threads and flushes each.
spdlog::logger& standard_error() {
  static spdlog::logger logger = [] {
    spdlog::logger made("ambassador", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_pattern("%v");
    made.set_level(spdlog::level::trace);
    made.flush_on(spdlog::level::trace);
    return made;
  }();
  return logger;
}

}  // namespace

void configure(Form form, Level level) {
  chosen_form = form;
  threshold = level;
}

void set_level(Level level) {
  threshold = level;
}

Level level() {
  return threshold;
}

bool enabled(Level level) {
  return level >= threshold.load(std::memory_order_relaxed);
}

std::string format_line(Form form, Level level, std::string_view event, Fields fields,
                        std::chrono::system_clock::time_point now) {
  const bool text = as_text(form);
  std::string line;
  auto out = std::back_inserter(line);
  if (text) {
    fmt::format_to(out, "{} {:<7} {}", timestamp(now), name(level), event);
  } else {
    fmt::format_to(out, R"({{"ts":"{}","level":"{}","event":{})", timestamp(now), name(level), quoted(event));
  }
  for (const Field& field : fields) {
    const std::string value = std::visit(Printed{text}, field.value);
    if (text) {
      fmt::format_to(out, " {}={}", field.key, value);
    } else {
      fmt::format_to(out, ",{}:{}", quoted(field.key), value);
    }
  }
  if (!text) {
    line += '}';
  }
  return line;
}

void write(Level level, std::string_view event, Fields fields) noexcept {
  if (!enabled(level)) {
    return;
  }
  try {
    const std::string line = format_line(chosen_form, level, event, fields, std::chrono::system_clock::now());
    const std::lock_guard lock(sink_mutex);
    if (sink) {
      sink(line);
    } else {
      standard_error().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): a log line is never worth the program
  }
}

void redirect(std::function<void(std::string_view line)> to) {
  const std::lock_guard lock(sink_mutex);
  sink = std::move(to);
}

}  // namespace ambassador::log
