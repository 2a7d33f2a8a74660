#include "common/config/server_host.hpp"

#include "common/config/text_rule.hpp"

namespace ambassador::config {

bool is_server_host(std::string_view text) {
  return text.size() <= kHost.longest && !text.starts_with('/') && kHost.accepts(text);
}

}  // namespace ambassador::config
