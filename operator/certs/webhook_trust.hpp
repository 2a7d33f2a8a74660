// The CA bundle in webhook configurations: does it trust us, and what to apply where it does not? Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace ambassador::certs {

/// Owns clientConfig.caBundle and nothing else: neither Helm nor a GitOps tool ever puts an old one back,
/// and the chart's fields stay the chart's.
inline constexpr std::string_view kTrustFieldManager = "ambassador-operator-certificates";

/// Every webhook of the configuration trusts every CA of the bundle. Further CAs in there are no fault: a
/// replica that knows the newer bundle has been here before us. False where there is no webhook.
bool trusts(const nlohmann::json& configuration, const std::string& bundle);

/// What to apply, as kTrustFieldManager, so that it does; nullopt: it does already, or has no webhook.
std::optional<nlohmann::json> trust_to_apply(const nlohmann::json& configuration, const std::string& bundle);

/// The bundle of the first webhook, PEM; "" without.
std::string bundle_of(const nlohmann::json& configuration);

/// Every webhook has matchConditions. Without them the API server asks about every Pod of the cluster, and
/// fails closed for every one of them.
bool has_match_conditions(const nlohmann::json& configuration);

}  // namespace ambassador::certs
