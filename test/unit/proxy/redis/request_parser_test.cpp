#include "proxy/redis/request_parser.hpp"

#include <catch2/catch.hpp>

#include "proxy/redis/inline_request.hpp"
#include "proxy/redis/limits.hpp"

using namespace ambassador::proxy::redis;
using Status = RequestParser::Status;
using Words = std::vector<std::string>;

namespace {

struct Parsed {
  Status status = Status::incomplete;
  Words args;
  std::size_t size = 0;
  std::string message;
  std::string error;
};

// Parses the first message of `bytes`, shown in pieces that end at `cuts`.
Parsed parse(std::string_view bytes, const std::vector<std::size_t>& cuts = {}) {
  RequestParser parser;
  Parsed parsed;
  for (const std::size_t cut : cuts) {
    // Each piece lies elsewhere in memory, as a relay's buffer may.
    const std::string piece(bytes.substr(0, cut));
    if (parser.parse(piece) != Status::incomplete) break;
  }
  parsed.status = parser.parse(bytes);
  if (parsed.status == Status::complete) {
    for (std::size_t i = 0; i < parser.count(); ++i) parsed.args.emplace_back(parser.arg(i));
    parsed.message = parser.message();
  }
  if (parsed.status == Status::complete || parsed.status == Status::nothing) parsed.size = parser.size();
  if (parsed.status == Status::broken) parsed.error = parser.error();
  return parsed;
}

}  // namespace

TEST_CASE("a multibulk request is its arguments") {
  const Parsed p = parse("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\nb\n\r\nrest");
  CHECK(p.status == Status::complete);
  CHECK(p.args == Words{"SET", "k", "a\r\nb\n"});
  CHECK(p.size == 31);
}

TEST_CASE("arguments may be empty and hold any byte") {
  const Parsed p = parse(std::string_view("*3\r\n$0\r\n\r\n$1\r\n\0\r\n$2\r\n*$\r\n", 27));
  CHECK(p.args == Words{"", std::string(1, '\0'), "*$"});
}

TEST_CASE("an inline request is its words, and is passed on as multibulk") {
  const Parsed p = parse("set key \"two words\"\r\nget key\r\n");
  CHECK(p.args == Words{"set", "key", "two words"});
  CHECK(p.size == 21);
  CHECK(p.message == "*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$9\r\ntwo words\r\n");
  CHECK(parse("PING\n").args == Words{"PING"});
}

TEST_CASE("a message without arguments is nothing") {
  CHECK(parse("*0\r\nPING\r\n").size == 4);
  CHECK(parse("*-1\r\n").status == Status::nothing);
  CHECK(parse("\r\n").size == 2);
  CHECK(parse("\n").size == 1);
  CHECK(parse("  \t \r\n").status == Status::nothing);
}

TEST_CASE("what no Redis accepts is refused in Redis' words") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"*a\r\n", "Protocol error: invalid multibulk length"},
      {"*\r\n", "Protocol error: invalid multibulk length"},
      {"*01\r\n", "Protocol error: invalid multibulk length"},
      {"*+1\r\n", "Protocol error: invalid multibulk length"},
      {"* 1\r\n", "Protocol error: invalid multibulk length"},
      {"*1048577\r\n", "Protocol error: invalid multibulk length"},
      {"*99999999999999999999\r\n", "Protocol error: invalid multibulk length"},
      {"*1\n$4\r\nPING\r\n", "Protocol error: invalid multibulk length"},
      {"*1\r\n:1\r\n", "Protocol error: expected '$', got ':'"},
      {std::string("*1\r\n\0", 5), "Protocol error: expected '$', got ' '"},
      {"*1\r\n$-1\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$x\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$03\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$536870913\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$4294967300\r\n", "Protocol error: invalid bulk length"},
      {"*1\r\n$3\r\nGETXY", "Protocol error: expected CRLF after an argument"},
      {"get \"a\r\n", "Protocol error: unbalanced quotes in request"},
      {"get \"a\"b\r\n", "Protocol error: unbalanced quotes in request"},
      {std::string(kMaxInline + 1, 'x'), "Protocol error: too big inline request"},
      {std::string(kMaxInline + 1, 'x') + "\r\n", "Protocol error: too big inline request"},
  };
  for (const auto& [bytes, error] : cases) {
    INFO(bytes.substr(0, 40));
    CHECK(parse(bytes).status == Status::broken);
    CHECK(parse(bytes).error == error);
  }
}

