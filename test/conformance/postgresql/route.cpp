// For test_route.py: SQL texts on standard input, each ended by a zero byte; a line of what RouteScan says of
// each on standard output. A session that splits must send the text where that says, as a query and as a
// prepared statement: else the line is another.
#include <algorithm>
#include <iostream>
#include <optional>
#include <string>

#include "proxy/postgresql/core.hpp"
#include "proxy/postgresql/route_scan.hpp"
#include "test/unit/proxy/postgresql/fake_server.hpp"

namespace {

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::postgresql;
namespace toy = ambassador::proxy::postgresql::test;

class Splitting {
 public:
  Splitting() {
    Settings settings;
    settings.pooling = config::Pooling::transaction;
    settings.split = config::ReadWriteSplit::statements;
    settings.account = [account = std::make_shared<const Account>("proxy", "pencil")] { return account; };
    settings.random = [](std::span<char> out) { std::fill(out.begin(), out.end(), 'r'); };
    core_ = make_core(std::move(settings));
    // What servers say is known after the first client.
    proxy::test::ToyPool pool(*core_, 1, [] {
      toy::FakeServer::Traits traits;
      traits.reports = {{"client_encoding", "UTF8"}, {"standard_conforming_strings", "on"}};
      return std::make_unique<toy::FakeServer>(1, nullptr, std::move(traits));
    });
    proxy::test::ToyClient client(*core_, pool, {});
    client.say(startup());
    while (client.turn() || pool.turn()) {
    }
  }
  /// Whom a client borrows that sends `bytes`; nothing: nobody.
  std::optional<Role> borrows(const std::string& bytes) {
    const auto session = core_->new_session({});
    std::string input = startup() + bytes;
    for (int steps = 0; steps < 10; ++steps) {
      const std::string shown = input;
      const Step step = session->on_bytes(Side::client, shown);
      input.erase(0, step.consumed);
      if (step.kind == Step::Kind::borrow) return session->want().role;
      if (step.kind == Step::Kind::need_more || step.kind == Step::Kind::close) break;
    }
    return std::nullopt;
  }

 private:
  static std::string startup() { return toy::startup(std::string_view("user\0me\0", 8)); }
  std::shared_ptr<const PooledCore> core_;
};

std::string batch(const std::string& sql) {
  std::string out = toy::parse("", sql);
  toy::Made(out, 'B').string("").string("").number16(0).number16(0).number16(0);
  return out + toy::bare('E', std::string_view("\0\0\0\0\0", 5)) + toy::bare('S');
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  RouteScan scan;
  Splitting session;
  for (std::string text; std::getline(std::cin, text, '\0');) {
    scan.begin(Strings::standard);
    scan.feed(text);
    const Route route = scan.end();
    const Role role = route == Route::primary ? Role::primary : Role::replica;
    if (session.borrows(toy::query(text)) != role || session.borrows(batch(text)) != role) {
      std::cout << "sent_elsewhere\n";
      continue;
    }
    switch (route) {
      case Route::primary:
        std::cout << "primary\n";
        break;
      case Route::replica:
        std::cout << "replica\n";
        break;
      case Route::replica_transaction:
        std::cout << "replica_transaction\n";
        break;
    }
  }
  return 0;
}
