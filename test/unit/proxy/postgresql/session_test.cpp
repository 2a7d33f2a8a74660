// Sessions by themselves, with servers that are made up: first packets, authentication, failures, cancelling,
// leaving.
#include <algorithm>
#include <catch2/catch.hpp>

#include "proxy/postgresql/core.hpp"
#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/scram_client.hpp"
#include "test/unit/proxy/postgresql/fake_server.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::postgresql;
using namespace std::literals;
using ambassador::proxy::test::ToyClient;
using ambassador::proxy::test::ToyPool;
using config::Pooling;
namespace toy = ambassador::proxy::postgresql::test;
using toy::bare;
using toy::packet;
using toy::parse;
using toy::query;

namespace {

struct Scene {
  explicit Scene(Pooling pooling, std::size_t servers = 1, bool clients_log_in = false) {
    Settings settings;
    settings.pooling = pooling;
    settings.account = [this] { return account; };
    settings.random = [](std::span<char> out) { std::fill(out.begin(), out.end(), 'r'); };
    if (clients_log_in) settings.client_account = [this] { return client_account; };
    core = make_core(std::move(settings));
    pool = std::make_unique<ToyPool>(*core, servers, [this] {
      auto line = std::make_unique<toy::FakeServer>(++pid, &log);
      last = line.get();
      return line;
    });
  }
  std::unique_ptr<ToyClient> client(bool can_tls = false) {
    PooledCore::Client who;
    who.number = ++number;
    who.secret.fill(static_cast<char>('0' + number));
    who.can_tls = can_tls;
    return std::make_unique<ToyClient>(*core, *pool, who);
  }
  std::unique_ptr<ToyClient> open() {
    auto made = client();
    say(*made, startup());
    return made;
  }
  void settle(ToyClient& made) {
    for (bool moved = true; moved;) {
      moved = pool->turn();
      moved = made.turn() || moved;
    }
  }
  std::string say(ToyClient& made, std::string_view bytes) {
    made.say(bytes);
    settle(made);
    return std::exchange(made.out, {});
  }
  static std::string startup(std::string_view more = {}, std::uint32_t minor = 0) {
    return toy::startup("user\0me\0"s + std::string(more), minor);
  }

  /// Another account for servers; the one before.
  std::shared_ptr<const Account> take(std::shared_ptr<const Account> other) {
    auto before = std::exchange(account, std::move(other));
    core->login_changed();
    return before;
  }

  std::shared_ptr<const Account> account = std::make_shared<const Account>("proxy", "pencil");
  std::shared_ptr<const Account> client_account = std::make_shared<const Account>("me", "pencil");
  std::shared_ptr<const PooledCore> core;
  std::unique_ptr<ToyPool> pool;
  std::vector<std::string> log;  // messages that servers got
  toy::FakeServer* last = nullptr;
  std::uint32_t pid = 100;
  std::uint32_t number = 0;
};

std::string types(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const Message message = read_message(bytes, 1U << 30);
    REQUIRE(message.found == Found::whole);
    out += message.type;
    bytes.remove_prefix(message.size());
  }
  return out;
}

// Of the first error.
std::string code(std::string_view bytes) {
  while (!bytes.empty()) {
    const Message message = read_message(bytes, 1U << 30);
    if (message.found != Found::whole) break;
    if (message.type == 'E') {
      const ErrorFields error = read_error_fields(message.body).value();
      return std::string(error.severity) + " " + std::string(error.code);
    }
    bytes.remove_prefix(message.size());
  }
  return {};
}

const std::string kSync = "S\0\0\0\4"s;

}  // namespace

TEST_CASE("encryption is begun where there is a certificate, else declined") {
  Scene scene(Pooling::transaction);
  auto plain = scene.client();
  CHECK(scene.say(*plain, packet(kGssRequest)) == "N");
  CHECK(scene.say(*plain, packet(kSslRequest)) == "N");
  CHECK(types(scene.say(*plain, Scene::startup())) == "RSSSSKZ");
  auto tls = scene.client(true);
  CHECK(scene.say(*tls, packet(kSslRequest)) == "S");
  CHECK(types(scene.say(*tls, Scene::startup())) == "RSSSSKZ");
}

TEST_CASE("bytes behind a wish for encryption end the connection") {
  Scene scene(Pooling::transaction);
  for (const bool can_tls : {false, true}) {
    for (const std::uint32_t wish : {kSslRequest, kGssRequest}) {
      auto client = scene.client(can_tls);
      CHECK(code(scene.say(*client, packet(wish) + Scene::startup())) == "FATAL 08P01");
      CHECK(client->closed);
    }
  }
}

