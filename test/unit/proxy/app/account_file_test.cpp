#include "proxy/app/account_file.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace ambassador::proxy::app;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using namespace std::literals;

namespace {

struct Secret {
  Secret() {
    char name[] = "/tmp/ambassador-account-XXXXXX";
    folder = mkdtemp(name);
  }
  ~Secret() { std::filesystem::remove_all(folder); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  void write(const std::string& key, const std::string& text) const {
    std::ofstream(folder + "/" + key, std::ios::binary | std::ios::trunc) << text;
  }
  [[nodiscard]] std::string problem() const {
    const auto account = read_account(folder);
    return account ? "" : account.error().text();
  }
  std::string folder;
};

}  // namespace

TEST_CASE("name and password are taken without the newline at their end, and nothing else is taken off") {
  const Secret secret;
  for (const char* end : {"", "\n", "\r\n"}) {
    secret.write("username", "app"s + end);
    secret.write("password", " pen\ncil \n"s + end);
    const auto account = read_account(secret.folder);
    REQUIRE(account);
    CHECK((*account)->user == "app");
    CHECK((*account)->password == (*end == '\0' ? " pen\ncil " : " pen\ncil \n"));
  }
}

TEST_CASE("a key that the Secret lacks is named, with the way out and without what is there") {
  const Secret secret;
  CHECK_THAT(secret.problem(), StartsWith(secret.folder + "/username: cannot be read: No such file") &&
                                   Contains("give the Secret the keys username and password"));
  secret.write("username", "app\n");
  CHECK_THAT(secret.problem(), StartsWith(secret.folder + "/password: cannot be read"));
  secret.write("password", "\n");
  CHECK_THAT(secret.problem(), StartsWith(secret.folder + "/password: is empty"));
  secret.write("password", "pen\0cil"s);
  CHECK_THAT(secret.problem(), Contains("zero byte") && !Contains("cil"));
  secret.write("password", std::string(kMaxCredentialBytes, 'x') + "\n");
  CHECK(secret.problem().empty());
  secret.write("password", std::string(kMaxCredentialBytes + 1, 'x'));
  CHECK_THAT(secret.problem(), Contains("is longer than 16384 bytes"));
  std::filesystem::remove(secret.folder + "/password");
  std::filesystem::create_directory(secret.folder + "/password");
  CHECK_THAT(secret.problem(), Contains("cannot be read"));
}
