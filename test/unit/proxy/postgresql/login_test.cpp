// Logging in at a server that is honest, one that refuses, and one that is hostile.
#include "proxy/postgresql/login.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/scram_server.hpp"
#include "test/unit/proxy/postgresql/toy_server.hpp"

using namespace toy;
using namespace std::string_literals;
using Kind = Step::Kind;

namespace {

const std::string kStartup = "\0\0\0\x1d\0\x03\0\0user\0me\0database\0db\0\0"s;
const std::string kSsl = "\0\0\0\x08\x04\xd2\x16\x2f"s;

std::string code_of(const std::string& text) {
  const Message message = read_message(text, kMaxHeld);
  REQUIRE(message.found == Found::whole);
  REQUIRE(message.size() == text.size());
  const auto fields = read_error_fields(message.body);
  REQUIRE(fields);
  return std::string(fields->code);
}

std::string sasl(std::initializer_list<std::string_view> mechanisms) {
  return said([&](auto& out) { write_authentication_sasl(out, mechanisms); });
}

// The SCRAM server's two messages as answers to what was sent; each is fed in pieces of `piece` bytes.
Outcome scram(Feeder<Login>& feeder, ScramServer server, std::string_view mechanism, const Outcome& initial,
              std::size_t piece, const std::string& behind) {
  const auto feed = [&](const std::string& text) {
    Outcome all;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      const Outcome one = feeder.feed(text.substr(at, piece));
      all.sent += one.sent;
      all.kind = one.kind;
      all.text = one.text;
    }
    return all;
  };
  const Message first = read_message(initial.sent, kMaxHeld);
  REQUIRE(first.body.starts_with(mechanism));
  const auto challenge = server.answer(mechanism, first.body.substr(mechanism.size() + 1 + 4));
  REQUIRE(challenge);
  const Outcome proof = feed(said([&](auto& out) { write_authentication_sasl_continue(out, *challenge); }));
  const auto last = server.finish(read_message(proof.sent, kMaxHeld).body);
  if (!last) return feed(error("28P01"));
  return feed(said([&](auto& out) { write_authentication_sasl_final(out, *last); }) + behind);
}

}  // namespace

TEST_CASE("a server that trusts is logged in at, however its bytes are cut") {
  const std::string all = welcome() + "more";
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    Login login(plan());
    Feeder feeder(login);
    CHECK(feeder.feed("").sent == kStartup);
    Outcome last;
    for (std::size_t at = 0; at < all.size() && last.kind == Kind::need_more; at += piece)
      last = feeder.feed(all.substr(at, piece));
    CHECK(last.kind == Kind::ready);
    CHECK(login.process() == 42);
    CHECK(login.key() == "keys");
    CHECK(login.parameters().value("server_version") == "15.1");
    CHECK(login.parameters().all().size() == 2);
  }
}

TEST_CASE("a server that asks for MD5 is answered with the digest") {
  Login login(plan("secret"));
  Feeder feeder(login);
  feeder.feed("");
  const Outcome answer = feeder.feed(said([](auto& out) {
    write_authentication_md5(out, {'s', 'a', 'l', 't'});
  }));
  CHECK(answer.sent.starts_with("p\0\0\0\x28md5"s));
  CHECK(answer.sent.find("secret") == std::string::npos);
  CHECK(feeder.feed(welcome()).kind == Kind::ready);
}

TEST_CASE("the password is said in clear text under TLS alone") {
  const std::string asks = said([](auto& out) { write_authentication_cleartext(out); });
  Login open(plan());
  Feeder feeder(open);
  feeder.feed("");
  const Outcome refused = feeder.feed(asks);
  CHECK(refused.kind == Kind::failed);
  CHECK_FALSE(refused.passing);
  CHECK(refused.sent.empty());
  CHECK(code_of(refused.text) == "28000");

  LoginPlan encrypted = plan();
  encrypted.encrypt = true;
  Login hidden(std::move(encrypted));
  Feeder tls(hidden);
  tls.feed("");
  tls.feed("S");
  CHECK(tls.feed(asks).sent == "p\0\0\0\x0bpencil\0"s);
  CHECK(tls.feed(welcome()).kind == Kind::ready);
}

