#include "operator/controller/slim.hpp"

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string_view>

#include "operator/api/names.hpp"

namespace ambassador::controller {
namespace {

using nlohmann::json;

/// Leaves these members of an object alone in it.
void keep_only(json& object, std::initializer_list<std::string_view> members) {
  if (!object.is_object()) return;
  for (auto it = object.begin(); it != object.end();) {
    bool kept = false;
    for (const auto member : members) kept = kept || it.key() == member;
    it = kept ? std::next(it) : object.erase(it);
  }
}

/// The member, or a null value that belongs to nobody.
json& part(json& object, const char* member) {
  static thread_local json none;
  none = nullptr;
  if (!object.is_object()) return none;
  const auto found = object.find(member);
  return found == object.end() ? none : *found;
}

/// Calls `function` on each element where there is an array.
template <class Function>
void each(json& list, Function function) {
  if (!list.is_array()) return;
  for (auto& element : list) function(element);
}

void slim_annotations(json& metadata) {
  json& annotations = part(metadata, "annotations");
  if (!annotations.is_object()) return;
  for (auto it = annotations.begin(); it != annotations.end();) {
    it = it.key().starts_with(api::kPrefix) || it.key() == api::kMirrorPod ? std::next(it)
                                                                           : annotations.erase(it);
  }
}

void slim_object_metadata(json& object) {
  json& metadata = part(object, "metadata");
  keep_only(metadata, {"name", "namespace", "uid", "resourceVersion", "creationTimestamp",
                       "deletionTimestamp", "generation", "labels", "annotations"});
  slim_annotations(metadata);
}

void slim_container(json& container) {
  const json& name = part(container, "name");
  if (name.is_string() && name.get_ref<const std::string&>() == api::kContainerName) {
    keep_only(container, {"name", "args", "ports", "resources", "restartPolicy", "volumeMounts"});
  } else {
    keep_only(container, {"name", "ports", "resources", "restartPolicy"});
  }
}

}  // namespace

void slim_pod(json& pod) {
  keep_only(pod, {"apiVersion", "kind", "metadata", "spec", "status"});
  slim_object_metadata(pod);
  json& spec = part(pod, "spec");
  keep_only(spec, {"restartPolicy", "terminationGracePeriodSeconds", "containers", "initContainers"});
  each(part(spec, "containers"), slim_container);
  each(part(spec, "initContainers"), slim_container);
  json& status = part(pod, "status");
  keep_only(status, {"phase", "containerStatuses", "conditions"});
  each(part(status, "containerStatuses"), [](json& one) {
    keep_only(one, {"name", "state"});
    json& state = part(one, "state");
    keep_only(state, {"terminated"});
    keep_only(part(state, "terminated"), {"exitCode"});
  });
  each(part(status, "conditions"), [](json& one) { keep_only(one, {"type", "status"}); });
}

void slim_stateful_set(json& stateful_set) {
  keep_only(stateful_set, {"apiVersion", "kind", "metadata", "spec"});
  slim_object_metadata(stateful_set);
  json& spec = part(stateful_set, "spec");
  keep_only(spec, {"serviceName", "replicas", "ordinals", "template"});
  json& pod = part(spec, "template");
  keep_only(pod, {"spec"});
  json& pod_spec = part(pod, "spec");
  keep_only(pod_spec, {"containers", "initContainers"});
  each(part(pod_spec, "containers"), [](json& one) { keep_only(one, {"name", "ports", "restartPolicy"}); });
  each(part(pod_spec, "initContainers"), [](json& one) {
    keep_only(one, {"name", "ports", "restartPolicy"});
  });
}

void slim_service(json& service) {
  keep_only(service, {"apiVersion", "kind", "metadata", "spec"});
  slim_object_metadata(service);
  keep_only(part(service, "spec"), {"type", "clusterIP", "clusterIPs", "externalName", "ports"});
}

void slim_endpoint_slice(json& slice) {
  keep_only(slice, {"apiVersion", "kind", "metadata", "endpoints", "ports"});
  slim_object_metadata(slice);
  each(part(slice, "endpoints"), [](json& one) {
    keep_only(one, {"addresses", "conditions", "targetRef"});
    keep_only(part(one, "targetRef"), {"kind", "name"});
  });
  each(part(slice, "ports"), [](json& one) { keep_only(one, {"name", "port", "protocol"}); });
}

void slim_metadata(json& object) {
  keep_only(object, {"apiVersion", "kind", "metadata"});
  slim_object_metadata(object);
}

}  // namespace ambassador::controller
