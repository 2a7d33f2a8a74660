// Reads a message's body field by field. A field that is not wholly there makes everything after it empty
// and `ok` false, so that a body is judged once, at its end. Used by all that looks into bodies. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace ambassador::proxy::postgresql {

/// The number in four bytes, the highest first.
[[nodiscard]] inline std::uint32_t big_endian32(const char* bytes) {
  const auto byte = [bytes](int i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
  return byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);  // one instruction, as compilers know
}

class BodyReader {
 public:
  explicit BodyReader(std::string_view body) : rest_(body) {}

  [[nodiscard]] bool ok() const { return ok_; }
  /// Everything was there, and nothing is left.
  [[nodiscard]] bool at_end() const { return ok_ && rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  std::string_view bytes(std::size_t count) {
    if (count > rest_.size()) return missing();
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  char byte() {
    const std::string_view taken = bytes(1);
    return taken.empty() ? '\0' : taken.front();
  }
  std::uint32_t int32() {
    const std::string_view taken = bytes(4);
    return taken.empty() ? 0 : big_endian32(taken.data());
  }
  /// Up to the next zero byte, which is taken too.
  std::string_view string() {
    const std::size_t end = rest_.find('\0');
    if (end == std::string_view::npos) return missing();
    const std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return taken;
  }

 private:
  std::string_view missing() {
    ok_ = false;
    rest_ = {};
    return {};
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace ambassador::proxy::postgresql