TEST_CASE("SCRAM is spoken without TLS, and bound to the certificate where both can") {
  struct Row {
    bool encrypt;
    std::string end_point;
    bool plus_offered;
    std::string_view chosen;
  };
  const std::vector<Row> rows{
      {false, "", false, kScram},       {false, "", true, kScram}, {true, "hash", false, kScram},
      {true, "hash", true, kScramPlus}, {true, "", true, kScram},
  };
  for (const Row& row : rows) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
      const bool offers = row.plus_offered && !row.end_point.empty();
      LoginPlan with = plan();
      with.encrypt = row.encrypt;
      Login login(std::move(with));
      Feeder feeder(login);
      CHECK(feeder.feed("").sent == (row.encrypt ? kSsl : kStartup));
      if (row.encrypt) {
        const Outcome started = feeder.feed("S", {row.end_point});
        CHECK(started.tls);
        CHECK(started.sent == kStartup);
      }
      const Outcome initial = feeder.feed(row.plus_offered ? sasl({kScramPlus, kScram}) : sasl({kScram}));
      const Outcome done = scram(
          feeder, ScramServer(make_scram_verifier("pencil", "salt", 2), "xyz", offers ? row.end_point : ""),
          row.chosen, initial, piece, welcome());
      CHECK(done.kind == Kind::ready);
    }
  }
}

TEST_CASE("a wrong password is final and told in the server's words") {
  Login login(plan("wrong"));
  Feeder feeder(login);
  feeder.feed("");
  const Outcome done = scram(feeder, ScramServer(make_scram_verifier("pencil", "salt", 2), "xyz"), kScram,
                             feeder.feed(sasl({kScram})), 1000, "");
  CHECK(done.kind == Kind::failed);
  CHECK(done.text == error("28P01"));
}

TEST_CASE("a server that doesn't know the password is not logged in at") {
  const std::string first =
      said([](auto& out) { write_authentication_sasl_continue(out, "r=clientnoncexyz,s=c2FsdA==,i=2"); });
  const std::string fake = "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  struct Row {
    const char* what;
    std::vector<std::string> says;  // up to where it must be refused
  };
  const std::vector<Row> rows{
      {"skips the exchange", {sasl({kScram}), welcome()}},
      {"skips its proof", {sasl({kScram}), first, welcome()}},
      {"proves something else",
       {sasl({kScram}), first, said([&](auto& out) { write_authentication_sasl_final(out, fake); })}},
      {"asks for MD5 in between", {sasl({kScram}), said([](auto& out) {
                                     write_authentication_md5(out, {'s', 'a', 'l', 't'});
                                   })}},
      {"begins in the middle", {first}},
      {"begins twice", {sasl({kScram}), sasl({kScram})}},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    Login login(plan());
    Feeder feeder(login);
    feeder.feed("");
    Outcome last;
    for (const std::string& text : row.says) {
      CHECK(last.kind == Kind::need_more);
      last = feeder.feed(text);
    }
    CHECK(last.kind == Kind::failed);
    CHECK_FALSE(last.passing);
  }
}

TEST_CASE("nothing that a server says in the clear is taken for what it says under TLS") {
  struct Row {
    std::string answer;
    bool passing;
  };
  const std::vector<Row> rows{
      {"S" + welcome(), false}, {"SS", false},         {"N", false}, {"X", false}, {welcome(), false},
      {"N" + welcome(), false}, {error("53300"), true}};
  for (const Row& row : rows) {
    INFO(row.answer);
    LoginPlan encrypted = plan();
    encrypted.encrypt = true;
    Login login(std::move(encrypted));
    Feeder feeder(login);
    CHECK(feeder.feed("").sent == kSsl);
    const Outcome answer = feeder.feed(row.answer);
    CHECK(answer.kind == Kind::failed);
    CHECK(answer.passing == row.passing);
    CHECK_FALSE(answer.tls);
    CHECK(answer.text != row.answer);
    CHECK(code_of(answer.text).starts_with("08"));
  }
}

