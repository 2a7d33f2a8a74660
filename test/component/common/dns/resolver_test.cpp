#include "common/dns/resolver.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <memory>
#include <optional>

#include "test/component/common/dns/fake_dns.hpp"

namespace dns = ambassador::dns;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Kind = FakeDns::Answer::Kind;

namespace {

/// A resolver with its event loop; asks one thing and waits for the answer.
struct Asking {
  explicit Asking(dns::Options options) : resolver(std::make_unique<dns::Resolver>(io, std::move(options))) {}
  explicit Asking(const FakeDns& server) : Asking(options_for(server)) {}

  static dns::Options options_for(const FakeDns& server) {
    dns::Options options;
    options.servers = {server.server()};
    options.try_timeout = 100ms;
    options.deadline = 2s;
    return options;
  }

  template <class Answer>
  Answer wait(std::optional<Answer>& answer) {
    io.restart();
    while (!answer) REQUIRE(io.run_one_for(10s) == 1);
    return *answer;
  }
  dns::AddressAnswer addresses(const std::string& name) {
    std::optional<dns::AddressAnswer> answer;
    resolver->resolve_addresses(name, [&](dns::AddressAnswer a) {
      REQUIRE_FALSE(answer);
      answer = std::move(a);
    });
    CHECK_FALSE(answer);  // never before it returned
    return wait(answer);
  }
  dns::ServiceAnswer services(const std::string& name) {
    std::optional<dns::ServiceAnswer> answer;
    resolver->resolve_services(name, [&](dns::ServiceAnswer a) {
      REQUIRE_FALSE(answer);
      answer = std::move(a);
    });
    CHECK_FALSE(answer);
    return wait(answer);
  }

