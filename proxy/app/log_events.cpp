#include "proxy/app/log_events.hpp"

#include <array>

namespace ambassador::proxy::app {

log::Level log_level(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return log::Level::debug;
    case config::LogLevel::info:
      return log::Level::info;
    case config::LogLevel::warning:
      return log::Level::warning;
    case config::LogLevel::error:
      break;
  }
  return log::Level::error;
}

void log_event(const net::Event& event) {
  // log::Fields is fixed when it is written down; an event of the edge has at most this many fields.
  constexpr std::size_t kMost = 6;
  std::array<log::Field, kMost> fields{{{"", ""}, {"", ""}, {"", ""}, {"", ""}, {"", ""}, {"", ""}}};
  const std::size_t count = std::min(event.fields.size(), kMost);
  for (std::size_t i = 0; i < count; ++i) {
    fields[i] = log::Field(event.fields[i].first, event.fields[i].second);
  }
  const log::Level level = log_level(event.level);
  switch (count) {
    case 0:
      return log::write(level, event.what);
    case 1:
      return log::write(level, event.what, {fields[0]});
    case 2:
      return log::write(level, event.what, {fields[0], fields[1]});
    case 3:
      return log::write(level, event.what, {fields[0], fields[1], fields[2]});
    case 4:
      return log::write(level, event.what, {fields[0], fields[1], fields[2], fields[3]});
    case 5:
      return log::write(level, event.what, {fields[0], fields[1], fields[2], fields[3], fields[4]});
    default:
      return log::write(level, event.what,
                        {fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]});
  }
}

}  // namespace ambassador::proxy::app
