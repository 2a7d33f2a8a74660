// What EndpointSlices say about a Service: who is Ready, which number a named port has. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "operator/kube/object.hpp"

namespace ambassador::controller {

/// The label by which a slice belongs to a Service.
inline constexpr const char* kServiceNameLabel = "kubernetes.io/service-name";

struct Endpoints {
  /// Names of Pods that serve and are not terminating (`ready` lies under publishNotReadyAddresses); where an
  /// endpoint has no Pod, its first address stands for it.
  std::set<std::string> ready;
  /// By port name, the first slice's that has it.
  std::map<std::string, std::uint16_t> ports;
};

Endpoints endpoints_of(const std::vector<kube::Object>& slices);

}  // namespace ambassador::controller
