// Kubernetes versions of API server and nodes. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "operator/kube/object.hpp"

namespace ambassador::admission {

/// 31 of "v1.31.4" and "v1.31.4-eks-1"; 0 where it is no such text.
unsigned minor_of(std::string_view version);

/// The oldest kubelet among nodes that take new Pods; 0 where there is none. A cordoned node that is never
/// upgraded holds nobody back.
unsigned oldest_minor(const std::vector<kube::Object>& nodes);

}  // namespace ambassador::admission
