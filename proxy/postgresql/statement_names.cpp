#include "proxy/postgresql/statement_names.hpp"

#include <cassert>
#include <utility>

namespace ambassador::proxy::postgresql {

bool StatementNames::use(std::string_view name) {
  const auto place = places_.find(name);
  if (place == places_.end()) return false;
  names_.splice(names_.begin(), names_, place->second);
  return true;
}

std::optional<std::string> StatementNames::add(std::string_view name) {
  assert(capacity_ > 0);
  if (use(name)) return std::nullopt;
  std::optional<std::string> leaves;
  if (places_.size() == capacity_) {
    places_.erase(names_.back());
    leaves = std::move(names_.back());
    names_.pop_back();
  }
  names_.emplace_front(name);
  places_.emplace(names_.front(), names_.begin());
  return leaves;
}

void StatementNames::remove(std::string_view name) {
  const auto place = places_.find(name);
  if (place == places_.end()) return;
  const auto at = place->second;
  places_.erase(place);
  names_.erase(at);
}

void StatementNames::clear() {
  places_.clear();
  names_.clear();
}

}  // namespace ambassador::proxy::postgresql
