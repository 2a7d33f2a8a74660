// `ambassador-proxy locate`: which shard holds this key? Reads keys, one a line, prints the server of each.
#pragma once

#include <istream>
#include <ostream>
#include <string>

#include "common/result/result.hpp"
#include "proxy/app/options.hpp"

namespace ambassador::proxy::app {

/// The bytes that a base64 text stands for (RFC 4648, section 4, padding optional); an Error for what is
/// none.
Result<std::string> from_base64(const std::string& text);

/// Prints for each key of `in` the server as it was given, without its weight. An Error names a --server that
/// is wrong or a line that is no base64; what was printed before it stands.
Result<void> locate(const Options& options, std::istream& in, std::ostream& out);

}  // namespace ambassador::proxy::app
