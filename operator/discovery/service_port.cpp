#include "operator/discovery/service_port.hpp"

#include <nlohmann/json.hpp>
#include <optional>

#include "operator/api/document.hpp"

namespace ambassador::discovery {
namespace {

using api::list_at;
using api::member;
using api::port_at;
using api::text_at;
using nlohmann::json;

bool tcp(const json& port) {
  const auto protocol = text_at(port, "protocol");
  return protocol.empty() || protocol == "TCP";
}

const json& ports_of(const json& service) {
  return list_at(member(service, "spec"), "ports");
}

/// "redis-port (6379)".
std::string entry(const json& port) {
  const auto name = text_at(port, "name");
  const auto number = std::to_string(port_at(port, "port").value_or(0));
  return name.empty() ? number : name + " (" + number + ")";
}

/// "redis-port (6379), metrics (9121)".
std::string listing(const json& service) {
  std::string all;
  for (const auto& port : ports_of(service)) {
    if (!tcp(port)) continue;
    if (!all.empty()) all += ", ";
    all += entry(port);
  }
  return all.empty() ? "none" : all;
}

Error no_such_port(const api::PortReference& wanted, const json& service) {
  return {"", "Service " + text_at(member(service, "metadata"), "name") + " has no TCP port " +
                  api::text(wanted) + ": give one of its ports (" + listing(service) + "), or add it there"};
}

template <class Each>
void each_container_port(const json& pod_template, Each each) {
  for (const char* kind : {"containers", "initContainers"}) {
    for (const auto& container : list_at(member(pod_template, "spec"), kind)) {
      for (const auto& port : list_at(container, "ports")) {
        if (tcp(port)) each(port);
      }
    }
  }
}

/// The number behind a Service's port on its Pods.
std::optional<std::uint16_t> target(const json& port, const json& pod_template,
                                    const std::map<std::string, std::uint16_t>& endpoint_ports) {
  if (const auto number = port_at(port, "targetPort")) return number;
  const auto name = text_at(port, "targetPort");
  if (name.empty()) return port_at(port, "port");  // as the API server defaults it
  std::optional<std::uint16_t> found;
  each_container_port(pod_template, [&](const json& candidate) {
    if (!found && text_at(candidate, "name") == name) found = port_at(candidate, "containerPort");
  });
  if (found) return found;
  const auto endpoint = endpoint_ports.find(text_at(port, "name"));
  if (endpoint != endpoint_ports.end()) return endpoint->second;
  return std::nullopt;
}

Result<std::uint16_t> named(const std::string& name, const json& service, const json& pod_template,
                            const std::map<std::string, std::uint16_t>& endpoint_ports) {
  for (const auto& port : ports_of(service)) {
    if (!tcp(port) || text_at(port, "name") != name) continue;
    if (const auto number = target(port, pod_template, endpoint_ports)) return *number;
    return Error{"",
                 "port " + name + " of Service " + text_at(member(service, "metadata"), "name") +
                     " leads to the container port \"" + text_at(port, "targetPort") +
                     "\", which no Pod has: name a port of the container so, or use a number as targetPort"};
  }
  return no_such_port(name, service);
}

}  // namespace

Result<std::uint16_t> pod_port(const api::PortReference& wanted, const json& service,
                               const json& pod_template,
                               const std::map<std::string, std::uint16_t>& endpoint_ports) {
  if (const auto* name = std::get_if<std::string>(&wanted)) {
    return named(*name, service, pod_template, endpoint_ports);
  }
  const auto number = std::get<std::uint16_t>(wanted);
  bool any_known = false;
  bool on_pod = false;
  std::optional<std::uint16_t> behind;  // the number is the Service's own, and leads elsewhere
  each_container_port(pod_template, [&](const json& port) {
    any_known = true;
    on_pod = on_pod || port_at(port, "containerPort") == number;
  });
  for (const auto& port : ports_of(service)) {
    if (!tcp(port)) continue;
    any_known = true;
    const auto leads_to = target(port, pod_template, endpoint_ports);
    on_pod = on_pod || leads_to == number;
    if (port_at(port, "port") == number) behind = leads_to;
  }
  if (on_pod || !any_known) return number;  // nothing declared anywhere: then only the Pods know
  if (!behind) return no_such_port(wanted, service);
  return Error{"", std::to_string(number) + " is the port of Service " +
                       text_at(member(service, "metadata"), "name") +
                       ", which has no address of its own; its Pods listen on " + std::to_string(*behind) +
                       ": give that, or the port's name"};
}

Result<std::uint16_t> cluster_port(const api::PortReference& wanted, const json& service) {
  const auto* number = std::get_if<std::uint16_t>(&wanted);
  for (const auto& port : ports_of(service)) {
    const auto own = port_at(port, "port");
    if (!tcp(port) || !own) continue;
    if (number != nullptr ? *own == *number : text_at(port, "name") == std::get<std::string>(wanted))
      return *own;
  }
  // An ExternalName's ports are whatever answers there.
  if (number != nullptr && text_at(member(service, "spec"), "type") == "ExternalName") return *number;
  return no_such_port(wanted, service);
}

}  // namespace ambassador::discovery
