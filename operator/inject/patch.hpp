// Builds an RFC 6902 patch by hand on the raw document: nothing is re-encoded, arrays and objects that are
// missing are made, every operation is also done on a copy, so that later ones see earlier ones. Pure.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace ambassador::inject {

class Patch {
 public:
  using json = nlohmann::json;
  using pointer = nlohmann::json::json_pointer;

  explicit Patch(json document) : document_(std::move(document)) {}

  /// The document as it is after the operations so far.
  [[nodiscard]] const json& document() const { return document_; }
  /// The value at a place, or null.
  [[nodiscard]] const json& at(const pointer& place) const;

  /// Sets a member unless it is equal already; makes the object where it is missing.
  void set(const pointer& object, const std::string& key, json value);
  /// Removes a member if it is there.
  void remove(const pointer& object, const std::string& key);
  /// Puts a value first, or last, into a list; makes the list where it is missing.
  void insert_first(const pointer& list, json value);
  void append(const pointer& list, json value);

  /// The operations, and nothing is left.
  [[nodiscard]] json take() { return std::move(operations_); }

 private:
  void add(const pointer& place, json value);
  void make(const pointer& place, json empty);

  json document_;
  json operations_ = json::array();
};

}  // namespace ambassador::inject
