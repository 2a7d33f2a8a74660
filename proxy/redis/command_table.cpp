#include "proxy/redis/command_table.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/text/ascii.hpp"

namespace ambassador::proxy::redis {
namespace {

using text::lower;

// Eight bytes at once: 0x20 is added to those from 'A' to 'Z'.
constexpr std::uint64_t lower8(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t low7 = word & (0x7f * kOnes);
  const std::uint64_t from_a = low7 + (0x80 - 'A') * kOnes;
  const std::uint64_t past_z = low7 + (0x7f - 'Z') * kOnes;
  const std::uint64_t capital = (from_a ^ past_z) & ~word & (0x80 * kOnes);
  return word | (capital >> 2);
}

// A name's first and last eight bytes, lower case. They and its length tell names of up to 16 bytes apart.
struct Key {
  std::uint64_t head = 0;
  std::uint64_t tail = 0;  // 0 for names of up to 8 bytes
};

[[gnu::always_inline]] inline Key key_of(std::string_view name, std::size_t readable_after) {
  Key key;
  if (name.size() > 8) {
    std::memcpy(&key.head, name.data(), 8);
    std::memcpy(&key.tail, name.data() + name.size() - 8, 8);
    key.tail = lower8(key.tail);
  } else if (name.size() + readable_after >= 8) {
    std::memcpy(&key.head, name.data(), 8);
    if (name.size() < 8) key.head &= (std::uint64_t{1} << (8 * name.size())) - 1;
  } else if (!name.empty()) {
    std::memcpy(&key.head, name.data(), name.size());
  }
  key.head = lower8(key.head);
  return key;
}

// Open addressing; a quarter full, so that most look-ups end at the first slot.
class Index {
 public:
  Index() {
    for (std::size_t i = 0; i < kCommands.size(); ++i) {
      const std::string_view name = kCommands[i].name;
      const Key key = key_of(name, 0);
      std::size_t slot = slot_of(key, name.size());
      while (slots_[slot].command != nullptr) slot = (slot + 1) % kSlots;
      slots_[slot] = {key, &kCommands[i]};
    }
  }

  [[nodiscard]] const Command* find(std::string_view name, std::size_t readable_after) const {
    const Key key = key_of(name, readable_after);
    for (std::size_t at = slot_of(key, name.size()); slots_[at].command != nullptr; at = (at + 1) % kSlots) {
      const Slot& slot = slots_[at];
      if (slot.key.head == key.head && slot.key.tail == key.tail &&
          slot.command->name.size() == name.size() &&
          (name.size() <= 16 || same_word(name, slot.command->name))) {
        return slot.command;
      }
    }
    return nullptr;
  }

 private:
  static constexpr unsigned kBits = 10;
  static constexpr std::size_t kSlots = std::size_t{1} << kBits;
  struct Slot {
    Key key;
    const Command* command = nullptr;
  };

  static std::size_t slot_of(const Key& key, std::size_t size) {
    return ((key.head + size) * 0x9e3779b97f4a7c15 ^ key.tail * 0xc2b2ae3d27d4eb4f) >> (64 - kBits);
  }

  std::array<Slot, kSlots> slots_{};
};

const Index kIndex;  // made of constants before main begins

}  // namespace

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

const Command* find_command(std::string_view name, std::size_t readable_after) {
  return kIndex.find(name, readable_after);
}

std::string typed(const Command& command) {
  std::string out(command.name);
  for (char& c : out) {
    if (c == '|') c = ' ';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

const Command* find_subcommand(const Command& container, std::string_view name) {
  for (const Command& sub : kSubcommands.subspan(container.sub_begin, container.sub_count)) {
    if (same_word(sub.name.substr(container.name.size() + 1), name)) return &sub;
  }
  return nullptr;
}

}  // namespace ambassador::proxy::redis
