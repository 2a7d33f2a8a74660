// Clients that have to log in first.
#include <catch2/catch.hpp>

#include "scene.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::test;

namespace {

constexpr const char* kNoAuth = "-NOAUTH Authentication required.\r\n";
constexpr const char* kWrong = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
constexpr const char* kOk = "+OK\r\n";

/// One client of a listener whose clients are `account`.
struct Guarded {
  std::shared_ptr<const Account> account = std::make_shared<const Account>("shop", "pencil");
  Scene scene{listener(2), [this] { return account; }};

  std::string ask(const std::string& line) {
    scene.send(line);
    return scene.answer();
  }
  [[nodiscard]] bool asked_a_server() const {
    return scene.relay.owed(0) != nullptr || scene.relay.owed(1) != nullptr;
  }
};

}  // namespace

TEST_CASE("before it has logged in a client may do nothing, and stays connected") {
  Guarded guarded;
  for (const char* line : {"get a0", "set a0 x", "mset a0 1 a1 2", "ping", "echo x", "select 1", "client id",
                           "client list", "multi", "discard", "watch a0", "subscribe a0", "blpop a0 0",
                           "dbsize", "command", "info", "monitor"}) {
    INFO(line);
    CHECK(guarded.ask(line) == kNoAuth);
  }
  CHECK(guarded.ask("exec") ==
        "-EXECABORT Transaction discarded because of: NOAUTH Authentication required.\r\n");
  CHECK(guarded.ask("get") == "-ERR wrong number of arguments for 'get' command\r\n");
  CHECK(guarded.ask("nosuch") == "-ERR unknown command 'nosuch', with args beginning with: \r\n");
  CHECK_FALSE(guarded.asked_a_server());
  CHECK(guarded.scene.relay.session().logging_in());
  CHECK(guarded.ask("quit") == kOk);
  CHECK(guarded.scene.relay.closed());
}

TEST_CASE("a client logs in with the password, with or without the user's name") {
  for (const char* line : {"auth pencil", "auth shop pencil", "AUTH shop pencil"}) {
    INFO(line);
    Guarded guarded;
    CHECK(guarded.ask(line) == kOk);
    CHECK_FALSE(guarded.scene.relay.session().logging_in());
    CHECK(guarded.ask("ping") == "+PONG\r\n");
    CHECK(guarded.ask("client info").find(" user=shop ") != std::string::npos);
    CHECK(guarded.ask("get a0").empty());
    CHECK(guarded.asked_a_server());
  }
  Guarded hello;
  CHECK(hello.ask("hello 3 auth shop pencil setname me").starts_with("%7\r\n$6\r\nserver\r\n"));
  CHECK(hello.ask("client getname") == "$2\r\nme\r\n");
}

TEST_CASE("whoever has it wrong is told so, and nothing more") {
  Guarded guarded;
  for (const char* line :
       {"auth crayon", "auth pencils", "auth penci", "auth shop crayon", "auth default pencil",
        "auth pencil shop", "hello 2 auth shop crayon", "hello 3 auth default pencil"}) {
    INFO(line);
    CHECK(guarded.ask(line) == kWrong);
    CHECK(guarded.ask("ping") == kNoAuth);
  }
  guarded.scene.relay.receive(request({"AUTH", ""}));
  CHECK(guarded.scene.answer() == kWrong);
  CHECK(guarded.ask("auth a b c") == "-ERR syntax error\r\n");
  CHECK(guarded.ask("hello 3").starts_with("-NOAUTH HELLO must be called with the client already "));
  // RESP3 was not taken from it either.
  CHECK(guarded.ask("auth pencil") == kOk);
  CHECK(guarded.ask("client getname") == "$-1\r\n");
}

TEST_CASE("a client that is logged in stays so when it has a password wrong, until RESET") {
  Guarded guarded;
  CHECK(guarded.ask("auth pencil") == kOk);
  CHECK(guarded.ask("auth crayon") == kWrong);
  CHECK(guarded.ask("ping") == "+PONG\r\n");
  CHECK(guarded.ask("reset") == "+RESET\r\n");
  CHECK(guarded.ask("ping") == kNoAuth);
  CHECK_FALSE(guarded.scene.relay.session().logging_in());  // it has shown before that it can
  CHECK(guarded.ask("auth pencil") == kOk);
  CHECK(guarded.ask("multi") == kOk);
  CHECK(guarded.ask("set a0 x") == "+QUEUED\r\n");
  CHECK(guarded.ask("reset") == "+RESET\r\n");
  CHECK(guarded.ask("exec").starts_with("-EXECABORT"));
}