TEST_CASE("a newer protocol and unknown options are negotiated") {
  Scene scene(Pooling::transaction);
  auto newer = scene.client();
  CHECK(types(scene.say(*newer, Scene::startup("_pq_.x\0y\0"sv, 9))) == "vRSSSSKZ");
  auto current = scene.client();
  const std::string greeting = scene.say(*current, Scene::startup({}, 2));
  CHECK(types(greeting) == "RSSSSKZ");
  CHECK(greeting.find(std::string(32, '2')) != std::string::npos);  // a longer key
}

TEST_CASE("the second client is greeted without a server") {
  Scene scene(Pooling::transaction);
  auto first = scene.open();
  auto second = scene.client();
  CHECK(types(scene.say(*second, Scene::startup("application_name\0x\0"sv))) == "RSSSSKZ");
  CHECK(second->borrowed == 0);
}

// What a client with that password is told in the end.
std::string log_in(Scene& scene, const std::string& password) {
  auto client = scene.client();
  CHECK(types(scene.say(*client, Scene::startup())) == "R");
  ScramClient scram("nonce", ScramClient::Binding::none);
  std::string first;
  write_sasl_initial_response(first, kScram, scram.first());
  const std::string challenge = scene.say(*client, first);
  ScramCache cache;
  const auto proof = scram.answer(std::string_view(challenge).substr(9), password, cache);
  REQUIRE(proof);
  std::string last;
  write_sasl_response(last, *proof);
  return scene.say(*client, last);
}

TEST_CASE("clients prove by SCRAM that they know the password") {
  Scene scene(Pooling::transaction, 1, true);
  CHECK(types(log_in(scene, "pencil")) == "RRSSSSKZ");
  CHECK(code(log_in(scene, "Pencil")) == "FATAL 28P01");
}

TEST_CASE("another user's name is refused with the same words, and only when the password was shown") {
  Scene scene(Pooling::transaction, 1, true);
  const std::string wrong = log_in(scene, "Pencil");
  scene.client_account = std::make_shared<const Account>("you", "pencil");
  CHECK(log_in(scene, "pencil") == wrong);
  CHECK(scene.log.empty());
}

TEST_CASE("a password that is replaced counts for the next login") {
  Scene scene(Pooling::transaction, 1, true);
  CHECK(types(log_in(scene, "pencil")) == "RRSSSSKZ");
  scene.client_account = std::make_shared<const Account>("me", "crayon");
  CHECK(code(log_in(scene, "pencil")) == "FATAL 28P01");
  CHECK(types(log_in(scene, "crayon")) == "RRSSSSKZ");
}

TEST_CASE("as long as there is no password to hold it against nobody is let in") {
  Scene scene(Pooling::transaction, 1, true);
  scene.client_account = nullptr;
  auto client = scene.client();
  CHECK(code(scene.say(*client, Scene::startup())) == "FATAL 57P03");
  CHECK(client->closed);
}

TEST_CASE("a client that does not authenticate is not let in") {
  for (const std::string& wrong : {query("SELECT 1"), bare('p', "x"), bare('p', "SCRAM-SHA-256\0\0\0\0\1n"sv),
                                   bare('p', std::string(10000, 'x')), "p\0\0\0\0"s}) {
    Scene scene(Pooling::transaction, 1, true);
    auto client = scene.client();
    scene.say(*client, Scene::startup());
    CHECK(code(scene.say(*client, wrong)).starts_with("FATAL"));
    CHECK(client->closed);
    CHECK(scene.log.empty());
  }
}

TEST_CASE("a simple query takes few steps, and a server only while it runs") {
  Scene scene(Pooling::transaction);
  auto client = scene.open();
  const std::uint64_t before = client->steps;
  CHECK(types(scene.say(*client, query("SELECT 1"))) == "DCZ");
  CHECK(client->server() == nullptr);
  CHECK(client->steps - before <= 6);  // borrow, forward, forward, give_back; and whether there is more
}

TEST_CASE("a transaction keeps its server, a session for as long as the client is there") {
  Scene scene(Pooling::transaction);
  auto client = scene.open();
  scene.say(*client, query("BEGIN"));
  CHECK(client->server() != nullptr);
  CHECK_FALSE(client->session().at_rest());
  scene.say(*client, query("COMMIT"));
  CHECK(client->server() == nullptr);
  CHECK(client->session().at_rest());

  Scene session(Pooling::session);
  auto keeper = session.open();
  CHECK(keeper->server() != nullptr);
  CHECK(keeper->session().at_rest());
}

