#include "proxy/redis/command_table.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "proxy/redis/keys.hpp"
#include "proxy/redis/reply_framer.hpp"
#include "test/places.hpp"

using namespace ambassador::proxy::redis;

namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string request(const std::vector<std::string>& words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const auto& word : words) text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return text;
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

TEST_CASE("the table is what generate.py makes of the server's metadata today") {
  CHECK(std::system("python3 " SOURCE_DIR "/proxy/redis/commands/generate.py --check") == 0);
}

TEST_CASE("every command that the server named is found, in any case, and no other") {
  std::ifstream file(SOURCE_DIR "/proxy/redis/commands/commands.json");
  const auto commands = nlohmann::json::parse(file).at("commands");
  CHECK(commands.size() == 240);
  for (const auto& [name, data] : commands.items()) {
    INFO(name);
    const Command* found = find_command(name);
    REQUIRE(found != nullptr);
    CHECK(found->name == name);
    CHECK(found->arity == data.at("arity").get<int>());
    CHECK(find_command(upper(name)) == found);
    const std::string followed = upper(name) + "\r\n$3\r\nkey\r\n";
    CHECK(find_command(std::string_view(followed).substr(0, name.size()), followed.size() - name.size()) ==
          found);
    for (const std::string& near : {name + "x", "x" + name, name.substr(1), name + " "}) {
      if (!commands.contains(near)) CHECK(find_command(near) == nullptr);
    }
    for (std::size_t i = 0; i < name.size(); ++i) {
      std::string near = name;
      near[i] = static_cast<char>(near[i] ^ 0x80);  // folding case must not fold other bytes
      CHECK(find_command(near) == nullptr);
      near[i] = '\0';
      CHECK(find_command(near) == nullptr);
    }
  }
  CHECK(find_command("") == nullptr);
  CHECK(find_command(std::string(1000, 'x')) == nullptr);
}

TEST_CASE("subcommands are found under their container") {
  const Command* config = find_command("config");
  REQUIRE(config != nullptr);
  REQUIRE(find_subcommand(*config, "GeT") != nullptr);
  CHECK(find_subcommand(*config, "GeT")->name == "config|get");
  CHECK(find_subcommand(*config, "count") == nullptr);
  CHECK(find_subcommand(*config, "") == nullptr);
  CHECK(find_subcommand(*find_command("get"), "get") == nullptr);
}

TEST_CASE("what COMMAND says of each command is one whole reply, with the name first") {
  REQUIRE(kCommandInfo.size() == kCommands.size());
  REQUIRE(kCommandDocs.size() == kCommands.size());
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    INFO(kCommands[i].name);
    const std::string bulk =
        "$" + std::to_string(kCommands[i].name.size()) + "\r\n" + std::string(kCommands[i].name) + "\r\n";
    CHECK(reply_size(kCommandInfo[i]) == kCommandInfo[i].size());
    CHECK(kCommandInfo[i].starts_with("*10\r\n" + bulk));
    CHECK(kCommandDocs[i].starts_with(bulk));
    CHECK(reply_size(kCommandDocs[i].substr(bulk.size())) == kCommandDocs[i].size() - bulk.size());
  }
}

TEST_CASE("the keys of a command are where its key specs say") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"bitop AND dest a b c", "dest a b c"},
      {"rename a b", "a b"},
      {"eval script 2 a b c", "a b"},
      {"evalsha sha 0", ""},
      {"fcall f 1 a b", "a"},
      {"zunionstore dest 2 a b WEIGHTS 1 2", "dest a b"},
      {"zinter 2 a b WITHSCORES", "a b"},
      {"zdiff 1 a", "a"},
      {"sintercard 3 a b c LIMIT 1", "a b c"},
      {"lmpop 2 a b LEFT", "a b"},
      {"xread COUNT 2 STREAMS a b 0 0", "a b"},
      {"xread streams a $", "a"},
      {"xreadgroup GROUP streams c STREAMS a b > >", "a b"},
      {"georadius a 1 2 3 m", "a"},
      {"georadius a 1 2 3 m COUNT 1 STORE b", "a b"},
      {"georadiusbymember a m 3 m STOREDIST b", "a b"},
      {"lcs a b IDX", "a b"},
      {"pfmerge a", "a"},
      {"pfmerge a b c", "a b c"},
      {"pfcount a b", "a b"},
      {"msetnx a 1 b 2", "a b"},
      {"sinterstore d a b", "d a b"},
      {"copy a b REPLACE", "a b"},
      {"zrangestore d s 0 1", "d s"},
      {"geosearchstore d s FROMMEMBER m BYBOX 1 1 m", "d s"},
      {"smove a b m", "a b"},
  };
  for (const auto& [line, expected] : cases) {
    INFO(line);
    const std::string bytes = request(split(line));
    RequestParser parser;
    REQUIRE(parser.parse(bytes) == RequestParser::Status::complete);
    const Command* command = find_command(parser.arg(0));
    REQUIRE(command != nullptr);
    REQUIRE(command->route == Route::same_shard);
    std::vector<std::uint32_t> positions;
    REQUIRE(find_keys(*command, parser, positions));
    std::vector<std::string> keys;
    for (const auto position : positions) keys.emplace_back(parser.arg(position));
    CHECK(keys == split(expected));
  }
}

TEST_CASE("keys that cannot be told are not guessed") {
  for (const char* line :
       {"eval script x a", "eval script -1 a", "eval script 3 a b", "eval s 9223372036854775807 a",
        "xread COUNT 1 NOSTREAMS a", "zunionstore d 99 a", "zinter 01 a"}) {
    INFO(line);
    const std::string bytes = request(split(line));
    RequestParser parser;
    REQUIRE(parser.parse(bytes) == RequestParser::Status::complete);
    std::vector<std::uint32_t> positions;
    CHECK_FALSE(find_keys(*find_command(parser.arg(0)), parser, positions));
  }
}

TEST_CASE("XREAD asks to block when BLOCK is an option, not when it is a name") {
  const std::vector<std::pair<std::string, bool>> cases{
      {"xread BLOCK 0 STREAMS a $", true},
      {"xread COUNT 1 block 5 STREAMS a $", true},
      {"xread STREAMS block 0", false},
      {"xreadgroup GROUP block streams STREAMS a >", false},
      {"xreadgroup GROUP streams c BLOCK 0 STREAMS a >", true},
      {"xread COUNT block STREAMS a $", false},
  };
  for (const auto& [line, blocks] : cases) {
    INFO(line);
    const std::string bytes = request(split(line));
    RequestParser parser;
    REQUIRE(parser.parse(bytes) == RequestParser::Status::complete);
    CHECK(asks_to_block(parser) == blocks);
  }
}

TEST_CASE("SORT names further keys by STORE, and patterns by BY and GET") {
  const std::string bytes = request(split("sort a BY w_* LIMIT 0 5 GET # GET o_* GET plain STORE d"));
  RequestParser parser;
  REQUIRE(parser.parse(bytes) == RequestParser::Status::complete);
  std::vector<std::uint32_t> keys;
  std::vector<std::uint32_t> patterns;
  find_sort_keys(parser, keys, patterns);
  REQUIRE(keys.size() == 1);
  CHECK(parser.arg(keys[0]) == "d");
  REQUIRE(patterns.size() == 2);
  CHECK(parser.arg(patterns[0]) == "w_*");
  CHECK(parser.arg(patterns[1]) == "o_*");
}
