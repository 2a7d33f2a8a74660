#include "common/http/server.hpp"

#include <poll.h>
#include <sys/resource.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "test/component/common/http/client.hpp"
#include "test/component/common/tls/certificate.hpp"

using namespace ambassador::http;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

/// A server on a free port, its loop on two threads. /hold is answered when release() is called.
class Running {
 public:
  explicit Running(Limits limits = {}, std::shared_ptr<const ambassador::tls::Source> source = nullptr) {
    server = std::make_unique<Server>(
        io, [this](Request request, Reply reply) { handle(std::move(request), std::move(reply)); }, limits,
        std::move(source));
    const auto bound = server->listen("127.0.0.1", 0);
    REQUIRE(bound.ok());
    port = *bound;
    for (int i = 0; i < 2; ++i) threads.emplace_back([this] { io.run(); });
  }
  ~Running() {
    server.reset();
    {
      const std::lock_guard lock(mutex);
      held.clear();
    }
    work.reset();
    for (auto& thread : threads) thread.join();
  }

  void handle(Request request, Reply reply) {
    const auto path = request.path();
    if (path == "/hold") {
      const std::lock_guard lock(mutex);
      held.push_back(std::move(reply));
    } else if (path == "/drop") {
      // the reply goes unanswered
    } else if (path == "/large") {
      reply(Response::text(200, std::string(std::size_t{64} * 1024 * 1024, 'x')));
    } else {
      Response response = Response::json("{\"method\":\"" + request.method +
                                         "\",\"bytes\":" + std::to_string(request.body.size()) + "}\n");
      response.headers.emplace_back("X-Seen", std::string(request.header("x-SENT")) + request.parameter("q"));
      reply(std::move(response));
      reply(Response::text(500, "a second answer is not sent"));
    }
  }
  std::size_t held_now() {
    const std::lock_guard lock(mutex);
    return held.size();
  }
  void release() {
    const std::lock_guard lock(mutex);
    for (const Reply& reply : held) reply(Response::text(200, "released\n"));
    held.clear();
  }
  template <class Condition>
  static void eventually(Condition condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) std::this_thread::sleep_for(10ms);
    REQUIRE(condition());
  }
  bool answers() { return Client(port, tls).get("/").find("HTTP/1.1 200") == 0; }

  boost::asio::io_context io;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
  bool tls = false;
  std::mutex mutex;
  std::vector<Reply> held;
  std::vector<std::thread> threads;
};

std::string post(const std::string& headers, const std::string& body) {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n" + body;
}

}  // namespace

