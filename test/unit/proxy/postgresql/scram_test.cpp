// SCRAM-SHA-256: the RFC's example, both sides against each other, and everything that somebody in between
// could change.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "proxy/postgresql/base64.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/scram_client.hpp"
#include "proxy/postgresql/scram_server.hpp"
#include "proxy/postgresql/scram_text.hpp"

using namespace ambassador::proxy::postgresql;
using Binding = ScramClient::Binding;

namespace {

// RFC 7677 section 3.
constexpr std::string_view kUser = "user";
constexpr std::string_view kPassword = "pencil";
const std::string kClientNonce = "rOprNGfwEbeRWgbNEkqO";
const std::string kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string kClientFirst = "n,,n=user,r=" + kClientNonce;
const std::string kServerFirst = "r=" + kClientNonce + kServerNonce + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const std::string kClientFinal =
    "c=biws,r=" + kClientNonce + kServerNonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const std::string kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramVerifier verifier(std::string_view password = kPassword) {
  return make_scram_verifier(password, *from_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
}

ScramClient client() {
  return {kClientNonce, Binding::none, {}, kUser};
}

// The texts that differ from `text` in one character, or lack one.
std::vector<std::string> tampered(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < text.size(); ++i) {
    all.push_back(text);
    all.back()[i] = text[i] == 'A' ? 'B' : 'A';
    all.push_back(text);
    all.back().erase(i, 1);
  }
  return all;
}

// Whether both sides are content; `between` may change each of the four messages.
template <class Between>
bool exchange(ScramClient left, ScramServer right, std::string_view mechanism, std::string_view password,
              Between between) {
  ScramCache cache;
  const auto first = right.answer(mechanism, between(0, left.first()));
  if (!first) return false;
  const auto proof = left.answer(between(1, *first), password, cache);
  if (!proof) return false;
  const auto last = right.finish(between(2, *proof));
  return last && left.verify(between(3, *last)).ok();
}

std::string untouched(int, std::string text) {
  return text;
}

}  // namespace

TEST_CASE("the example of RFC 7677 is said word by word, by the client") {
  ScramClient scram = client();
  ScramCache cache;
  CHECK(scram.first() == kClientFirst);
  const auto proof = scram.answer(kServerFirst, kPassword, cache);
  REQUIRE(proof);
  CHECK(*proof == kClientFinal);
  CHECK(scram.verify(kServerFinal).ok());
}

TEST_CASE("the example of RFC 7677 is said word by word, by the server") {
  ScramServer scram(verifier(), kServerNonce);
  const auto first = scram.answer(kScram, kClientFirst);
  REQUIRE(first);
  CHECK(*first == kServerFirst);
  const auto last = scram.finish(kClientFinal);
  REQUIRE(last);
  CHECK(*last == kServerFinal);
}

TEST_CASE("client and server agree with every binding that is honest") {
  struct Row {
    Binding binding;
    std::string_view mechanism;
    std::string bound;
    std::string own;
    bool agree;
  };
  const std::vector<Row> rows{
      {Binding::none, kScram, "", "", true},
      {Binding::not_offered, kScram, "", "", true},
      {Binding::none, kScram, "", "certificate", true},  // a client that can't
      {Binding::end_point, kScramPlus, "certificate", "certificate", true},
      {Binding::not_offered, kScram, "", "certificate", false},  // somebody hid the offer
      {Binding::end_point, kScramPlus, "another", "certificate", false},
      {Binding::end_point, kScramPlus, "certificate", "", false},
      {Binding::end_point, kScram, "certificate", "certificate", false},
      {Binding::none, kScramPlus, "", "certificate", false},
      {Binding::none, "SCRAM-SHA-1", "", "", false},
  };
  for (const Row& row : rows) {
    const ScramClient left("abc", row.binding, row.bound);
    const ScramServer right(verifier(), "xyz", row.own);
    CHECK(exchange(left, right, row.mechanism, kPassword, untouched) == row.agree);
  }
}

TEST_CASE("passwords are taken byte by byte, and another one is refused") {
  const std::vector<std::string> passwords{"a", "p\xc3\xa4ss w\xc3\xb6rd", "\xff\xfe", "with,comma=and"};
  for (const std::string& password : passwords) {
    CHECK(exchange(ScramClient("abc", Binding::none), ScramServer(verifier(password), "xyz"), kScram,
                   password, untouched));
    CHECK_FALSE(exchange(ScramClient("abc", Binding::none), ScramServer(verifier(password), "xyz"), kScram,
                         password + "x", untouched));
  }
}

TEST_CASE("a user's name with SCRAM's own signs is escaped") {
  CHECK(ScramClient("abc", Binding::none, {}, "a,b=c").first() == "n,,n=a=2Cb=3Dc,r=abc");
}

