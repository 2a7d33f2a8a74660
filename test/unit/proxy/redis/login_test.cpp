#include "proxy/redis/login.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::redis;
using test::request;

namespace {

const std::string kHello = "%2\r\n$6\r\nserver\r\n-odd\r\n$7\r\nmodules\r\n*0\r\n";

/// Shows `answer` to a greeting in pieces of `piece` bytes; what it said last.
Greeted hear(Greeting& greeting, std::string_view answer, std::size_t piece) {
  Greeted said = greeting.on_bytes({});
  std::string input;
  for (std::size_t at = 0; at < answer.size() && said.state == Greeted::State::need_more; at += piece) {
    input += answer.substr(at, piece);
    said = greeting.on_bytes(input);
    REQUIRE(said.consumed <= input.size());
    input.erase(0, said.consumed);
  }
  return said;
}

}  // namespace

TEST_CASE("a kind of connection is its version of RESP and its database") {
  CHECK(lane_kind(Resp::two, 0) == LaneKind::ordinary);
  for (const Resp resp : {Resp::two, Resp::three}) {
    for (const std::uint16_t database : std::initializer_list<std::uint16_t>{0, 1, 15, 255, 16383}) {
      CHECK(resp_of(lane_kind(resp, database)) == resp);
      CHECK(database_of(lane_kind(resp, database)) == database);
      CHECK_FALSE(from_replica(lane_kind(resp, database)));
    }
  }
}

TEST_CASE("a replica of a cluster is told that reads are meant for it") {
  const LaneKind kind = lane_kind(Resp::three, 0, true);
  CHECK(from_replica(kind));
  CHECK(resp_of(kind) == Resp::three);
  CHECK(database_of(kind) == 0);
  CHECK(Login(kind, nullptr).on_bytes({}).send == request({"HELLO", "3"}) + request({"READONLY"}));
  CHECK(Login(lane_kind(Resp::two, 0, true), nullptr).on_bytes({}).send == request({"READONLY"}));
}

TEST_CASE("a login says who logs in, in which version of RESP, for which database, in one piece") {
  const Account app("app", "se\r\ncret");
  const Account usual("default", "secret");
  struct Case {
    Resp resp;
    std::uint16_t database;
    const Account* account;
    std::string said;
  };
  const std::vector<Case> cases{
      {Resp::two, 0, nullptr, ""},
      {Resp::two, 0, &app, request({"AUTH", "app", "se\r\ncret"})},
      {Resp::two, 0, &usual, request({"AUTH", "secret"})},  // as servers before Redis 6 know it
      {Resp::two, 12, nullptr, request({"SELECT", "12"})},
      {Resp::three, 0, nullptr, request({"HELLO", "3"})},
      {Resp::three, 0, &usual, request({"HELLO", "3", "AUTH", "default", "secret"})},
      {Resp::three, 3, &app, request({"HELLO", "3", "AUTH", "app", "se\r\ncret"}) + request({"SELECT", "3"})},
  };
  for (const Case& one : cases) {
    Login login(lane_kind(one.resp, one.database), one.account);
    const Greeted said = login.on_bytes({});
    INFO(one.said);
    CHECK(said.send == one.said);
    CHECK(said.state == (one.said.empty() ? Greeted::State::ready : Greeted::State::need_more));
  }
}

TEST_CASE("a login is over when every step was answered, however the answers are cut") {
  const Account app("app", "secret");
  const std::string answers = kHello + ">2\r\n+news\r\n:1\r\n+OK\r\n";
  for (std::size_t piece = 1; piece <= answers.size(); ++piece) {
    Login login(lane_kind(Resp::three, 3), &app);
    const Greeted said = hear(login, answers, piece);
    INFO(piece);
    CHECK(said.state == Greeted::State::ready);
  }
  Login login(lane_kind(Resp::two, 3), &app);
  (void)login.on_bytes({});
  const std::string more = "+OK\r\n+OK\r\n+unasked\r\n";
  const Greeted said = login.on_bytes(more);
  CHECK(said.state == Greeted::State::ready);
  CHECK(said.consumed == 10);  // the rest is not the login's
}

