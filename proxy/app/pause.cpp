#include "proxy/app/pause.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/config/duration.hpp"
#include "proxy/app/local_http.hpp"

namespace ambassador::proxy::app {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kAnswerTime{3000};
constexpr std::chrono::milliseconds kAgain{20};

Result<json> parsed(const Result<HttpAnswer>& answer) {
  if (!answer) return answer.error();
  json body = json::parse(answer->body, nullptr, false);
  if (answer->status == 200 && body.is_object()) return body;
  return Error{"", answer->body.substr(0, answer->body.find('\n'))};
}

Result<json> tell(const Options& options, const std::string& path) {
  return parsed(http_post(options.port, path, kAnswerTime));
}

/// Server connections that clients of these listeners hold.
Result<unsigned> in_use(const Options& options, const json& listeners) {
  const Result<json> status = parsed(http_get(options.port, "/status", kAnswerTime));
  if (!status) return status.error();
  unsigned sum = 0;
  for (const json& listener : status->value("listeners", json::array())) {
    const auto named = [&](const json& name) { return name == listener.value("name", ""); };
    if (std::any_of(listeners.begin(), listeners.end(), named))
      sum += listener.value("pool", json::object()).value("inUse", 0U);
  }
  return sum;
}

}  // namespace

Result<void> pause(const Options& options) {
  const Result<json> told = tell(
      options, "/pause?listener=" + options.listener + "&for=" + config::print_duration(options.pause_for));
  if (!told) return told.error();
  const json listeners = told->value("listeners", json::array());
  const auto until = std::chrono::steady_clock::now() + options.wait.value_or(std::chrono::milliseconds(0));
  for (;;) {
    const Result<unsigned> held = in_use(options, listeners);
    if (!held) return held.error();
    if (*held == 0) return {};
    if (std::chrono::steady_clock::now() >= until)
      return Error{"", std::to_string(*held) + (*held == 1 ? " server is" : " servers are") +
                           " still in use, the pause goes on: wait with another pause, or resume"};
    std::this_thread::sleep_for(kAgain);
  }
}

Result<void> resume(const Options& options) {
  const Result<json> told = tell(options, "/resume?listener=" + options.listener);
  return told ? Result<void>() : told.error();
}

}  // namespace ambassador::proxy::app