TEST_CASE("a refusal is passed on, and passing where it may be otherwise in a moment") {
  for (const char* code : {"53300", "57P03", "57P01", "57P02", "08006", "28P01", "3D000", "28000"}) {
    for (const bool late : {false, true}) {
      Login login(plan());
      Feeder feeder(login);
      feeder.feed("");
      if (late) feeder.feed(said([](auto& out) { write_authentication_ok(out); }));
      const Outcome refused = feeder.feed(error(code));
      CHECK(refused.kind == Kind::failed);
      CHECK(refused.passing == is_passing(code));
      CHECK(refused.text == error(code));
    }
  }
}

TEST_CASE("what no server says while one logs in ends it") {
  const std::string ok = said([](auto& out) { write_authentication_ok(out); });
  const std::vector<std::string> refused{
      ready(),
      parameter("a", "b"),
      complete("SELECT 1"),
      "R\0\0\0\x04"s,
      "R\0\0\0\x07\0\0\0"s,
      "R\0\0\0\x08\0\0\0\x07"s,
      "R\0\0\0\x0b\0\0\0\x05sal"s,
      "R\0\0\0\x08\0\0\0\x0a"s,
      "R\0\0\0\x09\0\0\0\x0a\0"s,
      "E\0\0\0\x04"s,
      "E\0\0\0\x06\0x"s,
      "E\x7f\xff\xff\xff"s,
      "v\0\0\0\x0c\0\x03\0\0\0\0\0\0"s,
      "HTTP/1.1 400 Bad Request",
      ok + ok,
      ok + ready('T'),
      ok + "Z\0\0\0\x04"s,
      ok + "S\0\0\0\x07"
           "abc"s,
      ok + "S\0\0\0\x06"
           "\0\0"s,
      ok + "K\0\0\0\x0b\0\0\0\x01"
           "abc"s,
      ok + "K\0\0\x01\x09\0\0\0\x01"s + std::string(257, 'k'),
      ok + complete("SELECT 1"),
      ok + sasl({kScram}),
      sasl({"OAUTHBEARER"}),
      sasl({kScramPlus}),
  };
  for (const std::string& text : refused) {
    INFO(text);
    Login login(plan());
    Feeder feeder(login);
    feeder.feed("");
    const Outcome outcome = feeder.feed(text);
    CHECK(outcome.kind == Kind::failed);
    CHECK_FALSE(outcome.passing);
    CHECK(outcome.sent.empty());
  }
}

TEST_CASE("a server may report only so much") {
  Login login(plan());
  Feeder feeder(login);
  feeder.feed("");
  feeder.feed(said([](auto& out) { write_authentication_ok(out); }));
  const std::string large(kMaxHeld / 2, 'x');
  Outcome outcome;
  std::size_t reports = 0;
  while (outcome.kind == Kind::need_more) {
    // The same name again takes the old value's place.
    for (int i = 0; i < 3; ++i) outcome = feeder.feed(parameter("n" + std::to_string(reports), large));
    REQUIRE(++reports < 100);
  }
  CHECK(outcome.kind == Kind::failed);
  CHECK(reports == kMaxReported / large.size());
}

TEST_CASE("a key may have 4 to 256 bytes, and notices are nothing") {
  const std::string notice = "N" + error("00000").substr(1);
  for (const std::size_t size : {std::size_t{4}, std::size_t{32}, std::size_t{256}}) {
    Login login(plan());
    Feeder feeder(login);
    feeder.feed("");
    CHECK(feeder.feed(notice + welcome(std::string(size, 'k'))).kind == Kind::ready);
    CHECK(login.key().size() == size);
  }
}

TEST_CASE("for a client that logs in itself, only TLS is begun") {
  LoginPlan open{.log_in = false};
  Login at_once(open);
  CHECK(at_once.on_bytes("").kind == Kind::ready);

  open.encrypt = true;
  Login encrypted(open);
  Feeder feeder(encrypted);
  CHECK(feeder.feed("").sent == kSsl);
  const Outcome outcome = feeder.feed("S");
  CHECK(outcome.tls);
  CHECK(outcome.kind == Kind::ready);
  CHECK(outcome.sent.empty());
}
