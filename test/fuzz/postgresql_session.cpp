// room: proxy/postgresql
// Two PostgreSQL clients on arbitrary bytes, with a pool of servers that answer as PostgreSQL does, until one
// dies or says what nobody expects. Asserted: sessions and servers keep the contract of pooled.hpp (see
// ToyPool), no request ends before it began, of servers that keep still clients get whole messages, and what
// RouteScan calls a write is run by no replica that a split sends to.
//
// Input: byte 0 the pooling (bit 0), whether clients authenticate (bit 1), whether servers are hostile (bit
// 2), whether clients log in by themselves (bit 3: the input begins at the first packet), the number of
// servers (bits 4 and 5), and the read/write split (bit 6: by statements, bit 7: by transactions); byte 1 the
// seed of cuts and events; the rest is what the clients send, where FE changes to the other client, and FD n
// is a piece of a dialogue.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/postgresql/core.hpp"
#include "proxy/postgresql/route_scan.hpp"
#include "test/unit/proxy/postgresql/fake_server.hpp"

namespace {

using namespace ambassador;
using namespace ambassador::proxy;
namespace pg = ambassador::proxy::postgresql;
using proxy::test::must;
using proxy::test::ToyClient;
using proxy::test::ToyPool;

class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed * 2654435761U | 1U) {}
  std::uint32_t below(std::uint32_t limit) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 17;
    state_ ^= state_ << 5;
    return (state_ >> 3) % limit;
  }

 private:
  std::uint32_t state_;
};

std::string bound(std::string_view statement) {
  std::string out;
  pg::test::Made(out, 'B').string("").string(statement).number16(0).number16(0).number16(0);
  return out;
}

std::string named(char type, char what, std::string_view name) {
  return pg::test::bare(type, std::string(1, what) + std::string(name) + std::string(1, '\0'));
}

std::string piece(std::uint8_t which) {
  using pg::test::bare;
  static const std::string kSync = bare('S');
  static const std::string kExecute = bare('E', std::string_view("\0\0\0\0\0", 5));
  static const std::array<std::string, 40> kPieces{
      pg::test::query("SELECT 1"),
      pg::test::query("BEGIN"),
      pg::test::query("COMMIT"),
      pg::test::query("fail"),
      pg::test::query("COPYIN"),
      pg::test::query("die"),
      pg::test::query("SET TimeZone Mars"),
      pg::test::query("DISCARD ALL"),
      pg::test::query("LISTEN x"),
      pg::test::query("SET work_mem = 1"),
      pg::test::query("SELECT '" + std::string(70000, 'x') + "'"),
      pg::test::parse("a", "SELECT 1"),
      pg::test::parse("b", "SELECT 1"),
      pg::test::parse("b", "SELECT 2"),
      pg::test::parse("", "SELECT 3"),
      pg::test::parse("c", "fail parse"),
      pg::test::parse("d", "fail"),
      pg::test::parse("", "COPYIN"),
      pg::test::parse("e", "SELECT '" + std::string(70000, 'x') + "'"),
      bound("a"),
      bound("b"),
      bound(""),
      bound("amb_1"),
      bound("e"),
      kExecute,
      kSync,
      named('D', 'S', "a") + named('D', 'P', ""),
      named('C', 'S', "a"),
      named('C', 'S', "b") + named('C', 'S', ""),
      bare('d', "data") + bare('d', std::string(20000, 'y')),
      bare('c'),
      bare('f', std::string_view("no\0", 3)),
      pg::test::query("BEGIN READ ONLY"),
      pg::test::query("SELECT conflict"),
      pg::test::query("SELECT last"),
      pg::test::query("INSERT x"),
      pg::test::parse("", "SELECT writes") + bound("") + kExecute + kSync,
      pg::test::parse("", "INSERT x") + bound("") + kExecute + kSync,
      pg::test::parse("", "BEGIN READ ONLY") + bound("") + kExecute + kSync,
      pg::test::parse("f", "SELECT conflict") + bound("f") + kExecute,
  };
  return kPieces[which % kPieces.size()];
}

// Of a replica. Within a transaction it is told all that its client says, and after it what a client says
// that is pinned to it.
void must_be_read(const pg::PinCounters& pins, std::string_view sql, char status) {
  const bool pinned =
      std::any_of(pins.pinned.begin(), pins.pinned.end(), [](const auto& count) { return count != 0; });
  if (pinned || status != 'I' || sql.starts_with("SELECT pg_catalog.set_config") ||
      sql.starts_with("ROLLBACK") || sql.starts_with("DISCARD ALL"))
    return;
  pg::RouteScan scan;
  scan.begin(pg::Strings::standard);
  scan.feed(sql);
  must(scan.end() != pg::Route::primary, "what may write is the primary's");
}

