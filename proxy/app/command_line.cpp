#include "proxy/app/command_line.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/config/schema.hpp"
#include "common/log/log.hpp"
#include "proxy/app/key_tables.hpp"
#include "proxy/app/local_http.hpp"
#include "proxy/app/locate.hpp"
#include "proxy/app/options.hpp"
#include "proxy/app/pause.hpp"
#include "proxy/app/slow_log_table.hpp"
#include "proxy/app/source.hpp"
#include "proxy/app/status_table.hpp"

namespace ambassador::proxy::app {
namespace {

constexpr std::chrono::milliseconds kAnswerTime{3000};
constexpr std::chrono::milliseconds kProbeAgain{50};

int complain(const Error& error) {
  std::cerr << "ambassador-proxy: " << error.text() << '\n';
  return 1;
}

int outcome(const Result<void>& result) {
  return result ? 0 : complain(result.error());
}

// What passes through the proxy belongs to its users: no core dump may hold it, no other process may read it.
void keep_memory_private() {
  const rlimit none{0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int run(const Options& options, const Build& build) {
  keep_memory_private();
  log::configure(options.log_text ? log::Form::text : log::Form::automatic, log::Level::info);
  return Runner(options, build).run();
}

int check(const Options& options) {
  const Result<std::string> text = read_file(options.file);
  if (!text) return complain(text.error());
  const Result<config::Document> document = parse_file(options.file, *text);
  if (!document) return complain(document.error());
  std::cout << options.file << ": valid, " << document->listeners.size() << " listener"
            << (document->listeners.size() == 1 ? "" : "s") << '\n';
  return 0;
}

// Shows what the running proxy says at `path`: as it is, or by `table`.
int show(const Options& options, const std::string& path, std::string (*table)(const nlohmann::json&)) {
  const Result<HttpAnswer> answer = http_get(options.port, path, kAnswerTime);
  if (!answer) {
    return complain(
        Error{answer.error().where, answer.error().what + "; is the proxy running, its admin port --port?"});
  }
  const nlohmann::json parsed = nlohmann::json::parse(answer->body, nullptr, false);
  if (answer->status != 200 || !parsed.is_structured()) {
    return complain(Error{path, "answered " + std::to_string(answer->status) + ": " + answer->body});
  }
  std::cout << (options.json ? answer->body : table(parsed));
  return 0;
}

int probe(const Options& options) {
  const auto until = std::chrono::steady_clock::now() + options.wait.value_or(std::chrono::milliseconds(0));
  for (;;) {
    const Result<HttpAnswer> answer = http_get(options.port, "/startupz", kAnswerTime);
    if (answer && answer->status == 200) return 0;
    if (std::chrono::steady_clock::now() >= until) {
      return complain(answer ? Error{"", answer->body.substr(0, answer->body.find('\n'))} : answer.error());
    }
    std::this_thread::sleep_for(kProbeAgain);
  }
}

}  // namespace

int command_line(int argc, const char* const* argv, const Build& build) {
  const Parsed parsed = parse_options(argc, argv, build.version + " (" + build.commit + ")");
  if (!parsed.options) {
    (parsed.exit_code == 0 ? std::cout : std::cerr) << parsed.text;
    return parsed.exit_code;
  }
  const Options& options = *parsed.options;
  switch (options.command) {
    case Command::run:
      return run(options, build);
    case Command::check:
      return check(options);
    case Command::schema:
      std::cout << config::schema().dump(2) << '\n';
      return 0;
    case Command::status:
      return show(options, "/status", status_table);
    case Command::slowlog:
      return show(options, "/slowlog", slow_log_table);
    case Command::hotkeys:
      return show(options, "/hotkeys", hot_keys_table);
    case Command::bigkeys:
      return show(options, "/bigkeys", big_keys_table);
    case Command::probe:
      return probe(options);
    case Command::locate:
      return outcome(locate(options, std::cin, std::cout));
    case Command::pause:
      return outcome(pause(options));
    case Command::resume:
      return outcome(resume(options));
  }
  return 2;
}

}  // namespace ambassador::proxy::app
