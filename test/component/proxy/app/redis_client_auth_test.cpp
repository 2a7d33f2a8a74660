// Redis clients that have to log in at the proxy: the words are those of a real server with requirepass.
#include <regex>

#include "test/component/proxy/app/proxy_process.hpp"
#include "test/component/proxy/certificates.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

using Words = std::vector<std::string>;

std::string encoded(const std::vector<Words>& commands) {
  std::string text;
  for (const Words& words : commands) {
    text += "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return text;
}

/// All that is answered to `bytes`, which end the connection; numbers of clients are all one.
std::string answer(RedisClient client, const std::string& bytes) {
  client.send_raw(bytes);
  return std::regex_replace(client.receive_rest(), std::regex("(\\$2\r\nid\r\n):[0-9]+"), "$1:1");
}

/// A proxy whose clients are of the Secret's folder `login`, in front of two servers.
struct Scene {
  Folder login;
  Folder sockets;
  RedisServer one, two;
  std::optional<ProxyProcess> proxy;

  explicit Scene(const std::string& password, const std::string& more = "") {
    if (!password.empty()) login.write("password", password);
    proxy.emplace(std::vector<OnPort>{&one, &two},
                  "  unixSocket: " + sockets.file("cache.sock") +
                      "\n  redis: {clientCredentialsFolder: " + login.file(".") + "}\n" + more);
    proxy->wait_started();
  }
  [[nodiscard]] RedisClient client() const { return RedisClient(proxy->port); }
  [[nodiscard]] std::string said() const { return proxy->process->errors() + proxy->process->output(); }
  [[nodiscard]] bool says(const std::string& text) const {
    return eventually([&] { return said().find(text) != std::string::npos; });
  }
};

constexpr const char* kNoAuth = "-NOAUTH Authentication required.";
constexpr const char* kWrong = "-WRONGPASS invalid username-password pair or user is disabled.";

}  // namespace

TEST_CASE("what a client hears before, at and after its login is what a server with requirepass says") {
  const RedisServer real(free_port(), {"--requirepass", "pencil-7391"});
  const Scene scene("pencil-7391\n");
  const std::vector<std::vector<Words>> conversations{
      {{"GET", "a"}, {"PING"}, {"SET", "a", "1"}, {"NOSUCH", "x"}, {"GET"}, {"CLIENT"}, {"CLIENT", "NOSUCH"}},
      {{"CLIENT", "ID"}, {"COMMAND"}, {"CLUSTER", "INFO"}, {"CONFIG", "GET", "x"}, {"MONITOR"}, {"INFO"}},
      {{"MULTI"},
       {"EXEC"},
       {"DISCARD"},
       {"WATCH", "a"},
       {"SUBSCRIBE", "a"},
       {"EXEC", "x"},
       {"BLPOP", "a", "0"}},
      {{"HELLO"}, {"HELLO", "2"}, {"HELLO", "3"}, {"HELLO", "4"}, {"HELLO", "x"}, {"HELLO", "3", "WHAT"}},
      {{"HELLO", "3", "SETNAME", "two words"},
       {"HELLO", "3", "AUTH", "default", "no", "SETNAME", "two words"},
       {"HELLO", "3", "SETNAME", "two words", "AUTH", "default", "no"},
       {"HELLO", "3", "AUTH", "default"},
       {"HELLO", "3", "AUTH", "default", "no"},
       {"HELLO", "3", "AUTH", "who", "pencil-7391"},
       {"PING"}},
      {{"AUTH"},
       {"AUTH", "a", "b", "c"},
       {"AUTH", ""},
       {"AUTH", "no"},
       {"AUTH", "default", "no"},
       {"AUTH", "who", "x"}},
      {{"AUTH", "pencil-7391"},
       {"AUTH", "no"},
       {"PING"},
       {"RESET"},
       {"PING"},
       {"AUTH", "default", "pencil-7391"},
       {"PING"}},
      {{"HELLO", "2", "AUTH", "default", "pencil-7391", "SETNAME", "me"}, {"CLIENT", "GETNAME"}, {"HELLO"}},
      {{"HELLO", "3", "AUTH", "default", "pencil-7391"}, {"RESET"}, {"HELLO", "2"}},
      {{"HELLO", "2", "SETNAME", "me", "AUTH", "default", "pencil-7391", "WHAT"}, {"CLIENT", "GETNAME"}},
      {{"HELLO", "3", "AUTH", "default", "pencil-7391", "AUTH", "default", "no"}, {"PING"}},
      {{"HELLO", "3", "SETNAME", "me"}, {"AUTH", "pencil-7391"}, {"CLIENT", "GETNAME"}},
      {{"RESET"}, {"RESET", "x"}, {"GET", "a"}},
      {{"AUTH", "pencil-7391"}, {"MULTI"}, {"SET", "k", "1"}, {"RESET"}, {"EXEC"}},
      {{"SET", "a", std::string(16384, 'x')}, Words(10, "x"), {"AUTH", "pencil-7391"}, Words(11, "x")},
      {{"AUTH", "pencil-7391"}, {"SET", "a", std::string(16385, 'x')}, {"STRLEN", "a"}},
  };
  for (auto conversation : conversations) {
    conversation.push_back({"QUIT"});
    const std::string bytes = encoded(conversation);
    INFO(bytes.substr(0, 300));
    CHECK(answer(scene.client(), bytes) == answer(RedisClient(real.port()), bytes));
  }
  for (const std::string bytes :
       {"*11\r\n", "*1000\r\n", "*x\r\n", "*2\r\n$16385\r\n", "*2\r\n$99999999999\r\n", "*2\r\n$x\r\n",
        "AUTH no\r\nPING\r\nAUTH pencil-7391\r\nPING\r\nQUIT\r\n", "*1\r\n$5\r\nhost:\r\n"}) {
    INFO(bytes);
    CHECK(answer(scene.client(), bytes) == answer(RedisClient(real.port()), bytes));
  }
  CHECK_THAT(scene.said(), !Contains("pencil-7391"));
}

