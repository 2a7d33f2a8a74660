// The objects of one resource as last seen, with indexes. Written by the informer, read by anyone: reads are
// thread-safe and give shared snapshots per object.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "operator/kube/object.hpp"

namespace ambassador::kube {

/// The values under which an object is found in an index: its namespace, its policies, its StatefulSet ...
using IndexFunction = std::function<std::vector<std::string>(const Json&)>;

class Store {
 public:
  /// `indexes`: name -> function. The index "namespace" is always there.
  explicit Store(std::map<std::string, IndexFunction> indexes = {});

  /// The object, or null.
  [[nodiscard]] Object get(std::string_view key) const;
  [[nodiscard]] Object get(std::string_view name_space, std::string_view name) const;
  /// In the order of their keys.
  [[nodiscard]] std::vector<Object> list() const;
  [[nodiscard]] std::vector<Object> by_index(const std::string& index, const std::string& value) const;
  [[nodiscard]] std::vector<Object> in_namespace(const std::string& name_space) const {
    return by_index("namespace", name_space);
  }
  [[nodiscard]] std::size_t size() const;

  /// Returns what was there before, or null.
  Object put(const Object& object);
  Object remove(const std::string& key);

 private:
  void unindex(const std::string& key, const Json& object);

  const std::map<std::string, IndexFunction> indexes_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Object, std::less<>> objects_;
  // index -> value -> keys
  std::map<std::string, std::map<std::string, std::map<std::string, Object>>> found_;
};

}  // namespace ambassador::kube
