// Kubernetes objects as the API server gives them: JSON documents, read here by the few fields everyone
// needs. No typed copies: what we do not know must survive a round trip. Pure; safe from any thread.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace ambassador::kube {

using Json = nlohmann::json;
/// An object as it was at one resourceVersion. Shared and never changed: whoever holds it reads it without a
/// lock.
using Object = std::shared_ptr<const Json>;

/// metadata.name, .namespace, .uid, .resourceVersion, .creationTimestamp; "" where absent or not a string.
std::string name_of(const Json& object);
std::string namespace_of(const Json& object);
std::string uid_of(const Json& object);
std::string resource_version_of(const Json& object);
/// "namespace/name", or "name" for what has no namespace: the key of stores and queues.
std::string key_of(const Json& object);
std::string join_key(std::string_view name_space, std::string_view name);
/// "namespace/name" -> {"namespace", "name"}; "name" -> {"", "name"}.
std::pair<std::string, std::string> split_key(std::string_view key);

/// metadata.labels / metadata.annotations [key]; nullopt where absent.
std::optional<std::string> label_of(const Json& object, std::string_view key);
std::optional<std::string> annotation_of(const Json& object, std::string_view key);
/// All of metadata.labels; what is not a string is left out.
std::map<std::string, std::string> labels_of(const Json& object);
/// True once metadata.deletionTimestamp is set.
bool is_being_deleted(const Json& object);

/// The value at a path of member names, or nullptr: `at(pod, {"spec", "nodeName"})`. Never throws.
const Json* at(const Json& document, std::initializer_list<std::string_view> path);
/// The same as a string, "" where absent or not a string.
std::string string_at(const Json& document, std::initializer_list<std::string_view> path);

}  // namespace ambassador::kube
