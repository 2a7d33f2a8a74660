#include "operator/api/parse_parts.hpp"

namespace ambassador::api {
namespace {

/// As the proxy takes it: below, servers would be asked all the time.
constexpr std::chrono::milliseconds kLeastLag{100};
constexpr std::chrono::hours kMostLag{168};

}  // namespace

std::optional<std::chrono::milliseconds> read_max_lag(Fields& fields, std::string_view missing) {
  const auto lag = fields.duration("maxLag", kLeastLag, kMostLag);
  if (lag && !missing.empty()) {
    fields.problems().invalid(fields.path("maxLag"),
                              shown(*fields.get("maxLag")) +
                                  " is of replicas, and nobody reads from them: give " +
                                  std::string(missing) + ", or remove it");
  }
  return lag;
}

}  // namespace ambassador::api
