// What a text of the document may look like: a pattern for the schema and the equal check in C++, with the
// words that tell a person. Inside of common/config.
#pragma once

#include <cstddef>
#include <string_view>

namespace ambassador::config {

struct TextRule {
  const char* pattern;  // ECMA 262, anchored; says the same as accepts()
  bool (*accepts)(std::string_view);
  std::size_t longest;  // bytes
  const char* wants;    // "give ..."
};

extern const TextRule kListenerName;
extern const TextRule kBackendName;
extern const TextRule kHost;
extern const TextRule kAddress;
extern const TextRule kSocketPath;
extern const TextRule kHashTag;
extern const TextRule kFilePath;
extern const TextRule kDatabase;
extern const TextRule kMasterName;

}  // namespace ambassador::config