TEST_CASE("a client that has logged in works as any other, over TLS and Unix sockets, too") {
  const Certificates certificates("IP:127.0.0.1");
  const Scene scene("pencil", "  listenerTLS: {certificateFile: " + certificates.path("server.crt") +
                                  ", keyFile: " + certificates.path("server.key") + "}\n");
  scene.login.write("username", "shop");
  CHECK(scene.says("client credentials taken"));
  RedisClient encrypted(scene.proxy->port, certificates.path("ca.crt"));
  CHECK(encrypted.ask({"GET", "a"}) == kNoAuth);
  CHECK(encrypted.ask({"AUTH", "shop", "pencil"}) == "OK");
  CHECK(encrypted.ask({"MSET", "a", "1", "b", "2", "c", "3"}) == "OK");
  RedisClient other = scene.client();
  CHECK_THAT(other.ask({"HELLO", "3", "AUTH", "shop", "pencil"}), StartsWith("%[server redis "));
  CHECK(other.ask({"MULTI"}) == "OK");
  CHECK(other.ask({"SET", "k", "v"}) == "QUEUED");
  CHECK(other.ask({"EXEC"}) == "*[OK]");
  CHECK(encrypted.ask({"SUBSCRIBE", "news"}) == "*[subscribe news 1]");
  CHECK(eventually([&] { return other.ask({"PUBLISH", "news", "hello"}) == "1"; }));
  CHECK(encrypted.receive() == "*[message news hello]");
  CHECK(encrypted.ask({"RESET"}) == "RESET");
  CHECK(encrypted.ask({"SUBSCRIBE", "news"}) == kNoAuth);

  const auto by_socket = [&](const std::string& password, const Words& words) {
    Words command{"redis-cli", "-s", scene.sockets.file("cache.sock")};
    command.insert(command.end(), words.begin(), words.end());
    Process cli(command, {{"REDISCLI_AUTH", password}});
    CHECK(cli.wait() == 0);
    return cli.output();
  };
  CHECK(by_socket("pencil", {"MGET", "a", "b", "none"}) == "1\n2\n\n");
  CHECK_THAT(by_socket("crayon", {"GET", "a"}), Contains(std::string(kNoAuth).substr(1)));
}

TEST_CASE("the clients' password is replaced while the proxy runs: it counts for the next login") {
  const Scene scene("pencil");
  RedisClient stays = scene.client();
  CHECK(stays.ask({"AUTH", "pencil"}) == "OK");
  RedisClient waits = scene.client();
  scene.login.write("password", "crayon");
  CHECK(scene.says("client credentials taken"));
  CHECK(stays.ask({"SET", "a", "1"}) == "OK");
  CHECK(waits.ask({"AUTH", "pencil"}) == kWrong);
  CHECK(waits.ask({"AUTH", "crayon"}) == "OK");
  CHECK(waits.ask({"GET", "a"}) == "1");
  // Half of a Secret is no reason to let nobody in, or everybody.
  scene.login.write("password", "");
  CHECK(scene.says("client credentials refused, those before go on"));
  CHECK(scene.client().ask({"GET", "a"}) == kNoAuth);
  CHECK(scene.client().ask({"AUTH", "crayon"}) == "OK");
  CHECK(scene.client().ask({"AUTH", ""}) == kWrong);
}

TEST_CASE("as long as the clients' password lacks nobody is let in, and clients come again") {
  const Scene scene("");
  CHECK(scene.says("no client credentials"));
  RedisClient client = scene.client();
  CHECK(client.ask({"AUTH", "pencil"}) == "-LOADING the ambassador has no password for its clients yet");
  CHECK(client.ask({"GET", "a"}) == kNoAuth);
  scene.login.write("password", "pencil");
  CHECK(eventually([&] { return client.ask({"AUTH", "pencil"}) == "OK"; }));
  CHECK(client.ask({"SET", "a", "1"}) == "OK");
}

TEST_CASE("who does not log in is closed after a while, who did stays") {
  const Scene scene("pencil");
  RedisClient silent = scene.client();
  RedisClient wrong = scene.client();
  RedisClient right = scene.client();
  RedisClient resets = scene.client();
  CHECK(wrong.ask({"AUTH", "crayon"}) == kWrong);
  CHECK(right.ask({"AUTH", "pencil"}) == "OK");
  CHECK(resets.ask({"AUTH", "pencil"}) == "OK");
  CHECK(resets.ask({"RESET"}) == "RESET");
  CHECK(scene.says("it did not log in in time"));
  CHECK(silent.receive_rest().empty());
  CHECK(wrong.receive_rest().empty());
  CHECK(right.ask({"SET", "a", "1"}) == "OK");
  CHECK(resets.ask({"GET", "a"}) == kNoAuth);
  CHECK(resets.ask({"AUTH", "pencil"}) == "OK");
}
