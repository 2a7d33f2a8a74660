#include "proxy/app/options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <map>
#include <sstream>
#include <string_view>

#include "common/config/duration.hpp"

namespace ambassador::proxy::app {
namespace {

const std::map<std::string, config::Hash> kHashes{{"one_at_a_time", config::Hash::one_at_a_time},
                                                  {"md5", config::Hash::md5},
                                                  {"crc16", config::Hash::crc16},
                                                  {"crc32", config::Hash::crc32},
                                                  {"crc32a", config::Hash::crc32a},
                                                  {"fnv1_64", config::Hash::fnv1_64},
                                                  {"fnv1a_64", config::Hash::fnv1a_64},
                                                  {"fnv1_32", config::Hash::fnv1_32},
                                                  {"fnv1a_32", config::Hash::fnv1a_32},
                                                  {"hsieh", config::Hash::hsieh},
                                                  {"murmur", config::Hash::murmur},
                                                  {"jenkins", config::Hash::jenkins}};
const std::map<std::string, config::Distribution> kDistributions{{"ketama", config::Distribution::ketama},
                                                                 {"modula", config::Distribution::modula},
                                                                 {"random", config::Distribution::random}};

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
  return value == nullptr ? "" : value;
}

std::chrono::milliseconds duration_or_throw(const std::string& name, const std::string& text) {
  const Result<std::chrono::milliseconds> parsed = config::parse_duration(text);
  if (!parsed) {
    throw CLI::ValidationError(name, parsed.error().text());
  }
  return *parsed;
}

std::optional<std::uint16_t> environment_port(const char* name) {
  const std::string text = environment(name);
  if (text.empty()) {
    return std::nullopt;
  }
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw CLI::ValidationError(name, "'" + text + "' is not a port; give 0 (off) to 65535");
  }
  return port;
}

void read_environment(Options& options) {
  options.redis_servers = environment("REDIS_SERVERS");
  options.redis_listen = environment("REDIS_LISTEN");
  options.health_port = environment_port("AMBASSADOR_HEALTH_PORT");
  options.admin_port = environment_port("AMBASSADOR_ADMIN_PORT");
  if (const std::string delay = environment("AMBASSADOR_TEST_BIND_DELAY"); !delay.empty()) {
    options.bind_delay = duration_or_throw("AMBASSADOR_TEST_BIND_DELAY", delay);
  }
}

}  // namespace

Parsed parse_options(int argc, const char* const* argv, const std::string& version) {
  Options options;
  std::string wait;
  std::string output = "table";
  std::string log_format = "auto";

  CLI::App cli{
      "A small proxy on localhost that knows the right backends.\n"
      "Without a command it runs: from --config FILE, or with REDIS_SERVERS=\"host:port:weight ...\" in "
      "place of twemproxy "
      "(on REDIS_LISTEN, default 127.0.0.1:6380)."};
  cli.set_version_flag("--version", version);
  cli.add_option("--config", options.config,
                 std::string("configuration file, JSON or YAML; default ") + kDefaultConfig)
      ->type_name("FILE");
  cli.add_option("--threads", options.threads,
                 "event loops; default: the CPU limit rounded up, 1 without a limit")
      ->check(CLI::Range(1, 64));
  cli.add_option("--log-format", log_format, "auto (text on a terminal, else JSON), json or text")
      ->check(CLI::IsMember({"auto", "json", "text"}));

  auto* check = cli.add_subcommand("check", "check a configuration file; exit 0 if it is valid, 1 if not");
  check->add_option("FILE", options.file)->required();

  cli.add_subcommand("schema", "print the JSON Schema of the configuration file");

  auto* status = cli.add_subcommand("status", "how are things operating: listeners, backends, health");
  auto* slowlog = cli.add_subcommand("slowlog", "the last requests that took long, the newest first");
  auto* hotkeys =
      cli.add_subcommand("hotkeys", "the keys that are asked for most, of late, by a sample of the commands");
  auto* bigkeys = cli.add_subcommand("bigkeys", "the keys of the largest messages, the largest first");
  std::uint16_t admin_port = kDefaultAdminPort;
  for (auto* shows : {status, slowlog, hotkeys, bigkeys}) {
    shows->add_option("-o,--output", output, "table or json")->check(CLI::IsMember({"table", "json"}));
    shows->add_option("--port", admin_port, "the admin port")->capture_default_str();
  }

  auto* probe = cli.add_subcommand("probe", "exit 0 when every listener accepts, 1 when not");
  probe->add_option("--wait", wait, "ask until it is so, at most this long, as 30s")->type_name("DURATION");
  std::uint16_t health_port = kDefaultHealthPort;
  probe->add_option("--port", health_port, "the health port")->capture_default_str();

  std::string pause_for = "5m";
  std::string pause_wait = "30s";
  auto* pause = cli.add_subcommand(
      "pause", "before servers are switched: let clients wait, and wait until no server is in use");
  pause->add_option("LISTENER", options.listener, "default: all that lend servers");
  pause->add_option("--for", pause_for, "goes on by itself after this, at most 1h")->capture_default_str();
  pause->add_option("--wait", pause_wait, "for servers in use; 0s: not at all")->capture_default_str();
  auto* resume = cli.add_subcommand("resume", "end a pause");
  resume->add_option("LISTENER", options.listener, "default: all that lend servers");
  for (auto* changes : {pause, resume})
    changes->add_option("--port", admin_port, "the admin port")->capture_default_str();

  auto* locate =
      cli.add_subcommand("locate", "for each key on standard input, print the server that holds it");
  locate->add_option("--server", options.servers, "'host:port:weight[ name]', repeatable")->required();
  locate->add_option("--hash", options.hash, "hash function of keys; default fnv1a_64")
      ->transform(CLI::CheckedTransformer(kHashes));
  locate->add_option("--distribution", options.distribution, "ketama, modula or random; default ketama")
      ->transform(CLI::CheckedTransformer(kDistributions));
  locate->add_option("--hash-tag", options.hash_tag, "two characters, as {}");
  locate->add_flag("--base64", options.base64, "keys are given in base64");
  cli.require_subcommand(0, 1);

  try {
    cli.parse(argc, argv);
    if (!options.hash_tag.empty() && options.hash_tag.size() != 2) {
      throw CLI::ValidationError("--hash-tag",
                                 "'" + options.hash_tag + "' has not two characters, as {} has");
    }
    if (!wait.empty()) {
      options.wait = duration_or_throw("--wait", wait);
    }
    if (pause->parsed()) {
      options.pause_for = duration_or_throw("--for", pause_for);
      options.wait = duration_or_throw("--wait", pause_wait);
    }
    read_environment(options);
  } catch (const CLI::ParseError& error) {
    std::ostringstream text;
    const bool asked = error.get_exit_code() == 0;
    (void)cli.exit(error, text, text);
    return {std::nullopt, text.str(), asked ? 0 : 2};
  }

  const std::map<std::string, Command> commands{{"check", Command::check},     {"schema", Command::schema},
                                                {"status", Command::status},   {"slowlog", Command::slowlog},
                                                {"hotkeys", Command::hotkeys}, {"bigkeys", Command::bigkeys},
                                                {"probe", Command::probe},     {"locate", Command::locate},
                                                {"pause", Command::pause},     {"resume", Command::resume}};
  for (const CLI::App* chosen : cli.get_subcommands()) {
    options.command = commands.at(chosen->get_name());
  }
  options.port = options.command == Command::probe ? health_port : admin_port;
  options.json = output == "json";
  options.log_text = log_format == "text";
  return {std::move(options), "", 0};
}

}  // namespace ambassador::proxy::app
