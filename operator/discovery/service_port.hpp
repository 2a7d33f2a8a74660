// Which port number a policy means: by name the Service's port name, by number the port of the Pod (headless)
// or of the Service (cluster address). Pure. Within this room.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/result/result.hpp"
#include "operator/api/policy.hpp"

namespace ambassador::discovery {

/// @param pod_template the StatefulSet's spec.template, null where there is none
/// @param endpoint_ports port numbers by the Service's port name, as EndpointSlices give them
/// @return the number that Pods listen on; the Error says which ports there are
Result<std::uint16_t> pod_port(const api::PortReference& wanted, const nlohmann::json& service,
                               const nlohmann::json& pod_template,
                               const std::map<std::string, std::uint16_t>& endpoint_ports);

/// The port on the cluster address (or behind an ExternalName) of a Service that is not headless.
Result<std::uint16_t> cluster_port(const api::PortReference& wanted, const nlohmann::json& service);

}  // namespace ambassador::discovery
