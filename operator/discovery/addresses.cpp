#include <algorithm>

#include "common/config/ip_literal.hpp"
#include "operator/discovery/hosts.hpp"
#include "operator/discovery/resolve.hpp"

namespace ambassador::discovery {
namespace {

/// Names for a message, at most three of them.
std::string listing(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  std::string all;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) all += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kShown) all += " and " + std::to_string(names.size() - kShown) + " more";
  return all;
}

}  // namespace

std::vector<std::string> names_to_resolve(const ResolvedListener& listener) {
  std::vector<std::string> names;
  for (const auto& backend : listener.backends) {
    if (config::is_ip_literal(backend.host)) continue;
    if (std::ranges::find(names, backend.host) == names.end()) names.push_back(backend.host);
  }
  return names;
}

void apply_addresses(ResolvedListener& listener,
                     const std::map<std::string, std::vector<std::string>>& addresses,
                     const std::string& now) {
  std::vector<std::string> unanswered;
  bool changed = false;
  for (auto& backend : listener.backends) {
    std::string address;
    if (config::is_ip_literal(backend.host)) {
      address = address_text(backend.host, backend.port);
    } else if (const auto answer = addresses.find(backend.host);
               answer != addresses.end() && !answer->second.empty()) {
      address = address_text(*std::ranges::min_element(answer->second), backend.port);
    } else {
      unanswered.push_back(backend.host);
      continue;
    }
    changed = changed || address != backend.address;
    backend.address = std::move(address);
  }
  const bool any =
      std::ranges::any_of(listener.backends, [](const auto& one) { return !one.address.empty(); });
  if (changed || (any && listener.resolved_at.empty())) listener.resolved_at = now;
  if (!listener.reason.empty() || listener.backends.empty() || unanswered.empty()) return;
  if (any) {
    listener.message =
        "DNS gives no answer for " + listing(unanswered) +
        " now; what it said last stays in use. Right after creation this is normal; otherwise look at "
        "the Pods there";
  } else {
    listener.reason = kNoAddress;
    listener.message = "DNS gives no answer for " + listing(unanswered) +
                       ": look whether the Pods there run, and whether the cluster's DNS does";
  }
}

}  // namespace ambassador::discovery
