#include "operator/api/parse.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "operator/api/document.hpp"
#include "operator/api/fields.hpp"
#include "operator/api/hash.hpp"
#include "operator/api/names.hpp"
#include "operator/api/parse_parts.hpp"
#include "operator/api/shorten.hpp"

namespace ambassador::api {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::size_t kMaxEnvironments = 16;
constexpr std::size_t kMaxClusterNames = 32;
constexpr std::size_t kMaxListeners = 16;

std::string at(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

std::vector<Environment> read_environments(Fields& spec) {
  std::vector<Environment> all;
  const auto* list = spec.array("environments", kMaxEnvironments);
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    Fields fields((*list)[i], at(spec.path("environments"), i), spec.problems());
    Environment environment;
    fields.required("name", "a name such as production");
    environment.name = fields.string("name").value_or("");
    if (!environment.name.empty() && !is_dns_label(environment.name)) {
      spec.problems().invalid(fields.path("name"),
                              "\"" + environment.name + "\" is no name: use a-z, 0-9 and '-', at most 63");
    }
    environment.namespace_selector = read_selector(fields, "namespaceSelector");
    environment.pod_selector = read_selector(fields, "podSelector");
    environment.cluster_names = fields.strings("clusterNames", kMaxClusterNames);
    if (std::ranges::find(all, environment.name, &Environment::name) != all.end()) {
      spec.problems().invalid(fields.path("name"),
                              "\"" + environment.name + "\" is the name of two environments: rename one");
    }
    fields.finish();
    all.push_back(std::move(environment));
  }
  return all;
}

ProxySettings read_proxy(Fields& spec) {
  ProxySettings proxy;
  const auto* object = spec.object("proxy");
  if (object == nullptr) return proxy;
  Fields fields(*object, spec.path("proxy"), spec.problems());
  proxy.container_mode = fields.choice("containerMode", kContainerModes);
  proxy.log_level = fields.choice("logLevel", kLogLevels);
  proxy.drain_timeout = fields.duration("drainTimeout", milliseconds(0), hours(1));
  proxy.readiness = fields.choice("readiness", kReadinesses);
  proxy.resources = read_resources(fields);
  fields.finish();
  return proxy;
}

/// Is `listener` named as the other one's readers are?
bool has_readers_name(const Listener& listener, const Listener& other) {
  return other.sql.read_port != 0 && listener.name == readers_name(other);
}

void compare_ports(const Listener& listener, const Listener& other, const std::string& path,
                   Problems& problems) {
  const auto taken = ports(other);
  for (const auto port : ports(listener)) {
    if (port == 0 || std::ranges::find(taken, port) == taken.end()) continue;
    problems.invalid(path + (port == listener.port ? ".port" : ".postgresql.readPort"),
                     std::to_string(port) + " is also the port of listener \"" + other.name +
                         "\": give one of them another port");
  }
}

/// Ports, names and variables must differ between the listeners of a policy.
void compare_listeners(const std::vector<Listener>& all, Problems& problems) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string path = at("spec.listeners", i);
    for (std::size_t j = 0; j < i; ++j) {
      if (!all[i].name.empty() && all[i].name == all[j].name) {
        problems.invalid(path + ".name", "\"" + all[i].name + "\" is also the name of " +
                                             at("spec.listeners", j) + ": rename one of them");
      }
      if (has_readers_name(all[i], all[j]) || has_readers_name(all[j], all[i])) {
        problems.invalid(path + ".name",
                         "\"" + all[i].name + "\" and \"" + all[j].name +
                             "\" can't be together, because readPort makes the listener \"" +
                             readers_name(has_readers_name(all[i], all[j]) ? all[j] : all[i]) +
                             "\" in metrics and logs: rename one of them");
      }
      compare_ports(all[i], all[j], path, problems);
      for (const auto& mine : variables(all[i].env)) {
        for (const auto& theirs : variables(all[j].env)) {
          if (mine == theirs) {
            problems.invalid(path + ".env", "\"" + mine + "\" is also set by listener \"" + all[j].name +
                                                "\": give one of them another name");
          }
        }
      }
    }
  }
}

/// A mirror is another Redis listener, which takes its copies without a login and does not copy them again.
void check_mirrors(const Policy& policy, Problems& problems) {
  for (std::size_t i = 0; i < policy.listeners.size(); ++i) {
    const auto& mirror = policy.listeners[i].redis.mirror;
    if (!mirror || mirror->listener.empty()) continue;
    const Listener* const other = policy.listener(mirror->listener);
    std::string why;
    if (other == nullptr) {
      why = "is no listener of this policy: name one";
    } else if (other == &policy.listeners[i]) {
      why = "is this very listener: name another one";
    } else if (other->protocol != config::Protocol::redis) {
      why = "is no Redis listener: name one that is";
    } else if (other->redis.mirror) {
      why = "has a mirror itself, and copies are not copied again: name another one, or remove its mirror";
    } else if (!other->client_credentials.empty()) {
      why = "asks its clients to log in, which copies do not: name another one, or remove its clientAuth";
    }
    if (!why.empty())
      problems.invalid(at("spec.listeners", i) + ".redis.mirror.listener",
                       "\"" + shortened(mirror->listener, 80) + "\" " + why);
  }
}

