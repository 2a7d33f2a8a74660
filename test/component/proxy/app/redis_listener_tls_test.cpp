// Redis clients that ask for TLS at the listener, beside others that do not.
#include "test/component/proxy/app/proxy_process.hpp"
#include "test/component/proxy/certificates.hpp"

using Catch::Matchers::StartsWith;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A proxy in front of two servers that shows what lies in `shown`, a Secret's folder.
struct Scene {
  const Certificates certificates{"IP:127.0.0.1"};
  Folder shown;
  RedisServer one, two;
  std::optional<ProxyProcess> proxy;

  explicit Scene(const std::string& more = "") {
    show("server");
    proxy.emplace(std::vector<OnPort>{&one, &two},
                  "  listenerTLS: {certificateFile: " + shown.file("tls.crt") +
                      ", keyFile: " + shown.file("tls.key") + "}\n" + more);
    proxy->wait_started();
  }
  void show(const std::string& name) const {
    shown.write("tls.key", text_of(certificates.path(name + ".key")));
    shown.write("tls.crt", text_of(certificates.path(name + ".crt")));
  }
  [[nodiscard]] RedisClient encrypted() const { return {proxy->port, certificates.path("ca.crt")}; }
  [[nodiscard]] RedisClient plain() const { return RedisClient(proxy->port); }
};

/// Beyond what both directions' sockets and TLS records hold.
const std::string kLarge(2'000'000, 'x');

}  // namespace

TEST_CASE("a Redis client gets TLS when it begins with it, and none when it does not") {
  const Scene scene;
  RedisClient encrypted = scene.encrypted();
  RedisClient plain = scene.plain();
  CHECK(encrypted.ask({"SET", "a", "1"}) == "OK");
  CHECK(plain.ask({"GET", "a"}) == "1");
  CHECK(encrypted.ask({"MSET", "b", "2", "c", "3", "d", "4"}) == "OK");
  CHECK(encrypted.ask({"MGET", "a", "b", "c", "none"}) == "*[1 2 3 (nil)]");
  CHECK_THAT(encrypted.ask({"HELLO", "3"}), StartsWith("%[server redis "));
  CHECK(encrypted.ask({"SET", "large", kLarge}) == "OK");
  CHECK(encrypted.ask({"GET", "large"}) == kLarge);
  CHECK(plain.ask({"STRLEN", "large"}) == std::to_string(kLarge.size()));
}

TEST_CASE("pipelines over TLS are answered in order, by a client that reads late, too") {
  const Scene scene;
  RedisClient client = scene.encrypted();
  std::vector<std::vector<std::string>> commands;
  for (int i = 0; i < 500; ++i)
    commands.push_back(
        {"SET", "key-" + std::to_string(i), std::string(static_cast<std::size_t>(i) * 4, 'v')});
  for (int i = 0; i < 500; ++i) commands.push_back({"GET", "key-" + std::to_string(i)});
  client.send_at_once(commands);
  for (int i = 0; i < 500; ++i) REQUIRE(client.receive() == "OK");
  for (int i = 0; i < 500; ++i)
    REQUIRE(client.receive() == std::string(static_cast<std::size_t>(i) * 4, 'v'));
}

TEST_CASE("clients over TLS are blocked, subscribed and in transactions as others are") {
  const Scene scene;
  RedisClient waiting = scene.encrypted();
  RedisClient other = scene.encrypted();
  waiting.send({"BLPOP", "queue", "5"});
  CHECK(eventually([&] { return other.ask({"RPUSH", "queue", "x"}) != "(closed)"; }));
  CHECK(waiting.receive() == "*[queue x]");
  CHECK(waiting.ask({"SUBSCRIBE", "news"}) == "*[subscribe news 1]");
  CHECK(eventually([&] { return other.ask({"PUBLISH", "news", "hello"}) == "1"; }));
  CHECK(waiting.receive() == "*[message news hello]");
  CHECK(other.ask({"MULTI"}) == "OK");
  CHECK(other.ask({"SET", "k", "v"}) == "QUEUED");
  CHECK(other.ask({"EXEC"}) == "*[OK]");
}

TEST_CASE("a certificate that changes is shown to who connects from then on") {
  const Scene scene;
  RedisClient before = scene.encrypted();
  CHECK(before.ask({"SET", "a", "1"}) == "OK");
  scene.show("stranger");
  CHECK(eventually([&] { return !scene.encrypted().connected(); }));
  RedisClient after(scene.proxy->port, scene.certificates.path("stranger.crt"));
  CHECK(after.ask({"GET", "a"}) == "1");
  CHECK(before.ask({"GET", "a"}) == "1");
}

TEST_CASE("what begins like TLS and is none is closed, others go on") {
  const Scene scene("  timeouts: {idle: 1h}\n");
  RedisClient bystander = scene.encrypted();
  RedisClient silent = scene.plain();
  silent.send_raw("\x16");  // and not a byte more
  const auto began = std::chrono::steady_clock::now();
  RedisClient garbage = scene.plain();
  garbage.send_raw("\x16\x03\x01" + std::string("\0\5?????", 7));  // a record of no known message
  while (garbage.connected()) (void)garbage.receive();             // an alert, perhaps
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(3));
  CHECK(bystander.ask({"SET", "a", "1"}) == "OK");
  // Long before it would be idle for too long.
  CHECK(eventually([&] {
    const std::string said = scene.proxy->process->errors() + scene.proxy->process->output();
    return said.find("its TLS handshake took too long") != std::string::npos;
  }));
  CHECK(bystander.ask({"GET", "a"}) == "1");
}
