// Percent-encoding as RFC 3986, section 2, defines it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace ambassador::text {

/// Every byte but the unreserved characters (letters, digits, '-', '.', '_', '~') becomes %XX.
std::string percent_encode(std::string_view bytes);

}  // namespace ambassador::text
