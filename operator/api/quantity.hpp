// Kubernetes resource quantities ("50m", "128Mi", "1e3"), enough to validate and compare them.
// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ambassador::api {

/// A quantity as it was written, and its size. Two quantities are equal when their sizes are ("1" ==
/// "1000m").
class Quantity {
 public:
  Quantity() = default;

  /// nullopt where the text is no quantity, is negative, or is beyond 2^53 (memory in bytes, CPU in cores).
  [[nodiscard]] static std::optional<Quantity> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  /// In thousandths (milli-CPU for CPU, milli-bytes for memory), rounded up.
  [[nodiscard]] std::int64_t milli() const { return milli_; }

  friend bool operator==(const Quantity& a, const Quantity& b) { return a.milli_ == b.milli_; }
  friend auto operator<=>(const Quantity& a, const Quantity& b) { return a.milli_ <=> b.milli_; }

 private:
  std::string text_ = "0";
  std::int64_t milli_ = 0;
};

}  // namespace ambassador::api
