#include "proxy/redis/reply_framer.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace ambassador::proxy::redis;

namespace {

struct Framed {
  std::vector<std::size_t> replies;  // sizes
  bool broken = false;
};

// Shows `bytes` to a framer in pieces of `piece` bytes, as a lane would.
Framed frame(std::string_view bytes, std::size_t piece) {
  ReplyFramer framer;
  Framed framed;
  std::string input;
  std::size_t reply = 0;
  for (std::size_t at = 0; at < bytes.size() && !framed.broken; at += piece) {
    input += bytes.substr(at, piece);
    for (;;) {
      const auto f = framer.next(input);
      REQUIRE(f.bytes <= input.size());
      input.erase(0, f.bytes);
      reply += f.bytes;
      framed.broken = f.broken;
      if (!f.complete) break;
      framed.replies.push_back(reply);
      reply = 0;
      if (input.empty()) break;
    }
  }
  return framed;
}

std::string nested(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += "*1\r\n";
  return text + ":1\r\n";
}

}  // namespace

TEST_CASE(
    "pushes are news between replies where RESP3 is spoken, and nonsense elsewhere, however they are cut") {
  const std::string pushes = ">3\r\n+message\r\n$2\r\nch\r\n*1\r\n%1\r\n+a\r\n_\r\n>0\r\n";
  const std::string stream = pushes + "$1\r\na\r\n" + pushes + "~2\r\n:1\r\n:2\r\n+OK\r\n" + pushes;
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    ReplyFramer framer(Resp::three);
    std::string input;
    std::string replies;
    std::size_t news = 0;
    std::size_t complete = 0;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      input += stream.substr(at, piece);
      while (!input.empty()) {
        const auto f = framer.next(input);
        REQUIRE_FALSE(f.broken);
        (f.news ? news : complete) += f.news ? f.bytes : static_cast<std::size_t>(f.complete);
        if (!f.news) replies += input.substr(0, f.bytes);
        input.erase(0, f.bytes);
        if (f.bytes == 0 && !f.complete) break;
      }
    }
    INFO(piece);
    CHECK(input.empty());
    CHECK(news == 3 * pushes.size());
    CHECK(complete == 3);
    CHECK(replies == "$1\r\na\r\n~2\r\n:1\r\n:2\r\n+OK\r\n");
  }
  CHECK(ReplyFramer().next(pushes).broken);
  CHECK(ReplyFramer(Resp::three).next(std::string_view("*1\r\n>1\r\n:1\r\n")).broken);
  CHECK(reply_size(pushes) == 0);
}

TEST_CASE("every kind of reply ends where it ends, however it is cut") {
  const std::vector<std::string> replies{
      "+OK\r\n",
      "-ERR no\r\n",
      ":-12\r\n",
      "$5\r\na\r\nbc\r\n",
      "$0\r\n\r\n",
      "$-1\r\n",
      "*-1\r\n",
      "*0\r\n",
      "*2\r\n$1\r\na\r\n*2\r\n:1\r\n*0\r\n",
      "*3\r\n*1\r\n*1\r\n+x\r\n-e\r\n$-1\r\n",
      "_\r\n",
      "#t\r\n",
      ",1.5\r\n",
      "(123456789012345678901234567890\r\n",
      "!5\r\nERR x\r\n",
      "=7\r\ntxt:abc\r\n",
      "~2\r\n:1\r\n:2\r\n",
      "%2\r\n+a\r\n:1\r\n+b\r\n%0\r\n",
      "|1\r\n+ttl\r\n:9\r\n$1\r\nv\r\n",
      "*1\r\n|1\r\n+a\r\n+b\r\n:1\r\n",
      nested(200),
  };
  std::string all;
  std::vector<std::size_t> sizes;
  for (const std::string& reply : replies) {
    INFO(reply);
    CHECK(reply_size(reply) == reply.size());
    CHECK(reply_size(reply + "+more\r\n") == reply.size());
    for (std::size_t i = 0; i < reply.size(); ++i) CHECK(reply_size(reply.substr(0, i)) == 0);
    all += reply;
    sizes.push_back(reply.size());
  }
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    const Framed framed = frame(all, piece);
    INFO("pieces of " << piece);
    REQUIRE_FALSE(framed.broken);
    REQUIRE(framed.replies == sizes);
  }
}

TEST_CASE("a reply may be nested as deep as a script makes it") {
  constexpr std::size_t kLevels = 100'000;
  const std::string reply = nested(kLevels) + "+next\r\n";
  CHECK(reply_size(reply) == nested(kLevels).size());
}

TEST_CASE("what is not RESP breaks the lane") {
  const std::vector<std::string> cases{
      "HTTP/1.1 400\r\n",
      "$-2\r\n",
      "$a\r\n",
      "*-2\r\n",
      "*1x\r\n",
      "+OK\n",
      ">2\r\n+a\r\n+b\r\n",   // a push: nobody asked for one
      "*99999999999999\r\n",  // a count that cannot be
      "$99999999999999\r\n",  // a length that cannot be
      "$?\r\n",               // streamed strings are not in use
      std::string("\0", 1),
  };
  for (const std::string& bytes : cases) {
    INFO(bytes.substr(0, 30));
    CHECK(frame(bytes, bytes.size()).broken);
    CHECK(frame(bytes, 1).broken);
  }
}

TEST_CASE("a line without end breaks the lane before it fills the memory") {
  CHECK(frame("+" + std::string(kMaxLine + 10, 'x'), 1000).broken);
  CHECK_FALSE(frame("+" + std::string(kMaxLine - 10, 'x') + "\r\n", 1000).broken);
}

TEST_CASE("a large body streams through: none of it is held back") {
  ReplyFramer framer;
  const std::string head = "$1000000\r\n";
  CHECK(framer.next(head).bytes == head.size());
  const std::string body(100000, 'x');
  for (int i = 0; i < 10; ++i) {
    const auto f = framer.next(body);
    REQUIRE(f.bytes == body.size());
    REQUIRE_FALSE(f.complete);
  }
  const std::string end = "\r\n+OK\r\n";
  const auto f = framer.next(end);
  CHECK(f.bytes == 2);
  CHECK(f.complete);
}

TEST_CASE("a huge count costs nothing until its elements come") {
  ReplyFramer framer;
  const std::string text = "*4000000000\r\n:1\r\n";
  const auto f = framer.next(text);
  CHECK(f.bytes == text.size());
  CHECK_FALSE(f.complete);
  CHECK_FALSE(f.broken);
}
