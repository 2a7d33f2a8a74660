// room: proxy/redis
// The RESP codec on arbitrary bytes: requests and replies are found at the same places however the bytes are
// cut, nothing is read out of bounds, limits hold.
//
// Input: the first byte says how the rest is cut (the distances of cuts come from a small generator seeded
// with it); the rest is shown to the request parser, then to the reply framer.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/redis/inline_request.hpp"
#include "proxy/redis/invalidation.hpp"
#include "proxy/redis/limits.hpp"
#include "proxy/redis/reply_framer.hpp"
#include "proxy/redis/request_name.hpp"
#include "proxy/redis/request_parser.hpp"
#include "test/unit/proxy/redis/toy_relay.hpp"

namespace {

using namespace ambassador::proxy;
using namespace ambassador::proxy::redis;
using test::must;

// The next distance between two cuts: 1 to 64 bytes.
std::size_t next_cut(std::uint32_t& state) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return 1 + state % 64;
}

// Everything that the parser says of `bytes`, as text. `seed` 0: shown at once.
std::string requests(std::string_view bytes, std::uint32_t seed) {
  RequestParser parser;
  std::string said;
  std::size_t begin = 0;                           // of the message
  std::size_t end = seed == 0 ? bytes.size() : 0;  // of what is shown
  for (;;) {
    // A copy of exactly what is shown, so that a read past its end is seen.
    const std::vector<char> shown(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                                  bytes.begin() + static_cast<std::ptrdiff_t>(end));
    const std::string_view input(shown.data(), shown.size());
    switch (parser.parse(input)) {
      case RequestParser::Status::incomplete:
        must(parser.seen() <= parser.count(), "no more arguments than announced");
        must(parser.understood(input) <= input.size(), "nothing is understood before it is there");
        if (end == bytes.size()) return said + "|incomplete";
        end = std::min(bytes.size(), end + next_cut(seed));
        continue;
      case RequestParser::Status::broken:
        return said + "|broken " + std::string(parser.error());
      case RequestParser::Status::nothing:
        said += "|nothing";
        break;
      case RequestParser::Status::complete: {
        said += "|";
        std::string again;
        for (std::size_t i = 0; i < parser.count(); ++i) {
          must(parser.arg(i).size() <= static_cast<std::size_t>(kMaxBulk), "arguments are limited");
          said += std::to_string(parser.arg(i).size()) + ":" + std::string(parser.arg(i)) + ",";
          again += parser.raw(i);
        }
        must(parser.message().ends_with(again), "a message is its arguments as they stand in it");
        break;
      }
    }
    must(parser.size() > 0 && parser.size() <= input.size(), "a message lies within its input");
    begin += parser.size();
    parser.next();
    if (begin == bytes.size()) return said;
    if (seed == 0) continue;
    end = std::max(end, std::min(bytes.size(), begin + 1));
  }
}

// The same with the parser made to forget the front of each message.
std::string streamed_sizes(std::string_view bytes, std::uint32_t seed) {
  std::string said;
  std::size_t at = 0;
  while (at < bytes.size()) {
    RequestParser parser;
    std::size_t gone = 0;
    std::size_t shown = 0;
    for (;;) {
      const std::string_view input = bytes.substr(at + gone, shown);
      const auto status = parser.parse(input);
      if (status == RequestParser::Status::broken) return said + "|broken";
      if (status != RequestParser::Status::incomplete) {
        gone += parser.size();
        break;
      }
      if (parser.count() > 0) {
        const std::uint64_t forget = parser.understood(input) + parser.missing(input);
        if (forget > 0 && at + gone + forget <= bytes.size()) {
          parser.gone(forget);
          gone += forget;
          shown = 0;
          if (parser.all_gone()) break;
          continue;
        }
      }
      if (at + gone + shown == bytes.size()) return said + "|incomplete";
      shown = std::min(bytes.size() - at - gone, shown + next_cut(seed));
    }
    said += "|" + std::to_string(gone);
    at += gone;
  }
  return said;
}

// The sizes of the replies in `bytes`, and how they end.
std::string replies(std::string_view bytes, std::uint32_t seed) {
  ReplyFramer framer;
  std::string said;
  std::size_t reply = 0;
  std::size_t begin = 0;
  std::size_t end = seed == 0 ? bytes.size() : 0;
  for (;;) {
    const std::vector<char> shown(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                                  bytes.begin() + static_cast<std::ptrdiff_t>(end));
    const auto frame = framer.next(shown);
    must(frame.bytes <= shown.size(), "a frame lies within its input");
    must(!(frame.broken && frame.complete), "a broken reply is not complete");
    begin += frame.bytes;
    reply += frame.bytes;
    if (frame.broken) return said + "|broken";
    if (frame.complete) {
      said += "|" + std::to_string(reply);
      reply = 0;
      continue;
    }
    must(shown.size() - frame.bytes <= kMaxLine + 1, "what is held back is less than a line");
    if (end == bytes.size()) return said + "|" + std::to_string(reply + bytes.size() - begin) + " incomplete";
    end = std::min(bytes.size(), end + next_cut(seed));
  }
}

}  // namespace

// The keys that a push names lie in it; what is not understood stands for all.
void invalidations(std::string_view bytes) {
  const std::vector<char> shown(bytes.begin(), bytes.end());
  const std::string_view push(shown.data(), shown.size());
  const Invalidation said = read_invalidation(push);
  must(said.keys.empty() || said.what == Invalidation::What::keys, "keys are told where keys are");
  for (const std::string_view key : said.keys) {
    must(key.data() >= push.data() && key.data() + key.size() <= push.data() + push.size(),
         "a key is part of the push");
  }
}

// What is told of a request lies in it, or is a command's name.
void names(std::string_view bytes) {
  const std::vector<char> shown(bytes.begin(), bytes.end());
  RequestParser parser;
  const auto status = parser.parse({shown.data(), shown.size()});
  if (parser.seen() > 0) {
    test::ToldKeys told;
    tell_keys(parser, status == RequestParser::Status::complete, told);
    must(told.keys.size() <= kNamedMost, "keys are limited");
    for (const std::string& key : told.keys)
      must(bytes.find(key) != std::string_view::npos || parser.is_inline(),
           "each key is part of the request");
  }
  const RequestName name = name_request({shown.data(), shown.size()});
  if (name.key.empty()) return;
  must(!name.command.empty(), "a key is of a command");
  must(std::string_view(shown.data(), shown.size()).find(name.key) != std::string_view::npos,
       "a key is part of the request");
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::uint32_t seed = 1U + data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  must(requests(bytes, 0) == requests(bytes, seed), "cuts change no request");
  streamed_sizes(bytes, seed);
  names(bytes);
  names(bytes.substr(0, bytes.size() / 2));
  invalidations(bytes);
  invalidations(">2\r\n$10\r\ninvalidate\r\n" + std::string(bytes));
  must(replies(bytes, 0) == replies(bytes, seed), "cuts change no reply");
  return 0;
}