TEST_CASE(
    "what the proxy could answer itself is the server's to refuse in a transaction that may be aborted") {
  Scene scene(Pooling::transaction);
  auto first = scene.open();
  CHECK(types(scene.say(*first, parse("a", "SELECT 1") + kSync)) == "1Z");
  auto client = scene.open();
  CHECK(types(scene.say(*client, parse("b", "SELECT 1") + kSync)) == "1Z");
  // The second one was the proxy's answer.
  CHECK(std::count(scene.log.begin(), scene.log.end(), "101P") == 1);
  CHECK(types(scene.say(*client, query("BEGIN"))) == "CZ");
  const std::string said = scene.say(*client, query("fail") + parse("c", "SELECT 1") + kSync);
  CHECK(types(said) == "EZEZ");
  CHECK(code(said.substr(said.find('Z') + 6)) == "ERROR 25P02");
  CHECK(types(scene.say(*client, parse("c", "SELECT 1") + kSync)) == "EZ");
  CHECK(types(scene.say(*client, query("ROLLBACK"))) == "CZ");
  CHECK(types(scene.say(*client, parse("c", "SELECT 1") + kSync)) == "1Z");
}

TEST_CASE("other credentials are another pool, at the next transaction") {
  Scene scene(Pooling::transaction, 2);
  auto client = scene.open();
  scene.take(std::make_shared<const Account>("other", "pen"));
  CHECK(types(scene.say(*client, query("SELECT 1"))) == "DCZ");
  CHECK(scene.pool->servers.back()->key.starts_with("user\0other\0"s));
}

TEST_CASE("no server: an error at the end of the unit, and the connection goes on") {
  Scene scene(Pooling::transaction);
  auto holder = scene.open();
  auto client = scene.open();
  scene.say(*holder, query("BEGIN"));

  scene.say(*client, query("SELECT 1"));
  CHECK(client->waits());
  client->not_lent(Failure::overloaded, {});
  CHECK(code(client->out) == "ERROR 53300");
  CHECK(types(std::exchange(client->out, {})) == "EZ");

  scene.say(*client, parse("a", "SELECT 1"));
  CHECK(client->waits());
  client->not_lent(Failure::unreachable, {});
  CHECK(types(std::exchange(client->out, {})) == "E");
  CHECK(scene.say(*client, query("SELECT 1") + bare('B', "\0a\0\0\0\0\0\0\0"sv)).empty());
  CHECK(types(scene.say(*client, kSync)) == "Z");
  CHECK(client->began == client->ended);

  scene.say(*holder, query("COMMIT"));
  CHECK(types(scene.say(*client, query("SELECT 1"))) == "DCZ");
}

TEST_CASE("no server at the start is FATAL") {
  Scene scene(Pooling::session);
  auto holder = scene.open();
  auto client = scene.client();
  scene.say(*client, Scene::startup());
  REQUIRE(client->waits());
  client->not_lent(Failure::no_backend, {});
  CHECK(code(client->out) == "FATAL 57P03");
  CHECK(client->closed);
}

TEST_CASE("a server that is lost is one error") {
  SECTION("a query of its own: the client goes on") {
    Scene scene(Pooling::transaction);
    auto client = scene.open();
    scene.say(*client, query("COPYIN"));
    client->lose_server();
    CHECK(code(client->out) == "ERROR 08006");
    CHECK(types(std::exchange(client->out, {})) == "EZ");
    CHECK(scene.say(*client, bare('d', "x") + bare('c')).empty());
    CHECK(types(scene.say(*client, query("SELECT 1"))) == "DCZ");
    CHECK(client->began == client->ended);
  }
  SECTION("a batch: up to its Sync") {
    Scene scene(Pooling::transaction);
    auto client = scene.open();
    CHECK(types(scene.say(*client, parse("a", "SELECT 1"))) == "1");
    client->lose_server();
    CHECK(types(std::exchange(client->out, {})) == "E");
    CHECK(types(scene.say(*client, bare('H') + kSync)) == "Z");
  }
  SECTION("a transaction: the client has to begin anew") {
    Scene scene(Pooling::transaction);
    auto client = scene.open();
    scene.say(*client, query("BEGIN"));
    client->lose_server();
    CHECK(code(client->out) == "FATAL 08006");
    CHECK(client->closed);
  }
  SECTION("a session likewise") {
    Scene scene(Pooling::session);
    auto client = scene.open();
    client->lose_server();
    CHECK(code(client->out) == "FATAL 08006");
    CHECK(client->closed);
  }
  SECTION("it says so itself") {
    Scene scene(Pooling::transaction);
    auto client = scene.open();
    const std::string heard = scene.say(*client, query("die"));
    CHECK(types(heard) == "EZ");
    CHECK(code(heard) == "ERROR 08006");
  }
}

