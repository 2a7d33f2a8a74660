// docs/annotations.md knows what the code knows.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include "operator/api/names.hpp"
#include "test/places.hpp"

namespace {

std::string file(const std::string& path) {
  std::ifstream in(std::string(SOURCE_DIR) + "/" + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("every annotation is documented") {
  const auto page = file("docs/annotations.md");
  for (const auto key : ambassador::api::kPodAnnotations)
    CHECK_THAT(page, Catch::Contains("`" + std::string(key) + "`"));
  CHECK_THAT(page, Catch::Contains(std::string(ambassador::api::kAllowedNamespaces)));
  CHECK_THAT(page, Catch::Contains(std::string(ambassador::api::kInjectedLabel)));
}

TEST_CASE("every cause of a refusal is documented") {
  const auto page = file("docs/annotations.md");
  std::size_t found = 0;
  for (const char* source : {"obstacles.cpp", "select.cpp", "plan.cpp", "decide.cpp"}) {
    const auto text = file("operator/inject/" + std::string(source));
    const std::regex cause(R"re((?:Obstacle\{|refuse\(\{|return \{)\s*"([A-Z][A-Za-z]+)")re");
    for (auto one = std::sregex_iterator(text.begin(), text.end(), cause); one != std::sregex_iterator();
         ++one) {
      if ((*one)[1] == "Malformed") continue;  // no user can send it
      ++found;
      CHECK_THAT(page, Catch::Contains("`" + (*one)[1].str() + "`"));
    }
  }
  CHECK(found >= 11);
}
