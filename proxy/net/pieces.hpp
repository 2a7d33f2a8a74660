// One message that may come in pieces, put together as long as it is not too long. Most come whole: then
// nothing is copied. Used by lanes for what they show to a Keeper. One worker's thread only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace ambassador::proxy::net {

class Pieces {
 public:
  /// The message's next bytes, of which it may have `longest` in all. True: with them it is whole, and text()
  /// is all of it, empty if it is longer; the next piece begins another one.
  bool add(std::string_view bytes, bool last, std::size_t longest) {
    if (std::exchange(ended_, false)) *this = {};
    too_long_ = too_long_ || text_.size() + bytes.size() > longest;
    if (too_long_) {
      text_ = {};
      whole_ = {};
    } else if (last && text_.empty()) {
      whole_ = bytes;
    } else {
      whole_ = text_.append(bytes);
    }
    return ended_ = last;
  }
  /// Valid as long as the last piece's bytes.
  [[nodiscard]] std::string_view text() const { return whole_; }

 private:
  std::string text_;
  std::string_view whole_;
  bool too_long_ = false;
  bool ended_ = false;
};

}  // namespace ambassador::proxy::net