TEST_CASE(
    "a connection whose replies are kept asks to be told of changes, when the server is new enough for it") {
  const auto hello = [](const std::string& version) {
    return "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$" + std::to_string(version.size()) +
           "\r\n" + version + "\r\n";
  };
  struct Case {
    std::string hello;
    std::string answer;  // to CLIENT TRACKING; empty: that is not asked
    std::string why;     // empty: it tells
  };
  const std::string nothing = "clientCache keeps nothing of its replies: ";
  const std::string old = nothing + "the server is older than Redis 7";
  const std::string no_right = "NOPERM this user has no permissions to run the 'client|tracking' command";
  const std::vector<Case> cases{
      {hello("7.0.15"), "+OK\r\n", ""},
      {hello("10.1"), "+OK\r\n", ""},
      {hello("7.2.4"), "-" + no_right + "\r\n", nothing + no_right},
      {hello("7.2.4"), "-ERR unknown subcommand\r\n", nothing + "the server refused CLIENT TRACKING"},
      {hello("6.2.14"), "", old},
      {kHello, "", old},  // it tells no version
      {hello(""), "", old},
  };
  for (const Case& one : cases) {
    for (const std::size_t piece : std::initializer_list<std::size_t>{1, 2, 5, 1000}) {
      INFO(one.hello << one.answer << " in pieces of " << piece);
      Login login(kTrackedKind, nullptr, true);
      Greeted said = hear(login, one.hello, piece);
      if (!one.answer.empty()) {
        CHECK(said.send == request({"CLIENT", "TRACKING", "ON"}));
        for (std::size_t end = std::min(piece, one.answer.size());;
             end = std::min(end + piece, one.answer.size())) {
          REQUIRE(said.state == Greeted::State::need_more);
          said = login.on_bytes(std::string_view(one.answer).substr(0, end));
          if (end == one.answer.size()) break;
          REQUIRE(said.consumed == 0);
        }
      }
      CHECK(said.state == Greeted::State::ready);
      CHECK(said.tells == one.why.empty());
      CHECK(said.why == one.why);
    }
  }
  Login login(kTrackedKind, nullptr, true);
  CHECK(login.on_bytes({}).send == request({"HELLO", "3"}));
  CHECK(login.on_bytes(hello("7.0.15")).send == request({"CLIENT", "TRACKING", "ON"}));
  CHECK(hear(*std::make_unique<Login>(kTrackedKind, nullptr), hello("7.0.15"), 100).state ==
        Greeted::State::ready);

  test::ToldAvailability availability(1);
  config::Listener listener = test::listener(1);
  listener.redis.client_cache = config::ClientCache{};
  const auto core = make_core(listener, availability);
  const auto track = [](Greeting& greeting) {
    (void)greeting.on_bytes({});
    return !greeting.on_bytes("%1\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n").send.empty();
  };
  CHECK(track(*core->new_shared_greeting(kTrackedKind)));
  CHECK_FALSE(track(*core->new_greeting(kTrackedKind)));  // a client's own
  CHECK(core->new_shared_greeting(LaneKind::ordinary) == nullptr);
}

TEST_CASE("a refused login says why, and whether to try again") {
  const Account app("app", "secret");
  struct Case {
    std::string answers;
    bool lasting;
    std::string why;
  };
  const std::string wrong = "WRONGPASS invalid username-password pair or user is disabled.";
  const std::vector<Case> cases{
      {"-" + wrong + "\r\n", false, wrong},
      {"-LOADING Redis is loading the dataset in memory\r\n", false,
       "LOADING Redis is loading the dataset in memory"},
      {"-NOPROTO unsupported protocol version\r\n", true, "NOPROTO unsupported protocol version"},
      {kHello + "-ERR DB index is out of range\r\n", true, "ERR DB index is out of range"},
      {kHello + "-NOPERM this user has no permissions\r\n", true, "NOPERM this user has no permissions"},
      {kHello + "-LOADING still\r\n", false, "LOADING still"},
      {"HTTP/1.1 400 Bad Request\r\n", false, "it does not speak the Redis protocol"},
      {"-NOPERM a\tb\x7f\r\n", false, "NOPERM a?b?"},
      {"-\r\n", false, "the server refused HELLO"},
  };
  for (const Case& one : cases) {
    for (std::size_t piece = 1; piece <= one.answers.size(); piece += 7) {
      Login login(lane_kind(Resp::three, 99), &app);
      const Greeted said = hear(login, one.answers, piece);
      INFO(one.answers << " in pieces of " << piece);
      CHECK(said.state == Greeted::State::refused);
      CHECK(said.lasting == one.lasting);
      CHECK(said.why == one.why);
    }
  }
}

TEST_CASE("what a server says that repeats the password is not told") {
  const Account app("app", "secret");
  Login login(lane_kind(Resp::three, 0), &app);
  const Greeted said = hear(
      login, "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `app`, `secret`, \r\n",
      1000);
  CHECK(said.state == Greeted::State::refused);
  CHECK(said.why == "the server refused HELLO");
}

TEST_CASE("connections are greeted as the account of now says, and not made before there is one") {
  test::ToldAvailability availability(1);
  std::shared_ptr<const Account> now;
  const auto core = make_core(test::listener(1), availability, [&] { return now; });
  const auto nobody = core->new_greeting(LaneKind::ordinary);
  CHECK(nobody->on_bytes({}).state == Greeted::State::refused);
  CHECK(nobody->on_bytes({}).why == "the ambassador has no credentials for it yet");
  for (const char* password : {"first", "second"}) {
    now = std::make_shared<const Account>("app", password);
    const auto greeting = core->new_greeting(LaneKind::ordinary);
    CHECK(greeting->on_bytes({}).send == request({"AUTH", "app", password}));
  }
  const auto open = make_core(test::listener(1), availability);
  CHECK(open->new_greeting(LaneKind::ordinary) == nullptr);
  CHECK(open->new_greeting(lane_kind(Resp::two, 1))->on_bytes({}).send == request({"SELECT", "1"}));
}
