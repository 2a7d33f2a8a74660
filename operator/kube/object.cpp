#include "operator/kube/object.hpp"

#include <nlohmann/json.hpp>

namespace ambassador::kube {

const Json* at(const Json& document, std::initializer_list<std::string_view> path) {
  const Json* here = &document;
  for (const auto step : path) {
    if (!here->is_object()) return nullptr;
    const auto found = here->find(step);
    if (found == here->end()) return nullptr;
    here = &*found;
  }
  return here;
}

std::string string_at(const Json& document, std::initializer_list<std::string_view> path) {
  const Json* found = at(document, path);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

std::string name_of(const Json& object) {
  return string_at(object, {"metadata", "name"});
}
std::string namespace_of(const Json& object) {
  return string_at(object, {"metadata", "namespace"});
}
std::string uid_of(const Json& object) {
  return string_at(object, {"metadata", "uid"});
}
std::string resource_version_of(const Json& object) {
  return string_at(object, {"metadata", "resourceVersion"});
}

std::string join_key(std::string_view name_space, std::string_view name) {
  if (name_space.empty()) return std::string(name);
  std::string key(name_space);
  key += '/';
  key += name;
  return key;
}

std::string key_of(const Json& object) {
  return join_key(namespace_of(object), name_of(object));
}

std::pair<std::string, std::string> split_key(std::string_view key) {
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) return {"", std::string(key)};
  return {std::string(key.substr(0, slash)), std::string(key.substr(slash + 1))};
}

namespace {
std::optional<std::string> entry(const Json& object, std::string_view map, std::string_view key) {
  const Json* found = at(object, {"metadata", map, key});
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}
}  // namespace

std::optional<std::string> label_of(const Json& object, std::string_view key) {
  return entry(object, "labels", key);
}
std::optional<std::string> annotation_of(const Json& object, std::string_view key) {
  return entry(object, "annotations", key);
}

std::map<std::string, std::string> labels_of(const Json& object) {
  std::map<std::string, std::string> labels;
  const Json* found = at(object, {"metadata", "labels"});
  if (found == nullptr || !found->is_object()) return labels;
  for (const auto& [key, value] : found->items()) {
    if (value.is_string()) labels.emplace(key, value.get<std::string>());
  }
  return labels;
}

bool is_being_deleted(const Json& object) {
  return !string_at(object, {"metadata", "deletionTimestamp"}).empty();
}

}  // namespace ambassador::kube