TEST_CASE("no message can be changed by one character without notice") {
  // Few iterations: nearly every change leads to keys of its own.
  const ScramVerifier quick = make_scram_verifier(kPassword, "salt", 2);
  const ScramClient left("abc", Binding::end_point, "cert");
  const ScramServer right(quick, "xyz", "cert");
  std::vector<std::string> said(4);
  REQUIRE(exchange(left, right, kScramPlus, kPassword, [&said](int i, std::string text) {
    return said[static_cast<std::size_t>(i)] = std::move(text);
  }));
  for (int message = 0; message < 4; ++message) {
    for (const std::string& changed : tampered(said[static_cast<std::size_t>(message)])) {
      INFO(changed);
      CHECK_FALSE(exchange(left, right, kScramPlus, kPassword,
                           [&](int i, std::string text) { return i == message ? changed : text; }));
    }
  }
}

TEST_CASE("a server's first message that is no honest one is refused") {
  const std::vector<std::string> refused{
      "",
      "r=" + kClientNonce + ",s=W22Z,i=4096",  // nothing of its own in the nonce
      "r=x" + kClientNonce + ",s=W22Z,i=4096",
      "r=" + kClientNonce + "x,i=4096",
      "r=" + kClientNonce + "x,s=,i=4096",
      "r=" + kClientNonce + "x,s=W22,i=4096",
      "r=" + kClientNonce + "x,s=W22Z",
      "r=" + kClientNonce + "x,s=W22Z,i=",
      "r=" + kClientNonce + "x,s=W22Z,i=0",
      "r=" + kClientNonce + "x,s=W22Z,i=-1",
      "r=" + kClientNonce + "x,s=W22Z,i=4096x",
      "r=" + kClientNonce + "x,s=W22Z,i=1000001",
      "r=" + kClientNonce + "x,s=W22Z,i=99999999999999999999",
      "m=must,r=" + kClientNonce + "x,s=W22Z,i=4096",
      "e=other-error",
  };
  for (const std::string& text : refused) {
    INFO(text);
    ScramCache cache;
    CHECK_FALSE(client().answer(text, kPassword, cache).ok());
  }
}

TEST_CASE("too many iterations are refused with what to do") {
  const auto iterations = read_iterations("1000001");
  REQUIRE_FALSE(iterations.ok());
  CHECK(iterations.error().what.find("above 1000000") != std::string::npos);
  CHECK(iterations.error().what.find("scram_iterations") != std::string::npos);
  CHECK(*read_iterations("1000000") == kMaxScramIterations);
}

TEST_CASE("a client's first message that PostgreSQL refuses is refused") {
  const std::vector<std::string> refused{
      "",
      "n",
      "n,",
      "n,,",
      "n,,n=",
      "n,,n=,r=",
      "n,a=me,n=,r=abc",
      "x,,n=,r=abc",
      "n,,r=abc",
      "n,,m=x,n=,r=abc",
      "n,,n=,r=a\x01",
      "p=tls-unique,,n=,r=abc",
  };
  for (const std::string& text : refused) {
    INFO(text);
    CHECK_FALSE(ScramServer(verifier(), "xyz").answer(kScram, text).ok());
    CHECK_FALSE(ScramServer(verifier(), "xyz", "cert").answer(kScramPlus, text).ok());
  }
}

TEST_CASE("a last message before the first one lets nobody in") {
  CHECK_FALSE(ScramServer(verifier(), kServerNonce).finish(kClientFinal).ok());
}

TEST_CASE("a server that refuses says why") {
  ScramClient scram = client();
  ScramCache cache;
  REQUIRE(scram.answer(kServerFirst, kPassword, cache));
  CHECK(scram.verify("e=invalid-proof").error().what.find("invalid-proof") != std::string::npos);
}

TEST_CASE("derived keys are kept until the salt or the iterations change") {
  ScramCache cache;
  const auto first = cache.keys("pw", "salt", 10).client;
  CHECK(cache.keys("ignored", "salt", 10).client == first);  // not derived again
  CHECK(cache.keys("pw", "salt", 11).client != first);
  CHECK(cache.keys("pw", "Salt", 11).client != first);
  CHECK(cache.keys("pw", "salt", 10).client == first);
}

TEST_CASE("a verifier is read as PostgreSQL keeps it") {
  const std::string text = verifier().text();
  CHECK(text ==
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  const auto again = read_scram_verifier(text);
  REQUIRE(again);
  CHECK(again->text() == text);
  for (std::size_t i = 0; i < text.size(); ++i) CHECK_FALSE(read_scram_verifier(text.substr(0, i)).ok());
  CHECK_FALSE(read_scram_verifier(text + "=").ok());
  CHECK_FALSE(read_scram_verifier("md5d8578edf8458ce06fbc5bb76a58c5ca4").ok());
}

TEST_CASE("base64 has one text for each sequence of bytes") {
  for (const std::string bytes : {"", "a", "ab", "abc", "abcd"}) CHECK(from_base64(base64(bytes)) == bytes);
  for (const char* text :
       {"a", "ab", "abc", "YQ", "YQ=", "YR==", " YWJ", "YWJj\n", "=", "====", "Y===", "YW=j"})
    CHECK_FALSE(from_base64(text));
}
