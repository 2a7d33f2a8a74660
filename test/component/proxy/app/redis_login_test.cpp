// The program in front of real Redis servers that want to know who asks, in RESP2 and RESP3, in plain text
// and over TLS, in several databases.
#include "test/component/proxy/app/proxy_process.hpp"
#include "test/component/proxy/certificates.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

std::string key(int i) {
  return std::to_string(i * 7919) + "-key";
}

/// A Secret's folder, as the kubelet lays it.
struct Login {
  Folder folder;
  [[nodiscard]] std::string listener() const {
    return "  timeouts: {queue: 500ms, connect: 1s}\n  redis: {credentialsFolder: " + folder.file(".") +
           "}\n";
  }
};

std::string refused(const RedisServer& server, const std::string& why) {
  return "-ERR backend " + server.place() + " refused the ambassador's connection: " + why +
         "; the command was not sent";
}

constexpr const char* kWrong = "WRONGPASS invalid username-password pair or user is disabled.";

}  // namespace

TEST_CASE("clients work at a server with requirepass without knowing the password, in RESP2 and RESP3") {
  RedisServer server(free_port(), {"--requirepass", "secret"});
  const Login login;
  login.folder.write("password", "secret\n");
  ProxyProcess proxy({&server}, login.listener());
  proxy.wait_started();
  RedisClient two(proxy.port);
  CHECK(two.ask({"SET", "a", "1"}) == "OK");
  CHECK(two.ask({"GET", "none"}) == "(nil)");
  RedisClient three(proxy.port);
  CHECK_THAT(three.ask({"HELLO", "3"}), StartsWith("%[server redis "));
  CHECK(three.ask({"GET", "a"}) == "1");
  CHECK(three.ask({"HSET", "h", "field", "value"}) == "1");
  CHECK(three.ask({"HGETALL", "h"}) == "%[field value]");
  CHECK(two.ask({"HGETALL", "h"}) == "*[field value]");
  CHECK(three.ask({"SET", "large", std::string(300'000, 'x')}) == "OK");
  CHECK(two.ask({"STRLEN", "large"}) == "300000");
  CHECK(eventually([&] {
    return proxy.status_json().find("\"health\": \"up\"") != std::string::npos ||
           proxy.status_json().find("\"health\":\"up\"") != std::string::npos;
  }));
}

TEST_CASE("a wrong password is told to who waits, and taken back while the proxy runs") {
  RedisServer server(free_port(), {"--requirepass", "secret"});
  RedisClient admin(server.port());
  REQUIRE(admin.ask({"AUTH", "secret"}) == "OK");
  REQUIRE(admin.ask({"ACL", "SETUSER", "app", "on", ">first", "~*", "+@all"}) == "OK");
  const Login login;
  login.folder.write("username", "app");
  login.folder.write("password", "wrong-7391");
  ProxyProcess proxy({&server}, login.listener());
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(client.ask({"SET", "a", "1"}) == refused(server, kWrong));
  CHECK(eventually([&] { return proxy.status_json().find("WRONGPASS") != std::string::npos; }));
  login.folder.write("password", "first");
  CHECK(eventually([&] { return client.ask({"SET", "a", "1"}) == "OK"; }));

  // A rotation: the server takes both for a while, connections are made anew meanwhile.
  REQUIRE(admin.ask({"ACL", "SETUSER", "app", ">second"}) == "OK");
  const std::string before = admin.ask({"CLIENT", "LIST"});
  login.folder.write("password", "second");
  CHECK(eventually([&] {
    const std::string errors = proxy.process->errors() + proxy.process->output();
    const auto once = errors.find("credentials taken");
    return once != std::string::npos && errors.find("credentials taken", once + 1) != std::string::npos;
  }));
  REQUIRE(admin.ask({"ACL", "SETUSER", "app", "<first"}) == "OK");
  for (int i = 0; i < 20; ++i) CHECK(client.ask({"SET", key(i), "x"}) == "OK");
  const std::string said = proxy.process->errors() + proxy.process->output() + proxy.status_json();
  CHECK_THAT(said, !Contains("wrong-7391"));
}

TEST_CASE("without a password where one is wanted, clients get the server's own words") {
  RedisServer server(free_port(), {"--requirepass", "secret"});
  ProxyProcess proxy({&server}, "  timeouts: {queue: 300ms}\n");
  proxy.wait_started();
  RedisClient two(proxy.port);
  CHECK(two.ask({"GET", "a"}) == "-NOAUTH Authentication required.");
  RedisClient three(proxy.port);
  CHECK_THAT(three.ask({"HELLO", "3"}), StartsWith("%["));
  CHECK_THAT(three.ask({"GET", "a"}), Contains("NOAUTH"));
}

TEST_CASE("TLS to Redis servers is verified, for lanes of every kind and for health probes") {
  const Certificates certificates("IP:127.0.0.1");
  const std::uint16_t port = free_port();
  RedisServer server(
      port,
      {"--port", "0", "--tls-port", std::to_string(port), "--tls-cert-file", certificates.path("server.crt"),
       "--tls-key-file", certificates.path("server.key"), "--tls-ca-cert-file", certificates.path("ca.crt"),
       "--tls-auth-clients", "no", "--requirepass", "secret"});
  const Login login;
  login.folder.write("password", "secret");
  const auto with_ca = [&](const std::string& ca) {
    return login.listener() + "  serverTLS: {mode: VerifyFull, caFile: " + certificates.path(ca) + "}\n";
  };
  ProxyProcess proxy({&server}, with_ca("ca.crt"));
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
  CHECK(client.ask({"SET", "large", std::string(2'000'000, 'x')}) == "OK");
  CHECK(client.ask({"GET", "large"}) == std::string(2'000'000, 'x'));
  CHECK(client.ask({"SELECT", "3"}) == "OK");
  CHECK(client.ask({"GET", "a"}) == "(nil)");
  CHECK_THAT(client.ask({"HELLO", "3"}), StartsWith("%["));
  CHECK(client.ask({"SADD", "s", "x"}) == "1");
  CHECK(client.ask({"SMEMBERS", "s"}) == "~[x]");
  for (int i = 0; i < 2000; ++i) client.send({"SET", key(i), std::string(static_cast<std::size_t>(i), 'v')});
  for (int i = 0; i < 2000; ++i) REQUIRE(client.receive() == "OK");
  for (int i = 0; i < 2000; ++i) client.send({"STRLEN", key(i)});
  for (int i = 0; i < 2000; ++i) REQUIRE(client.receive() == std::to_string(i));
  CHECK(eventually([&] { return proxy.status().find("up") != std::string::npos; }));

  proxy.configure({&server}, with_ca("stranger.crt"));
  proxy.process->signal(SIGHUP);
  CHECK(eventually([&] {
    return client.ask({"GET", "a"}).find("refused the ambassador's connection: the server's certificate: ") !=
           std::string::npos;
  }));
}

TEST_CASE("databases are kept apart, and SELECT of one that is not there is an error") {
  RedisServer one;
  RedisServer two(free_port(), {"--databases", "16"});
  ProxyProcess proxy({&one, &two}, "  timeouts: {queue: 30s}\n");
  proxy.wait_started();
  RedisClient zero(proxy.port);
  RedisClient five(proxy.port);
  CHECK(five.ask({"SELECT", "5"}) == "OK");
  for (int i = 0; i < 40; ++i) {
    CHECK(five.ask({"SET", key(i), "five"}) == "OK");
    CHECK(zero.ask({"GET", key(i)}) == "(nil)");
  }
  CHECK(five.ask({"DBSIZE"}) == "40");
  CHECK(zero.ask({"DBSIZE"}) == "0");
  CHECK(five.ask({"MOVE", key(0), "0"}) == "1");
  CHECK(zero.ask({"GET", key(0)}) == "five");
  CHECK(five.ask({"SELECT", "16"}) == "-ERR DB index is out of range");
  CHECK(five.ask({"SELECT", "-1"}) == "-ERR DB index is out of range");
  CHECK(five.ask({"DBSIZE"}) == "39");
  five.send_at_once({{"SELECT", "99"}, {"FLUSHDB"}, {"SELECT", "6"}, {"SET", "six", "6"}});
  CHECK(five.receive() == "-ERR DB index is out of range");
  CHECK_THAT(five.receive(), StartsWith("-ERR DB index is out of range"));
  CHECK(five.receive() == "OK");
  CHECK(five.receive() == "OK");
  CHECK(five.ask({"DBSIZE"}) == "1");
  CHECK(five.ask({"RESET"}) == "RESET");
  CHECK(five.ask({"DBSIZE"}) == "1");
  CHECK(five.ask({"SELECT", "5"}) == "OK");
  CHECK(five.ask({"FLUSHDB"}) == "OK");
  CHECK(five.ask({"DBSIZE"}) == "0");
  CHECK(zero.ask({"DBSIZE"}) == "1");
}

TEST_CASE("merged replies in RESP3 are what one server would say") {
  RedisServer one;
  RedisServer two;
  ProxyProcess proxy({&one, &two});
  proxy.wait_started();
  RedisClient client(proxy.port);
  CHECK(client.ask({"RANDOMKEY"}) == "(nil)");
  CHECK_THAT(client.ask({"HELLO", "3", "SETNAME", "me"}), Contains("proto 3"));
  CHECK(client.ask({"RANDOMKEY"}) == "(nil)");
  CHECK(client.ask({"MSET", key(1), "1", key(2), "2", key(3), "3", key(4), "4"}) == "OK");
  CHECK(client.ask({"MGET", key(1), key(9), key(2), key(3), key(4)}) == "*[1 (nil) 2 3 4]");
  CHECK(client.ask({"DEL", key(1), key(2), key(9)}) == "2");
  CHECK_THAT(client.ask({"KEYS", "*"}), StartsWith("*[") && Contains(key(3)) && Contains(key(4)));
  CHECK_THAT(client.ask({"CLIENT", "INFO"}), Contains("name=me db=0") && Contains("resp=3"));
  CHECK(client.ask({"CLIENT", "GETNAME"}) == "me");
  CHECK_THAT(client.ask({"INFO"}), Contains("redis_version:"));
  CHECK(client.ask({"ZADD", "z", "1.5", "a"}) == "1");
  CHECK(client.ask({"ZSCORE", "z", "a"}) == "1.5");
  CHECK_THAT(client.ask({"HELLO", "2"}), StartsWith("*[server redis ") && Contains("proto 2"));
  CHECK(client.ask({"MGET", key(9), key(3)}) == "*[(nil) 3]");
}