TEST_CASE("requests on one connection are answered one after the other") {
  Running running;
  Client client(running.port);
  const std::string first = client.get("/a?q=1%202", "X-Sent: hello\r\n");
  CHECK_THAT(first, StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(first, Contains("X-Seen: hello1 2\r\n") && Contains("Content-Type: application/json\r\n"));
  client.send(post("Content-Length: 5\r\n", "12345"));
  CHECK_THAT(client.response(), EndsWith("{\"method\":\"POST\",\"bytes\":5}\n"));
  client.send(post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"));
  CHECK_THAT(client.response(), EndsWith("\"bytes\":7}\n"));
  CHECK(running.server->counts().accepted == 1);
  CHECK(running.server->counts().requests == 3);
}

TEST_CASE("requests sent at once are answered in order") {
  Running running;
  Client client(running.port);
  client.send(
      "GET /?q=1 HTTP/1.1\r\n\r\nGET /?q=2 HTTP/1.1\r\n\r\nGET /?q=3 HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string all = client.receive_all();
  CHECK(all.find("X-Seen: 1") < all.find("X-Seen: 2"));
  CHECK(all.find("X-Seen: 2") < all.find("X-Seen: 3"));
  CHECK(all.find("X-Seen: 3") != std::string::npos);
}

TEST_CASE("HEAD gets the headers alone, HTTP/1.0 gets a close, 100-continue its word") {
  Running running;
  Client client(running.port);
  client.send("HEAD / HTTP/1.1\r\n\r\n");
  const std::string head = client.response(true);
  CHECK_THAT(head, Contains("Content-Length: 28\r\n") && EndsWith("\r\n\r\n"));
  client.send(post("Content-Length: 2\r\nExpect: 100-continue\r\n", ""));
  CHECK(client.receive() == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ab");
  CHECK_THAT(client.response(), EndsWith("\"bytes\":2}\n"));
  Client old(running.port);
  old.send("GET / HTTP/1.0\r\n\r\n");
  CHECK_THAT(old.receive_all(), StartsWith("HTTP/1.1 200 OK") && Contains("Connection: close"));
}

TEST_CASE("garbage gets 400 and a close, and the server goes on") {
  Running running;
  const std::string garbage = GENERATE(
      as<std::string>{}, "hello\r\n\r\n",
      std::string("\x16\x03\x01\x02\x00\x01\x00\x01", 8) + "xxxxxxxxxxxxxx\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
      "GET / HTTP/1.1\r\nno colon here\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -2\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
      post("Transfer-Encoding: chunked\r\n", "-2\r\n"), post("Transfer-Encoding: chunked\r\n", "zz\r\n"),
      post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n"),
      post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"));
  CAPTURE(garbage);
  Client client(running.port);
  client.send(garbage);
  CHECK_THAT(client.receive_all(),
             StartsWith("HTTP/1.1 400 Bad Request\r\n") && Contains("Connection: close"));
  CHECK(running.server->counts().malformed == 1);
  CHECK(running.answers());
}

TEST_CASE("what is too large gets 413 or 431 and a close") {
  Limits limits;
  limits.body_bytes = 1000;
  limits.header_bytes = 1000;
  Running running(limits);
  SECTION("a gigabyte announced") {
    Client client(running.port);
    client.send(post("Content-Length: 1073741824\r\n", std::string(100000, 'x')));
    CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 413 "));
  }
  SECTION("a gigabyte in chunks") {
    Client client(running.port);
    client.send(post("Transfer-Encoding: chunked\r\n", ""));
    const std::string chunk = "4000\r\n" + std::string(16384, 'x') + "\r\n";
    int chunks = 0;
    while (chunks < 65536 && client.send(chunk)) ++chunks;
    CHECK(chunks < 65536);
    CHECK(running.server->counts().too_large == 1);
  }
  SECTION("a chunk of 2 GB") {
    Client client(running.port);
    client.send(post("Transfer-Encoding: chunked\r\n", "7ffffff0\r\nxxxx"));
    CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 413 "));
  }
  SECTION("headers without end") {
    Client client(running.port);
    client.send("GET / HTTP/1.1\r\n");
    for (int i = 0; i < 1000; ++i) {
      if (!client.send("X-Header-" + std::to_string(i) + ": something\r\n")) break;
    }
    CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 431 "));
  }
  SECTION("a line without end") {
    Client client(running.port);
    client.send("GET /" + std::string(50000, 'x'));
    CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 431 "));
  }
  CHECK(running.server->counts().too_large == 1);
  CHECK(running.answers());
}

TEST_CASE("slow clients get 408, idle ones are closed, nobody waits for them") {
  Limits limits;
  limits.header_timeout = 200ms;
  limits.body_timeout = 200ms;
  limits.idle_timeout = 200ms;
  Running running(limits);
  SECTION("headers byte by byte") {
    Client client(running.port);
    client.send("GET / HTTP/1.1\r\nX: ");  // at once: a client that has sent nothing is closed without a word
    std::thread dripping([&] {
      for (const char c : std::string(50, 'y')) {
        if (!client.send(std::string(1, c))) return;
        std::this_thread::sleep_for(20ms);
      }
    });
    CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 408 "));
    dripping.join();
  }
  SECTION("a body that does not come") {
    Client client(running.port);
    client.send(post("Content-Length: 10\r\n", "abc"));
    CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 408 "));
    CHECK(running.server->counts().too_slow == 1);
  }
  SECTION("no request at all") {
    Client client(running.port);
    CHECK(client.receive_all().empty());
  }
  SECTION("no second request") {
    Client client(running.port);
    client.get("/");
    CHECK(client.receive_all().empty());
  }
  CHECK(running.answers());
}

TEST_CASE("a client that does not read its answer is closed") {
  Limits limits;
  limits.write_timeout = 300ms;
  Running running(limits);
  Client client(running.port);
  client.send("GET /large HTTP/1.1\r\n\r\n");
  Running::eventually([&] { return running.server->counts().open == 1; });
  Running::eventually([&] { return running.server->counts().open == 0; });
  CHECK(running.answers());
}

TEST_CASE("a thousand idle connections keep nobody out") {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  Limits limits;
  limits.max_connections = 100;
  Running running(limits);
  std::vector<Client> idle;
  for (int i = 0; i < 1000; ++i) idle.emplace_back(running.port);
  Client working(running.port);
  for (int i = 0; i < 10; ++i) CHECK_THAT(working.get("/"), StartsWith("HTTP/1.1 200"));
  CHECK(running.server->counts().evicted >= 901);
  Running::eventually([&] { return running.server->counts().open <= 100; });
}

TEST_CASE("when all connections are busy a new one is closed, and busy ones are left alone") {
  Limits limits;
  limits.max_connections = 2;
  Running running(limits);
  Client first(running.port);
  Client second(running.port);
  first.send("GET /hold HTTP/1.1\r\n\r\n");
  second.send("GET /hold HTTP/1.1\r\n\r\n");
  Running::eventually([&] { return running.held_now() == 2; });
  Client third(running.port);
  CHECK(third.receive_all().empty());
  running.release();
  CHECK_THAT(first.response(), EndsWith("released\n"));
  CHECK_THAT(second.response(), EndsWith("released\n"));
}

TEST_CASE("running out of descriptors is waited out") {
  Running running;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  std::vector<int> taken;
  Client before(running.port);
  CHECK_THAT(before.get("/"), StartsWith("HTTP/1.1 200"));
  std::vector<Client> waiting;
  rlimit few = files;
  // Leave room for exactly one client socket: its other end, in the server, then finds none.
  const int next = dup(0);
  close(next);
  few.rlim_cur = static_cast<rlim_t>(next) + 1;
  setrlimit(RLIMIT_NOFILE, &few);
  waiting.emplace_back(running.port);
  Running::eventually([&] { return running.server->counts().accept_pauses > 0; });
  setrlimit(RLIMIT_NOFILE, &files);
  CHECK_THAT(waiting[0].get("/"), StartsWith("HTTP/1.1 200"));
}

TEST_CASE("a handler may answer later, from any thread, or forget to") {
  Limits limits;
  limits.handler_timeout = 300ms;
  Running running(limits);
  Client client(running.port);
  client.send("GET /hold HTTP/1.1\r\n\r\n");
  Running::eventually([&] { return running.held_now() == 1; });
  running.release();
  CHECK_THAT(client.response(), EndsWith("released\n"));
  CHECK_THAT(client.get("/drop"), StartsWith("HTTP/1.1 500"));
  client.send("GET /hold HTTP/1.1\r\n\r\n");
  CHECK_THAT(client.receive_all(), StartsWith("HTTP/1.1 503"));
  running.release();  // too late: nothing happens
  CHECK(running.answers());
}

TEST_CASE("draining lets clients come and tells each to close") {
  Running running;
  Client before(running.port);
  CHECK_THAT(before.get("/"), !Contains("Connection: close"));
  running.server->begin_drain();
  CHECK_THAT(before.get("/"), Contains("Connection: close"));
  CHECK_THAT(Client(running.port).get("/"), StartsWith("HTTP/1.1 200") && Contains("Connection: close"));
}

TEST_CASE("stopping closes who waits, finishes what is in flight, and says when it is done") {
  Running running;
  Client idle(running.port);
  CHECK_THAT(idle.get("/"), StartsWith("HTTP/1.1 200"));
  Client busy(running.port);
  busy.send("GET /hold HTTP/1.1\r\n\r\n");
  Client sending(running.port);
  sending.send("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\na");
  Running::eventually([&] { return running.held_now() == 1 && running.server->counts().open == 3; });
  std::this_thread::sleep_for(50ms);  // so that the half request has been read

  std::promise<void> stopped;
  auto done = stopped.get_future();
  running.server->stop(10s, [&] { stopped.set_value(); });
  CHECK(idle.receive_all().empty());
  CHECK(done.wait_for(100ms) == std::future_status::timeout);
  sending.send("bc");
  CHECK_THAT(sending.receive_all(), StartsWith("HTTP/1.1 200") && Contains("Connection: close"));
  running.release();
  CHECK_THAT(busy.receive_all(), StartsWith("HTTP/1.1 200") && Contains("Connection: close"));
  CHECK(done.wait_for(5s) == std::future_status::ready);
  CHECK_THROWS(Client(running.port));
}

TEST_CASE("stopping takes no longer than its grace") {
  Running running;
  Client busy(running.port);
  busy.send("GET /hold HTTP/1.1\r\n\r\n");
  Running::eventually([&] { return running.held_now() == 1; });
  std::promise<void> stopped;
  running.server->stop(100ms, [&] { stopped.set_value(); });
  CHECK(stopped.get_future().wait_for(5s) == std::future_status::ready);
  CHECK(busy.receive_all().empty());
}

TEST_CASE("a server may listen on several addresses, and says why it can't") {
  Running running;
  CHECK(running.server->listen("::", 0).ok());
  const auto taken = running.server->listen("127.0.0.1", running.port);
  REQUIRE_FALSE(taken.ok());
  CHECK_THAT(taken.error().text(), Contains("127.0.0.1:" + std::to_string(running.port)) &&
                                       Contains("cannot be listened on: Address already in use"));
  CHECK_THAT(running.server->listen("localhost", 0).error().text(), Contains("is not an IP address"));
}

TEST_CASE("over TLS everything is the same, and the certificate can be swapped under living connections") {
  const auto one = make_certificate("one");
  const auto two = make_certificate("two");
  const auto source = *ambassador::tls::Source::from_pem(one.certificate_pem, one.key_pem);
  Running running({}, source);
  running.tls = true;
  const auto subject = [](Client& client) {
    X509* certificate = SSL_get1_peer_certificate(client.ssl());
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    X509_free(certificate);
    return std::string(name);
  };
  Client before(running.port, true);
  CHECK_THAT(before.get("/"), StartsWith("HTTP/1.1 200"));
  CHECK(subject(before) == "one");
  REQUIRE(source->replace_pem(two.certificate_pem, two.key_pem).ok());
  Client after(running.port, true);
  CHECK(subject(after) == "two");
  CHECK_THAT(after.get("/"), StartsWith("HTTP/1.1 200"));
  CHECK_THAT(before.get("/"), StartsWith("HTTP/1.1 200"));

  Client plain(running.port);
  plain.send("GET / HTTP/1.1\r\n\r\n");
  plain.receive_all();
  CHECK(running.server->counts().handshake_failures == 1);

  Client large(running.port, true);
  large.send(post("Content-Length: 1073741824\r\n", ""));
  CHECK_THAT(large.receive_all(), StartsWith("HTTP/1.1 413"));
  CHECK(running.answers());
}

TEST_CASE("a TLS handshake that never comes is closed in time") {
  Limits limits;
  limits.header_timeout = 200ms;
  const auto made = make_certificate("one");
  Running running(limits, *ambassador::tls::Source::from_pem(made.certificate_pem, made.key_pem));
  running.tls = true;
  Client silent(running.port);
  CHECK(silent.receive_all().empty());
  CHECK(running.answers());
}

TEST_CASE("many clients at once are all answered") {
  Running running;
  std::atomic<int> right{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c) {
    clients.emplace_back([&] {
      Client client(running.port);
      for (int i = 0; i < 200; ++i) right += client.get("/").find("HTTP/1.1 200") == 0 ? 1 : 0;
    });
  }
  for (auto& client : clients) client.join();
  CHECK(right == 1600);
}
