// What a Pod's annotations ask for, and whether they are valid. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/result/result.hpp"
#include "operator/api/policy.hpp"
#include "operator/inject/installation.hpp"

namespace ambassador::inject {

/// Does the Pod want an ambassador?
struct Wish {
  enum class Kind { none, never, every_policy, named };
  Kind kind = Kind::none;
  std::vector<api::PolicyKey> names;  // for named: in annotation order, without repetition

  [[nodiscard]] bool asked() const { return kind == Kind::every_policy || kind == Kind::named; }
};

/// From `inject` and `policy`. The Error names annotation, value and way out; it is also given for a key with
/// our prefix that is none of ours: whoever wrote it wanted something.
Result<Wish> read_wish(const api::Labels& annotations, const std::string& ns);

/// The per-Pod settings, within their bounds.
struct Overrides {
  api::ProxySettings proxy;
  std::optional<std::string> image;
  std::optional<std::string> environment;
};

// Bounds: a slip of the pen must not book a node or make a proxy that cannot start.
inline constexpr const char* kLeastCpu = "1m";
inline constexpr const char* kMostCpu = "16";
inline constexpr const char* kLeastMemory = "16Mi";
inline constexpr const char* kMostMemory = "16Gi";

/// @param errors gets one Error per annotation with an invalid value, which then counts as absent
Overrides read_overrides(const api::Labels& annotations, const Installation& installation,
                         std::vector<Error>& errors);

}  // namespace ambassador::inject
