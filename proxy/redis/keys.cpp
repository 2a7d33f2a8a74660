#include "proxy/redis/keys.hpp"

#include "proxy/redis/command_table.hpp"
#include "proxy/redis/number.hpp"

namespace ambassador::proxy::redis {
namespace {

constexpr std::int64_t kAbsent = -1;

// Where the spec's search begins: an argument's position, kAbsent when its keyword does not occur.
std::int64_t beginning(const KeySpec& spec, const RequestParser& request) {
  const auto count = static_cast<std::int64_t>(request.count());
  if (spec.begin == KeySpec::Begin::index) return spec.from;
  const bool backwards = spec.from < 0;
  const std::int64_t step = backwards ? -1 : 1;
  for (std::int64_t i = backwards ? count + spec.from : spec.from; i > 0 && i < count; i += step) {
    if (same_word(request.arg(static_cast<std::size_t>(i)), spec.keyword)) return i + 1;
  }
  return kAbsent;
}

}  // namespace

bool find_keys(const Command& command, const RequestParser& request, std::vector<std::uint32_t>& keys) {
  const auto count = static_cast<std::int64_t>(request.count());
  for (const KeySpec& spec : kKeySpecs.subspan(command.spec_begin, command.spec_count)) {
    const std::int64_t begin = beginning(spec, request);
    // A keyword is optional where the command has other keys (GEORADIUS ... STORE key); so may be the last
    // keys (PFMERGE destination).
    if (begin == kAbsent && command.spec_count == 1) return false;
    if (begin == kAbsent || begin + spec.key_num >= count) continue;

    std::int64_t first = begin;
    std::int64_t last = begin + spec.last;
    if (spec.find == KeySpec::Find::keynum) {
      const auto keys_told = whole_number(request.arg(static_cast<std::size_t>(begin + spec.key_num)));
      if (!keys_told || *keys_told < 0 || *keys_told > count) return false;
      first = begin + spec.first_key;
      last = first + (*keys_told - 1) * spec.step;
    } else if (spec.last < 0) {
      last = count + spec.last;
      if (spec.limit > 1) last = begin + (last - begin + 1) / spec.limit - 1;
    }
    if (last >= count) return false;
    for (std::int64_t i = first; i <= last; i += spec.step) keys.push_back(static_cast<std::uint32_t>(i));
  }
  return true;
}

void find_sort_keys(const RequestParser& request, std::vector<std::uint32_t>& keys,
                    std::vector<std::uint32_t>& patterns) {
  for (std::uint32_t i = 2; i + 1 < request.count(); ++i) {
    const std::string_view word = request.arg(i);
    if (same_word(word, "limit")) {
      i += 2;
    } else if (same_word(word, "store")) {
      keys.push_back(++i);
    } else if (same_word(word, "by") || same_word(word, "get")) {
      if (request.arg(++i).find('*') != std::string_view::npos) patterns.push_back(i);
    }
  }
}

bool asks_to_block(const RequestParser& request) {
  // As xreadCommand does: an option's values are skipped, for they may look like options.
  for (std::size_t i = 1; i < request.count(); ++i) {
    const std::string_view word = request.arg(i);
    if (same_word(word, "block")) return true;
    if (same_word(word, "streams")) return false;
    if (same_word(word, "count")) i += 1;
    if (same_word(word, "group")) i += 2;
  }
  return false;
}

}  // namespace ambassador::proxy::redis