// Whole messages, but for the last one of a connection that has ended.
void must_be_messages(std::string_view bytes, bool closed) {
  while (!bytes.empty() && (bytes[0] == 'S' || bytes[0] == 'N') && (bytes.size() == 1 || bytes[1] != '\0'))
    bytes.remove_prefix(1);  // answers to wishes for encryption
  while (!bytes.empty()) {
    const pg::Header header = pg::read_header(bytes);
    if (header.found != pg::Found::whole || header.size() > bytes.size()) {
      must(closed, "clients get whole messages");
      return;
    }
    bytes.remove_prefix(static_cast<std::size_t>(header.size()));
  }
}

void run(const std::uint8_t* data, std::size_t size) {
  Random random(data[1] + 1U);
  const bool hostile = (data[0] & 4) != 0;
  pg::Settings settings;
  settings.pooling = (data[0] & 1) != 0 ? config::Pooling::transaction : config::Pooling::session;
  if ((data[0] & 64) != 0) settings.split = config::ReadWriteSplit::statements;
  if ((data[0] & 128) != 0) settings.split = config::ReadWriteSplit::read_only_transactions;
  const auto pins = std::make_shared<pg::PinCounters>();
  settings.pins = pins;
  const auto account = std::make_shared<const Account>("proxy", "pencil");
  settings.account = [account] { return account; };
  settings.random = [](std::span<char> out) { std::fill(out.begin(), out.end(), 'r'); };
  if ((data[0] & 2) != 0) {
    const auto of_clients = std::make_shared<const Account>(
        "u", "SCRAM-SHA-256$1:c2FsdA==$" + std::string(43, 'A') + "=:" + std::string(43, 'A') + "=");
    settings.client_account = [of_clients] { return of_clients; };
  }
  const auto core = pg::make_core(std::move(settings));
  std::uint32_t pid = 100;
  const auto made = [&](bool replica) {
    pg::test::FakeServer::Traits traits;
    traits.replica = replica;
    if ((data[0] & (64 | 128)) != 0)
      traits.reports = {{"client_encoding", "UTF8"}, {"standard_conforming_strings", "on"}};
    if (replica && !hostile)
      traits.on_sql = [pins](std::string_view sql, char status) { must_be_read(*pins, sql, status); };
    return std::make_unique<pg::test::FakeServer>(++pid, nullptr, std::move(traits));
  };
  ToyPool pool(*core, 1 + ((data[0] >> 4) & 3) % 3, [&] { return made(false); });
  pool.connect_replica = [&] { return made(true); };
  std::array<std::unique_ptr<ToyClient>, 2> clients;
  for (std::uint32_t i = 0; i < clients.size(); ++i) {
    PooledCore::Client who;
    who.number = i + 1;
    who.secret.fill(static_cast<char>(i + 1));
    who.can_tls = (data[0] & 8) != 0;
    clients[i] = std::make_unique<ToyClient>(*core, pool, who);
  }
  const auto settle = [&] {
    for (int turns = 0; turns < 100; ++turns) {
      bool moved = pool.turn();
      for (const auto& client : clients) moved = client->turn() || moved;
      if (!moved) return;
    }
  };
  if ((data[0] & 8) == 0) {
    for (const auto& client : clients) client->say(pg::test::startup(std::string_view("user\0u\0", 7)));
    settle();
  }

  std::size_t which = 0;
  for (std::size_t at = 2; at < size;) {
    std::string bytes;
    if (data[at] == 0xFE) {
      which ^= 1;
      ++at;
    } else if (data[at] == 0xFD && at + 1 < size) {
      bytes = piece(data[at + 1]);
      at += 2;
    } else {
      const std::size_t end = std::min(size, at + 1 + random.below(20));
      bytes.assign(reinterpret_cast<const char*>(data + at), end - at);
      at = end;
    }
    ToyClient& client = *clients[which];
    pool.piece = random.below(4) == 0 ? 1 + random.below(50) : 16384;
    if (!client.closed) client.say(bytes);
    if (random.below(3) != 0) settle();
    if (client.waits() && random.below(4) == 0) client.not_lent(Failure::overloaded, {});
    if (hostile && client.server() != nullptr && random.below(8) == 0) client.lose_server();
    if (hostile && client.server() != nullptr && random.below(8) == 0)
      static_cast<pg::test::FakeServer&>(*client.server()->line)
          .say({reinterpret_cast<const char*>(data), std::min<std::size_t>(size, 40)});
  }
  settle();
  for (const auto& client : clients) {
    if (!hostile) must_be_messages(client->out, client->closed);
    client->leave();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size >= 3 && size < 4096) run(data, size);
  return 0;
}
