// What the caches keep of each object: only the fields that someone reads, because memory grows with the
// cluster. Pure: each function changes the document in place; what it leaves out must be read by nobody.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace ambassador::controller {

/// What inject::live_state reads, the Ready condition, our own annotations.
void slim_pod(nlohmann::json& pod);
/// What discovery::resolve reads.
void slim_stateful_set(nlohmann::json& stateful_set);
void slim_service(nlohmann::json& service);
/// What endpoints_of() reads.
void slim_endpoint_slice(nlohmann::json& slice);
/// Of Pods watched for their metadata alone: labels, our annotations, creation.
void slim_metadata(nlohmann::json& object);

}  // namespace ambassador::controller
