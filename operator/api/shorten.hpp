// Texts with a limit, cut between characters: half a UTF-8 character would be refused by the API server.
#pragma once

#include <string>
#include <string_view>

namespace ambassador::api {

/// Of a condition's and a listener's message in a policy's status, in bytes: the CRD's maxLength.
inline constexpr std::size_t kMaxMessage = 1024;

/// The text, or as much of it as fits `most` bytes with "..." at its end.
inline std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t end = most < 3 ? 0 : most - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace ambassador::api