TEST_CASE("another password counts for the next login, and who is in stays") {
  Guarded guarded;
  CHECK(guarded.ask("auth pencil") == kOk);
  guarded.account = std::make_shared<const Account>("shop", "crayon");
  CHECK(guarded.ask("ping") == "+PONG\r\n");
  CHECK(guarded.ask("auth pencil") == kWrong);
  CHECK(guarded.ask("auth crayon") == kOk);
}

TEST_CASE("without a password of theirs nobody is let in, and is told to come again") {
  Guarded guarded;
  guarded.account = nullptr;
  for (const char* line : {"auth pencil", "auth shop pencil", "auth default x", "hello 3 auth shop pencil"}) {
    INFO(line);
    CHECK(guarded.ask(line) == "-LOADING the ambassador has no password for its clients yet\r\n");
  }
  CHECK(guarded.ask("ping") == kNoAuth);
}

TEST_CASE("a stranger's messages are limited as in Redis, up to the one with the password") {
  const std::string fits = request({"SET", "a", std::string(16384, 'x')});
  const std::string large = request({"SET", "a", std::string(16385, 'x')});
  const std::string eleven = request(std::vector<std::string>(11, "x"));
  const auto said = [](const std::string& bytes) {
    Guarded guarded;
    guarded.scene.relay.receive(bytes);
    return guarded.scene.answer() + (guarded.scene.relay.closed() ? "closed" : "");
  };
  const std::string count = "-ERR Protocol error: unauthenticated multibulk length\r\nclosed";
  const std::string length = "-ERR Protocol error: unauthenticated bulk length\r\nclosed";
  CHECK(said(fits) == kNoAuth);
  CHECK(said(request(std::vector<std::string>(10, "get"))).starts_with("-ERR wrong number"));
  CHECK(said(eleven) == count);
  CHECK(said("*11\r\n") == count);
  CHECK(said("*1025\r\n") == count);
  CHECK(said(large) == length);
  CHECK(said("*2\r\n$16385\r\n") == length);
  CHECK(said("*2\r\n$99999999999\r\n") == "-ERR Protocol error: invalid bulk length\r\nclosed");

  Guarded guarded;
  guarded.scene.relay.receive(request({"auth", "pencil"}) + request(words(guarded.scene.config, "set a0 ")));
  CHECK(guarded.scene.answer() == std::string(kOk) + "-ERR wrong number of arguments for 'set' command\r\n");
  guarded.scene.relay.receive(large);
  CHECK(guarded.asked_a_server());
  guarded.scene.relay.receive(request({"RESET"}) + eleven);
  CHECK(guarded.scene.relay.closed());
}

TEST_CASE("what begins a stranger's large message is answered when it ends") {
  Guarded guarded;
  std::vector<std::string> words{"MSET"};
  for (int i = 0; i < 4; ++i) {
    words.push_back("key-" + std::to_string(i));
    words.emplace_back(16384, 'x');
  }
  const std::string message = request(words);
  guarded.scene.relay.receive(std::string_view(message).substr(0, message.size() - 1));
  CHECK(guarded.scene.answer().empty());
  guarded.scene.relay.receive(std::string_view(message).substr(message.size() - 1));
  CHECK(guarded.scene.answer() == kNoAuth);
  CHECK(guarded.scene.relay.held() == 0);
}

TEST_CASE("a configuration that asks for a password asks those who come, one that does not lets all in") {
  Scene open(listener(2));
  Guarded guarded;
  guarded.scene.core->rebind(open.relay.session());
  open.send("ping");
  CHECK(open.answer() == "+PONG\r\n");
  open.send("reset");
  open.send("ping");
  CHECK(open.answer() == std::string("+RESET\r\n") + kNoAuth);

  CHECK(guarded.ask("ping") == kNoAuth);
  const Scene other(listener(2));
  other.core->rebind(guarded.scene.relay.session());
  CHECK(guarded.ask("ping") == "+PONG\r\n");
  CHECK_FALSE(guarded.scene.relay.session().logging_in());
}
