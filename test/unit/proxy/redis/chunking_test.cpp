// However the network cuts a client's bytes, servers see the same requests and the client the same replies.
#include <catch2/catch.hpp>

#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;

namespace {

struct Outcome {
  std::string out;
  std::vector<std::string> requests;  // by arrival, with the backend
  bool closed = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Each server answers at once: arrays as long as asked for, integers or bulks that name the request.
std::string reply_to(std::size_t backend, const std::string& request, std::uint32_t replies = 1) {
  if (replies > 1) {
    std::string reply = "+OK\r\n";
    for (std::uint32_t i = 2; i < replies; ++i) reply += "+QUEUED\r\n";
    return reply + "*1\r\n:" + std::to_string(request.size()) + "\r\n";
  }
  const std::string mark = std::to_string(backend) + ":" + std::to_string(request.size());
  if (request.find("mget") != std::string::npos) {
    const int keys = std::stoi(request.substr(1)) - 1;
    std::string reply = "*" + std::to_string(keys) + "\r\n";
    for (int i = 0; i < keys; ++i) reply += "$" + std::to_string(mark.size()) + "\r\n" + mark + "\r\n";
    return reply;
  }
  if (request.find("del") != std::string::npos || request.find("dbsize") != std::string::npos)
    return ":1\r\n";
  if (request.find("scan") != std::string::npos) return "*2\r\n$1\r\n7\r\n*1\r\n$1\r\nk\r\n";
  return "$" + std::to_string(mark.size()) + "\r\n" + mark + "\r\n";
}

Outcome play(const std::string& bytes, const std::vector<std::size_t>& cuts) {
  Scene scene(listener(2));
  scene.relay.log_texts = false;
  Outcome outcome;
  ToyRelay& relay = scene.relay;
  const auto serve_one = [&](std::size_t backend) {
    if (!relay.streaming() && relay.owed(backend) != nullptr) {
      const std::string request = *relay.owed(backend);
      outcome.requests.push_back(std::to_string(backend) + request);
      relay.deliver(backend, reply_to(backend, request, relay.owed_replies(backend)));
    } else if (!relay.streaming() && relay.leased_owed(backend) != nullptr) {
      const std::string request = *relay.leased_owed(backend);
      outcome.requests.push_back(std::to_string(backend) + "own " + request);
      relay.deliver_leased(backend, reply_to(backend, request, relay.leased_replies(backend)));
    } else {
      return false;
    }
    return true;
  };
  const auto serve = [&] {
    while (serve_one(0) || serve_one(1)) {
    }
  };
  std::size_t at = 0;
  for (const std::size_t cut : cuts) {
    scene.relay.receive(std::string_view(bytes).substr(at, cut - at));
    at = cut;
    serve();
  }
  scene.relay.receive(std::string_view(bytes).substr(at));
  serve();
  outcome.out = scene.relay.out;
  outcome.closed = scene.relay.closed();
  std::ranges::stable_sort(outcome.requests, {}, [](const std::string& r) { return r[0]; });  // per backend
  return outcome;
}

std::string pipeline(const config::Listener& config) {
  std::string bytes;
  for (const char* line : {"get a0",         "mget a0 a1 b1 b0",
                           "ping",           "set a1 value",
                           "nonsense x",     "del a0 a1",
                           "rename a0 a1",   "dbsize",
                           "scan 0",         "client setname me",
                           "client getname", "echo x",
                           "multi",          "set a0 v",
                           "mget a0 b0",     "exec",
                           "blpop a0 b0 0",  "get b0",
                           "watch a1",       "get a1",
                           "get a0",         "multi",
                           "multi",          "set a0 x",
                           "set a1 x",       "exec",
                           "unwatch",        "get a1"}) {
    bytes += request(words(config, line));
  }
  bytes += "\r\n*0\r\nget \"in line\"\r\nmget " + key_on(config, 0) + " " + key_on(config, 1) + "\r\n";
  return bytes + request(words(config, "quit"));
}

}  // namespace

TEST_CASE("a pipeline of every kind of command, cut anywhere, gives the same requests and replies") {
  const std::string bytes = pipeline(listener(2));
  const Outcome whole = play(bytes, {});
  CHECK(whole.closed);
  CHECK(whole.requests.size() == 20);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    INFO("cut at " << cut);
    REQUIRE(play(bytes, {cut}) == whole);
  }
}

TEST_CASE("a pipeline that comes byte by byte gives the same requests and replies") {
  const std::string bytes = pipeline(listener(2));
  std::vector<std::size_t> cuts;
  for (std::size_t i = 1; i < bytes.size(); ++i) cuts.push_back(i);
  CHECK(play(bytes, cuts) == play(bytes, {}));
}

TEST_CASE("large messages, cut anywhere near their seams, give the same requests and replies") {
  const config::Listener config = listener(2);
  std::string bytes = request(words(config, "get a0"));
  std::vector<std::size_t> seams;
  const auto add = [&](const std::string& text) {
    bytes += text;
    seams.push_back(bytes.size());
  };
  const std::string big(70000, 'v');
  add("*6\r\n$4\r\nHSET\r\n" + request({key_on(config, 1)}).substr(4));
  add("$1\r\nf\r\n");
  add("$70000\r\n" + big + "\r\n");
  add("$1\r\ng\r\n");
  add("$70000\r\n" + big + "\r\n");
  add(request({"NONSENSE", "x", big}));
  add(request(words(config, "mset a0")).substr(0, 0) +
      request({"mset", key_on(config, 0), big, key_on(config, 1), "x"}));
  add(request({"ping"}));
  const Outcome whole = play(bytes, {});
  CHECK(whole.requests.size() == 4);
  for (const std::size_t seam : seams) {
    for (std::size_t cut = seam - std::min<std::size_t>(seam, 12); cut <= std::min(seam + 12, bytes.size());
         ++cut) {
      INFO("cut at " << cut);
      REQUIRE(play(bytes, {cut}) == whole);
    }
  }
  for (std::size_t piece : {std::size_t{1}, std::size_t{777}, std::size_t{65536}, std::size_t{65537}}) {
    if (piece == 1) continue;  // quadratic in the toy relay
    std::vector<std::size_t> cuts;
    for (std::size_t at = piece; at < bytes.size(); at += piece) cuts.push_back(at);
    INFO("pieces of " << piece);
    REQUIRE(play(bytes, cuts) == whole);
  }
}
