#include "operator/controller/endpoints.hpp"

#include <nlohmann/json.hpp>
#include <optional>

namespace ambassador::controller {
namespace {

using kube::Json;

std::optional<bool> condition(const Json& endpoint, std::string_view name) {
  const Json* found = kube::at(endpoint, {"conditions", name});
  if (found == nullptr || !found->is_boolean()) return std::nullopt;
  return found->get<bool>();
}

/// Absent conditions are to be read as: serving as ready, ready as true, terminating as false
/// (discovery/v1, EndpointConditions).
bool serves(const Json& endpoint) {
  if (condition(endpoint, "terminating").value_or(false)) return false;
  return condition(endpoint, "serving").value_or(condition(endpoint, "ready").value_or(true));
}

std::string identity(const Json& endpoint) {
  if (kube::string_at(endpoint, {"targetRef", "kind"}) == "Pod") {
    return kube::string_at(endpoint, {"targetRef", "name"});
  }
  const Json* addresses = kube::at(endpoint, {"addresses"});
  if (addresses == nullptr || !addresses->is_array() || addresses->empty() ||
      !addresses->front().is_string()) {
    return "";
  }
  return addresses->front().get<std::string>();
}

void add_endpoints(Endpoints& out, const Json& slice) {
  const Json* endpoints = kube::at(slice, {"endpoints"});
  if (endpoints == nullptr || !endpoints->is_array()) return;
  for (const Json& endpoint : *endpoints) {
    if (!endpoint.is_object() || !serves(endpoint)) continue;
    if (auto name = identity(endpoint); !name.empty()) out.ready.insert(std::move(name));
  }
}

void add_ports(Endpoints& out, const Json& slice) {
  const Json* ports = kube::at(slice, {"ports"});
  if (ports == nullptr || !ports->is_array()) return;
  for (const Json& port : *ports) {
    const Json* number = kube::at(port, {"port"});
    const auto name = kube::string_at(port, {"name"});
    if (name.empty() || number == nullptr || !number->is_number_unsigned()) continue;
    const auto value = number->get<std::uint64_t>();
    if (value >= 1 && value <= 65535) out.ports.emplace(name, static_cast<std::uint16_t>(value));
  }
}

}  // namespace

Endpoints endpoints_of(const std::vector<kube::Object>& slices) {
  Endpoints out;
  for (const auto& slice : slices) {
    add_endpoints(out, *slice);
    add_ports(out, *slice);
  }
  return out;
}

}  // namespace ambassador::controller
