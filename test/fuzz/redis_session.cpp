// room: proxy/redis
// A Redis session on arbitrary client bytes, with servers that answer anything RESP, or nothing, and backends
// that come and go, in RESP2 and RESP3, in several databases. Asserted: the session keeps the contract of
// session.hpp (see ToyRelay), every exchange is answered once, by shared lanes or by the client's own, by
// exactly one RESP reply that fits what was asked, with servers that keep still, cutting the client's bytes
// changes neither requests nor replies, and where clients have to log in, servers are asked nothing for one
// that does not know the password.
//
// Input: byte 0 the mode, the number of backends and whether clients have to log in, byte 1 which are down,
// whether the first is the primary of all, and whether they are a cluster, bytes 2 and 3 the seed of cuts,
// replies and events; the rest is what the client sends, where F0 F1 n stands for n KiB of 'x'.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/redis/core.hpp"
#include "proxy/redis/limits.hpp"
#include "proxy/redis/reply_framer.hpp"
#include "proxy/redis/request_parser.hpp"
#include "test/unit/proxy/redis/toy_relay.hpp"

namespace {

using namespace ambassador;
using namespace ambassador::proxy;
using test::must;
using test::ToldAvailability;
using test::ToyRelay;

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

struct Setting {
  config::Listener listener;
  std::vector<bool> up;
  std::uint32_t seed = 0;
  std::string client;
  AccountFunction client_account;
};

constexpr std::string_view kPassword = "pencil";

// A cluster's slots, from hand to hand; the last of four nodes is a replica, and some slots are nobody's.
std::vector<config::SlotRange> share_out(std::size_t nodes, std::uint32_t begin = 0) {
  std::vector<config::SlotRange> ranges;
  const std::uint32_t primaries = static_cast<std::uint32_t>(std::min<std::size_t>(nodes, 3));
  if (primaries == 0) return ranges;
  for (std::uint16_t slot = 0; slot + 1024 < 16384; slot = static_cast<std::uint16_t>(slot + 1024)) {
    config::SlotRange& range = ranges.emplace_back();
    range.first = slot;
    range.last = static_cast<std::uint16_t>(slot + 1023);
    range.primary = (slot / 1024U + begin) % primaries;
    if (nodes > 3 && range.primary == 0) range.replicas = {3};
  }
  return ranges;
}

Setting read(const std::uint8_t* data, std::size_t size) {
  Setting setting;
  const std::size_t backends = data[0] % 5;  // none to four
  setting.listener.redis.mode = static_cast<config::RedisMode>(data[0] / 5 % 3);
  setting.listener.redis.distribution =
      data[0] / 15 % 2 == 0 ? config::Distribution::ketama : config::Distribution::modula;
  if ((data[1] & 0x10) != 0) {
    setting.listener.redis.mode = config::RedisMode::replicated;
    setting.listener.redis.read_preference = static_cast<config::ReadPreference>(data[1] >> 5 & 3);
  }
  if ((data[1] & 0x80) != 0) {
    setting.listener.redis.mode = config::RedisMode::cluster;
    setting.listener.redis.read_preference = static_cast<config::ReadPreference>(data[1] >> 5 & 3);
    setting.listener.redis.slots = share_out(backends);
  }
  if (data[0] / 120 % 2 == 1) {
    const auto account = std::make_shared<const Account>("shop", std::string(kPassword));
    setting.client_account = [account] { return account; };
  }
  if (data[0] / 30 % 2 == 1) setting.listener.redis.ejection = config::Ejection{};
  setting.listener.redis.hash_tag = data[0] / 60 % 2 == 0 ? "{}" : "";
  for (std::size_t i = 0; i < backends; ++i) {
    const std::string host = "redis-" + std::to_string(i);
    setting.listener.backends.push_back({host + ":1", host, 1, 1});
    setting.up.push_back((data[1] >> i & 1) == 0);
  }
  setting.seed = data[2] + 256U * data[3] + 1;
  if (setting.seed % 3 > 0)
    setting.listener.redis.mirror =
        config::Mirror{"mirror", static_cast<config::MirrorCommands>(setting.seed % 2)};
  for (std::size_t i = 4; i < size; ++i) {
    constexpr std::size_t kMaxClient = 1024 * 1024;
    if (i + 2 < size && data[i] == 0xf0 && data[i + 1] == 0xf1 && setting.client.size() < kMaxClient) {
      setting.client.append(std::size_t{data[i + 2]} * 1024, 'x');
      i += 2;
    } else {
      setting.client += static_cast<char>(data[i]);
    }
  }
  return setting;
}

// Some RESP reply; what the server might say to `request`, if `sane`.
std::string reply_to(const std::string& request, Random& random, bool sane) {
  redis::RequestParser parser;
  const bool whole = parser.parse(request) == redis::RequestParser::Status::complete;
  switch (sane ? 2 + random.below(2) : random.below(12)) {
    case 0:
      return "-ERR no\r\n";
    case 1:
      return "+OK\r\n";
    case 2:
      return ":" + std::to_string(random.below(9)) + "\r\n";
    case 3: {
      const std::size_t elements = whole ? parser.count() - 1 : 1;
      std::string reply = "*" + std::to_string(elements) + "\r\n";
      for (std::size_t i = 0; i < elements; ++i) reply += i % 2 == 0 ? "$3\r\nabc\r\n" : "$-1\r\n";
      return reply;
    }
    case 4:
      return "*2\r\n$" + std::string(random.below(2) == 0 ? "1\r\n0" : "3\r\n345") + "\r\n*1\r\n$1\r\nk\r\n";
    case 5:
      return "*3\r\n:1\r\n:0\r\n*1\r\n%1\r\n+a\r\n#t\r\n";
    case 6:
      return "$-1\r\n";
    case 7:
      return "*-1\r\n";
    case 8:
      return ":99999999999999999999999\r\n";
    case 9:
      return "_\r\n";
    case 10:
      return "~2\r\n:1\r\n|1\r\n+ttl\r\n:9\r\n,1.5\r\n";
    default:
      return "*0\r\n";
  }
}

// As many replies as the request has: a transaction's are those to MULTI and what is queued, then EXEC's.
std::string replies_to(const std::string& request, std::uint32_t replies, Random& random, bool sane) {
  std::string all;
  for (std::uint32_t i = 1; i < replies; ++i) all += sane ? "+QUEUED\r\n" : reply_to(request, random, false);
  return all + reply_to(request, random, sane);
}

// What a client is sent of one reply; RESP3 marks what confirms a subscription as a push.
std::size_t told_size(std::string_view text) {
  if (!text.starts_with('>')) return redis::reply_size(text);
  std::string array(text);
  array.front() = '*';
  return redis::reply_size(array);
}

// A group's reply: whole, as long as the keys that were asked for; alone, unless it is about subscriptions,
// of which each has its own: returns how many there are more.
std::size_t check_merged(const std::vector<std::string>& asked, std::string_view merged) {
  must(!merged.empty(), "a merge makes a reply");
  std::size_t replies = 0;
  for (std::string_view rest = merged; !rest.empty(); ++replies) {
    const std::size_t size = told_size(rest);
    must(size > 0, "a merge makes whole replies");
    rest.remove_prefix(size);
  }
  std::size_t keys = 0;
  bool mget = !asked.empty();
  bool subscribes = asked.empty();
  for (const std::string& request : asked) {
    std::string_view rest = request;
    for (std::size_t i = 0; i == 0 || !rest.empty(); ++i) {
      redis::RequestParser parser;
      must(parser.parse(rest) == redis::RequestParser::Status::complete && !parser.is_inline(),
           "what is asked are whole requests");
      must(parser.size() == rest.size() || parser.arg(0) == "MULTI" || i > 0, "more than one only in MULTI");
      rest.remove_prefix(parser.size());
      must(!rest.empty() || i == 0 || parser.arg(0) == "EXEC", "which EXEC ends");
      keys += parser.count() - 1;
      mget = mget && parser.arg(0).size() == 4 && (parser.arg(0)[1] | 0x20) == 'g';
      subscribes = subscribes || parser.arg(0).ends_with("subscribe");
    }
  }
  must(replies == 1 || subscribes, "a merge makes exactly one reply");
  if (mget) must(merged.starts_with("*" + std::to_string(keys) + "\r\n"), "MGET has a value for every key");
  return replies - 1;
}

// `more`: replies of subscriptions beside the first of each exchange.
void check_replies(const ToyRelay& relay, std::size_t more) {
  std::string_view out = relay.out;
  std::size_t replies = 0;
  while (!out.empty()) {
    const std::size_t size = told_size(out);
    must(size > 0, "the client is sent whole replies");
    out.remove_prefix(size);
    ++replies;
  }
  // A connection may be closed without a word.
  replies -= more;
  must(replies == relay.replies || (relay.closed() && replies + 1 == relay.replies),
       "one reply per exchange");
}

// A mirror gets whole requests. Whether a line end stands behind each argument of a large one nobody looks,
// as servers don't.
void check_copies(const ToyRelay& relay) {
  for (const auto& copy : relay.copies) {
    if (copy.text.size() > redis::kCollect) continue;
    std::string_view rest = copy.text;
    while (!rest.empty()) {
      redis::RequestParser parser;
      must(parser.parse(rest) == redis::RequestParser::Status::complete, "a mirror gets whole requests");
      rest.remove_prefix(parser.size());
    }
  }
}

struct Outcome {
  std::string out;
  std::vector<std::string> requests;
  std::vector<std::string> by_lease;
  std::vector<ToyRelay::Copy> copies;
  bool closed = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

/// At the beginning.
struct SetAvailability : ToldAvailability {
  explicit SetAvailability(const Setting& setting) : ToldAvailability(setting.up.size()) {
    up = setting.up;
    leader = 0;
  }
};

// Servers answer at once and sensibly, nothing changes. `cut`: the most bytes at a time, 0 for all.
Outcome play_still(const Setting& setting, std::size_t cut) {
  SetAvailability availability(setting);
  const auto core = redis::make_core(setting.listener, availability, {}, setting.client_account);
  ToyRelay relay(*core, setting.up.size());
  relay.log_texts = false;
  std::size_t more = 0;
  relay.on_merged = [&](const auto& asked, auto merged) { more += check_merged(asked, merged); };
  Outcome outcome;
  outcome.requests.resize(setting.up.size());
  outcome.by_lease.resize(setting.up.size());
  Random cuts(setting.seed);
  const auto serve_one = [&](std::size_t i) {
    if (relay.owed_whole(i) != nullptr) {
      const std::string request = *relay.owed_whole(i);
      outcome.requests[i] += request;
      Random sane(static_cast<std::uint32_t>(request.size()));
      relay.deliver(i, replies_to(request, relay.owed_replies(i), sane, true));
    } else if (relay.leased_owed(i) != nullptr) {
      const std::string request = *relay.leased_owed(i);
      outcome.by_lease[i] += request;
      Random sane(static_cast<std::uint32_t>(request.size()));
      relay.deliver_leased(i, replies_to(request, relay.leased_replies(i), sane, true));
    } else {
      return false;
    }
    return true;
  };
  const auto serve = [&] {
    for (bool any = true; any;) {
      any = false;
      for (std::size_t i = 0; i < setting.up.size(); ++i) any = serve_one(i) || any;
    }
  };
  std::string_view client = setting.client;
  do {
    const std::size_t piece =
        cut == 0 ? client.size()
                 : std::min<std::size_t>(client.size(), 1 + cuts.below(static_cast<std::uint32_t>(cut)));
    relay.receive(client.substr(0, piece));
    client.remove_prefix(piece);
    serve();
    while (relay.waiting && !relay.closed()) {
      relay.give_up();
      serve();
    }
  } while (!client.empty() && !relay.closed());
  outcome.out = relay.out;
  outcome.copies = relay.copies;
  check_copies(relay);
  outcome.closed = relay.closed();
  if (!relay.streaming()) check_replies(relay, more);
  return outcome;
}

constexpr std::string_view kAllChanged = ">2\r\n$10\r\ninvalidate\r\n_\r\n";
constexpr std::string_view kOneChanged = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";

// Anything happens, in any order.
void play_wild(const Setting& setting) {
  Random random(setting.seed);
  SetAvailability availability(setting);
  config::Listener keeping = setting.listener;  // and what was read is given again
  keeping.redis.client_cache = config::ClientCache{};
  const auto core = redis::make_core(keeping, availability, {}, setting.client_account);
  ToyRelay relay(*core, 4);
  relay.log_texts = false;
  std::size_t more = 0;
  relay.on_merged = [&](const auto& asked, auto merged) { more += check_merged(asked, merged); };
  ToldAvailability other_availability(4);
  std::shared_ptr<const ProtocolCore> other_core;

  std::string_view client = setting.client;
  const std::size_t pieces = 1 + setting.client.size() / 64;
  while (!client.empty() && !relay.closed()) {
    switch (random.below(10)) {
      case 0:
        if (!availability.up.empty()) {
          availability.up[random.below(static_cast<std::uint32_t>(availability.up.size()))] =
              random.below(2) == 0;
        }
        availability.leader = random.below(5);
        relay.go_on();
        break;
      case 1:
        if (relay.waiting) relay.give_up();
        break;
      case 2:
        if (!relay.streaming() && other_core == nullptr && random.below(8) == 0) {
          config::Listener listener = setting.listener;
          listener.backends.resize(4, {"redis-9:1", "redis-9", 1, 1});
          if (listener.redis.mode == config::RedisMode::cluster) listener.redis.slots = share_out(4, 1);
          other_core = redis::make_core(listener, other_availability, {}, setting.client_account);
          other_core->rebind(relay.session());
          relay.go_on();
        }
        break;
      case 3:
      case 4:
      case 5: {
        const std::size_t backend = random.below(4);
        if (relay.streaming() || relay.owed(backend) == nullptr) break;
        if (random.below(8) == 0) {
          relay.lose(backend, static_cast<Failure>(random.below(6)));
        } else {
          if (random.below(4) == 0) relay.tell(backend, random.below(2) == 0 ? kAllChanged : kOneChanged);
          relay.deliver(backend,
                        replies_to(*relay.owed(backend), relay.owed_replies(backend), random, false));
        }
        break;
      }
      case 6: {
        const std::size_t backend = random.below(4);
        if (relay.streaming() || !relay.leased(backend)) break;
        if (random.below(8) == 0) {
          relay.lose_lease(backend, static_cast<Failure>(random.below(5)));
        } else if (relay.leased_owed(backend) != nullptr) {
          relay.deliver_leased(
              backend, replies_to(*relay.leased_owed(backend), relay.leased_replies(backend), random, false));
        } else if (random.below(4) == 0) {
          relay.check_leases();
        }
        break;
      }
      default: {
        const std::size_t piece = std::min<std::size_t>(
            client.size(), 1 + random.below(static_cast<std::uint32_t>(2 * setting.client.size() / pieces)));
        relay.receive(client.substr(0, piece));
        client.remove_prefix(piece);
      }
    }
  }
  while (relay.waiting && !relay.closed()) relay.give_up();
  check_copies(relay);
  if (relay.streaming()) return;
  const auto serve_one = [&](std::size_t i) {
    if (relay.owed(i) != nullptr) {
      relay.deliver(i, replies_to(*relay.owed(i), relay.owed_replies(i), random, false));
    } else if (relay.leased_owed(i) != nullptr) {
      relay.deliver_leased(i, replies_to(*relay.leased_owed(i), relay.leased_replies(i), random, false));
    } else {
      return false;
    }
    return true;
  };
  for (bool any = true; any && !relay.streaming();) {
    any = false;
    for (std::size_t i = 0; i < 4; ++i) any = serve_one(i) || any;
    while (relay.waiting && !relay.closed()) relay.give_up();
  }
  if (relay.streaming()) return;
  must(relay.replies == relay.opened, "every exchange is answered");
  check_replies(relay, more);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const Setting setting = read(data, size);
  play_wild(setting);
  if (setting.listener.redis.mode == config::RedisMode::spread)
    return 0;  // turns depend on the number of looks
  const Outcome whole = play_still(setting, 0);
  // In quotes a word may be spelled in other ways.
  const bool may_know_it = setting.client.find(kPassword) != std::string::npos ||
                           setting.client.find_first_of("\"'\\") != std::string::npos;
  if (setting.client_account && !may_know_it) {
    must(std::ranges::all_of(whole.requests, &std::string::empty) &&
             std::ranges::all_of(whole.by_lease, &std::string::empty),
         "nobody is served before it has logged in");
    must(whole.copies.empty(), "nor is a mirror asked anything for it");
  }
  // Of a large message that breaks off, more or less was passed on before that was known.
  if (whole.closed && setting.client.size() > redis::kCollect) return 0;
  const std::size_t cut = setting.client.size() > 8192 ? setting.client.size() / 16 : 64;
  const Outcome in_pieces = play_still(setting, cut);
  must(in_pieces.out == whole.out && in_pieces.closed == whole.closed,
       "cuts change nothing that is answered");
  // While keys are watched a large message goes by the leased lane when it is whole, else by one of its own.
  const bool leased = std::ranges::any_of(whole.by_lease, [](const auto& one) { return !one.empty(); });
  if (leased && setting.client.size() > redis::kCollect) return 0;
  must(in_pieces == whole, "cuts change nothing that is asked");
  return 0;
}
