#include "proxy/discovery/search.hpp"

#include <algorithm>
#include <utility>

#include "common/config/backend_name.hpp"
#include "common/config/parse.hpp"

namespace ambassador::proxy::discovery {
namespace {

config::Backend backend_at(const Place& place) {
  config::Backend backend{.name = {}, .host = place.host, .port = place.port};
  backend.name = config::default_name(backend);
  return backend;
}

// Without the port, and the brackets of IPv6.
std::string host_of(const net::Address& address) {
  const std::string text = address.text();
  const bool in_brackets = text.starts_with('[');
  return text.substr(in_brackets ? 1 : 0, text.rfind(in_brackets ? ']' : ':') - (in_brackets ? 1 : 0));
}

}  // namespace

Search::Search(boost::asio::io_context& control, Outside outside, std::unique_ptr<Consensus> consensus)
    : control_(control), outside_(std::move(outside)), consensus_(std::move(consensus)) {}

Search::~Search() {
  for (const Seeds* seeds : {&seeds_, &found_}) {
    for (const auto& seed : *seeds) stop(*seed);
  }
}

bool Search::serves(const config::Listener& listener) const {
  const auto is_seed = [&](const config::Backend& backend) {
    return std::ranges::any_of(named_, [&](const auto& seed) { return net::same_place(seed, backend); });
  };
  return listener.name == listener_.name && listener.redis.mode == listener_.redis.mode &&
         listener.redis.sentinel == listener_.redis.sentinel &&
         (listener.backends.empty() || std::ranges::any_of(listener.backends, is_seed));
}

void Search::follow(const config::Listener& listener, std::shared_ptr<const SeedQuestion> question) {
  listener_ = listener;
  question_ = std::move(question);
  if (!listener.backends.empty()) named_ = listener.backends;
  replace(seeds_, listener.backends);
}

// Those that stay are kept.
void Search::replace(Seeds& seeds, const std::vector<config::Backend>& backends) {
  Seeds before = std::exchange(seeds, {});
  for (const config::Backend& backend : backends) {
    const auto kept = std::ranges::find_if(before, [&](const auto& seed) {
      return seed && net::same_place(seed->upstream->backend(), backend);
    });
    seeds.push_back(kept != before.end() ? std::move(*kept) : new_seed(backend));
  }
  for (const auto& seed : before) {
    if (seed) stop(*seed);
  }
}

// Those with data first: they are what a cluster can't do without.
void Search::ask_found() {
  const Members& members = *consensus_->members();
  std::vector<std::size_t> order;
  const auto add = [&](std::size_t server) {
    if (order.size() < kServersAsked && std::ranges::find(order, server) == order.end())
      order.push_back(server);
  };
  for (const config::SlotRange& range : members.slots) add(range.primary);
  for (std::size_t i = 0; i < members.servers.size(); ++i) add(i);
  std::vector<config::Backend> backends;
  backends.reserve(order.size());
  for (const std::size_t server : order) backends.push_back(backend_at(members.servers[server]));
  replace(found_, backends);  // whoever takes the servers asks for targets, too
}

// Each address once, by whatever name it is known.
template <class Visit>
void Search::for_each_asked(Visit visit) const {
  std::vector<net::Address> seen;
  for (const Seeds* seeds : {&seeds_, &found_}) {
    for (const auto& seed : *seeds) {
      for (const auto& asked : seed->asked) {
        const net::Address& address = asked->upstream->addresses()->front();
        if (std::ranges::find(seen, address) != seen.end()) continue;
        seen.push_back(address);
        visit(*seed, asked);
      }
    }
  }
}

std::unique_ptr<Search::Seed> Search::new_seed(const config::Backend& backend) {
  auto seed = std::make_unique<Seed>();
  seed->upstream = std::make_shared<net::Upstream>(backend);
  take_addresses(*seed);
  if (!net::Resolution::needed(backend)) return seed;
  seed->resolution = std::make_shared<net::Resolution>(control_, outside_.resolve, seed->upstream,
                                                       [this, seed = seed.get()] {
                                                         take_addresses(*seed);
                                                         outside_.seeds_changed();
                                                       });
  seed->resolution->start();
  return seed;
}

// Each address of a name may be another Sentinel.
void Search::take_addresses(Seed& seed) {
  const auto before = std::exchange(seed.asked, {});
  for (const net::Address& address : *seed.upstream->addresses()) {
    const auto kept = std::ranges::find_if(
        before, [&](const auto& asked) { return asked->upstream->addresses()->front() == address; });
    if (kept != before.end()) {
      seed.asked.push_back(*kept);
      continue;
    }
    auto upstream = std::make_shared<net::Upstream>(seed.upstream->backend());
    upstream->resolved({address}, std::chrono::system_clock::now());
    seed.asked.push_back(std::make_shared<Asked>(Asked{.upstream = std::move(upstream)}));
  }
}

void Search::stop(Seed& seed) {
  if (seed.resolution) seed.resolution->stop();
}

void Search::add_targets(const std::shared_ptr<const net::TlsClient>& tls,
                         std::vector<net::ProbeTarget>& targets) {
  for_each_asked([&](const Seed& seed, const std::shared_ptr<Asked>& asked) {
    targets.push_back({.listener = listener_.name,
                       .upstream = asked->upstream,
                       .core = question_,
                       .timeout = listener_.timeouts.connect,
                       .tls = tls,
                       .apart = kSeedsApart,
                       .heard = [search = weak_from_this(), asked,
                                 resolution = seed.resolution](std::optional<std::string_view> reply) {
                         // Once: from then on what DNS said is asked for again when its time is up.
                         if (!reply && resolution && (!asked->told || asked->heard.answers))
                           resolution->again();
                         if (const auto still = search.lock()) still->heard(*asked, reply);
                       }});
  });
}

void Search::heard(Asked& asked, std::optional<std::string_view> reply) {
  asked.told = true;
  const std::string host = host_of(asked.upstream->addresses()->front());
  asked.heard = {.answers = reply.has_value(),
                 .members = reply ? question_->members(*reply, host) : std::nullopt};
  const std::vector<config::Backend> before = servers();
  const bool others = consensus_->weigh(all_heard());
  if (const auto now = servers(); others && now != before) {
    std::string names;
    for (const config::Backend& server : now) names += (names.empty() ? "" : ", ") + server.name;
    say(config::LogLevel::info, "found the servers of a listener", "servers", std::move(names));
  } else if (others) {
    say(config::LogLevel::debug, "the servers of a listener have other slots", {}, {});
  }
  if (others && question_->asks_servers()) ask_found();
  tell_silence();
  outside_.heard(*this, others);
}

std::vector<config::Backend> Search::servers() const {
  std::vector<config::Backend> servers;
  if (!found()) return servers;
  for (const Place& place : consensus_->members()->servers) {
    if (servers.size() == config::kMaxBackends) break;  // each seed tells of no more, but of others maybe
    servers.push_back(backend_at(place));
  }
  return servers;
}

std::vector<config::SlotRange> Search::slots() const {
  return found() ? consensus_->members()->slots : std::vector<config::SlotRange>();
}

// Once, until one answers again.
void Search::tell_silence() {
  bool silent = true;
  for_each_asked(
      [&](const Seed&, const auto& asked) { silent = silent && asked->told && !asked->heard.answers; });
  if (silent == std::exchange(silent_, silent)) return;
  if (silent) {
    say(config::LogLevel::warning, "nobody tells the servers of a listener, those found before stay", "error",
        snapshot().trouble);
  } else {
    say(config::LogLevel::info, "the servers of a listener are told again", "listener", {});
  }
}

void Search::say(config::LogLevel level, const char* what, std::string_view key, std::string value) const {
  net::Event event{level, what, {{"listener", listener_.name}}};
  if (!value.empty()) event.fields.emplace_back(key, std::move(value));
  outside_.events(event);
}

// A seed whose address is not known says nothing either.
std::vector<SeedAnswer> Search::all_heard() const {
  std::vector<SeedAnswer> all;
  for_each_asked([&](const Seed&, const auto& asked) { all.push_back(asked->heard); });
  for (const auto& seed : seeds_) {
    if (seed->asked.empty()) all.emplace_back();
  }
  return all;
}

net::SeedsSnapshot Search::snapshot() const {
  net::SeedsSnapshot out;
  for (const SeedAnswer& one : all_heard()) {
    ++out.known;
    if (one.answers) ++out.answering;
  }
  const auto note = [&](const net::Upstream& upstream) {
    if (!out.trouble.empty()) return;
    net::BackendSnapshot said;
    upstream.describe(said, std::chrono::steady_clock::now());
    constexpr std::string_view kDown = "down: ";
    const std::string why =
        said.health.starts_with(kDown) ? said.health.substr(kDown.size()) : said.resolve_error;
    if (!why.empty()) out.trouble = said.name + ": " + why;
  };
  for (const auto& seed : seeds_) {
    if (seed->asked.empty()) note(*seed->upstream);
    for (const auto& asked : seed->asked) note(*asked->upstream);
  }
  return out;
}

std::string Search::nobody() const {
  const net::SeedsSnapshot seeds = snapshot();
  return question_->nobody(seeds.answering > 0, seeds.trouble);
}

}  // namespace ambassador::proxy::discovery
