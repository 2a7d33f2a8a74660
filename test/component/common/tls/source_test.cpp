#include "common/tls/source.hpp"

#include <unistd.h>

#include <boost/asio/ssl/context.hpp>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>

#include "test/component/common/tls/certificate.hpp"

using ambassador::tls::Source;
using Catch::Matchers::Contains;

TEST_CASE("a certificate and its key make a source that tells of itself") {
  const auto made = make_certificate("one");
  const auto source = Source::from_pem(made.certificate_pem, made.key_pem);
  REQUIRE(source.ok());
  const auto info = (*source)->info();
  CHECK(info.subject == "CN=one");
  CHECK(info.serial == "ABCD");
  CHECK(info.not_after - info.not_before == std::chrono::hours(1));
  CHECK((*source)->current() != nullptr);
}

TEST_CASE("TLS 1.2 is the oldest version that is spoken") {
  const auto made = make_certificate("one");
  const auto source = Source::from_pem(made.certificate_pem, made.key_pem);
  CHECK(SSL_CTX_get_min_proto_version((*source)->current()->native_handle()) == TLS1_2_VERSION);
}

TEST_CASE("what is wrong with a pair is said, and the old pair stays") {
  const auto one = make_certificate("one");
  const auto two = make_certificate("two");
  const auto source = *Source::from_pem(one.certificate_pem, one.key_pem);
  const auto before = source->current();

  CHECK_THAT(source->replace_pem("garbage", one.key_pem).error().text(),
             Contains("certificate: is not a PEM certificate"));
  CHECK_THAT(source->replace_pem(two.certificate_pem, "garbage").error().text(),
             Contains("key: is not an unencrypted PEM private key"));
  CHECK_THAT(source->replace_pem(two.certificate_pem, one.key_pem).error().text(),
             Contains("key: does not belong to the certificate CN=two"));
  CHECK_THAT(source->replace_pem("", "").error().text(), Contains("certificate"));
  CHECK(source->current() == before);
  CHECK(source->info().subject == "CN=one");

  REQUIRE(source->replace_pem(two.certificate_pem, two.key_pem).ok());
  CHECK(source->current() != before);
  CHECK(source->info().subject == "CN=two");
}

TEST_CASE("files are read, and a missing one is named") {
  const auto made = make_certificate("one");
  const std::string base = "/tmp/ambassador-tls-" + std::to_string(getpid());
  std::ofstream(base + ".crt") << made.certificate_pem;
  std::ofstream(base + ".key") << made.key_pem;
  const auto source = Source::from_files(base + ".crt", base + ".key");
  CHECK(source.ok());
  CHECK((*source)->replace_files(base + ".crt", base + ".key").ok());
  std::remove((base + ".key").c_str());
  CHECK_THAT((*source)->replace_files(base + ".crt", base + ".key").error().text(),
             Contains(base + ".key: cannot be opened: No such file"));
  std::remove((base + ".crt").c_str());
  CHECK_FALSE(Source::from_files(base + ".crt", base + ".key").ok());
}
