// What the CRD promises and what the parser keeps must be the same.
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <string>

#include "operator/api/spelling.hpp"
#include "test/places.hpp"

namespace {

std::string file(const std::string& path) {
  std::ifstream in(std::string(SOURCE_DIR) + "/" + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("both CRDs and the reference page are what crds/generate.py makes") {
  const std::string command = "python3 " SOURCE_DIR "/crds/generate.py --check 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 512> line{};
  std::string output;
  while (fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr) output += line.data();
  INFO(output);
  CHECK(pclose(pipe) == 0);
}

TEST_CASE("each CRD stays below 200 kB, and knows every word that the parser knows") {
  using namespace ambassador::api;
  for (const char* kind : {"ambassadorpolicies", "clusterambassadorpolicies"}) {
    const auto text = file("crds/ambassador.dev_" + std::string(kind) + ".yaml");
    CHECK(text.size() > 10'000);
    CHECK(text.size() < 200'000);
    const auto has = [&](std::string_view word) {
      return text.find("- " + std::string(word) + "\n") != std::string::npos;
    };
    for (const auto& [word, value] : kHashes) CHECK(has(word));
    for (const auto& [word, value] : kDistributions) CHECK(has(word));
    for (const auto& [word, value] : kRedisModes) CHECK(has(word));
    for (const auto& [word, value] : kReadPreferences) CHECK(has(word));
    for (const auto& [word, value] : kLogLevels) CHECK(has(word));
    for (const auto& [word, value] : kReadinesses) CHECK(has(word));
    for (const auto& [word, value] : kContainerModes) CHECK(has(word));
    for (const auto& [word, value] : kProtocols) CHECK(has(word));
    for (const auto& [word, value] : kTlsModes) CHECK(has(word));
    for (const auto& [word, value] : kAuthentications) CHECK(has(word));
    for (const auto& [word, value] : kPoolings) CHECK(has(word));
    for (const auto& [word, value] : kReadWriteSplits) CHECK(has(word));
  }
}

TEST_CASE("no enum value of the CRD is a YAML 1.1 boolean or null") {
  const auto text = file("crds/ambassador.dev_ambassadorpolicies.yaml");
  for (const char* word :
       {"On", "Off", "Yes", "No", "Null", "on", "off", "yes", "no", "null", "~", "true", "false"}) {
    CHECK(text.find("- " + std::string(word) + "\n") == std::string::npos);
  }
}
