// The status web page, page.html of this folder, as bytes in the program.
#pragma once

#include <string_view>

namespace ambassador::proxy::admin {

extern const std::string_view kPage;

}  // namespace ambassador::proxy::admin
