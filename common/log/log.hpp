// The log: one event, one line, stable keys, for an operator at 3 a.m. and for the machine that collects it.
// JSON: {"ts":"2024-05-01T10:00:00.123Z","level":"info","event":"listener
// bound","listener":"shop.cache",...}; on a terminal the same as text. Goes to standard error. Never throws,
// never logs a secret of its own accord: callers give no secrets, no keys, no SQL.
//
// Threads: every function may be called by every thread.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace ambassador::log {

enum class Level { debug, info, warning, error };
enum class Form { automatic, json, text };  // automatic: text when standard error is a terminal

/// A text longer than this is cut: a line must stay a line.
inline constexpr std::size_t kMaxValueBytes = 4096;

/// One key and value of an event; borrows its text for the time of the call.
struct Field {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  template <std::signed_integral T>
  Field(std::string_view k, T v) : key(k), value(static_cast<std::int64_t>(v)) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Field(std::string_view k, T v) : key(k), value(static_cast<std::uint64_t>(v)) {}
  /// Durations are logged in seconds.
  template <class Rep, class Period>
  Field(std::string_view k, std::chrono::duration<Rep, Period> v)
      : key(k), value(std::chrono::duration<double>(v).count()) {}

  std::string_view key;
  Value value;
};
using Fields = std::initializer_list<Field>;

/// Once, at the start of main; without it: automatic form, level info.
void configure(Form form, Level level);
void set_level(Level level);
[[nodiscard]] Level level();
[[nodiscard]] bool enabled(Level level);

/// `event` is a short constant phrase ("configuration refused"); what varies goes into the fields.
void write(Level level, std::string_view event, Fields fields = {}) noexcept;

inline void debug(std::string_view event, Fields fields = {}) noexcept {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) noexcept {
  write(Level::info, event, fields);
}
inline void warning(std::string_view event, Fields fields = {}) noexcept {
  write(Level::warning, event, fields);
}
inline void error(std::string_view event, Fields fields = {}) noexcept {
  write(Level::error, event, fields);
}

/// The line of an event without its end, as write() would log it at `now`. For tests of the form itself.
std::string format_line(Form form, Level level, std::string_view event, Fields fields,
                        std::chrono::system_clock::time_point now);
/// Tests: every line goes to `sink` instead of standard error, from any thread, one at a time; an empty sink
/// restores standard error.
void redirect(std::function<void(std::string_view line)> sink);

}  // namespace ambassador::log
