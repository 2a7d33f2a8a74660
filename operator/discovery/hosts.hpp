// Backends that a policy names itself, and addresses as text. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "operator/api/policy.hpp"
#include "operator/discovery/resolved.hpp"

namespace ambassador::discovery {

/// `hosts` of an upstream as backends: nothing has to be looked up, so these need no status.
std::vector<ResolvedBackend> backends_of(const std::vector<api::Host>& hosts,
                                         const std::map<std::string, unsigned>& weights);

/// "10.1.2.3:6379", "[fd00::1]:6379".
std::string address_text(const std::string& literal, std::uint16_t port);

}  // namespace ambassador::discovery
