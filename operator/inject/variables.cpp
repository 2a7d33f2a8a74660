#include "operator/inject/variables.hpp"

#include <algorithm>

#include "common/text/percent.hpp"
#include "operator/api/document.hpp"

namespace ambassador::inject {
namespace {

using nlohmann::json;

/// @param port one of the listener's ports()
std::string url_of(const api::Listener& listener, std::uint16_t port) {
  const std::string place = "://127.0.0.1:" + std::to_string(port);
  switch (listener.protocol) {
    case config::Protocol::redis:
      return "redis" + place;
    case config::Protocol::postgresql:  // no TLS on loopback, whatever the client's default is
      return "postgresql" + place + "/" + text::percent_encode(listener.sql.database) + "?sslmode=disable";
    case config::Protocol::tcp:
      break;
  }
  return "tcp" + place;
}

/// The entry of a container's env with this name, or null.
const json& entry(const json& container, const std::string& name) {
  for (const auto& one : api::list_at(container, "env")) {
    if (api::text_at(one, "name") == name) return one;
  }
  return api::null();
}

}  // namespace

std::vector<Variable> variables_of(const std::vector<KnownPolicyPtr>& policies,
                                   std::vector<std::string>& warnings) {
  std::vector<Variable> all;
  const auto add = [&](const std::string& name, std::string value, const std::string& listener) {
    if (name.empty()) return;
    const auto same = std::ranges::find(all, name, &Variable::name);
    if (same == all.end()) {
      all.push_back({name, std::move(value), listener});
    } else {
      warnings.push_back("variable " + name + " is set for " + same->listener + ", not for " + listener +
                         ": give env of one of the two policies another name");
    }
  };
  for (const auto& policy : policies) {
    for (const auto& listener : policy->spec().listeners) {
      const std::string key = policy->parsed.key.listener_key(listener.name);
      const auto& env = listener.env;
      add(env.url, url_of(listener, listener.port), key);
      add(env.jdbc_url, "jdbc:" + url_of(listener, listener.port), key);
      add(env.host, "127.0.0.1", key);
      add(env.port, std::to_string(listener.port), key);
      const auto readers = listener.sql.read_port;
      add(env.read_url, url_of(listener, readers), key);
      add(env.read_jdbc_url, "jdbc:" + url_of(listener, readers), key);
      add(env.read_port, std::to_string(readers), key);
    }
  }
  return all;
}

void add_variables(Patch& patch, const json::json_pointer& container, const std::vector<Variable>& variables,
                   std::vector<std::string>& warnings) {
  const std::string name = api::text_at(patch.at(container), "name");
  bool added = false;
  for (auto variable = variables.rbegin(); variable != variables.rend(); ++variable) {
    const json& there = entry(patch.at(container), variable->name);
    if (there.is_null()) {
      patch.insert_first(container / "env", {{"name", variable->name}, {"value", variable->value}});
      added = true;
    } else if (api::text_at(there, "value") != variable->value) {
      warnings.push_back("container " + name + " sets " + variable->name + " itself, which stays; listener " +
                         variable->listener + " would give " + variable->value);
    }
  }
  if (added && !api::list_at(patch.at(container), "envFrom").empty()) {
    warnings.push_back(
        "container " + name +
        " has envFrom: where it holds one of the ambassador's variables too, the ambassador's counts");
  }
}

}  // namespace ambassador::inject
