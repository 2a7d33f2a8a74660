#include "operator/kube/url.hpp"

#include "common/text/percent.hpp"

namespace ambassador::kube {

std::string query_of(std::initializer_list<std::pair<std::string_view, std::string>> parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    out += out.empty() ? '?' : '&';
    out += name;
    out += '=';
    out += text::percent_encode(value);
  }
  return out;
}

}  // namespace ambassador::kube
