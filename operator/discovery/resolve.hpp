// StatefulSet, Service and DNS answers -> the backends of one upstream of one listener. Pure: the controller
// fetches documents and asks DNS, this decides what they mean. Called by the leader.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operator/api/policy.hpp"
#include "operator/discovery/environment.hpp"
#include "operator/discovery/resolved.hpp"

namespace ambassador::discovery {

/// An object that a policy names: what to watch, and what to look policies up by.
struct ObjectReference {
  enum class Kind { stateful_set, service };
  Kind kind = Kind::service;
  std::string ns;
  std::string name;
  friend auto operator<=>(const ObjectReference&, const ObjectReference&) = default;
};

/// The objects that the policy names itself; a StatefulSet's Service comes on top (governing_service).
std::vector<ObjectReference> references(const api::Policy& policy);
/// The object of one upstream; nullopt for hosts.
std::optional<ObjectReference> reference(const api::Policy& policy, const api::Upstream& upstream);
/// spec.serviceName of a StatefulSet; empty where it has none.
std::string governing_service(const nlohmann::json& stateful_set);

/// Does the Service's annotation ambassador.dev/allowed-namespaces let this policy use it? Its own namespace
/// always may; a ClusterAmbassadorPolicy needs "*".
bool permitted(const api::PolicyKey& policy, const nlohmann::json& service);

struct ResolveInput {
  const api::Policy& policy;
  const api::Listener& listener;
  UpstreamChoice choice;
  std::string cluster_domain = "cluster.local";
  const nlohmann::json* stateful_set = nullptr;  // the document, null = it does not exist
  const nlohmann::json* service = nullptr;       // the Service (the StatefulSet's governing one), likewise
  /// Names of the Pods that are Ready now: EndpointSlice endpoints with `serving` true and `terminating` not,
  /// by targetRef.name (never `ready`: it lies under publishNotReadyAddresses). Endpoints without a targetRef
  /// count by their address.
  std::set<std::string> ready_pods;
  /// The port that EndpointSlices (or SRV) give for a named port; consulted where the Service's targetPort is
  /// a name that the StatefulSet's Pod template does not explain.
  std::map<std::string, std::uint16_t> endpoint_ports;
  const ResolvedListener* previous = nullptr;  // status.listeners' entry with this key, null = first time
};

/// Backends by the documents (DNS comes after: apply_addresses), or a reason and message that says what to
/// do. A missing object, a port nobody has or a Service that is not headless keeps the previous backends; so
/// does consent withdrawn (running Pods keep their configuration).
ResolvedListener resolve(const ResolveInput& input);

/// The DNS names to ask for A/AAAA: each backend's host that is not an IP literal.
std::vector<std::string> names_to_resolve(const ResolvedListener& listener);

/// Puts DNS answers in. A name without an entry, or with an empty one, keeps the address it had (the last
/// good answer) and is named in the message. Where no backend has an address the reason becomes NoAddress,
/// with what to do. resolved_at becomes `now` only if an address changed, so that a status that says nothing
/// new stays as it is. A reason that resolve() gave is kept.
/// @param addresses IP literals by DNS name; several are sorted, and the first is shown
/// @param now RFC 3339
void apply_addresses(ResolvedListener& listener,
                     const std::map<std::string, std::vector<std::string>>& addresses,
                     const std::string& now);

}  // namespace ambassador::discovery
