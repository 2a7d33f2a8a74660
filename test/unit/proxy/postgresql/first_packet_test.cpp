// A client's first packet: each kind whole and cut at every byte, and everything that PostgreSQL refuses.
#include "proxy/postgresql/first_packet.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "proxy/postgresql/limits.hpp"

using namespace ambassador::proxy::postgresql;
using namespace std::string_literals;
using Kind = FirstPacket::Kind;

namespace {

std::string int32(std::uint32_t number) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(number >> shift);
  return text;
}

// A packet with its length in front.
std::string packet(std::uint32_t code, const std::string& rest = "") {
  return int32(static_cast<std::uint32_t>(8 + rest.size())) + int32(code) + rest;
}

Kind kind_of(const std::string& text) {
  return read_first_packet(text).kind;
}

constexpr std::uint32_t k30 = 3 << 16;
constexpr std::uint32_t k32 = k30 + 2;

}  // namespace

TEST_CASE("each first packet is known when it is whole, whatever follows, and not before") {
  struct Row {
    std::string text;
    Kind kind;
  };
  const std::vector<Row> rows{
      {packet(kSslRequest), Kind::ssl_request},
      {packet(kGssRequest), Kind::gss_request},
      {packet(kCancelRequest, int32(7) + "abcd"), Kind::cancel},
      {packet(kCancelRequest, int32(7) + std::string(256, 'k')), Kind::cancel},
      {packet(k30, "user\0me\0\0"s), Kind::startup},
      {packet(k32, "user\0me\0database\0db\0\0"s), Kind::startup},
      {packet(k30, "\0"s), Kind::startup},
  };
  for (const Row& row : rows) {
    for (std::size_t size = 0; size < row.text.size(); ++size) {
      const std::vector<char> bytes(row.text.begin(), row.text.begin() + static_cast<std::ptrdiff_t>(size));
      CHECK(read_first_packet({bytes.data(), bytes.size()}).kind == Kind::incomplete);
    }
    const std::string more = row.text + "more";
    const FirstPacket found = read_first_packet(more);
    CHECK(found.kind == row.kind);
    CHECK(found.size == row.text.size());
  }
}

TEST_CASE("a wish to cancel names the process and its key") {
  std::string text;
  write_cancel_request(text, 0x01020304, "secret key");
  const FirstPacket found = read_first_packet(text);
  REQUIRE(found.kind == Kind::cancel);
  CHECK(found.process == 0x01020304);
  CHECK(found.key == "secret key");
}

TEST_CASE("a startup message gives its parameters, the last of equal names counts") {
  std::string text;
  const std::vector<Parameter> parameters{
      {"user", "me"}, {"database", ""}, {"options", "-c a=b"}, {"user", "you"}};
  write_startup(text, 0, parameters);
  const FirstPacket found = read_first_packet(text);
  REQUIRE(found.kind == Kind::startup);
  CHECK(found.minor == 0);
  CHECK(found.parameters.size() == 4);
  CHECK(found.parameter("user") == "you");
  CHECK(found.parameter("options") == "-c a=b");
  CHECK(found.parameter("absent").empty());
  CHECK_FALSE(found.needs_negotiation());
}

TEST_CASE("newer minor versions and protocol options need a negotiation") {
  std::string text;
  write_startup(text, 2, {});
  CHECK_FALSE(read_first_packet(text).needs_negotiation());
  text.clear();
  write_startup(text, 9999, {});
  FirstPacket found = read_first_packet(text);
  CHECK(found.minor == 9999);
  CHECK(found.needs_negotiation());

  const std::string options = packet(k30, "user\0me\0_pq_.x\0on\0_pq_.y\0\0\0"s);
  found = read_first_packet(options);
  REQUIRE(found.kind == Kind::startup);
  CHECK(found.parameters.size() == 1);
  CHECK(found.extensions == std::vector<std::string_view>{"_pq_.x", "_pq_.y"});
  CHECK(found.needs_negotiation());

  std::string answer;
  write_negotiate_protocol_version(answer, kNewestMinor, found.extensions);
  CHECK(answer == "v\0\0\0\x1a\0\x03\0\x02\0\0\0\x02_pq_.x\0_pq_.y\0"s);
}

TEST_CASE("first packets that PostgreSQL refuses are refused") {
  const std::vector<std::string> refused{
      int32(0),
      int32(7),
      int32(4 + kMaxFirstPacket + 1),
      int32(0xFFFFFFFF),
      int32(0x80000000),
      packet(kSslRequest, "x"),
      packet(kGssRequest, "\0"s),
      packet(kCancelRequest),
      packet(kCancelRequest, int32(7)),
      packet(kCancelRequest, int32(7) + "abc"),
      packet(kCancelRequest, int32(7) + std::string(257, 'k')),
      packet(k30),
      packet(k30, "user"),
      packet(k30, "user\0"s),
      packet(k30, "user\0me"s),
      packet(k30, "user\0me\0"s),
      packet(k30, "user\0me\0\0more"s),
      packet(k30, "user\0me\0\0\0"s),
      packet(2 << 16, "user"s),
      packet(4 << 16, "\0"s),
      packet(0),
      "\x16\x03\x01\x02\x00\x01"s,
      "\x16"s,
      "GET / HTTP/1.1\r\n\r\n",
  };
  for (const std::string& text : refused) {
    INFO(text);
    CHECK(kind_of(text) == Kind::broken);
  }
}

TEST_CASE("a startup message may have the size that PostgreSQL allows, and no more") {
  const std::string rest = "user\0"s + std::string(kMaxFirstPacket - 4 - 7, 'x') + "\0\0"s;
  CHECK(kind_of(packet(k30, rest)) == Kind::startup);
  CHECK(kind_of(packet(k30, "x" + rest)) == Kind::broken);
}
