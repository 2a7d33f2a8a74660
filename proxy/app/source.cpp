#include "proxy/app/source.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "common/config/parse.hpp"
#include "common/config/redis_servers.hpp"

namespace ambassador::proxy::app {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error{path,
                 std::string("cannot be read: ") + std::strerror(errno)};  // NOLINT(concurrency-mt-unsafe)
  }
  std::string text(config::kMaxTextBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) {
    return Error{path, "cannot be read"};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > config::kMaxTextBytes) {
    return Error{path, "is longer than " + std::to_string(config::kMaxTextBytes) + " bytes"};
  }
  return text;
}

Result<config::Document> parse_file(const std::string& path, const std::string& text) {
  config::Parsed parsed = config::parse_all(text);
  if (!parsed.ok()) {
    return Error{path, config::text_of(parsed.errors)};
  }
  return std::move(parsed.document);
}

Result<config::Document> drop_in(const Options& options) {
  Result<config::Document> made = config::from_redis_servers(options.redis_servers, options.redis_listen);
  if (made) {
    made->health_port = options.health_port.value_or(made->health_port);
    made->admin_port = options.admin_port.value_or(made->admin_port);
  }
  return made;
}

}  // namespace ambassador::proxy::app
