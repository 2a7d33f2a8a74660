// room: common/config
// Whatever the text, the parser answers; what it takes prints, and reads back equal.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/config/parse.hpp"
#include "common/config/print.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ambassador::config;
  const Parsed parsed = parse_all({reinterpret_cast<const char*>(data), size});
  if (parsed.errors.size() > kMaxErrors) std::abort();
  if (!parsed.ok()) return 0;
  const auto again = parse(print(parsed.document));
  if (!again || !(*again == parsed.document)) std::abort();
  return 0;
}
