#include "operator/certs/rotation.hpp"

#include <catch2/catch.hpp>

#include "operator/certs/inspect.hpp"

using namespace ambassador::certs;
using std::chrono::hours;
using std::chrono::minutes;

namespace {
const Time kStart = Time(std::chrono::seconds(1'800'000'000));
const std::string kName = "operator.system.svc";
const auto kTrusted = [](const std::string&) { return true; };
const auto kNotTrusted = [](const std::string&) { return false; };
constexpr hours kDay{24};

Rotation rotated(const Material& current, Time now,
                 std::function<bool(const std::string&)> trusted = kTrusted,
                 std::vector<std::string> names = {kName}) {
  return rotate({current, std::move(names), now, std::move(trusted)}).value();
}
bool serves(const Material& material, Time now) {
  return verify(material.certificate, material.ca_bundle, kName, now).ok() &&
         key_fits(material.certificate, material.key);
}
std::string first_ca(const Material& material) {
  return read_certificates(material.ca_bundle).front().pem;
}
}  // namespace

TEST_CASE("the first replica makes CA and certificate, and the next one finds nothing to do") {
  const auto first = rotated({}, kStart);
  CHECK(first.reason == "a new CA: there is none; a new certificate: there is none");
  CHECK(serves(first.material, kStart));
  const auto second = rotated(first.material, kStart + minutes(1));
  CHECK(second.reason.empty());
  CHECK(second.material == first.material);
}

TEST_CASE("the certificate is renewed at two thirds of its life, by the same CA") {
  const auto first = rotated({}, kStart).material;
  CHECK(rotated(first, kStart + 19 * kDay).reason.empty());
  const auto renewed = rotated(first, kStart + 21 * kDay, kNotTrusted);
  CHECK(renewed.reason == "a new certificate: two thirds of its life are over");
  CHECK(renewed.material.ca_bundle == first.ca_bundle);
  CHECK(renewed.material.certificate != first.certificate);
}

TEST_CASE("a new CA is trusted before anything that it signed is served") {
  const auto first = rotated({}, kStart).material;
  const auto later = kStart + 244 * kDay;
  const auto before = rotated(first, later - kDay).material;
  const auto both = rotated(before, later);
  CHECK(both.reason == "a new CA: two thirds of the old one's life are over");
  CHECK(read_certificates(both.material.ca_bundle).size() == 2);
  CHECK(both.material.certificate == before.certificate);
  CHECK(both.material.ca_key != before.ca_key);

  SECTION("not before every API server had the time to see it") {
    CHECK(rotated(both.material, later + kTrustDelay - minutes(1)).reason.empty());
  }
  SECTION("not while the live webhook configuration lacks it") {
    CHECK(rotated(both.material, later + 2 * kDay, kNotTrusted).reason.empty());
  }
  SECTION("then it signs, and who trusts only the old one is not asked any more") {
    const auto signed_anew = rotated(both.material, later + kTrustDelay);
    CHECK(signed_anew.reason == "a new certificate: the new CA is trusted");
    CHECK(verify(signed_anew.material.certificate, first_ca(both.material), kName, later + kTrustDelay).ok());
  }
}

TEST_CASE(
    "over three years of looking twice a day, what is served is always trusted by the bundle of before") {
  Material material = rotated({}, kStart).material;
  std::string published = material.ca_bundle;  // what the API server believes: always one look behind
  std::string last_ca = first_ca(material);
  int cas = 1;
  int certificates = 1;
  for (auto now = kStart; now < kStart + 3 * 365 * kDay; now += hours(12)) {
    const auto next = rotated(material, now,
                              [&](const std::string& ca) { return published.find(ca) != std::string::npos; });
    certificates += next.material.certificate != material.certificate ? 1 : 0;
    material = next.material;
    if (!next.reason.empty()) {
      REQUIRE(verify(material.certificate, published, kName, now).ok());
      REQUIRE(read_certificates(material.ca_bundle).size() <= 2);
      if (const auto ca = first_ca(material); ca != last_ca) {
        last_ca = ca;
        ++cas;
      }
    }
    if ((now - kStart) % (10 * kDay) == hours(0)) REQUIRE(serves(material, now));
    published = material.ca_bundle;
  }
  CHECK(cas == 5);  // every 243 days
  CHECK(certificates > 50);
}

TEST_CASE("an operator that was away for two years starts over at once") {
  const auto first = rotated({}, kStart).material;
  const auto now = kStart + 2 * 365 * kDay;
  const auto renewed = rotated(first, now, kNotTrusted).material;
  CHECK(serves(renewed, now));
  CHECK(read_certificates(renewed.ca_bundle).size() == 1);
}

TEST_CASE("what is damaged is replaced, what is sound is kept") {
  const auto sound = rotated({}, kStart).material;
  Material damaged = sound;
  SECTION("no CA key, as after cert-manager: a new CA beside the old one, the certificate stays") {
    damaged.ca_key.clear();
    const auto mended = rotated(damaged, kStart).material;
    CHECK(mended.certificate == sound.certificate);
    CHECK(read_certificates(mended.ca_bundle).size() == 2);
    CHECK(serves(mended, kStart));
  }
  SECTION("the key of another certificate") {
    damaged.key = damaged.ca_key;
    const auto mended = rotated(damaged, kStart, kNotTrusted);
    CHECK(mended.reason == "a new certificate: its key is missing or another one's");
    CHECK(mended.material.ca_bundle == sound.ca_bundle);
    CHECK(serves(mended.material, kStart));
  }
  SECTION("a certificate that the bundle does not trust") {
    const auto other = rotated({}, kStart).material;
    damaged.certificate = other.certificate;
    damaged.key = other.key;
    CHECK(serves(rotated(damaged, kStart).material, kStart));
  }
  SECTION("garbage everywhere") {
    damaged = {"garbage", "garbage", "garbage", "garbage"};
    CHECK(serves(rotated(damaged, kStart).material, kStart));
  }
  SECTION("a leaf where the CA should be") {
    damaged.ca_bundle = sound.certificate;
    damaged.ca_key = sound.key;
    const auto mended = rotated(damaged, kStart).material;
    CHECK(serves(mended, kStart));
    CHECK(read_certificates(mended.ca_bundle).size() == 1);
  }
}

TEST_CASE("a Service with another name gets another certificate of the same CA") {
  const auto first = rotated({}, kStart).material;
  const auto renamed = rotated(first, kStart, kNotTrusted, {"other.system.svc"});
  CHECK(renamed.reason == "a new certificate: the Service has another name now");
  CHECK(renamed.material.ca_bundle == first.ca_bundle);
}

TEST_CASE("a bundle stays small whatever is put into it") {
  auto material = rotated({}, kStart).material;
  for (int i = 0; i < 10; ++i) material.ca_bundle += make_ca(kStart)->certificate;
  const auto tidied = rotated(material, kStart);
  CHECK(read_certificates(tidied.material.ca_bundle).size() == kMaxTrusted);
  CHECK(first_ca(tidied.material) == first_ca(material));
}
