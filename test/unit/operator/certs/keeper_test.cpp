#include "operator/certs/keeper.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operator/certs/inspect.hpp"
#include "operator/certs/secret.hpp"
#include "test/unit/operator/kube/fake_api_server.hpp"

using namespace ambassador;
using namespace ambassador::certs;
using ambassador::test::eventually;
using ambassador::test::FakeApiServer;
using ambassador::test::Fault;
using std::chrono::hours;

namespace {
const std::string kName = "operator.system.svc";
const std::string kSecret = "operator-certificate";

struct Installation {
  FakeApiServer server;
  kube::Client client{server.factory()};
  std::atomic<long> seconds{1'800'000'000};

  KeeperOptions options(Origin origin = Origin::own) {
    KeeperOptions options;
    options.origin = origin;
    options.name_space = "system";
    options.secret = kSecret;
    options.dns_names = {kName};
    options.interval = std::chrono::milliseconds(5);
    options.trusted = [](const std::string&) { return true; };
    options.now = [this] { return now(); };
    return options;
  }
  Time now() const { return Time(std::chrono::seconds(seconds)); }
  void pass(hours time) { seconds += std::chrono::duration_cast<std::chrono::seconds>(time).count(); }
  Material stored() const { return read_secret(server.get(kube::resources::secrets, "system", kSecret)); }
  bool serves_what_is_stored(const Keeper& keeper) const {
    return keeper.source() && keeper.certificate() == stored().certificate &&
           keeper.ca_bundle() == stored().ca_bundle;
  }
};
}  // namespace

TEST_CASE("five replicas that start at once agree on one certificate") {
  Installation installation;
  std::vector<std::unique_ptr<Keeper>> replicas;
  for (int i = 0; i < 5; ++i) {
    replicas.push_back(std::make_unique<Keeper>(installation.client, installation.options()));
  }
  for (auto& replica : replicas) replica->start();
  for (auto& replica : replicas) {
    REQUIRE(eventually([&] { return installation.serves_what_is_stored(*replica); }));
  }
  const auto first = installation.stored();
  CHECK(verify(first.certificate, first.ca_bundle, kName, installation.now()).ok());
  CHECK(installation.server.all(kube::resources::secrets).size() == 1);
}

TEST_CASE("replicas that rotate at once agree again, and nobody is told twice") {
  Installation installation;
  Keeper one(installation.client, installation.options());
  Keeper other(installation.client, installation.options());
  std::atomic<int> told{0};
  one.on_change([&] { ++told; });
  one.start();
  other.start();
  REQUIRE(eventually(
      [&] { return installation.serves_what_is_stored(one) && installation.serves_what_is_stored(other); }));
  const auto before = installation.stored();
  installation.pass(hours(24 * 21));
  REQUIRE(eventually([&] { return installation.stored().certificate != before.certificate; }));
  REQUIRE(eventually(
      [&] { return installation.serves_what_is_stored(one) && installation.serves_what_is_stored(other); }));
  CHECK(installation.stored().ca_bundle == before.ca_bundle);
  REQUIRE(eventually([&] { return told == 2; }));  // it serves a certificate before it tells
}

TEST_CASE("the listener's source stays the same object through a rotation, with the new certificate in it") {
  Installation installation;
  Keeper keeper(installation.client, installation.options());
  keeper.start();
  REQUIRE(eventually([&] { return keeper.source() != nullptr; }));
  const auto source = keeper.source();
  const auto serial = source->info().serial;
  installation.pass(hours(24 * 21));
  REQUIRE(eventually([&] { return source->info().serial != serial; }));
  CHECK(keeper.source() == source);
}

TEST_CASE("a write whose answer got lost is found done") {
  Installation installation;
  std::atomic<int> lost{0};
  installation.server.on_call([&](const kube::Request& request) -> std::optional<Fault> {
    if (request.method != kube::Method::post || lost++ > 0) return std::nullopt;
    return Fault{.kind = Fault::Kind::lost_answer};
  });
  Keeper keeper(installation.client, installation.options());
  keeper.start();
  REQUIRE(eventually([&] { return installation.serves_what_is_stored(keeper); }));
}

TEST_CASE(
    "while the API server is away the certificate goes on being served, and is renewed when it is back") {
  Installation installation;
  Keeper keeper(installation.client, installation.options());
  keeper.start();
  REQUIRE(eventually([&] { return installation.serves_what_is_stored(keeper); }));
  const auto before = keeper.certificate();
  installation.server.set_away(true);
  installation.pass(hours(24 * 21));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // several looks, all in vain
  CHECK(keeper.certificate() == before);
  installation.server.set_away(false);
  REQUIRE(eventually([&] { return keeper.certificate() != before; }));
}

TEST_CASE("a Secret that was deleted or damaged comes back as it was") {
  Installation installation;
  Keeper keeper(installation.client, installation.options());
  keeper.start();
  REQUIRE(eventually([&] { return installation.serves_what_is_stored(keeper); }));
  const auto before = installation.stored();
  SECTION("deleted") {
    installation.server.erase(kube::resources::secrets, "system", kSecret);
  }
  SECTION("damaged") {
    installation.server.put(kube::resources::secrets,
                            write_secret(nullptr, "system", kSecret, {"garbage", "garbage", "", ""}));
  }
  REQUIRE(eventually([&] { return installation.stored() == before; }));
  CHECK(keeper.certificate() == before.certificate);
}

TEST_CASE("a Secret whose ca.key was taken out gets a new CA beside the old one") {
  Installation installation;
  Keeper keeper(installation.client, installation.options());
  keeper.start();
  REQUIRE(eventually([&] { return installation.serves_what_is_stored(keeper); }));
  const auto before = installation.stored();
  auto without = before;
  without.ca_key.clear();
  installation.server.put(kube::resources::secrets, write_secret(nullptr, "system", kSecret, without));
  REQUIRE(eventually([&] { return read_certificates(installation.stored().ca_bundle).size() == 2; }));
  CHECK(installation.stored().ca_bundle.ends_with(before.ca_bundle));
  CHECK(installation.stored().certificate == before.certificate);
}

TEST_CASE("with cert-manager the Secret is read, served and never written") {
  Installation installation;
  Keeper keeper(installation.client, installation.options(Origin::cert_manager));
  keeper.start();
  const auto put = [&] {
    const auto ca = make_ca(installation.now()).value();
    const auto leaf = issue(ca, {kName}, installation.now()).value();
    installation.server.put(
        kube::resources::secrets,
        write_secret(nullptr, "system", kSecret, {ca.certificate, "", leaf.certificate, leaf.key}));
  };
  put();
  REQUIRE(eventually([&] { return installation.serves_what_is_stored(keeper); }));
  put();
  REQUIRE(eventually([&] { return installation.serves_what_is_stored(keeper); }));
  installation.pass(hours(24 * 365));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  for (const auto& call : installation.server.seen()) CHECK(call.method == kube::Method::get);
}

TEST_CASE("a pair that does not belong together is never served") {
  Installation installation;
  Keeper keeper(installation.client, installation.options(Origin::cert_manager));
  keeper.start();
  const auto ca = make_ca(installation.now()).value();
  const auto leaf = issue(ca, {kName}, installation.now()).value();
  installation.server.put(
      kube::resources::secrets,
      write_secret(nullptr, "system", kSecret, {ca.certificate, "", leaf.certificate, ca.key}));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(keeper.source() == nullptr);
}
