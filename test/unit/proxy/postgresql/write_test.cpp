// What the proxy says, byte by byte as the protocol's page has it.
#include "proxy/postgresql/write.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

using namespace ambassador::proxy::postgresql;
using namespace std::string_literals;

TEST_CASE("each message is what the protocol's page says") {
  struct Row {
    std::function<void(std::string&)> write;
    std::string text;
  };
  const std::vector<Row> rows{
      {[](auto& out) { write_ssl_request(out); }, "\0\0\0\x08\x04\xd2\x16\x2f"s},
      {[](auto& out) { write_cancel_request(out, 1, "abcd"); },
       "\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01"
       "abcd"s},
      {[](auto& out) {
         const Parameter user{"user", "me"};
         write_startup(out, 0, {&user, 1});
       },
       "\0\0\0\x11\0\x03\0\0user\0me\0\0"s},
      {[](auto& out) { write_password(out, "pw"); }, "p\0\0\0\x07pw\0"s},
      {[](auto& out) { write_sasl_initial_response(out, "M", "data"); },
       "p\0\0\0\x0eM\0\0\0\0\x04"
       "data"s},
      {[](auto& out) { write_sasl_response(out, "data"); },
       "p\0\0\0\x08"
       "data"s},
      {[](auto& out) { write_query(out, "q"); }, "Q\0\0\0\x06q\0"s},
      {[](auto& out) { write_terminate(out); }, "X\0\0\0\x04"s},
      {[](auto& out) { write_ready(out, 'I'); }, "Z\0\0\0\x05I"s},
      {[](auto& out) { write_authentication_ok(out); }, "R\0\0\0\x08\0\0\0\0"s},
      {[](auto& out) { write_authentication_cleartext(out); }, "R\0\0\0\x08\0\0\0\x03"s},
      {[](auto& out) {
         write_authentication_md5(out, {'s', 'a', 'l', 't'});
       },
       "R\0\0\0\x0c\0\0\0\x05salt"s},
      {[](auto& out) {
         write_authentication_sasl(out, {"A", "B"});
       },
       "R\0\0\0\x0d\0\0\0\x0a"
       "A\0B\0\0"s},
      {[](auto& out) { write_authentication_sasl_continue(out, "x"); }, "R\0\0\0\x09\0\0\0\x0bx"s},
      {[](auto& out) { write_authentication_sasl_final(out, "x"); }, "R\0\0\0\x09\0\0\0\x0cx"s},
      {[](auto& out) { write_parameter_status(out, "n", "v"); }, "S\0\0\0\x08n\0v\0"s},
      {[](auto& out) { write_backend_key(out, 2, "abcd"); },
       "K\0\0\0\x0c\0\0\0\x02"
       "abcd"s},
      {[](auto& out) { write_parse_complete(out); }, "1\0\0\0\x04"s},
      {[](auto& out) { write_close_complete(out); }, "3\0\0\0\x04"s},
  };
  for (const Row& row : rows) {
    std::string out = "before";
    row.write(out);
    CHECK(out == "before" + row.text);
  }
}

TEST_CASE("a zero byte ends a string, so that it cannot begin another field") {
  std::string out;
  write_error(out, {.severity = "ERROR", .code = "XX000", .message = "a\0Cfake"s});
  CHECK(out == "E\0\0\0\x1dSERROR\0VERROR\0CXX000\0Ma\0\0"s);
}