void read_listeners(Fields& spec, Policy& policy) {
  const auto* list = spec.array("listeners", kMaxListeners);
  if (list == nullptr || list->empty()) {
    spec.problems().invalid("spec.listeners", "is empty: give at least one listener");
    return;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    Fields fields((*list)[i], at(spec.path("listeners"), i), spec.problems());
    policy.listeners.push_back(read_listener(fields, policy));
  }
  compare_listeners(policy.listeners, spec.problems());
  check_mirrors(policy, spec.problems());
}

void read_connection_budget(Fields& spec, Policy& policy) {
  if (const auto budget = spec.integer("connectionBudget", 1, kMostConnectionBudget)) {
    policy.connection_budget = static_cast<unsigned>(*budget);
  }
  const auto pools = [](const Listener& listener) {
    return listener.protocol == config::Protocol::postgresql;
  };
  if (policy.connection_budget && std::ranges::none_of(policy.listeners, pools)) {
    spec.problems().invalid(
        spec.path("connectionBudget"),
        "no listener here has a pool that it could limit: remove it, or give a listener with "
        "protocol PostgreSQL");
  }
}

void read_spec(const nlohmann::json& document, Policy& policy, Problems& problems) {
  const auto found = document.find("spec");
  if (found == document.end()) {
    problems.invalid("spec", "is missing: give listeners below it");
    return;
  }
  Fields spec(*found, "spec", problems);
  if (!found->is_object()) return;
  policy.pod_selector = read_selector(spec, "podSelector");
  if (policy.key.cluster()) policy.namespace_selector = read_selector(spec, "namespaceSelector");
  policy.environments = read_environments(spec);
  read_listeners(spec, policy);
  policy.proxy = read_proxy(spec);
  read_connection_budget(spec, policy);
  spec.not_yet_unless("rollout", "None", "use None, and restart the workload by kubectl rollout restart");
  if (const auto* repair = spec.get("repair"); repair != nullptr && *repair == "Recreate") {
    problems.not_yet("spec.repair", "\"Recreate\" is not in this version: use Report or Disabled");
  } else {
    policy.repair = spec.choice("repair", kRepairs).value_or(Repair::report);
  }
  spec.finish();
}

void read_identity(const nlohmann::json& document, Policy& policy, Problems& problems) {
  const std::string kind = text_at(document, "kind");
  if (kind != kKind && kind != kClusterKind) {
    problems.invalid("kind",
                     "\"" + kind + "\" is no policy: use AmbassadorPolicy or ClusterAmbassadorPolicy");
  }
  if (const auto version = text_at(document, "apiVersion"); version != kApiVersion) {
    problems.invalid("apiVersion", "\"" + version + "\" is not known here: use " + std::string(kApiVersion));
  }
  const auto metadata = document.find("metadata");
  if (metadata == document.end() || !metadata->is_object()) {
    problems.invalid("metadata", "is missing: give a name below it");
    return;
  }
  policy.key.name = text_at(*metadata, "name");
  if (kind != kClusterKind) {
    policy.key.ns = text_at(*metadata, "namespace");
    if (policy.key.ns.empty()) policy.key.ns = "default";  // as kubectl reads a file without one
  }
  policy.uid = text_at(*metadata, "uid");
  policy.generation = integer_at(*metadata, "generation").value_or(0);
  if (!is_dns_label(policy.key.name)) {
    problems.invalid("metadata.name",
                     "\"" + shortened(policy.key.name, 80) +
                         "\" cannot name sockets and metrics: use a-z, 0-9 and '-', at most 63");
  }
}

}  // namespace

std::vector<std::string> variables(const VariableNames& names) {
  std::vector<std::string> all;
  for (const auto& name : {names.url, names.jdbc_url, names.host, names.port, names.read_url,
                           names.read_jdbc_url, names.read_port}) {
    if (!name.empty()) all.push_back(name);
  }
  return all;
}

ParsedPolicy parse_policy(const nlohmann::json& document) {
  ParsedPolicy parsed;
  Problems problems;
  if (!document.is_object()) {
    problems.invalid("", shown(document) + " is no object");
    parsed.problems = problems.take();
    return parsed;
  }
  Policy policy;
  read_identity(document, policy, problems);
  read_spec(document, policy, problems);
  parsed.key = policy.key;
  parsed.uid = policy.uid;
  parsed.generation = policy.generation;
  parsed.pod_selector = policy.pod_selector;
  parsed.namespace_selector = policy.namespace_selector;
  parsed.problems = problems.take();
  if (parsed.problems.empty()) {
    policy.hash = policy_hash(policy);
    parsed.policy = std::move(policy);
  }
  return parsed;
}

std::string ParsedPolicy::reason() const {
  if (problems.empty()) return "Accepted";
  const auto not_yet = [](const Problem& problem) {
    return problem.kind == Problem::Kind::not_in_this_version;
  };
  return std::ranges::all_of(problems, not_yet) ? "NotInThisVersion" : "Invalid";
}

std::string ParsedPolicy::message() const {
  constexpr std::size_t kMost = 1024;  // conditions are read in a terminal; Events allow no more
  std::string all;
  for (const auto& problem : problems) all += (all.empty() ? "" : "; ") + problem.text();
  return shortened(all, kMost);
}

}  // namespace ambassador::api
