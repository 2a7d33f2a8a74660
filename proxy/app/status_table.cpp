#include "proxy/app/status_table.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "proxy/app/table.hpp"

namespace ambassador::proxy::app {
namespace {

using nlohmann::json;

constexpr std::size_t kShownHash = 12;

std::string joined(const json& object, const char* key) {
  std::string all;
  if (const auto found = object.find(key); found != object.end() && found->is_array()) {
    for (const json& item : *found) {
      all += (all.empty() ? "" : ", ") + (item.is_string() ? item.get<std::string>() : item.dump());
    }
  }
  return all.empty() ? "-" : all;
}

std::string age(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f}s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f}m", seconds / 60);
  if (seconds < 172800) return fmt::format("{:.0f}h", seconds / 3600);
  return fmt::format("{:.0f}d", seconds / 86400);
}

std::string latency(const json& object, const char* key) {
  const auto found = object.find("latency");
  return short_time(found == object.end() ? 0 : number_of(*found, key));
}

double failures(const json& object) {
  double sum = 0;
  if (const auto found = object.find("failures"); found != object.end() && found->is_object()) {
    for (const json& kind : *found) {
      sum += kind.is_number() ? kind.get<double>() : 0;
    }
  }
  return sum;
}

// With what a server of a pool said of itself.
std::string health(const json& backend) {
  std::string out = text_of(backend, "health");
  if (const std::string role = text_of(backend, "role"); role != "-") out += ", " + role;
  if (text_of(backend, "lagSeconds") != "-")
    out += fmt::format(", {:.1f}s behind", number_of(backend, "lagSeconds"));
  return out;
}

void print_pool(const json& listener, std::string& out) {
  const auto found = listener.find("pool");
  if (found == listener.end() || !found->is_object()) return;
  const json& pool = *found;
  json wait = json::object();
  wait["latency"] = pool.value("wait", json::object());
  fmt::format_to(
      std::back_inserter(out),
      "  pool{}: {} in use, {} idle, {} opening of {}  waiting {}  borrowed {}  wait p50 {}  p99 {}  "
      "logins failed {}\n",
      pool.value("paused", false) ? ", paused" : "", text_of(pool, "inUse"), text_of(pool, "idle"),
      text_of(pool, "opening"), text_of(pool, "limit"), text_of(pool, "waiting"),
      short_number(number_of(pool, "borrowed")), latency(wait, "p50Seconds"), latency(wait, "p99Seconds"),
      short_number(number_of(pool, "loginsFailed")));
  std::string pins;
  const json counts = pool.value("pins", json::object());
  for (const auto& [reason, times] : counts.items()) {
    const double number = times.is_number() ? times.get<double>() : 0;
    if (number > 0) pins += fmt::format("{}{} {}", pins.empty() ? "" : ", ", reason, short_number(number));
  }
  if (!pins.empty()) out += "  pinned by: " + pins + "\n";
}

void print_client_cache(const json& listener, std::string& out) {
  const auto found = listener.find("clientCache");
  if (found == listener.end() || !found->is_object()) return;
  const json& kept = *found;
  fmt::format_to(
      std::back_inserter(out),
      "  client cache: hits {}  misses {}  invalidated {}  evicted {}  {}B of {}B  connections {}\n",
      short_number(number_of(kept, "hits")), short_number(number_of(kept, "misses")),
      short_number(number_of(kept, "invalidations")), short_number(number_of(kept, "evictions")),
      short_number(number_of(kept, "bytes")), short_number(number_of(kept, "limitBytes")),
      text_of(kept, "connections"));
}

void print_throttles(const json& listener, std::string& out) {
  const double times = number_of(listener, "throttles");
  if (times == 0) return;
  fmt::format_to(std::back_inserter(out), "  clients asked too often {} time{}, and waited {} for it\n",
                 short_number(times), times == 1 ? "" : "s",
                 short_time(number_of(listener, "throttledSeconds")));
}

