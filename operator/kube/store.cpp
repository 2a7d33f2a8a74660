#include "operator/kube/store.hpp"

#include <mutex>
#include <nlohmann/json.hpp>

namespace ambassador::kube {

namespace {
std::map<std::string, IndexFunction> with_namespace(std::map<std::string, IndexFunction> indexes) {
  indexes.emplace("namespace", [](const Json& object) { return std::vector{namespace_of(object)}; });
  return indexes;
}
}  // namespace

Store::Store(std::map<std::string, IndexFunction> indexes) : indexes_(with_namespace(std::move(indexes))) {
  for (const auto& [name, function] : indexes_) found_[name];
}

Object Store::get(std::string_view key) const {
  const std::shared_lock lock(mutex_);
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

Object Store::get(std::string_view name_space, std::string_view name) const {
  return get(join_key(name_space, name));
}

std::vector<Object> Store::list() const {
  const std::shared_lock lock(mutex_);
  std::vector<Object> out;
  out.reserve(objects_.size());
  for (const auto& [key, object] : objects_) out.push_back(object);
  return out;
}

std::vector<Object> Store::by_index(const std::string& index, const std::string& value) const {
  const std::shared_lock lock(mutex_);
  std::vector<Object> out;
  const auto values = found_.find(index);
  if (values == found_.end()) return out;
  const auto keys = values->second.find(value);
  if (keys == values->second.end()) return out;
  out.reserve(keys->second.size());
  for (const auto& [key, object] : keys->second) out.push_back(object);
  return out;
}

std::size_t Store::size() const {
  const std::shared_lock lock(mutex_);
  return objects_.size();
}

Object Store::put(const Object& object) {
  const std::string key = key_of(*object);
  const std::unique_lock lock(mutex_);
  auto& place = objects_[key];
  Object before = std::exchange(place, object);
  if (before) unindex(key, *before);
  for (const auto& [name, function] : indexes_) {
    for (const auto& value : function(*object)) found_[name][value][key] = object;
  }
  return before;
}

Object Store::remove(const std::string& key) {
  const std::unique_lock lock(mutex_);
  const auto found = objects_.find(key);
  if (found == objects_.end()) return nullptr;
  Object before = std::move(found->second);
  objects_.erase(found);
  unindex(key, *before);
  return before;
}

void Store::unindex(const std::string& key, const Json& object) {
  for (const auto& [name, function] : indexes_) {
    auto& values = found_[name];
    for (const auto& value : function(object)) {
      const auto keys = values.find(value);
      if (keys == values.end()) continue;
      keys->second.erase(key);
      if (keys->second.empty()) values.erase(keys);
    }
  }
}

}  // namespace ambassador::kube
