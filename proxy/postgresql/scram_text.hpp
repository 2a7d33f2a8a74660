// The grammar of SCRAM's messages: attributes such as "r=nonce" between commas. Used by scram_keys,
// scram_client and scram_server. Pure.
//
// Source: RFC 5802 section 7.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/result/result.hpp"

namespace ambassador::proxy::postgresql {

class ScramAttributes {
 public:
  explicit ScramAttributes(std::string_view text) : rest_(text) {}

  /// The value of the next attribute if that is `name`; nothing otherwise.
  std::optional<std::string_view> take(char name);
  /// Everything was taken. What comes behind the attributes that one knows are extensions, to be ignored.
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// Printable ASCII without a comma, and not empty.
[[nodiscard]] bool is_scram_nonce(std::string_view text);

/// 1 to kMaxScramIterations.
[[nodiscard]] Result<std::uint32_t> read_iterations(std::string_view text);

}  // namespace ambassador::proxy::postgresql
