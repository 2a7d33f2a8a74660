#include "operator/certs/authority.hpp"

#include <catch2/catch.hpp>

#include "operator/certs/inspect.hpp"

using namespace ambassador::certs;
using std::chrono::hours;

namespace {
const Time kNow = Time(std::chrono::seconds(1'800'000'000));
const std::string kName = "operator.system.svc";
const std::vector<std::string> kNames = {kName, "operator.system.svc.cluster.local"};

struct Pair {
  KeyPair ca = make_ca(kNow).value();
  KeyPair leaf = issue(ca, kNames, kNow).value();
};
}  // namespace

TEST_CASE("a verifier that trusts the CA takes the certificate for each of its names and for no other") {
  const Pair made;
  for (const auto& name : kNames) CHECK(verify(made.leaf.certificate, made.ca.certificate, name, kNow).ok());
  const auto other = verify(made.leaf.certificate, made.ca.certificate, "kubernetes.default.svc", kNow);
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().text() == "certificate for kubernetes.default.svc: hostname mismatch");
}

TEST_CASE("a verifier that trusts another CA refuses the certificate") {
  const Pair made;
  const auto other = make_ca(kNow).value();
  CHECK_FALSE(verify(made.leaf.certificate, other.certificate, kName, kNow).ok());
  CHECK_FALSE(verify(made.leaf.certificate, "", kName, kNow).ok());
  CHECK(verify(made.leaf.certificate, other.certificate + made.ca.certificate, kName, kNow).ok());
}

TEST_CASE("the certificate holds for its lifetime, and for an hour before it was made") {
  const Pair made;
  const auto at = [&](Time time) {
    return verify(made.leaf.certificate, made.ca.certificate, kName, time).ok();
  };
  CHECK(at(kNow - kBackdate));
  CHECK_FALSE(at(kNow - kBackdate - hours(1)));
  CHECK(at(kNow + kCertificateLifetime - hours(1)));
  CHECK_FALSE(at(kNow + kCertificateLifetime + hours(1)));
}

TEST_CASE("a certificate ends no later than its CA") {
  const auto ca = make_ca(kNow).value();
  const auto late = issue(ca, kNames, kNow + kCaLifetime - hours(24)).value();
  CHECK(read_certificates(late.certificate).front().not_after == kNow + kCaLifetime);
}

TEST_CASE("certificates say what they are for") {
  const Pair made;
  const auto ca = read_certificates(made.ca.certificate).front();
  const auto leaf = read_certificates(made.leaf.certificate).front();
  CHECK(ca.is_ca);
  CHECK_FALSE(leaf.is_ca);
  CHECK(leaf.dns_names == kNames);
  CHECK(leaf.subject == "CN=" + kName);
  CHECK(key_fits(made.leaf.certificate, made.leaf.key));
  CHECK_FALSE(key_fits(made.leaf.certificate, made.ca.key));
}

TEST_CASE("a certificate of ours cannot sign another one") {
  const Pair made;
  const auto forged = issue(made.leaf, {"evil.system.svc"}, kNow);
  REQUIRE(forged.ok());  // anybody can sign; nobody believes it
  CHECK_FALSE(
      verify(forged->certificate + made.leaf.certificate, made.ca.certificate, "evil.system.svc", kNow).ok());
}

TEST_CASE("names that look like OpenSSL's configuration stay names") {
  const auto ca = make_ca(kNow).value();
  const std::vector<std::string> odd = {"a.svc,DNS:b.svc"};
  const auto leaf = issue(ca, odd, kNow).value();
  CHECK(read_certificates(leaf.certificate).front().dns_names == odd);
}

TEST_CASE("a name longer than a common name may be is still in the certificate") {
  const auto ca = make_ca(kNow).value();
  const std::string name = std::string(60, 'a') + "." + std::string(60, 'b') + ".svc";
  const auto leaf = issue(ca, {name}, kNow).value();
  CHECK(verify(leaf.certificate, ca.certificate, name, kNow).ok());
}

TEST_CASE("what is no CA, or has another one's key, signs nothing") {
  const Pair made;
  CHECK_FALSE(issue(KeyPair{"", ""}, kNames, kNow).ok());
  CHECK_FALSE(issue(KeyPair{made.ca.certificate, made.leaf.key}, kNames, kNow).ok());
  CHECK_FALSE(issue(made.ca, {}, kNow).ok());
}

TEST_CASE("texts that are no certificates read as none") {
  for (const char* text : {"", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    CHECK(read_certificates(text).empty());
    CHECK_FALSE(key_fits(text, text));
    CHECK_FALSE(verify(text, text, kName, kNow).ok());
  }
}

TEST_CASE("an encrypted key is refused without asking for a pass phrase") {
  CHECK_FALSE(key_fits(make_ca(kNow)->certificate,
                       "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGj\n-----END ENCRYPTED PRIVATE KEY-----\n"));
}
