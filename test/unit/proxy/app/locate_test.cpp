#include "proxy/app/locate.hpp"

#include <catch2/catch.hpp>
#include <sstream>

using namespace ambassador::proxy::app;
using Catch::Matchers::Contains;

TEST_CASE("base64 is read with and without padding") {
  CHECK(*from_base64("") == "");
  CHECK(*from_base64("Zg==") == "f");
  CHECK(*from_base64("Zm8=") == "fo");
  CHECK(*from_base64("Zm8") == "fo");
  CHECK(*from_base64("Zm9v") == "foo");
  CHECK(*from_base64("AP/+") == std::string("\0\xff\xfe", 3));
}

TEST_CASE("what is no base64 is refused") {
  const char* text = GENERATE("Z", "Zg=x", "Z===", "Zm9v!", "Zm9v\n", "====");
  CAPTURE(text);
  CHECK_FALSE(from_base64(text).ok());
}

TEST_CASE("every key gets the line of its server, an empty key too") {
  Options options;
  options.servers = {"a:1:1", "b:2:1 two"};
  std::istringstream in("one\n\nthree\n");
  std::ostringstream out;
  REQUIRE(locate(options, in, out).ok());
  std::istringstream lines(out.str());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) CHECK((line == "a:1" || line == "two"));
  CHECK(count == 3);
}

TEST_CASE("a wrong server is named") {
  Options options;
  options.servers = {"a:1:0"};
  std::istringstream in("x\n");
  std::ostringstream out;
  const auto result = locate(options, in, out);
  REQUIRE_FALSE(result.ok());
  CHECK_THAT(result.error().text(), Contains("--server 'a:1:0'") && Contains("weight '0'"));
  CHECK(out.str().empty());
}
