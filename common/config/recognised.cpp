#include "common/config/recognised.hpp"

#include "common/config/text_rule.hpp"

namespace ambassador::config {
namespace {

bool fits(std::string_view text, const TextRule& rule) {
  return text.size() <= rule.longest && rule.accepts(text);
}

}  // namespace

bool is_server_host(std::string_view text) {
  return !text.starts_with('/') && fits(text, kHost);
}

bool is_master_name(std::string_view text) {
  return fits(text, kMasterName);
}

}  // namespace ambassador::config
