// Where the configuration comes from: a file, or REDIS_SERVERS. Reads and parses; keeps nothing running.
#pragma once

#include <string>

#include "common/config/document.hpp"
#include "common/result/result.hpp"
#include "proxy/app/options.hpp"

namespace ambassador::proxy::app {

/// The bytes of a configuration file; an Error names the file and why it cannot be read, or that it is too
/// long.
Result<std::string> read_file(const std::string& path);

/// Parses `text` read from `path`; the Error holds all that is wrong, one a line, each with its place in the
/// file.
Result<config::Document> parse_file(const std::string& path, const std::string& text);

/// The drop-in's document: REDIS_SERVERS and REDIS_LISTEN, with the ports of AMBASSADOR_HEALTH_PORT and
/// AMBASSADOR_ADMIN_PORT.
Result<config::Document> drop_in(const Options& options);

}  // namespace ambassador::proxy::app
