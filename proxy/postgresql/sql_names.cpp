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

// Open addressing, at most half full.
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

constexpr std::size_t hash(std::string_view name) {  // FNV-1a
  std::uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return (hash ^ (hash >> 15U)) % kSlots;
}

struct Table {
  std::array<Slot, kSlots> slots{};
  std::size_t used = 0;
  std::size_t longest = 0;

  // Where `name` is, or belongs.
  [[nodiscard]] constexpr std::size_t find(std::string_view name) const {
    std::size_t i = hash(name);
    while (slots[i].size != 0 && names_of(slots[i].group).substr(slots[i].at, slots[i].size) != name)
      i = (i + 1) % kSlots;
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
