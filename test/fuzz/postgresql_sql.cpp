// room: proxy/postgresql
// What is looked up in SQL text, on arbitrary bytes: the words, what pins and where it may run are the same
// in whatever pieces the text comes, nothing is read out of bounds, and what writes is not hidden by what
// stands before it.
//
// Input: a byte of how strings are read (bit 0) and how long the pieces are (the rest), then the text.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/postgresql/pin_scan.hpp"
#include "proxy/postgresql/route_scan.hpp"
#include "proxy/postgresql/sql_words.hpp"

namespace {

using namespace ambassador::proxy::postgresql;

void must(bool holds) {
  if (!holds) std::abort();
}

// Calls `feed` with copies of exactly the pieces, so that a read past the end of one is seen. Their lengths
// go from 1 to `longest` and again; 0: one piece.
template <class Feed>
void in_pieces(std::string_view text, std::size_t longest, Feed feed) {
  for (std::size_t length = 1; !text.empty(); length = length % (longest + 1) + 1) {
    const std::string_view piece = longest == 0 ? text : text.substr(0, length);
    const std::vector<char> shown(piece.begin(), piece.end());
    feed(std::string_view(shown.data(), shown.size()));
    text.remove_prefix(piece.size());
  }
}

struct Written {
  std::string text;
  void word(std::string_view word) {
    must(word.size() <= SqlWords::kMaxWord);
    text.append("w").append(word);
  }
  void name(std::string_view name) {
    must(name.size() <= SqlWords::kMaxWord);
    text.append("n").append(name);
  }
  void literal() { text += "l"; }
  void punctuation(char c) { text.append("p").append(1, c); }
  void unknown() { text += "u"; }
};

std::string words(std::string_view text, std::size_t longest, Strings strings) {
  SqlWords words;
  Written written;
  words.begin(strings);
  in_pieces(text, longest, [&](std::string_view piece) { words.feed(piece, written); });
  if (!words.end(written)) written.text += "o";
  return written.text;
}

PinSet pins(std::string_view text, std::size_t longest, Strings strings) {
  PinScan scan;
  scan.begin(0b111111, strings);
  in_pieces(text, longest, [&](std::string_view piece) { scan.feed(piece); });
  const PinSet pins = scan.end();
  return static_cast<PinSet>(pins | (scan.unlistens_all() ? 1U << kPins : 0U));
}

Route route(std::string_view text, std::size_t longest, Strings strings) {
  RouteScan scan;
  scan.begin(strings);
  in_pieces(text, longest, [&](std::string_view piece) { scan.feed(piece); });
  return scan.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Strings strings = (data[0] & 1U) != 0 ? Strings::escaped : Strings::standard;
  const std::size_t longest = 1 + data[0] / 2U;
  const std::string text(data + 1, data + size);
  for (const std::size_t pieces : {std::size_t{1}, longest}) {
    must(words(text, pieces, strings) == words(text, 0, strings));
    must(pins(text, pieces, strings) == pins(text, 0, strings));
    must(route(text, pieces, strings) == route(text, 0, strings));
  }
  must(route(text + "\n;DELETE FROM t", longest, strings) == Route::primary);
  must(route(text + "\n;SELECT nextval(1)", longest, strings) == Route::primary);
  if (route(text, 0, strings) == Route::replica) {
    must(route("SELECT 1;" + text + "\n;" + text, longest, strings) == Route::replica);
    must(route("BEGIN READ ONLY;" + text, longest, strings) == Route::replica_transaction);
  }
  return 0;
}
