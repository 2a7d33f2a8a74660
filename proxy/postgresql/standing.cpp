#include "proxy/postgresql/standing.hpp"

#include <charconv>

#include "proxy/postgresql/body_reader.hpp"

namespace ambassador::proxy::postgresql {
namespace {

constexpr std::size_t kTimelineDigits = 8;
/// XLOG_BLCKSZ, as everybody has it, and what a page begins with (SizeOfXLogShortPHD).
constexpr std::uint64_t kPage = 8192;
constexpr std::uint64_t kPageHeader = 24;

/// A value of the row; null is empty.
std::string_view value(BodyReader& reader) {
  const std::uint32_t size = reader.int32();
  return size == 0xffffffffU ? std::string_view{} : reader.bytes(size);
}

std::optional<std::uint64_t> hexadecimal(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

/// "16/B374D848"; nothing was replayed yet: empty.
std::optional<std::uint64_t> lsn(std::string_view text) {
  if (text.empty()) return 0;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = hexadecimal(text.substr(0, slash));
  const auto low = hexadecimal(text.substr(slash + 1));
  if (!high || !low || *high > 0xffffffffU || *low > 0xffffffffU) return std::nullopt;
  return *high << 32U | *low;
}

// Where the next record will be inserted. A replica says where the last one ended: at a page's end that is
// before the next one's header, and an idle primary would seem to be ahead for ever.
std::uint64_t end_of_last(std::uint64_t next) {
  return next % kPage == kPageHeader ? next - kPageHeader : next;
}

}  // namespace

std::optional<Standing> read_standing(std::string_view row) {
  BodyReader reader(row);
  const std::string_view columns = reader.bytes(2);
  const std::string_view in_recovery = value(reader);
  const std::string_view file = value(reader);
  const auto position = lsn(value(reader));
  if (!reader.at_end() || columns != std::string_view("\0\3", 2) || !position) return std::nullopt;
  if (in_recovery == "t") return Standing{.role = Role::replica, .position = *position};
  if (in_recovery != "f") return std::nullopt;
  const std::uint64_t end = end_of_last(*position);
  // Promoted between two of the functions: the next time will tell.
  if (file.empty()) return Standing{.role = Role::primary, .position = end};
  const auto timeline = hexadecimal(file.substr(0, kTimelineDigits));
  if (!timeline || file.size() < kTimelineDigits) return std::nullopt;
  return Standing{.role = Role::primary, .term = *timeline, .position = end};
}

}  // namespace ambassador::proxy::postgresql
