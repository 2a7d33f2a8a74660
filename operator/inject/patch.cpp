#include "operator/inject/patch.hpp"

#include "operator/api/document.hpp"

namespace ambassador::inject {

const Patch::json& Patch::at(const pointer& place) const {
  return document_.contains(place) ? document_.at(place) : api::null();
}

void Patch::add(const pointer& place, json value) {
  json operation = {{"op", "add"}, {"path", place.to_string()}, {"value", std::move(value)}};
  document_.patch_inplace(json::array({operation}));
  operations_.push_back(std::move(operation));
}

void Patch::make(const pointer& place, json empty) {
  if (!at(place).is_null()) return;
  if (!place.empty()) make(place.parent_pointer(), json::object());
  add(place, std::move(empty));
}

void Patch::set(const pointer& object, const std::string& key, json value) {
  if (at(object / key) == value) return;
  make(object, json::object());
  add(object / key, std::move(value));  // add replaces a member that is there (RFC 6902, 4.1)
}

void Patch::remove(const pointer& object, const std::string& key) {
  if (!document_.contains(object / key)) return;
  json operation = {{"op", "remove"}, {"path", (object / key).to_string()}};
  document_.patch_inplace(json::array({operation}));
  operations_.push_back(std::move(operation));
}

void Patch::insert_first(const pointer& list, json value) {
  if (at(list).is_null()) {
    make(list.parent_pointer(), json::object());
    add(list, json::array({std::move(value)}));
  } else {
    add(list / 0, std::move(value));
  }
}

void Patch::append(const pointer& list, json value) {
  if (at(list).is_null()) {
    insert_first(list, std::move(value));
  } else {
    add(list / "-", std::move(value));
  }
}

}  // namespace ambassador::inject
