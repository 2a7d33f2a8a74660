// Servers lent from a pool when something goes: servers, clients, addresses, the configuration, the proxy.
#include <catch2/catch.hpp>

#include "toy.hpp"

using namespace toy;

namespace {

std::string failed(Failure failure) {
  return "! failed " + std::to_string(static_cast<int>(failure));
}

}  // namespace

TEST_CASE("an idle server that dies is replaced, and no client hears of it") {
  OneServer one(2);
  Guest a(one.listener.port);
  CHECK(a.query("one") == "R s:one");
  one.server.cut();
  CHECK(eventually([&] { return one.pool().idle == 0; }));
  CHECK(a.query("two") == "R s:two");
  CHECK(one.server.logins() == 2);
}

TEST_CASE("a server that dies while it is lent fails its client's request, and nobody else's") {
  OneServer one(2);
  Guest a(one.listener.port), b(one.listener.port);
  CHECK(a.query("die") == "! lost");
  CHECK(a.query("one") == "R s:one");
  CHECK(b.query("two") == "R s:two");
  CHECK(one.proxy.backend(0).lanes_lost == 1);
  CHECK(one.proxy.backend(0).owed == 0);
  CHECK(one.pool().lent == 0);
}

TEST_CASE("a server that dies in the middle of a large message leaves the rest of it nowhere to go") {
  OneServer one(1);
  Guest a(one.listener.port);
  CHECK(a.query("begin", "Z T") == "R s:begin");
  a.send("P 1000000\n" + std::string(500'000, 'y'));
  CHECK(eventually([&] { return one.proxy.backend(0).owed == 1; }));  // else nobody asked anything of it
  one.server.cut();
  CHECK(a.line() == "! lost");
  a.send(std::string(500'000, 'y'));
  CHECK(a.query("next") == "R s:next");
}

TEST_CASE("what still comes of a large message whose server died is never taken for messages") {
  OneServer one(1);
  Guest a(one.listener.port);
  std::string body;
  while (body.size() < 3'000'000) body += "Q within\n";
  const std::size_t begun = body.size() / 3, last = body.size() - 9;
  for (int round = 0; round < 30; ++round) {
    CHECK(a.query("begin", "Z T") == "R s:begin");
    a.send("P " + std::to_string(body.size()) + "\n" + body.substr(0, begun));
    CHECK(eventually([&] { return one.proxy.backend(0).owed == 1; }));
    // The server goes while more of it comes; without the last line it has no answer yet, however quick it
    // is.
    std::thread sender([&] { a.send(body.substr(begun, last - begun)); });
    one.server.cut();
    CHECK(a.line() == "! lost");
    sender.join();
    a.send(body.substr(last));
    CHECK(a.query("next") == "R s:next");
  }
}

TEST_CASE("a client that leaves gives its server back, in the middle of its work it takes it along") {
  OneServer one(1);
  {
    Guest a(one.listener.port);
    CHECK(a.query("one") == "R s:one");
    CHECK(a.ask("BYE") == "bye");
    CHECK(a.line() == "EOF");
  }
  Guest b(one.listener.port);
  CHECK(b.query("two") == "R s:two");
  CHECK(one.server.logins() == 1);
  {
    Guest c(one.listener.port);
    CHECK(c.query("begin", "Z T") == "R s:begin");
  }
  CHECK(b.query("three") == "R s:three");
  CHECK(one.server.logins() == 2);
  CHECK(one.server.cancels() == 1);
  {
    Guest d(one.listener.port);
    d.send("Q hold\n");
    CHECK(eventually([&] { return one.server.holding() == 1; }));
    d.reset();
  }
  CHECK(eventually([&] { return one.server.cancels() == 2; }));
  CHECK(b.query("four") == "R s:four");
  CHECK(one.server.logins() == 3);
}

TEST_CASE("a client that leaves while it waits is waited for no more") {
  OneServer one(1);
  Guest a(one.listener.port);
  CHECK(a.query("begin", "Z T") == "R s:begin");
  {
    Guest b(one.listener.port);
    b.send("Q never\n");
    CHECK(eventually([&] { return one.pool().waiting == 1; }));
  }
  CHECK(eventually([&] { return one.pool().waiting == 0; }));
  CHECK(a.query("commit") == "R s:commit");
}

TEST_CASE("a client that waits for a server is cancelled, and keeps its place in nobody's way") {
  net::Options options;
  options.workers = 2;  // who cancels and who is meant are with different ones
  OneServer one(1, options);
  std::vector<Guest> guests;
  for (int i = 0; i < 4; ++i) guests.emplace_back(one.listener.port);
  // The worker that has the only connection has two of them.
  const auto place = [&](const std::string& said) {
    return std::find_if(guests.begin(), guests.end(), [&](Guest& guest) { return guest.line(20ms) == said; });
  };
  for (Guest& guest : guests) guest.send("Q begin\n");
  auto holder = guests.end();
  CHECK(eventually([&] { return (holder = place("R s:begin")) != guests.end(); }));
  CHECK(holder->line() == "Z T");
  CHECK(eventually([&] { return one.pool().waiting == 3; }));
  Guest& waiter = holder == guests.begin() ? guests[2] : guests[0];
  const auto cancel = [&] {
    Client asker(one.listener.port);
    asker.send("CANCEL " + waiter.name.substr(waiter.name.find(' ') + 1) + "\n");
    CHECK(asker.line() == "EOF");
  };
  cancel();
  CHECK(waiter.line() == "! cancelled");
  CHECK(one.pool().waiting == 2);
  CHECK(one.server.cancels() == 0);
  CHECK(one.pool().interruptions == 0);
  cancel();  // it waits no more
  CHECK(waiter.line(100ms) == "TIMEOUT");
  // It waits again, behind the others, and gets what is its own.
  waiter.send("Q later\n");
  CHECK(eventually([&] { return one.pool().waiting == 3; }));
  CHECK(holder->query("commit") == "R s:commit");
  for (Guest& guest : guests) {
    if (&guest == &*holder || &guest == &waiter) continue;
    CHECK(guest.line() == "R s:begin");
    CHECK(guest.line() == "Z T");
    CHECK(guest.query("commit") == "R s:commit");
  }
  CHECK(waiter.line() == "R s:later");
  CHECK(waiter.line() == "Z I");
}

TEST_CASE("a client interrupts what another one runs, and the interruption meets nobody else") {
  net::Options options;
  options.workers = 3;  // who cancels and who is meant are with different ones
  OneServer one(3, options);
  std::vector<Guest> guests;
  for (int i = 0; i < 3; ++i) {
    guests.emplace_back(one.listener.port);
    guests.back().send("Q hold\n");
  }
  CHECK(eventually([&] { return one.server.holding() == 3; }));
  std::vector<Client> cancels;
  const auto cancel = [&](const std::string& name) {
    cancels.emplace_back(one.listener.port).send("CANCEL " + name + "\n");
  };
  one.server.keep_cancels_open();
  cancel("1 2.3.4.");  // a guess
  CHECK(cancels[0].line() == "EOF");
  const std::string& name = guests[1].name;
  cancel(name.substr(name.find(' ') + 1));
  CHECK(guests[1].line() == "R cancelled");
  CHECK(guests[1].line() == "Z I");
  CHECK(one.server.cancels() == 1);
  CHECK(one.server.holding() == 2);
  CHECK(one.pool().interruptions == 1);
  // Its server is given back, and lent to nobody before the interruption's connection has closed. Not before
  // that does who wished it see that it is done.
  guests[1].send("Q next\n");
  CHECK(guests[1].line(100ms) == "TIMEOUT");
  CHECK(cancels[1].line(100ms) == "TIMEOUT");
  one.server.end_cancels();
  CHECK(cancels[1].line() == "EOF");
  CHECK(guests[1].line() == "R s:next");
  CHECK(guests[1].line() == "Z I");
  cancel(name.substr(name.find(' ') + 1));  // nothing runs
  CHECK(cancels[2].line() == "EOF");
  CHECK(guests[1].query("more") == "R s:more");
  CHECK(one.server.cancels() == 1);
  one.server.release();
}

TEST_CASE("a client that cancels without end makes few connections of it") {
  OneServer one(1);
  Guest a(one.listener.port);
  one.server.keep_cancels_open();
  a.send("Q hold\n");
  CHECK(eventually([&] { return one.server.holding() == 1; }));
  const std::string name = a.name.substr(a.name.find(' ') + 1);
  std::vector<Client> cancels;
  for (int i = 0; i < 50; ++i) cancels.emplace_back(one.listener.port).send("CANCEL " + name + "\n");
  CHECK(a.line() == "R cancelled");
  CHECK(a.line() == "Z I");
  CHECK(one.pool().interruptions <= 2);
  one.server.end_cancels();
  for (Client& cancel : cancels)
    CHECK(cancel.line() == "EOF");  // none is left that would meet the next request
  CHECK(a.query("next") == "R s:next");
}

TEST_CASE("a refused login is told to all who wait for it, and tried once for many") {
  OneServer one(2);
  one.server.behave({.role = {}, .refusal = "ERR final no such user"});
  std::vector<Guest> guests;
  for (int i = 0; i < 50; ++i) guests.emplace_back(one.listener.port, "nobody");
  for (auto& guest : guests) guest.send("Q x\n");
  for (auto& guest : guests) CHECK(guest.line() == "! ERR final no such user");
  CHECK(one.server.logins() <= 2);
  CHECK(one.proxy.said("a backend refuses the login"));
}

TEST_CASE("when who logs in has changed, connections of before are lent no more and refusals are forgotten") {
  OneServer one(2);
  Guest idle(one.listener.port);
  Guest works(one.listener.port);
  REQUIRE(works.query("begin", "Z T").starts_with("R"));
  const std::string before = works.query("pid", "Z T");
  CHECK(one.server.logins() >= 1);
  one.proxy.login_changed("toy");
  CHECK(works.query("pid", "Z T") == before);
  CHECK(works.query("commit").starts_with("R"));
  CHECK(works.query("pid") != before);

  one.server.behave({.role = {}, .refusal = "ERR final no such user"});
  one.proxy.login_changed("toy");
  CHECK(works.query("one").starts_with("! "));
  CHECK(eventually([&] { return one.pool().logins_failed >= 1; }));
  one.server.behave({});
  one.proxy.login_changed("toy");
  CHECK(works.query("two") == "R s:two");
  CHECK(one.pool().opening == 0);
}

TEST_CASE("a refusal that passes is waited for, and told to who waited in vain") {
  OneServer one(2);
  one.server.behave({.role = {}, .refusal = "ERR passing starting up"});
  one.listener.timeouts.queue = 600ms;
  REQUIRE(one.proxy.apply(one.listener));
  Guest a(one.listener.port), b(one.listener.port);
  CHECK(a.query("one") == "! ERR passing starting up");
  one.listener.timeouts.queue = 5s;
  REQUIRE(one.proxy.apply(one.listener));
  b.send("Q two\n");
  CHECK(b.line(100ms) == "TIMEOUT");
  one.server.behave({});
  CHECK(b.line() == "R s:two");
}

TEST_CASE("a backend that can't be reached is waited for, and others are used meanwhile") {
  SECTION("the only one") {
    const std::uint16_t port = free_port();
    auto listener = listener_named("toy", config::Protocol::tcp, {backend("late", port)});
    running::Proxy proxy(core());
    REQUIRE(proxy.apply(listener));
    Guest a(listener.port);
    a.send("Q one\n");
    CHECK(a.line(200ms) == "TIMEOUT");
    RealServer late("late", {}, port);
    CHECK(a.line() == "R late:one");
    CHECK(a.line() == "Z I");
    late.stop();
    listener.timeouts.queue = 300ms;
    REQUIRE(proxy.apply(listener));
    CHECK(a.query("two") == failed(Failure::unreachable));
    listener.backends.clear();
    REQUIRE(proxy.apply(listener));
    CHECK(a.query("three") == failed(Failure::no_backend));
  }
  SECTION("the first one") {
    RealServer second("second");
    auto listener = listener_named("toy", config::Protocol::tcp,
                                   {backend("first", free_port()), backend("second", second.port())});
    running::Proxy proxy(core());
    REQUIRE(proxy.apply(listener));
    Guest a(listener.port);
    CHECK(a.query("one") == "R second:one");
  }
}

TEST_CASE("clients get servers of the role that they want") {
  RealServer s0("replica", {.role = "replica", .refusal = {}}),
      s1("primary", {.role = "primary", .refusal = {}});
  const auto listener = listener_for({&s0, &s1}, 3);
  running::Proxy proxy(core());
  REQUIRE(proxy.apply(listener));
  Guest writer(listener.port, "k primary"), reader(listener.port, "k replica");
  CHECK(writer.query("w") == "R primary:w");
  CHECK(reader.query("r") == "R replica:r");
  SECTION("the roles change") {
    s0.behave({.role = "primary", .refusal = {}});
    s1.stop();
    s0.cut();
    CHECK(writer.query("w2") == "R replica:w2");  // its name only
    CHECK(reader.query("r2") == "R replica:r2");  // where there is no replica, the primary
  }
  SECTION("only a replica is left") {
    s1.stop();
    writer.send("Q w2\n");
    CHECK(writer.line(300ms) == "TIMEOUT");
    CHECK(reader.query("r2") == "R replica:r2");
    s0.behave({.role = "primary", .refusal = {}});
    CHECK(writer.line() == "R replica:w2");
  }
}

TEST_CASE("servers at addresses that are gone are let go of") {
  OneServer one(2);
  // 127.0.0.2 is this host too: the server listens on 127.0.0.1 alone.
  one.listener.backends[0].host = "db.example";
  one.proxy.set_name("db.example", {"127.0.0.1"});
  REQUIRE(one.proxy.apply(one.listener));
  Guest a(one.listener.port), b(one.listener.port);
  CHECK(a.query("begin", "Z T") == "R s:begin");
  CHECK(b.query("one") == "R s:one");
  one.proxy.set_name("db.example", {"127.0.0.2"});
  CHECK(eventually([&] { return one.server.quits() == 1; }));  // the idle one
  CHECK(a.query("two", "Z T") == "R s:two");
  CHECK(a.query("commit") == "R s:commit");
  CHECK(eventually([&] { return one.server.quits() == 2; }));
}

TEST_CASE("a reload changes the pool's size, its backends, and the sessions at rest") {
  OneServer one(3);
  std::vector<Guest> guests;
  for (int i = 0; i < 3; ++i) {
    guests.emplace_back(one.listener.port);
    CHECK(guests.back().query("begin", "Z T") == "R s:begin");
  }
  SECTION("smaller") {
    one.listener.sql.max_server_connections = 1;
    REQUIRE(one.proxy.apply(one.listener));
    for (auto& guest : guests) CHECK(guest.query("commit") == "R s:commit");
    CHECK(eventually([&] { return one.server.quits() == 2; }));
    CHECK(guests[0].query("more") == "R s:more");
    CHECK(one.pool().most == 1);
  }
  SECTION("larger") {
    Guest fourth(one.listener.port);
    fourth.send("Q wait\n");
    CHECK(fourth.line(50ms) == "TIMEOUT");
    one.listener.sql.max_server_connections = 4;
    REQUIRE(one.proxy.apply(one.listener));
    CHECK(fourth.line() == "R s:wait");
  }
  SECTION("another backend") {
    RealServer other("other");
    one.listener.backends = {backend("other", other.port())};
    REQUIRE(one.proxy.apply(one.listener));
    CHECK(guests[0].query("commit") == "R s:commit");
    CHECK(guests[0].query("there") == "R other:there");
    CHECK(eventually([&] { return one.server.quits() == 1; }));
    CHECK(guests[1].query("commit") == "R s:commit");
    CHECK(eventually([&] { return one.server.quits() == 2; }));
  }
  SECTION("another core") {
    CHECK(guests[0].query("commit") == "R s:commit");
    CHECK(guests[0].ask("LOGIN k").starts_with("hello"));
    one.listener.max_clients = 77;
    REQUIRE(one.proxy.apply(one.listener));
    CHECK(guests[0].ask("LOGIN k").starts_with("again"));
    CHECK(guests[1].query("commit") == "R s:commit");
    CHECK(guests[1].ask("LOGIN k").starts_with("again"));
    CHECK(one.server.quits() == 0);
  }
}

TEST_CASE("draining says farewell to clients at rest, and lets the others finish") {
  OneServer one(2);
  Guest idle(one.listener.port), busy(one.listener.port);
  CHECK(busy.query("begin", "Z T") == "R s:begin");
  one.proxy.begin_drain();
  CHECK(idle.line() == "farewell");
  CHECK(idle.line() == "EOF");
  CHECK(busy.query("more", "Z T") == "R s:more");
  CHECK(busy.query("commit") == "R s:commit");
  CHECK(busy.line() == "farewell");
  CHECK(busy.line() == "EOF");
  CHECK(eventually([&] { return one.proxy.clients() == 0; }));
}

TEST_CASE("an idle client is closed after timeouts.idle, one whose query runs is not") {
  OneServer one(2);
  one.listener.timeouts.idle = 200ms;
  REQUIRE(one.proxy.apply(one.listener));
  Guest idle(one.listener.port), busy(one.listener.port);
  busy.send("Q hold\n");
  CHECK(idle.line() == "EOF");
  CHECK(busy.line(300ms) == "TIMEOUT");
  one.server.release();
  CHECK(busy.line() == "R s:hold");
  CHECK(one.proxy.listener().clients_idle >= 1);
}

TEST_CASE("a client that does not log in is closed, also one that sends a byte now and then") {
  OneServer one(1);
  Client silent(one.listener.port), drips(one.listener.port);
  Guest a(one.listener.port);
  const auto began = std::chrono::steady_clock::now();
  std::string end;
  for (int i = 0; i < 15 && (end = drips.line(1s)) == "TIMEOUT"; ++i) drips.send("L");
  CHECK(end == "EOF");
  CHECK(silent.line() == "EOF");
  const auto took = std::chrono::steady_clock::now() - began;
  CHECK(took > 7s);
  CHECK(took < 11s);
  CHECK(one.proxy.listener().clients_broken == 2);
  CHECK(a.query("one") == "R s:one");
}

TEST_CASE("a listener that is removed drains, and its connections go with it") {
  OneServer one(2);
  Guest a(one.listener.port);
  CHECK(a.query("one") == "R s:one");
  REQUIRE(one.proxy.apply(config::Document()));
  CHECK(a.line() == "farewell");
  CHECK(a.line() == "EOF");
  REQUIRE(one.proxy.apply(config::Document()));
  CHECK(eventually([&] { return one.proxy.clients() == 0; }));
}

TEST_CASE("a client that sends a head without end is closed") {
  OneServer one(1);
  Guest a(one.listener.port);
  a.send(std::string(10'000, 'z'));
  CHECK(a.line() == "EOF");
  CHECK(one.proxy.listener().clients_broken == 1);
}
