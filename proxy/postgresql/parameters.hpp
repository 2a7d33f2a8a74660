// What a server reports of itself (ParameterStatus): name to value, bounded. Kept by logging in, then by the
// server connection. Pure.
//
// Source: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-ASYNC
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "proxy/postgresql/body_reader.hpp"
#include "proxy/postgresql/limits.hpp"

namespace ambassador::proxy::postgresql {

class Parameters {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  /// Takes over what the body of a ParameterStatus says. False: it is malformed, or more than a server has to
  /// say (kMaxReported); the connection is broken then.
  bool report(std::string_view body) {
    BodyReader reader(body);
    const std::string_view name = reader.string();
    const std::string_view value = reader.string();
    if (!reader.at_end() || name.empty()) return false;
    auto at = values_.find(name);
    if (at == values_.end()) {
      size_ += name.size();
      at = values_.emplace(name, "").first;
    }
    size_ = size_ - at->second.size() + value.size();
    at->second = value;
    return size_ <= kMaxReported;
  }

  /// Empty when it was not reported.
  [[nodiscard]] std::string_view value(std::string_view name) const {
    const auto at = values_.find(name);
    return at == values_.end() ? std::string_view{} : at->second;
  }
  [[nodiscard]] const Map& all() const { return values_; }

 private:
  Map values_;
  std::size_t size_ = 0;  // of all names and values
};

}  // namespace ambassador::proxy::postgresql
