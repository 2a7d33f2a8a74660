#include "proxy/app/options.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

using namespace ambassador::proxy::app;
using namespace std::chrono_literals;
namespace config = ambassador::config;
using Catch::Matchers::Contains;

namespace {

Parsed parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "ambassador-proxy");
  return parse_options(static_cast<int>(arguments.size()), arguments.data(), "1.2.3 (abc)");
}

/// An environment variable as long as it lives.
struct Variable {
  Variable(const char* variable, const char* value) : name(variable) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name); }
  const char* name;
};

}  // namespace

TEST_CASE("without a command it runs, with a file if one is named") {
  const auto plain = parse({});
  REQUIRE(plain.options);
  CHECK(plain.options->command == Command::run);
  CHECK(plain.options->config.empty());
  CHECK(plain.options->threads == 0);
  const auto full = parse({"--config", "/x.yaml", "--threads", "4"});
  REQUIRE(full.options);
  CHECK(full.options->config == "/x.yaml");
  CHECK(full.options->threads == 4);
}

TEST_CASE("the drop-in's variables are read, and a wrong one is refused by name") {
  const Variable servers("REDIS_SERVERS", "a:1:1");
  const Variable listen("REDIS_LISTEN", "127.0.0.1:7000");
  const Variable delay("AMBASSADOR_TEST_BIND_DELAY", "5s");
  const auto parsed = parse({});
  REQUIRE(parsed.options);
  CHECK(parsed.options->redis_servers == "a:1:1");
  CHECK(parsed.options->redis_listen == "127.0.0.1:7000");
  CHECK(parsed.options->bind_delay == 5s);
  const Variable wrong("AMBASSADOR_TEST_BIND_DELAY", "5");
  CHECK_FALSE(parse({}).options);
  CHECK_THAT(parse({}).text, Contains("AMBASSADOR_TEST_BIND_DELAY") && Contains("'5'"));
}

TEST_CASE("help and version are no errors") {
  CHECK(parse({"--version"}).exit_code == 0);
  CHECK_THAT(parse({"--version"}).text, Contains("1.2.3 (abc)"));
  CHECK(parse({"--help"}).exit_code == 0);
  CHECK_THAT(parse({"--help"}).text, Contains("REDIS_SERVERS") && Contains("locate") && Contains("status"));
}

TEST_CASE("a wrong call is refused with what is wrong, exit code 2") {
  const auto [arguments, expected] = GENERATE(table<std::vector<const char*>, const char*>({
      {{"--threads", "0"}, "--threads"},
      {{"--threads", "many"}, "--threads"},
      {{"nonsense"}, "nonsense"},
      {{"check"}, "FILE"},
      {{"locate"}, "--server"},
      {{"locate", "--server", "a:1:1", "--hash", "sha"}, "--hash"},
      {{"locate", "--server", "a:1:1", "--hash-tag", "{"}, "has not two characters"},
      {{"probe", "--wait", "5"}, "'5'"},
      {{"status", "-o", "xml"}, "xml"},
  }));
  CAPTURE(expected);
  const auto parsed = parse(arguments);
  CHECK_FALSE(parsed.options);
  CHECK(parsed.exit_code == 2);
  CHECK_THAT(parsed.text, Contains(expected));
}

TEST_CASE("locate takes servers with names, hash, distribution, tag and base64") {
  const auto parsed = parse({"locate", "--server", "a:1:1 one", "--server", "b:2:1", "--hash", "md5",
                             "--distribution", "modula", "--hash-tag", "{}", "--base64"});
  REQUIRE(parsed.options);
  CHECK(parsed.options->command == Command::locate);
  CHECK(parsed.options->servers == std::vector<std::string>{"a:1:1 one", "b:2:1"});
  CHECK(parsed.options->hash == config::Hash::md5);
  CHECK(parsed.options->distribution == config::Distribution::modula);
  CHECK(parsed.options->hash_tag == "{}");
  CHECK(parsed.options->base64);
}

TEST_CASE("status and probe know their ports and forms") {
  CHECK(parse({"status"}).options->port == kDefaultAdminPort);
  CHECK(parse({"status", "-o", "json"}).options->json);
  CHECK(parse({"probe"}).options->port == kDefaultHealthPort);
  CHECK(parse({"probe", "--wait", "30s"}).options->wait == 30s);
}

TEST_CASE("pause and resume have a listener or all, and bounds") {
  const auto all = parse({"pause"}).options;
  REQUIRE(all);
  CHECK(all->command == Command::pause);
  CHECK(all->listener.empty());
  CHECK(all->pause_for == std::chrono::minutes(5));
  CHECK(all->wait == std::chrono::seconds(30));
  CHECK(all->port == kDefaultAdminPort);
  const auto one = parse({"pause", "shop.db", "--for", "1m", "--wait", "0s", "--port", "7"}).options;
  REQUIRE(one);
  CHECK(one->listener == "shop.db");
  CHECK(one->pause_for == std::chrono::minutes(1));
  CHECK(one->wait == std::chrono::seconds(0));
  CHECK(one->port == 7);
  CHECK(parse({"resume", "shop.db"}).options->command == Command::resume);
  CHECK(parse({"pause", "--for", "soon"}).exit_code == 2);
}

TEST_CASE("what shows a running proxy takes its admin port, and whether it is shown as JSON") {
  for (const auto& [name, command] : {std::pair{"status", Command::status},
                                      {"slowlog", Command::slowlog},
                                      {"hotkeys", Command::hotkeys},
                                      {"bigkeys", Command::bigkeys}}) {
    const auto plain = parse({name});
    REQUIRE(plain.options);
    CHECK(plain.options->command == command);
    CHECK(plain.options->port == kDefaultAdminPort);
    CHECK_FALSE(plain.options->json);
    const auto json = parse({name, "-o", "json", "--port", "7"});
    REQUIRE(json.options);
    CHECK(json.options->port == 7);
    CHECK(json.options->json);
    CHECK_FALSE(parse({name, "-o", "yaml"}).options);
  }
}
