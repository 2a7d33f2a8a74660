// The subcommands that need no running proxy.
#include <nlohmann/json.hpp>

#include "test/component/proxy/app/proxy_process.hpp"

using Catch::Matchers::Contains;
using Json = nlohmann::json;

TEST_CASE("check takes a right file and tells all that is wrong with another") {
  Folder folder;
  const Ran right = run({"check", folder.write("right.yaml", "version: 1\n")});
  CHECK(right.code == 0);
  const Ran wrong =
      run({"check",
           folder.write("wrong.yaml", "version: 1\nlogLevel: Loud\nlisteners:\n- {name: a, port: x}\n")});
  CHECK(wrong.code == 1);
  const std::string all = wrong.output + wrong.errors;
  CHECK_THAT(all, Contains("wrong.yaml") && Contains("logLevel: 'Loud'") && Contains("(line 2)"));
  CHECK_THAT(all, Contains("listeners[0].port: 'x'") && Contains("listeners[0].protocol: missing"));
  CHECK(run({"check", "/nowhere"}).code == 1);
}

TEST_CASE(
    "check takes a PostgreSQL listener whose files are elsewhere, and tells what its parts owe each other") {
  Folder folder;
  const std::string head =
      "version: 1\nlisteners:\n- name: shop.db\n  protocol: PostgreSQL\n  port: 5432\n  backends: [{host: "
      "pg, port: "
      "5432}]\n";
  CHECK(run({"check",
             folder.write("right.yaml", head + "  sql: {credentialsFolder: /nowhere}\n"
                                               "  serverTLS: {mode: VerifyFull, caFile: /nowhere/ca}\n")})
            .code == 0);
  const Ran wrong = run({"check", folder.write("wrong.yaml", head + "  sql: {pooling: Transaction}\n")});
  CHECK(wrong.code == 1);
  CHECK_THAT(wrong.errors, Contains("listeners[0].sql.credentialsFolder: missing") && Contains("(line 7)"));
}

TEST_CASE("schema prints the JSON Schema") {
  const Ran ran = run({"schema"});
  CHECK(ran.code == 0);
  CHECK(Json::parse(ran.output)["$schema"] == "https://json-schema.org/draft/2020-12/schema");
}

TEST_CASE("version names version and commit") {
  CHECK_THAT(run({"--version"}).output, Contains("0.1.0"));
}

TEST_CASE("locate prints servers as they were given, without weight") {
  const std::vector<std::string> servers{
      "locate",   "--server",       "redis-0:6379:1", "--server", "redis-1:6379:2 second",
      "--server", "redis-2:11211:1"};
  const Ran plain = run(servers, "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
  REQUIRE(plain.code == 0);
  std::istringstream lines(plain.output);
  std::map<std::string, int> seen;
  for (std::string line; std::getline(lines, line);) ++seen[line];
  int total = 0;
  for (const auto& [name, count] : seen) {
    CAPTURE(name);
    CHECK((name == "redis-0:6379" || name == "second" || name == "redis-2:11211"));
    total += count;
  }
  CHECK(total == 10);

  auto encoded = servers;
  encoded.emplace_back("--base64");
  CHECK(run(encoded, "YQ==\nYg==\nYw==\nZA==\nZQ==\nZg==\nZw==\naA==\naQ==\nag==\n").output == plain.output);
  CHECK(run(encoded, "!!!\n").code != 0);
  CHECK(run({"locate", "--server", "redis-0:6379:0"}, "a\n").code != 0);
}

TEST_CASE("locate agrees with twemproxy where its rules are odd") {
  // One server: nothing is hashed. The ring name of port 11211 has no port. Checked against twemproxy 0.5.
  CHECK(run({"locate", "--server", "a:1:1"}, "\nx\n").output == "a:1\na:1\n");
  CHECK(run({"locate", "--server", "a:1:1", "--server", "b:1:1", "--hash-tag", "{}"}, "{x}1\n{x}2\nx\n")
            .output == [] {
    const std::string one = run({"locate", "--server", "a:1:1", "--server", "b:1:1"}, "x\n").output;
    return one + one + one;
  }());
}
