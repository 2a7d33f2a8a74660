// Reads the proxy-configuration document strictly: what is unknown, mistyped, doubled or out of range is an
// error that names the field's path, the value, the line and the way out; nothing is guessed or ignored. Used
// by the proxy for its file, by `ambassador-proxy check`, and by the operator to check what it wrote. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/document.hpp"
#include "common/result/result.hpp"

namespace ambassador::config {

/// The longest text that is read. The operator writes at most 128 KiB (an annotation's limit); a file written
/// by hand may be longer, but a file without end must not fill the memory.
inline constexpr std::size_t kMaxTextBytes = std::size_t{1024} * 1024;
/// The deepest nesting; the document itself needs six levels.
inline constexpr std::size_t kMaxDepth = 16;
/// So many errors are collected, then reading stops: enough to repair a file in one go.
inline constexpr std::size_t kMaxErrors = 20;
/// Limits of the document's content.
inline constexpr std::size_t kMaxListeners = 64;   // listeners a Pod; each costs sockets and metrics
inline constexpr std::size_t kMaxBackends = 1024;  // backends a listener
inline constexpr unsigned kMaxWeight = 1000;       // as document.hpp says
inline constexpr unsigned kMaxSlowLog = 1024;      // slow commands kept, a listener and worker
inline constexpr unsigned kMaxKeys = 128;          // hot ones told of a listener, big ones kept by a worker
inline constexpr unsigned kMaxOneIn = 1'000'000;   // commands, of which one is looked at
inline constexpr unsigned kLeastBig = 1024;        // bytes: smaller messages are most of what there is
inline constexpr unsigned kMostBig = 512 << 20;    // bytes of Redis' largest value
inline constexpr std::int64_t kMinClientCache = std::int64_t{1} << 20;  // bytes
inline constexpr std::int64_t kMaxClientCache = std::int64_t{1} << 40;
inline constexpr unsigned kMaxRate = 1'000'000;  // requests a second and client: more than one can send

/// What parse_all() found. `document` is meaningful only when there are no errors.
struct Parsed {
  Document document;
  std::vector<Error> errors;  // in the order of the text, at most kMaxErrors
  [[nodiscard]] bool ok() const { return errors.empty(); }
};

/// Reads UTF-8: JSON (when the first character that is not white space is '{') or else YAML 1.2 (core schema:
/// only true/false are booleans; anchors, aliases, tags and several documents are refused). `version` must be
/// there; a version newer than kVersion is refused before anything else is looked at.
Parsed parse_all(std::string_view text);

/// The same with the first error alone.
Result<Document> parse(std::string_view text);

/// All errors, one a line, for a terminal or a log.
std::string text_of(const std::vector<Error>& errors);

}  // namespace ambassador::config