void print_mirror(const json& listener, std::string& out) {
  const auto found = listener.find("mirror");
  if (found == listener.end() || !found->is_object()) return;
  fmt::format_to(std::back_inserter(out), "  mirror {}: copied {}  dropped {}  failed {}\n",
                 text_of(*found, "listener"), short_number(number_of(*found, "copied")),
                 short_number(number_of(*found, "dropped")), short_number(number_of(*found, "failed")));
}

void print_seeds(const json& listener, std::string& out) {
  const auto found = listener.find("seeds");
  if (found == listener.end() || !found->is_object()) return;
  const std::string trouble = text_of(*found, "trouble");
  fmt::format_to(std::back_inserter(out), "  servers found by asking {}, of which {} answer{}\n",
                 text_of(*found, "known"), text_of(*found, "answering"),
                 trouble == "-" ? "" : "; " + trouble);
}

void print_backends(const json& listener, std::string& out) {
  std::vector<Row> rows{
      {"BACKEND", "HEALTH", "ADDRESS", "CONNECTIONS", "WAITING", "REQUESTS", "FAILED", "P50", "P99"}};
  std::vector<std::string> troubles;
  for (const json& backend : listener.value("backends", json::array())) {
    rows.push_back({text_of(backend, "name"), health(backend), joined(backend, "addresses"),
                    text_of(backend, "connections"), text_of(backend, "waiting"),
                    short_number(number_of(backend, "requests")), short_number(failures(backend)),
                    latency(backend, "p50Seconds"), latency(backend, "p99Seconds")});
    for (const char* kind : {"resolveError", "lastError"}) {
      if (const std::string trouble = text_of(backend, kind); trouble != "-") {
        const std::string when =
            kind == std::string_view("lastError") ? " at " + text_of(backend, "lastErrorAt") : "";
        troubles.push_back(fmt::format("{}{}: {}", text_of(backend, "name"), when, trouble));
      }
    }
  }
  if (rows.size() == 1) {
    out += "  no backends yet\n";
    return;
  }
  print_table(rows, "  ", out);
  for (const std::string& trouble : troubles) {
    out += "  last error, " + trouble + "\n";
  }
}

}  // namespace

std::string status_table(const json& status) {
  const json configuration = status.value("configuration", json::object());
  std::string out;
  const bool draining = status.value("draining", false);
  const bool listening = status.value("listening", false);
  fmt::format_to(std::back_inserter(out), "ambassador-proxy {} ({})  up {}  {}\n", text_of(status, "version"),
                 text_of(status, "commit"), age(number_of(status, "uptimeSeconds")),
                 draining    ? "draining"
                 : listening ? "accepting"
                             : "not every listener accepts");
  fmt::format_to(std::back_inserter(out),
                 "configuration {}  version {}  from {}  applied {} ago  {} taken, {} refused\n",
                 text_of(configuration, "hash").substr(0, kShownHash), text_of(configuration, "version"),
                 text_of(configuration, "source"), age(number_of(configuration, "ageSeconds")),
                 text_of(configuration, "applied"), text_of(configuration, "refused"));
  if (const std::string refusal = text_of(configuration, "lastRefusal"); refusal != "-") {
    out += "the newest configuration was refused, the one before it runs:\n  " + refusal + "\n";
  }
  for (const json& listener : status.value("listeners", json::array())) {
    fmt::format_to(std::back_inserter(out),
                   "\n{}  {} on {}\n  clients {}  requests {}  failed {}  in {}B  out {}B  p50 {}  p99 {}\n",
                   text_of(listener, "name"), text_of(listener, "protocol"), joined(listener, "addresses"),
                   text_of(listener, "clients"), short_number(number_of(listener, "requests")),
                   short_number(failures(listener)), short_number(number_of(listener, "receivedBytes")),
                   short_number(number_of(listener, "sentBytes")), latency(listener, "p50Seconds"),
                   latency(listener, "p99Seconds"));
    if (const std::string error = text_of(listener, "bindError"); error != "-") {
      out += "  not bound: " + error + "\n";
    }
    print_throttles(listener, out);
    print_mirror(listener, out);
    print_seeds(listener, out);
    print_client_cache(listener, out);
    print_pool(listener, out);
    print_backends(listener, out);
  }
  return out;
}

}  // namespace ambassador::proxy::app