TEST_CASE("a client is cancelled by its own key, while it runs something") {
  Scene scene(Pooling::transaction);
  auto client = scene.open();
  auto other = scene.client();
  scene.say(*other, packet(kCancelRequest, "\0\0\0\1"s + "1111"));
  REQUIRE(other->cancels.size() == 1);
  CHECK(other->closed);
  scene.say(*client, query("COPYIN"));
  CHECK(client->session().may_cancel(other->cancels[0]));
  CHECK_FALSE(client->session().may_cancel("\0\0\0\1"s + "1112"));
  CHECK_FALSE(client->session().may_cancel("\0\0\0\2"s + "1111"));
  CHECK_FALSE(client->session().may_cancel("\0\0\0\1"s));
  CHECK(client->server()->protocol->interruption() == packet(kCancelRequest, "\0\0\0\x65key!"sv));
}

TEST_CASE("a client that waits for a server is cancelled with the protocol's own error, and goes on") {
  Scene scene(Pooling::transaction);
  auto client = scene.open();
  auto holder = scene.open();
  scene.say(*holder, query("BEGIN"));
  const std::string wish = "\0\0\0\1"s + "1111";
  const auto cancelled = [&] {
    REQUIRE(client->waits());
    REQUIRE(client->session().may_cancel(wish));
    CHECK_FALSE(holder->session().may_cancel(wish));
    client->cancel_wait();
    scene.settle(*client);
    return std::exchange(client->out, {});
  };
  CHECK(scene.say(*client, query("one")).empty());
  const std::string one = cancelled();
  CHECK(types(one) == "EZ");
  CHECK(code(one) == "ERROR 57014");
  // A batch is over with its Sync, whatever of it has come by then.
  CHECK(scene.say(*client, parse("", "two")).empty());
  CHECK(types(cancelled()) == "E");
  CHECK(types(scene.say(*client, kSync)) == "Z");
  CHECK(scene.say(*client, query("three") + query("four")).empty());
  CHECK(types(cancelled()) == "EZ");
  CHECK(client->waits());
  scene.say(*holder, query("COMMIT"));
  scene.settle(*client);
  CHECK(types(std::exchange(client->out, {})) == "CZ");
  CHECK(client->began == client->ended);
  CHECK_FALSE(client->closed);
}

TEST_CASE("a client of a session pool is known by its server's number") {
  Scene scene(Pooling::session);
  auto client = scene.client();
  std::string key;
  write_backend_key(key, 101, "1111");
  CHECK(scene.say(*client, Scene::startup()).find(key) != std::string::npos);
}

TEST_CASE("who leaves in peace gives its server back, who leaves in the middle does not") {
  Scene scene(Pooling::transaction);
  auto client = scene.open();
  scene.say(*client, query("BEGIN"));
  client->leave();
  scene.pool->turn();
  REQUIRE(scene.pool->servers.size() == 1);
  CHECK(scene.pool->servers[0]->ready);
  CHECK(std::count(scene.log.begin(), scene.log.end(), "101Q") == 3);  // BEGIN, ROLLBACK, DISCARD ALL
  auto second = scene.open();
  scene.say(*second, query("COPYIN"));
  second->leave();
  CHECK(scene.pool->servers[0]->failed);
}

TEST_CASE("messages that are none end the connection, with one error") {
  for (const std::string& wrong : {"Q\0\0\0\1"s, "z\0\0\0\4"s, bare('p', "x"), "\0\0\0\0\0\0"s}) {
    for (const Pooling pooling : {Pooling::transaction, Pooling::session}) {
      Scene scene(pooling);
      auto client = scene.open();
      CHECK(code(scene.say(*client, wrong)) == "FATAL 08P01");
      CHECK(client->closed);
    }
  }
}

TEST_CASE("as long as nobody can log in at servers clients are told so") {
  Scene scene(Pooling::transaction);
  const auto account = scene.take(nullptr);
  auto early = scene.client();
  CHECK(code(scene.say(*early, Scene::startup())) == "FATAL 57P03");
  CHECK(early->closed);
  CHECK(scene.pool->servers.empty());
  scene.take(account);
  CHECK(types(scene.say(*scene.open(), query("SELECT 1"))) == "DCZ");
}

TEST_CASE("a client that is in when there is no account any more gets an error and stays") {
  Scene scene(Pooling::transaction);
  auto client = scene.open();
  scene.pool->servers.clear();
  const auto account = scene.take(nullptr);
  client->say(query("SELECT 1"));
  REQUIRE(client->waits());
  REQUIRE(scene.pool->servers.size() == 1);
  CHECK(scene.pool->servers.front()->failed);
  CHECK_FALSE(scene.pool->servers.front()->passing);
  client->not_lent(Failure::unreachable, std::string(scene.pool->servers.front()->why));
  CHECK(code(client->out) == "ERROR 57P03");
  CHECK_FALSE(client->closed);
  client->out.clear();
  scene.take(account);
  CHECK(types(scene.say(*client, query("SELECT 1"))) == "DCZ");
}