TEST_CASE("the largest argument and the largest count that Redis takes are not refused") {
  CHECK(parse("*1\r\n$536870912\r\n").status == Status::incomplete);
  CHECK(parse("*1048576\r\n").status == Status::incomplete);
  CHECK(parse(std::string(kMaxInline, 'x')).status == Status::incomplete);
}

TEST_CASE("cutting a request into pieces anywhere changes nothing") {
  const std::vector<std::string> requests{
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nhello\r\nworld\r\n",
      "*1\r\n$4\r\nPING\r\n",
      "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
      "set a \"b\\x41\" 'c d'\r\n",
      "*2\r\n$4\r\nECHO\r\n:1\r\n",
      "*0\r\n",
      "\r\n",
  };
  for (const std::string& request : requests) {
    const Parsed whole = parse(request);
    for (std::size_t i = 0; i <= request.size(); ++i) {
      for (std::size_t j = i; j <= request.size(); ++j) {
        const Parsed cut = parse(request, {i, j});
        INFO(request << " cut at " << i << " and " << j);
        REQUIRE(cut.status == whole.status);
        REQUIRE(cut.args == whole.args);
        REQUIRE(cut.size == whole.size);
        REQUIRE(cut.error == whole.error);
      }
    }
    for (std::size_t i = 0; i < whole.size; ++i)
      REQUIRE(parse(request.substr(0, i)).status == Status::incomplete);
  }
}

TEST_CASE("a count of three digits may be cut anywhere in its header") {
  std::string bytes = "*120\r\n";
  for (int i = 0; i < 120; ++i) bytes += "$1\r\nx\r\n";
  for (std::size_t cut = 1; cut < 8; ++cut) {
    const Parsed p = parse(bytes, {cut});
    CHECK(p.status == Status::complete);
    CHECK(p.args.size() == 120);
  }
}

TEST_CASE("an argument keeps its own spelling for requests that are made of it") {
  RequestParser parser;
  const std::string bytes = "*2\r\n$4\r\nMGET\r\n$1\r\na\r\n";
  REQUIRE(parser.parse(bytes) == Status::complete);
  CHECK(parser.raw(0) == "$4\r\nMGET\r\n");
  CHECK(parser.raw(1) == "$1\r\na\r\n");
}

TEST_CASE("the front of a message may be gone before its end is there") {
  RequestParser parser;
  const std::string front = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$10\r\n0123";
  REQUIRE(parser.parse(front) == Status::incomplete);
  CHECK(parser.seen() == 2);
  CHECK(parser.understood(front) == front.size());
  CHECK(parser.missing(front) == 8);
  SECTION("with all of the body that it ends in") {
    parser.gone(front.size() + 8);
    CHECK(parser.all_gone());
  }
  SECTION("byte by byte") {
    parser.gone(front.size());
    for (const char* const byte : {"4", "5", "6", "7", "8", "9", "\r"}) {
      REQUIRE(parser.parse(byte) == Status::incomplete);
      CHECK(parser.understood(byte) == 1);
      parser.gone(1);
      REQUIRE_FALSE(parser.all_gone());
    }
    REQUIRE(parser.parse("\nrest") == Status::complete);
    CHECK(parser.size() == 1);
  }
}

TEST_CASE("a header that is not whole is not understood yet") {
  RequestParser parser;
  const std::string front = "*2\r\n$3\r\nGET\r\n$1";
  REQUIRE(parser.parse(front) == Status::incomplete);
  CHECK(parser.understood(front) == front.size() - 2);
  CHECK(parser.missing(front) == 0);
  parser.gone(front.size() - 2);
  REQUIRE(parser.parse("$10\r\nabc") == Status::incomplete);
  CHECK(parser.missing("$10\r\nabc") == 9);
}

TEST_CASE("words are split as Redis splits them") {
  const std::vector<std::pair<std::string, Words>> cases{
      {"a b  c", {"a", "b", "c"}},
      {"\"a b\" c", {"a b", "c"}},
      {"\"\\x41\\n\\\"\\q\"", {"A\n\"q"}},
      {"\"\\x4g\"", {"x4g"}},
      {"'a\\'b\\n'", {"a'b\\n"}},
      {"\"\"", {""}},
      {"a'b'", {"ab"}},
      {"", {}},
      {std::string("a\0b c", 5), {"a"}},
  };
  for (const auto& [line, words] : cases) {
    INFO(line);
    REQUIRE(split_words(line).has_value());
    CHECK(*split_words(line) == words);
  }
  for (const char* line : {"\"a", "'a", "\"a\"b", "'a'b", "\"a\\", "'a\\'"}) {
    INFO(line);
    CHECK_FALSE(split_words(line).has_value());
  }
}
