// room: operator/inject
// Any JSON as a Pod and any JSON as a policy: decide() and what follows it never throw, their patches apply,
// and a second pass over what was injected changes nothing. The input is two documents with a zero byte
// between them.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "operator/api/review.hpp"
#include "operator/inject/decide.hpp"
#include "operator/inject/live.hpp"

using nlohmann::json;
using namespace ambassador;

namespace {

/// Deeper documents are refused before they come here: copying recurses, and the API server nests no Pod so
/// deep.
bool too_deep(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    if (c == '{' || c == '[') ++depth;
    if (depth > 64) return true;
  }
  return false;
}

json parse(std::string_view text) {
  return too_deep(text) ? json() : json::parse(text, nullptr, false);
}

const inject::Installation& installation() {
  static const inject::Installation kInstallation = [] {
    inject::Installation made;
    made.proxy_image = "proxy:1";
    made.image_pull_secrets = {"pull"};
    return made;
  }();
  return kInstallation;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto border = input.find('\0');
  const json pod = parse(input.substr(0, border));
  const json policy = border == std::string_view::npos ? json() : parse(input.substr(border + 1));
  if (pod.is_discarded() || policy.is_discarded()) return 0;

  (void)api::review_policy({{"operation", "CREATE"}, {"object", policy}});
  const std::vector<inject::KnownPolicyPtr> policies = {inject::know_policy(policy)};
  const auto decide = [&](const json& document) {
    return inject::decide(
        {document, "shop", {{"environment", "production"}}, "CREATE", policies, installation()});
  };
  const auto decision = decide(pod);
  const json after = pod.patch(decision.patch);
  if (decision.outcome == inject::Outcome::injected) {
    const auto again = decide(after);
    if (again.outcome != inject::Outcome::already_injected || !again.patch.empty()) std::abort();
    json fresh = after;
    fresh.erase("status");  // a Pod at CREATE has none; containers that have ended want a shutdown
    fresh["metadata"]["namespace"] = "shop";  // a Pod that is stored has one
    const auto live =
        inject::live_state({fresh, "shop", {{"environment", "production"}}, policies, installation()});
    if (!live || live->stale || !live->wanted_annotations.empty()) std::abort();
  }
  (void)inject::live_state({pod, "shop", {}, policies, installation()});
  return 0;
}
