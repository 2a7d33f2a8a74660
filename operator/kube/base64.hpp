// Base64 (RFC 4648, with padding): Secrets' data, caBundles, kubeconfigs' *-data. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ambassador::kube {

std::string base64_encode(std::string_view bytes);
/// Line breaks are skipped; nullopt for anything else that is not base64.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace ambassador::kube
