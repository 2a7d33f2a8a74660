// Messages and their headers: whole, cut, and with lengths that no message can have.
#include "proxy/postgresql/message.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "proxy/postgresql/body_reader.hpp"
#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/write.hpp"

using namespace ambassador::proxy::postgresql;
using namespace std::string_literals;

namespace {

// Exactly these bytes on the heap: a read past their end is seen by the sanitizers.
std::vector<char> exactly(std::string_view text) {
  return {text.begin(), text.end()};
}

}  // namespace

TEST_CASE("a header is incomplete until its five bytes are there") {
  const std::string text = "Q\0\0\0\x06x\0"s;
  for (std::size_t size = 0; size < kHeader; ++size) {
    const auto bytes = exactly(text.substr(0, size));
    CHECK(read_header({bytes.data(), bytes.size()}).found == Found::incomplete);
  }
  const Header header = read_header(text);
  CHECK(header.found == Found::whole);
  CHECK(header.type == 'Q');
  CHECK(header.body == 2);
  CHECK(header.size() == 7);
}

TEST_CASE("a length that no message can have is refused with its header") {
  const std::vector<std::string> lengths{"\0\0\0\0"s, "\0\0\0\x03"s, "\x80\0\0\0"s, "\xff\xff\xff\xff"s};
  for (const std::string& length : lengths) {
    CHECK(read_header("Q" + length).found == Found::broken);
    CHECK(read_message("Q" + length, kMaxHeld).found == Found::broken);
  }
  CHECK(read_header("Q\x7f\xff\xff\xff"s).found == Found::whole);
}

TEST_CASE("a message is whole with its last byte and not before") {
  std::string text;
  write_query(text, "select 1");
  const std::size_t size = text.size();
  text += "Sxyz";
  for (std::size_t i = 0; i < size; ++i) {
    const auto bytes = exactly(text.substr(0, i));
    CHECK(read_message({bytes.data(), bytes.size()}, kMaxHeld).found == Found::incomplete);
  }
  const Message message = read_message(text, kMaxHeld);
  REQUIRE(message.found == Found::whole);
  CHECK(message.type == 'Q');
  CHECK(message.body == "select 1\0"s);
  CHECK(message.size() == size);
}

TEST_CASE("a message that is too long to be held is refused with its header") {
  CHECK(read_message("S\0\0\0\x09"s, 4).found == Found::broken);
  CHECK(read_message("S\0\0\0\x08"s, 4).found == Found::incomplete);
}

TEST_CASE("a body that ends too early reads as nothing from there on") {
  const std::string body =
      "\0\0\0\x2a"
      "a\0b"s;
  BodyReader reader(body);
  CHECK(reader.int32() == 42);
  CHECK(reader.string() == "a");
  CHECK(reader.ok());
  CHECK(reader.string().empty());
  CHECK_FALSE(reader.ok());
  CHECK(reader.byte() == '\0');
  CHECK(reader.int32() == 0);
  CHECK_FALSE(reader.at_end());
}

TEST_CASE("an error says its severity, code and message") {
  std::string text;
  write_error(text, {.severity = "FATAL", .code = "53300", .message = "no", .hint = "wait"});
  CHECK(text == "E\0\0\0\x24SFATAL\0VFATAL\0C53300\0Mno\0Hwait\0\0"s);
  const auto fields = read_error_fields(read_message(text, kMaxHeld).body);
  REQUIRE(fields);
  CHECK(fields->severity == "FATAL");
  CHECK(fields->code == "53300");
  CHECK(fields->message == "no");
}

TEST_CASE("the severity of an old server is the translated one") {
  const std::string body = "SFATAL\0C57P03\0Mstarts\0\0"s;
  const auto fields = read_error_fields(body);
  REQUIRE(fields);
  CHECK(fields->severity == "FATAL");
  const std::string both = "SFATALE\0VFATAL\0\0"s;
  CHECK(read_error_fields(both)->severity == "FATAL");
}

TEST_CASE("an error that is cut or goes on behind its end is none") {
  const std::string body = "SFATAL\0C57P03\0Mstarts\0\0"s;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const auto bytes = exactly(body.substr(0, i));
    CHECK_FALSE(read_error_fields({bytes.data(), bytes.size()}));
  }
  CHECK_FALSE(read_error_fields(body + "x"));
}

TEST_CASE("what may be otherwise in a moment is told from what will not") {
  for (const char* code : {"53300", "57P01", "57P02", "57P03", "08006", "08P01", "08000"})
    CHECK(is_passing(code));
  for (const char* code : {"28P01", "28000", "3D000", "42501", "0A000", "57014", "53400", "", "0"})
    CHECK_FALSE(is_passing(code));
}
