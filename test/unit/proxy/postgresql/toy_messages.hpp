// Messages of clients and servers as tests say them: whatever they like, right or wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/postgresql/write.hpp"

namespace ambassador::proxy::postgresql::test {

/// Appends one message; the length is written at the end.
class Made {
 public:
  /// `type` 0: a first packet.
  Made(std::string& out, char type) : out_(out) {
    if (type != 0) out_.push_back(type);
    at_ = out_.size();
    out_.append(4, '\0');
  }
  ~Made() {
    for (unsigned i = 0; i < 4; ++i) out_[at_ + i] = static_cast<char>((out_.size() - at_) >> (24 - 8 * i));
  }
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;

  Made& string(std::string_view text) {
    out_.append(text).push_back('\0');
    return *this;
  }
  Made& bytes(std::string_view text) {
    out_ += text;
    return *this;
  }
  Made& byte(char value) {
    out_ += value;
    return *this;
  }
  Made& number32(std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) out_ += static_cast<char>(value >> (24 - 8 * i));
    return *this;
  }
  Made& number16(std::uint16_t value) {
    out_ += static_cast<char>(value >> 8);
    out_ += static_cast<char>(value & 0xff);
    return *this;
  }

 private:
  std::string& out_;
  std::size_t at_ = 0;
};

inline std::string bare(char type, std::string_view body = {}) {
  std::string out;
  Made(out, type).bytes(body);
  return out;
}
inline std::string packet(std::uint32_t code, std::string_view body = {}) {
  std::string out;
  Made(out, 0).number32(code).bytes(body);
  return out;
}
/// `more`: name, zero, value, zero, ...
inline std::string startup(std::string_view more, std::uint32_t minor = 0) {
  return packet(kMajor << 16 | minor, std::string(more) + std::string(1, '\0'));
}
inline std::string query(std::string_view sql) {
  return bare('Q', std::string(sql) + std::string(1, '\0'));
}
inline std::string parse(std::string_view name, std::string_view sql) {
  std::string out;
  Made(out, 'P').string(name).string(sql).number16(0);
  return out;
}

}  // namespace ambassador::proxy::postgresql::test
