// The little of RFC 3986 that calls to the API server need. Pure.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace ambassador::kube {

/// "?a=b&c=d", values encoded, empty values left out; "" when nothing is left.
std::string query_of(std::initializer_list<std::pair<std::string_view, std::string>> parameters);

}  // namespace ambassador::kube