  boost::asio::io_context io;
  std::unique_ptr<dns::Resolver> resolver;
};

std::vector<std::string> texts(const dns::AddressAnswer& answer) {
  std::vector<std::string> all;
  for (const auto& address : answer.addresses) all.push_back(address.to_string());
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("a name gives all of its A and AAAA records and the smallest TTL") {
  FakeDns server;
  server.set("redis-0.svc", {Kind::records, {"10.0.0.1", "10.0.0.2", "fd00::1"}, {}, 7});
  Asking ask(server);
  const auto answer = ask.addresses("redis-0.svc");
  CHECK(answer.outcome == dns::Outcome::found);
  CHECK(texts(answer) == std::vector<std::string>{"10.0.0.1", "10.0.0.2", "fd00::1"});
  CHECK(answer.ttl == 7s);
  CHECK(answer.error == ambassador::Error{});
}

TEST_CASE("TTLs are bounded on both sides") {
  FakeDns server;
  server.set("now.svc", {Kind::records, {"10.0.0.1"}, {}, 0});
  server.set("forever.svc", {Kind::records, {"10.0.0.1"}, {}, 604800});
  Asking ask(server);
  CHECK(ask.addresses("now.svc").ttl == dns::kMinTtl);
  CHECK(ask.addresses("forever.svc").ttl == dns::kMaxTtl);
}

TEST_CASE("a service gives host and port of every member") {
  FakeDns server;
  server.set("_redis._tcp.svc", {Kind::records, {}, {{"redis-0.svc", 6379}, {"redis-1.svc", 6380}}, 5});
  Asking ask(server);
  const auto answer = ask.services("_redis._tcp.svc");
  CHECK(answer.outcome == dns::Outcome::found);
  CHECK(answer.services ==
        std::vector<dns::Service>{{"redis-0.svc", 6379, 0, 100}, {"redis-1.svc", 6380, 0, 100}});
  CHECK(answer.ttl == 5s);
}

TEST_CASE("an answer too large for UDP is fetched by TCP") {
  FakeDns server;
  FakeDns::Answer answer;
  for (int i = 0; i < 100; ++i)
    answer.services.push_back({"redis-" + std::to_string(i) + ".redis.svc", 6379});
  server.set("_redis._tcp.svc", answer);
  Asking ask(server);
  CHECK(ask.services("_redis._tcp.svc").services.size() == 100);
  CHECK(server.tcp_queries() == 1);
}

TEST_CASE("a name that does not exist is told apart from a server that fails") {
  FakeDns server;
  server.set("broken.svc", {Kind::servfail, {}, {}, 0});
  server.set("empty.svc", {Kind::records, {}, {}, 0});
  Asking ask(server);

  const auto missing = ask.addresses("missing.svc");
  CHECK(missing.outcome == dns::Outcome::not_found);
  CHECK(missing.error.where == "missing.svc");
  CHECK_THAT(missing.error.what, Contains("NXDOMAIN"));
  CHECK(ask.services("missing.svc").outcome == dns::Outcome::not_found);

  const auto empty = ask.addresses("empty.svc");
  CHECK(empty.outcome == dns::Outcome::not_found);
  CHECK_THAT(empty.error.what, Contains("no such record"));

  const auto broken = ask.addresses("broken.svc");
  CHECK(broken.outcome == dns::Outcome::unavailable);
  CHECK(ask.services("broken.svc").outcome == dns::Outcome::unavailable);
  CHECK(broken.addresses.empty());
}

TEST_CASE("a server that does not answer costs a bounded time") {
  FakeDns server;
  server.set("slow.svc", {Kind::silence, {}, {}, 0});
  auto options = Asking::options_for(server);
  options.try_timeout = 60s;  // c-ares alone would wait for minutes
  options.deadline = 300ms;
  Asking ask(options);
  const auto before = std::chrono::steady_clock::now();
  const auto answer = ask.addresses("slow.svc");
  CHECK(std::chrono::steady_clock::now() - before < 5s);
  CHECK(answer.outcome == dns::Outcome::unavailable);
  CHECK_THAT(answer.error.what, Contains("did not answer in time"));
}

TEST_CASE("c-ares' own time-out ends a question before the deadline") {
  FakeDns server;
  server.set("slow.svc", {Kind::silence, {}, {}, 0});
  auto options = Asking::options_for(server);
  options.deadline = 60s;
  Asking ask(options);
  CHECK(ask.services("slow.svc").outcome == dns::Outcome::unavailable);
  CHECK(server.queries() == 2);  // tries
}

TEST_CASE("a broken message is no answer and no crash") {
  FakeDns server;
  server.set("_odd._tcp.svc", {Kind::garbage, {}, {}, 0});
  Asking ask(server);
  CHECK(ask.services("_odd._tcp.svc").outcome == dns::Outcome::unavailable);
  CHECK(ask.addresses("_odd._tcp.svc").outcome != dns::Outcome::found);
}

TEST_CASE("a server that was away is used again as soon as it is back") {
  auto server = std::make_unique<FakeDns>();
  const std::uint16_t port = server->port();
  Asking ask(*server);
  server.reset();
  CHECK(ask.addresses("redis-0.svc").outcome == dns::Outcome::unavailable);
  CHECK(ask.addresses("redis-0.svc").outcome == dns::Outcome::unavailable);
  server = std::make_unique<FakeDns>(port);
  server->set("redis-0.svc", {Kind::records, {"10.0.0.1"}, {}, 5});
  CHECK(ask.addresses("redis-0.svc").outcome == dns::Outcome::found);
}

TEST_CASE("IP literals and /etc/hosts need no server") {
  FakeDns server;
  Asking ask(server);
  CHECK(texts(ask.addresses("10.1.2.3")) == std::vector<std::string>{"10.1.2.3"});
  CHECK(texts(ask.addresses("fd00::7")) == std::vector<std::string>{"fd00::7"});
  const auto local = texts(ask.addresses("localhost"));
  CHECK(std::find(local.begin(), local.end(), "127.0.0.1") != local.end());
  CHECK(server.queries() == 0);
}

TEST_CASE("what cannot be a name does not exist") {
  FakeDns server;
  Asking ask(server);
  CHECK(ask.addresses(std::string(300, 'a') + ".svc").outcome == dns::Outcome::not_found);
  CHECK(ask.addresses("a..svc").outcome == dns::Outcome::not_found);
  CHECK(ask.services("").outcome != dns::Outcome::found);
}

TEST_CASE("a changed resolv.conf is read again") {
  FakeDns first;
  FakeDns second;
  first.set("redis-0.svc", {Kind::records, {"10.0.0.1"}, {}, 5});
  second.set("redis-0.svc", {Kind::records, {"10.0.0.2"}, {}, 5});
  const std::string path = "/tmp/ambassador-resolv-" + std::to_string(getpid());
  const auto write = [&](const FakeDns& server) {
    std::ofstream(path + ".new") << "search svc\nnameserver " << server.server() << "\n";
    REQUIRE(std::rename((path + ".new").c_str(), path.c_str()) == 0);
  };
  write(first);
  dns::Options options;
  options.resolv_conf = path;
  Asking ask(options);
  CHECK(texts(ask.addresses("redis-0.svc")) == std::vector<std::string>{"10.0.0.1"});
  write(second);
  CHECK(texts(ask.addresses("redis-0.svc")) == std::vector<std::string>{"10.0.0.2"});
  std::remove(path.c_str());
}

TEST_CASE("many questions run at the same time") {
  FakeDns server;
  for (int i = 0; i < 200; ++i) {
    server.set("redis-" + std::to_string(i) + ".svc",
               {Kind::records, {"10.0.0." + std::to_string(i)}, {}, 5});
  }
  Asking ask(server);
  int right = 0;
  int answered = 0;
  for (int i = 0; i < 200; ++i) {
    ask.resolver->resolve_addresses("redis-" + std::to_string(i) + ".svc", [&, i](dns::AddressAnswer answer) {
      ++answered;
      right += texts(answer) == std::vector<std::string>{"10.0.0." + std::to_string(i)} ? 1 : 0;
    });
  }
  while (answered < 200) REQUIRE(ask.io.run_one_for(10s) == 1);
  CHECK(right == 200);
}

TEST_CASE("callbacks are dropped when the resolver goes, wherever it goes") {
  FakeDns server;
  server.set("slow.svc", {Kind::silence, {}, {}, 0});
  Asking ask(server);
  bool called = false;
  SECTION("while a question is under way") {
    ask.resolver->resolve_addresses("slow.svc", [&](dns::AddressAnswer) { called = true; });
    ask.resolver->resolve_services("slow.svc", [&](dns::ServiceAnswer) { called = true; });
    ask.io.run_for(20ms);
    ask.resolver.reset();
  }
  SECTION("while an answer waits to be called back") {
    ask.resolver->resolve_addresses("10.0.0.1", [&](dns::AddressAnswer) { called = true; });
    ask.resolver.reset();
  }
  SECTION("from within another callback") {
    ask.resolver->resolve_addresses("10.0.0.1", [&](dns::AddressAnswer) { ask.resolver.reset(); });
    ask.resolver->resolve_addresses("10.0.0.2", [&](dns::AddressAnswer) { called = true; });
  }
  ask.io.run_for(500ms);
  CHECK_FALSE(called);
}

TEST_CASE("a callback may ask the next question") {
  FakeDns server;
  server.set("a.svc", {Kind::records, {"10.0.0.1"}, {}, 5});
  Asking ask(server);
  std::optional<dns::AddressAnswer> second;
  ask.resolver->resolve_addresses("a.svc", [&](dns::AddressAnswer) {
    ask.resolver->resolve_addresses("a.svc", [&](dns::AddressAnswer answer) { second = std::move(answer); });
  });
  CHECK(ask.wait(second).outcome == dns::Outcome::found);
}

TEST_CASE("servers that are no addresses are refused in words") {
  dns::Options options;
  options.servers = {"not an address"};
  Asking ask(options);
  CHECK_THAT(ask.addresses("a.svc").error.what, Contains("give addresses such as 127.0.0.1:53"));
}
