#include "common/log/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>
#include <mutex>

#include "common/text/utf8.hpp"

namespace ambassador::log {
namespace {

std::shared_ptr<spdlog::logger> logger_to(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("ambassador", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);  // write() has decided already
  logger->flush_on(spdlog::level::trace);
  logger->set_error_handler([](const std::string&) {});  // a full or closed stderr must not stop the program
  return logger;
}

std::shared_ptr<spdlog::logger> to_standard_error() {
  return logger_to(std::make_shared<spdlog::sinks::stderr_sink_mt>());
}

class RedirectedSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit RedirectedSink(std::function<void(std::string_view)> to) : to_(std::move(to)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    to_({message.payload.data(), message.payload.size()});
  }
  void flush_() override {}
  std::function<void(std::string_view)> to_;
};

/// The program's one log.
struct State {
  std::atomic<Level> level{Level::info};
  std::atomic<Form> form{Form::automatic};
  std::mutex mutex;  // guards logger
  std::shared_ptr<spdlog::logger> logger = to_standard_error();

  std::shared_ptr<spdlog::logger> current() {
    const std::lock_guard lock(mutex);
    return logger;
  }
};

State& state() {
  static State* const one = new State;  // never destroyed: threads may log while the program ends
  return *one;
}

const char* name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "";
}

std::string timestamp(std::chrono::system_clock::time_point now) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::time_t seconds = since / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[80];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(since % 1000));
  return text;
}

/// A JSON string; what is not UTF-8 becomes U+FFFD.
void append_quoted(std::string& out, std::string_view value) {
  const bool cut = value.size() > kMaxValueBytes;
  if (cut) value = value.substr(0, kMaxValueBytes);
  out += '"';
  while (!value.empty()) {
    const std::size_t size = text::character_bytes(value);
    const char c = value[0];
    if (size == 0) {
      out += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(c));
      out += code;
    } else {
      out += value.substr(0, size);
    }
    value.remove_prefix(size == 0 ? 1 : size);
  }
  if (cut) out += "...";
  out += '"';
}

void append_value(std::string& out, const Field::Value& value) {
  std::visit(
      [&](const auto& v) {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<V, std::string_view>) {
          append_quoted(out, v);
        } else if constexpr (std::is_same_v<V, bool>) {
          out += v ? "true" : "false";
        } else if constexpr (std::is_same_v<V, double>) {
          char text[40];
          std::snprintf(text, sizeof text, "%.6g", v);
          out += std::isfinite(v) ? text : "null";
        } else {
          out += std::to_string(v);
        }
      },
      value);
}

/// On a terminal, words go without quotes.
void append_plain(std::string& out, const Field::Value& value) {
  const auto* text = std::get_if<std::string_view>(&value);
  const auto plain = [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '='; };
  bool is_word = text != nullptr && !text->empty() && text->size() <= kMaxValueBytes;
  for (std::size_t i = 0; is_word && i < text->size(); ++i) is_word = plain((*text)[i]);
  if (is_word) {
    out += *text;
  } else {
    append_value(out, value);
  }
}

Form decided(Form form) {
  if (form != Form::automatic) return form;
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  return terminal ? Form::text : Form::json;
}

}  // namespace

std::string format_line(Form form, Level level, std::string_view event, Fields fields,
                        std::chrono::system_clock::time_point now) {
  std::string line;
  if (decided(form) == Form::json) {
    line += "{\"ts\":\"" + timestamp(now) + "\",\"level\":\"" + name_of(level) + "\",\"event\":";
    append_quoted(line, event);
    for (const Field& field : fields) {
      line += ',';
      append_quoted(line, field.key);
      line += ':';
      append_value(line, field.value);
    }
    line += '}';
    return line;
  }
  line += timestamp(now) + ' ';
  const std::string_view name = name_of(level);
  line += name;
  line.append(8 - name.size(), ' ');
  line += event;
  for (const Field& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_plain(line, field.value);
  }
  return line;
}

void configure(Form form, Level level) {
  state().form = form;
  set_level(level);
}

void set_level(Level level) {
  state().level = level;
}
Level level() {
  return state().level;
}
bool enabled(Level level) {
  return level >= state().level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view event, Fields fields) noexcept {
  if (!enabled(level)) return;
  try {
    const std::string line =
        format_line(state().form, level, event, fields, std::chrono::system_clock::now());
    state().current()->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  } catch (...) {  // out of memory: a lost line is better than a lost program
  }
}

void redirect(std::function<void(std::string_view line)> sink) {
  auto logger = to_standard_error();
  if (sink) {
    logger = logger_to(std::make_shared<RedirectedSink>(std::move(sink)));
  }
  const std::lock_guard lock(state().mutex);
  state().logger = std::move(logger);
}

}  // namespace ambassador::log
