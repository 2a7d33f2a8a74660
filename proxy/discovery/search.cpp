#include "proxy/discovery/search.hpp"

#include <algorithm>
#include <utility>

#include "common/config/backend_name.hpp"
#include "common/config/parse.hpp"

namespace ambassador::proxy::discovery {

Search::Search(boost::asio::io_context& control, Outside outside)
    : control_(control), outside_(std::move(outside)) {}

Search::~Search() {
  for (const auto& seed : seeds_) stop(*seed);
}

bool Search::serves(const config::Listener& listener) const {
  const auto is_seed = [&](const config::Backend& backend) {
    return std::ranges::any_of(
        seeds_, [&](const auto& seed) { return net::same_place(seed->upstream->backend(), backend); });
  };
  return listener.name == listener_.name && listener.redis.mode == listener_.redis.mode &&
         listener.redis.sentinel == listener_.redis.sentinel &&
         std::ranges::any_of(listener.backends, is_seed);
}

void Search::follow(const config::Listener& listener, std::shared_ptr<const SeedQuestion> question) {
  listener_ = listener;
  question_ = std::move(question);
  std::vector<std::unique_ptr<Seed>> before = std::exchange(seeds_, {});
  for (const config::Backend& backend : listener.backends) {
    const auto kept = std::ranges::find_if(before, [&](const auto& seed) {
      return seed && net::same_place(seed->upstream->backend(), backend);
    });
    seeds_.push_back(kept != before.end() ? std::move(*kept) : new_seed(backend));
  }
  for (const auto& seed : before) {
    if (seed) stop(*seed);
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
  for (const auto& seed : seeds_) {
    for (const auto& asked : seed->asked) {
      targets.push_back({.listener = listener_.name,
                         .upstream = asked->upstream,
                         .core = question_,
                         .timeout = listener_.timeouts.connect,
                         .tls = tls,
                         .apart = kSeedsApart,
                         .heard = [search = weak_from_this(), asked,
                                   resolution = seed->resolution](std::optional<std::string_view> reply) {
                           // Once: from then on what DNS said is asked for again when its time is up.
                           if (!reply && resolution && (!asked->told || asked->heard.answers))
                             resolution->again();
                           if (const auto still = search.lock()) still->heard(*asked, reply);
                         }});
    }
  }
}

void Search::heard(Asked& asked, std::optional<std::string_view> reply) {
  asked.told = true;
  asked.heard = {.answers = reply.has_value(), .members = reply ? question_->members(*reply) : std::nullopt};
  const bool others = agreement_.weigh(all_heard());
  if (others) {
    std::string names;
    for (const config::Backend& server : servers()) names += (names.empty() ? "" : ", ") + server.name;
    say(config::LogLevel::info, "found the servers of a listener", "servers", std::move(names));
  }
  tell_silence();
  outside_.heard(*this, others);
}

std::vector<config::Backend> Search::servers() const {
  std::vector<config::Backend> servers;
  if (!found()) return servers;
  for (const Place& place : agreement_.members()->servers) {
    if (servers.size() == config::kMaxBackends) break;  // each seed tells of no more, but of others maybe
    config::Backend& server = servers.emplace_back();
    server.host = place.host;
    server.port = place.port;
    server.name = config::default_name(server);
  }
  return servers;
}

// Once, until one answers again.
void Search::tell_silence() {
  bool silent = true;
  for (const auto& seed : seeds_) {
    silent = silent && std::ranges::all_of(seed->asked, [](const auto& asked) {
               return asked->told && !asked->heard.answers;
             });
  }
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
std::vector<balance::Heard> Search::all_heard() const {
  std::vector<balance::Heard> all;
  for (const auto& seed : seeds_) {
    for (const auto& asked : seed->asked) all.push_back(asked->heard);
    if (seed->asked.empty()) all.emplace_back();
  }
  return all;
}

net::SeedsSnapshot Search::snapshot() const {
  net::SeedsSnapshot out;
  for (const balance::Heard& one : all_heard()) {
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
