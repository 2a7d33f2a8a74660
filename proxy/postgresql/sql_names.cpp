#include "proxy/postgresql/sql_names.hpp"

#include <array>
#include <limits>

#include "proxy/postgresql/sql_names_data.hpp"

namespace ambassador::proxy::postgresql {
namespace {

struct KeywordGroup {
  Keyword keyword;
  std::string_view names;  // a blank behind each
};

constexpr std::array<KeywordGroup, 32> kKeywordGroups{{
    {Keyword::as, "as "},
    {Keyword::begin, "begin "},
    {Keyword::by, "by "},
    {Keyword::character, "bit char character nchar "},
    {Keyword::distinct, "distinct "},
    // From gram.y: FETCH FIRST x, frames, AT TIME ZONE x, what XML functions take; PATH is none before 17.
    {Keyword::expects,
     "content document escape first groups next passing path range ref rows value version zone "},
    {Keyword::for_, "for "},
    {Keyword::grouping, "grouping "},
    {Keyword::into, "into "},
    {Keyword::join, "join "},
    {Keyword::joins, "cross full inner left natural outer right "},
    {Keyword::lock, "key no share "},
    {Keyword::materialized, "materialized "},
    {Keyword::mode, "committed deferrable isolation level repeatable transaction uncommitted work "},
    {Keyword::not_, "not "},
    {Keyword::on, "on "},
    {Keyword::only, "only "},
    {Keyword::ordering, "group order partition "},
    {Keyword::read, "read "},
    {Keyword::reads, "select table values "},
    {Keyword::recursive, "recursive "},
    {Keyword::refused, "operator treat "},
    {Keyword::rollup, "cube rollup "},
    {Keyword::sampling, "bernoulli system "},
    {Keyword::sets, "sets "},
    {Keyword::start, "start "},
    {Keyword::tablesample, "tablesample "},
    {Keyword::uescape, "uescape "},
    {Keyword::varying, "varying "},
    {Keyword::with, "with "},
    // Hot standby knows no SERIALIZABLE.
    {Keyword::write, "serializable write "},
    {Keyword::writes, "delete insert merge update "},
}};

// Open addressing, at most half full. A power of two.
constexpr std::size_t kSlots = 8192;
struct Slot {
  std::uint16_t at = 0;   // of the name in its group; groups of keywords follow the others
  std::uint8_t size = 0;  // 0: nothing here
  std::uint8_t group = 0;
  Name name;
};

constexpr std::string_view names_of(std::size_t group) {
  return group < kNameGroups.size() ? kNameGroups[group].names
                                    : kKeywordGroups[group - kNameGroups.size()].names;
}

constexpr std::uint64_t bytes(std::string_view text, std::size_t at, std::size_t count) {
  std::uint64_t bytes = 0;  // compilers make one load of it
  for (std::size_t i = 0; i < count; ++i)
    bytes |= std::uint64_t{static_cast<unsigned char>(text[at + i])} << (8 * i);
  return bytes;
}

// Of a name that is not empty: its size, its first and its last bytes.
constexpr std::size_t hash(std::string_view name) {
  const std::size_t size = name.size();
  std::uint64_t hash = 0;
  if (size >= 8) {
    hash = bytes(name, 0, 8) * 0x9e3779b97f4a7c15U ^ bytes(name, size - 8, 8);
  } else if (size >= 4) {
    hash = bytes(name, 0, 4) | bytes(name, size - 4, 4) << 32U;
  } else {
    hash = bytes(name, 0, 1) | bytes(name, size / 2, 1) << 8U | bytes(name, size - 1, 1) << 16U;
  }
  hash = (hash ^ size) * 0x9e3779b97f4a7c15U;
  return (hash ^ (hash >> 32U)) >> 20U & (kSlots - 1);
}

struct Table {
  std::array<Slot, kSlots> slots{};
  std::size_t used = 0;
  std::size_t longest = 0;

  // Where `name` is, or belongs.
  [[nodiscard]] constexpr std::size_t find(std::string_view name) const {
    std::size_t i = hash(name);
    while (slots[i].size != 0 && names_of(slots[i].group).substr(slots[i].at, slots[i].size) != name)
      i = (i + 1) & (kSlots - 1);
    return i;
  }
};

constexpr Table kTable = [] {
  Table table;
  for (std::size_t group = 0; group < kNameGroups.size() + kKeywordGroups.size(); ++group) {
    const std::string_view names = names_of(group);
    for (std::size_t at = 0; at < names.size();) {
      const std::string_view name = names.substr(at, names.find(' ', at) - at);
      Slot& slot = table.slots[table.find(name)];
      if (slot.size == 0) {
        slot.at = static_cast<std::uint16_t>(at);
        slot.size = static_cast<std::uint8_t>(name.size());
        slot.group = static_cast<std::uint8_t>(group);
        ++table.used;
        if (name.size() > table.longest) table.longest = name.size();
      }
      if (group < kNameGroups.size()) {
        slot.name.kinds = kNameGroups[group].kinds;
      } else {
        slot.name.keyword = kKeywordGroups[group - kNameGroups.size()].keyword;
      }
      at += name.size() + 1;
    }
  }
  return table;
}();
static_assert(kTable.used <= kSlots / 2);
static_assert([] {
  for (const NameGroup& group : kNameGroups)
    if (group.names.size() > std::numeric_limits<std::uint16_t>::max()) return false;
  return true;
}());

}  // namespace

Name find_name(std::string_view name) {
  if (name.empty() || name.size() > kTable.longest) return {};
  return kTable.slots[kTable.find(name)].name;
}

}  // namespace ambassador::proxy::postgresql
