// The prepared statements that one server connection has, by name; bounded, the least recently used goes
// first. Kept by the server connection, used by the session that holds it. Pure.
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/postgresql/limits.hpp"

namespace ambassador::proxy::postgresql {

class StatementNames {
 public:
  explicit StatementNames(std::size_t capacity = kMaxStatements) : capacity_(capacity) {}

  /// True: the server has it, and it counts as used now.
  bool use(std::string_view name);
  /// The server has it from now on. Returns the name of the one that has to be closed there for it.
  std::optional<std::string> add(std::string_view name);
  void remove(std::string_view name);
  void clear();
  [[nodiscard]] std::size_t size() const { return places_.size(); }

 private:
  std::size_t capacity_;
  std::list<std::string> names_;                                                   // most recently used first
  std::unordered_map<std::string_view, std::list<std::string>::iterator> places_;  // views into names_
};

}  // namespace ambassador::proxy::postgresql
