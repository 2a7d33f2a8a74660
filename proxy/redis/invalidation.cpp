#include "proxy/redis/invalidation.hpp"

#include "proxy/redis/elements.hpp"

namespace ambassador::proxy::redis {

Invalidation read_invalidation(std::string_view push) {
  using What = Invalidation::What;
  if (push.empty()) return {.what = What::all};
  if (!push.starts_with('>')) return {};
  const Header header = read_header(push.data(), push.size());
  if (header.state != Header::State::complete || header.number < 1) return {};
  std::string_view rest = push.substr(header.bytes);
  const std::string_view first = rest.substr(0, reply_size(rest));
  if (bulk_text(first) != "invalidate") return {};
  rest.remove_prefix(first.size());

  // Null stands for all; whatever else is no list of keys may stand for anything.
  Elements elements(rest);
  if (elements.count() < 0) return {.what = What::all};
  Invalidation said{.what = What::keys};
  for (std::int64_t left = elements.count(); left > 0; --left) {
    const std::string_view element = elements.next();
    const auto key = element.empty() ? std::nullopt : bulk_text(element);
    if (!key) return {.what = What::all};
    said.keys.push_back(*key);
  }
  return said;
}

}  // namespace ambassador::proxy::redis
