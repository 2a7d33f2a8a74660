#include "proxy/net/proxy.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <utility>

#include "proxy/net/acceptor.hpp"
#include "proxy/net/big_keys.hpp"
#include "proxy/net/gather.hpp"
#include "proxy/net/hot_keys.hpp"
#include "proxy/net/listen_addresses.hpp"
#include "proxy/net/resolution.hpp"
#include "proxy/net/worker.hpp"

namespace ambassador::proxy::net {
namespace {

/// One message per this long says that descriptors have run out, however often it happens.
constexpr std::chrono::seconds kPauseSaidEvery{10};
/// A client on loopback does not vanish silently; one on another host would be noticed within minutes.
constexpr std::chrono::seconds kClientKeepalive{60};

/// A listener as it is configured now, with what must outlive a reload.
struct Entry {
  config::Listener config;
  Upstreams upstreams;                                         // in the order of config.backends
  std::vector<std::shared_ptr<const Generation>> generations;  // by worker
  std::shared_ptr<OpenClients> open = std::make_shared<OpenClients>();
  std::shared_ptr<Counter> refused = std::make_shared<Counter>();
  std::shared_ptr<ClientNumbers> numbers = std::make_shared<ClientNumbers>();
  std::shared_ptr<TlsClient> tls;      // to servers; null: none
  std::vector<std::string> addresses;  // bound, keys of Impl::acceptors_
  SteadyTime paused_until{};
};

// The core with the availability that it refers to.
struct Made {
  Made(const Upstreams& upstreams, std::function<SteadyTime()> clock)
      : availability(upstreams, std::move(clock)) {}
  UpstreamAvailability availability;
  Core core;
};

// The listener's server connections are shared out evenly; a worker that was given none has the clients that
// it had before a reload, and can't leave them without any.
unsigned share_of(std::size_t worker, std::size_t workers, unsigned connections) {
  const auto count = static_cast<unsigned>(workers);
  return std::max(1U, connections / count + (worker < connections % count ? 1U : 0U));
}

}  // namespace

class Proxy::Impl {
 public:
  Impl(boost::asio::io_context& control, Options options, CoreFactory factory)
      : control_(control), options_(std::move(options)), factory_(std::move(factory)) {
    const unsigned count = std::max(1U, options_.workers);
    for (unsigned i = 0; i < count; ++i) {
      Outside outside;
      outside.events = options_.events;
      outside.resolve_again = [this](const std::shared_ptr<Upstream>& upstream) { resolve_again(upstream); };
      outside.cancel = [this](std::string listener, Wish wish) {
        cancel(std::move(listener), std::move(wish));
      };
      outside.ask_standing = [this](std::string listener) {
        on_control([this, listener = std::move(listener)] { options_.ask_standing(listener); });
      };
      outside.standing_changed = [this](std::string listener) {
        on_control([this, listener = std::move(listener)] { standing_changed(listener); });
      };
      workers_.push_back(std::make_unique<Worker>(std::move(outside), options_.memory_budget / count));
    }
  }
  ~Impl() {
    *alive_ = false;
    stop();
  }

  Result<void> apply(const config::Document& document);
  void begin_drain();
  void stop();
  [[nodiscard]] std::size_t clients() const;
  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] std::vector<ProbeTarget> probe_targets() const;
  [[nodiscard]] std::shared_ptr<const TlsClient> tls(const std::string& listener);
  void list_clients(std::size_t limit, const std::function<void(std::vector<ClientSnapshot>)>& done);
  void list_slow_requests(std::size_t limit, const std::function<void(std::vector<SlowRequest>)>& done);
  void list_hot_keys(const std::function<void(std::vector<AskedKeys>)>& done);
  void list_big_keys(std::size_t limit, const std::function<void(std::vector<BigKey>)>& done);
  [[nodiscard]] bool listening() const { return applied_; }
  Result<void> reload_tls(const std::string& listener);
  void login_changed(const std::string& listener);
  void standing_changed(const std::string& listener);
  bool pause(const std::string& listener, std::chrono::milliseconds duration);
  bool resume(const std::string& listener);

 private:
  using Acceptors = std::map<std::string, std::unique_ptr<Acceptor>>;

  Entry* find(const std::string& listener);
  Result<Entry> prepare(const config::Listener& listener, const Entry* old);
  Result<void> bind(Entry& entry, std::size_t index, Acceptors& fresh);
  void accept_for(const Entry& entry);
  void resolve(const Entry& entry);
  void drop_unused();
  void resolve_again(const std::shared_ptr<Upstream>& upstream);
  void cancel(std::string listener, Wish wish);
  /// For workers, which may outlive one another and what runs here, but not the control thread.
  template <class Work>
  void on_control(Work work) {
    boost::asio::post(control_, [alive = alive_, work = std::move(work)] {
      if (*alive) work();
    });
  }
  Worker& least_loaded(std::size_t of);
  void say_paused(const std::string& listener, std::string_view why);

  boost::asio::io_context& control_;
  const Options options_;
  const CoreFactory factory_;
  std::vector<Entry> entries_;
  std::vector<std::shared_ptr<OpenClients>> leaving_;  // of removed listeners
  Acceptors acceptors_;                                // by address
  std::map<const Upstream*, std::shared_ptr<Resolution>> resolutions_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t next_worker_ = 0;
  std::uint64_t pauses_ = 0;
  std::chrono::steady_clock::time_point pause_said_{};
  mutable std::mutex mutex_;  // guards entries_ against clients() from other threads
  bool applied_ = false;
  bool draining_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

Entry* Proxy::Impl::find(const std::string& listener) {
  for (Entry& entry : entries_) {
    if (entry.config.name == listener) return &entry;
  }
  return nullptr;
}

// Everything of a changed listener that can fail, without touching what runs.
Result<Entry> Proxy::Impl::prepare(const config::Listener& listener, const Entry* old) {
  Entry entry;
  entry.config = listener;
  if (old != nullptr) {
    entry.open = old->open;
    entry.refused = old->refused;
    entry.numbers = old->numbers;
    entry.tls = old->tls;
    entry.paused_until = old->paused_until;
  }
  if (listener.server_tls.mode == config::TlsMode::disabled) {
    entry.tls.reset();
  } else if (!entry.tls || entry.tls->config() != listener.server_tls) {
    auto made = TlsClient::make(listener.server_tls);
    if (!made) return Error{"listeners." + listener.name + ".serverTLS", made.error().text()};
    entry.tls = std::move(*made);
  }
  std::shared_ptr<const tls::Source> certificate;
  if (options_.certificate) {
    auto found = options_.certificate(listener);
    if (!found) return found.error();
    certificate = std::move(*found);
  }
  const bool same_protocol = old != nullptr && old->config.protocol == listener.protocol;
  std::vector<std::size_t> kept;  // position in the old entry, or npos
  for (const config::Backend& backend : listener.backends) {
    std::size_t position = std::string::npos;
    for (std::size_t i = 0; same_protocol && i < old->upstreams.size(); ++i) {
      if (same_place(old->upstreams[i]->backend(), backend)) position = i;
    }
    kept.push_back(position);
    entry.upstreams.push_back(position != std::string::npos ? old->upstreams[position]
                                                            : std::make_shared<Upstream>(backend));
  }
  for (std::size_t w = 0; w < workers_.size(); ++w) {
    auto generation = std::make_shared<Generation>();
    generation->config = listener;
    generation->upstreams = entry.upstreams;
    generation->listener_counters =
        old != nullptr ? old->generations[w]->listener_counters : std::make_shared<ListenerCounters>();
    for (const std::size_t position : kept) {
      generation->counters.push_back(position != std::string::npos ? old->generations[w]->counters[position]
                                                                   : std::make_shared<BackendCounters>());
    }
    auto made =
        std::make_shared<Made>(entry.upstreams, [worker = workers_[w].get()] { return worker->now(); });
    auto core = factory_(listener, made->availability);
    if (!core) return core.error();
    made->core = std::move(*core);
    const auto keep = [&](const auto& one) {  // and with it what it refers to
      return one ? std::remove_cvref_t<decltype(one)>(made, one.get()) : nullptr;
    };
    generation->core = keep(made->core.exchanges);
    generation->pooled = keep(made->core.pooled);
    generation->server_connections = share_of(w, workers_.size(), listener.sql.max_server_connections);
    generation->watched = entry.upstreams.size() > 1 && generation->pooled && generation->pooled->can_watch();
    generation->watches = generation->watched && w == 0;
    generation->numbers = entry.numbers;
    generation->tls = entry.tls;
    generation->certificate = certificate;
    entry.generations.push_back(std::move(generation));
  }
  return entry;
}

// What is bound already stays bound, whichever listener had it; the rest goes into `fresh`.
Result<void> Proxy::Impl::bind(Entry& entry, std::size_t index, Acceptors& fresh) {
  const std::string where = "listeners[" + std::to_string(index) + "]";
  auto addresses = wanted(entry.config);
  if (!addresses) return Error{where + "." + addresses.error().where, addresses.error().what};
  for (const Wanted& one : *addresses) {
    const std::string key = one.address.text();
    if (!acceptors_.contains(key) && !fresh.contains(key)) {
      auto acceptor = Acceptor::bind(control_, one.address);
      if (!acceptor) {
        if (one.optional && !host_has(one.address)) continue;
        return Error{where, acceptor.error().text()};
      }
      fresh.emplace(key, std::move(*acceptor));
    }
    entry.addresses.push_back(key);
  }
  return {};
}

Result<void> Proxy::Impl::apply(const config::Document& document) {
  std::vector<Entry> entries;
  std::vector<bool> changed;
  Acceptors fresh;
  for (std::size_t i = 0; i < document.listeners.size(); ++i) {
    const config::Listener& listener = document.listeners[i];
    const Entry* old = find(listener.name);
    const bool same = old != nullptr && old->config == listener;
    changed.push_back(!same);
    if (same) {
      entries.push_back(*old);
      continue;
    }
    auto entry = prepare(listener, old);
    if (!entry) return entry.error();
    if (auto bound = bind(*entry, i, fresh); !bound) return bound.error();
    entries.push_back(std::move(*entry));
  }

  // From here on nothing fails.
  std::vector<std::string> removed;
  for (const Entry& entry : entries_) {
    const auto same = [&](const Entry& other) { return other.config.name == entry.config.name; };
    if (std::none_of(entries.begin(), entries.end(), same)) removed.push_back(entry.config.name);
  }
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& name : removed) leaving_.push_back(find(name)->open);
    entries_ = std::move(entries);
  }
  for (const std::string& name : removed) {
    for (auto& worker : workers_) worker->remove(name);
  }
  acceptors_.merge(fresh);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!changed[i]) continue;
    const Entry& entry = entries_[i];
    const auto& redis = entry.config.redis;
    for (const auto& upstream : entry.upstreams) {
      upstream->set_ejection(entry.config.protocol == config::Protocol::redis ? redis.ejection
                                                                              : std::nullopt);
    }
    for (std::size_t w = 0; w < workers_.size(); ++w) workers_[w]->adopt(entry.generations[w]);
    resolve(entry);
    if (!draining_) accept_for(entry);
  }
  drop_unused();
  applied_ = true;
  return {};
}

void Proxy::Impl::accept_for(const Entry& entry) {
  // With fewer server connections than workers, the workers that have none serve no clients.
  const bool pooled = entry.generations.front()->pooled != nullptr;
  const std::size_t of =
      pooled ? std::clamp<std::size_t>(entry.config.sql.max_server_connections, 1, workers_.size())
             : workers_.size();
  for (const std::string& key : entry.addresses) {
    acceptors_.at(key)->start(
        [this, of, name = entry.config.name, most = entry.config.max_clients, open = entry.open,
         refused = entry.refused](Socket socket, Address peer) {
          if (open->count.load(std::memory_order_relaxed) >= most) return refused->add();
          open->count.fetch_add(1, std::memory_order_relaxed);
          if (!peer.is_unix()) socket.tune(kClientKeepalive);
          least_loaded(of).accept(name, std::move(socket), peer, open);
        },
        [this, name = entry.config.name](std::string_view why) { say_paused(name, why); });
  }
}

Worker& Proxy::Impl::least_loaded(std::size_t of) {
  Worker* best = workers_[next_worker_ % of].get();
  for (std::size_t i = 1; i < of; ++i) {
    Worker* worker = workers_[(next_worker_ + i) % of].get();
    if (worker->clients() < best->clients()) best = worker;
  }
  ++next_worker_;
  return *best;
}

void Proxy::Impl::say_paused(const std::string& listener, std::string_view why) {
  ++pauses_;
  const auto now = std::chrono::steady_clock::now();
  if (now - pause_said_ < kPauseSaidEvery) return;
  pause_said_ = now;
  options_.events({config::LogLevel::error,
                   "cannot accept clients for now",
                   {{"listener", listener}, {"error", std::string(why)}}});
}

void Proxy::Impl::resolve(const Entry& entry) {
  for (const auto& upstream : entry.upstreams) {
    if (!Resolution::needed(upstream->backend()) || resolutions_.contains(upstream.get())) continue;
    auto resolution = std::make_shared<Resolution>(control_, options_.resolve, upstream, [this, upstream] {
      for (auto& worker : workers_) worker->addresses_changed(upstream);
    });
    resolution->start();
    resolutions_.emplace(upstream.get(), std::move(resolution));
  }
}

void Proxy::Impl::resolve_again(const std::shared_ptr<Upstream>& upstream) {
  on_control([this, upstream] {
    const auto found = resolutions_.find(upstream.get());
    if (found != resolutions_.end()) found->second->again();
  });
}

// By way of the control thread: a worker does not outlive it, but may outlive another worker.
void Proxy::Impl::cancel(std::string listener, Wish wish) {
  on_control([this, listener = std::move(listener), wish = std::move(wish)] {
    for (auto& worker : workers_) worker->cancel(listener, wish);
  });
}

void Proxy::Impl::standing_changed(const std::string& listener) {
  for (auto& worker : workers_) worker->standing_changed(listener);
}

Result<void> Proxy::Impl::reload_tls(const std::string& listener) {
  const Entry* const entry = find(listener);
  if (entry == nullptr || !entry->tls) return {};
  if (auto reloaded = entry->tls->reload(); !reloaded) return reloaded;
  login_changed(listener);
  return {};
}

void Proxy::Impl::login_changed(const std::string& listener) {
  for (auto& worker : workers_) worker->login_changed(listener);
}

bool Proxy::Impl::pause(const std::string& listener, std::chrono::milliseconds duration) {
  Entry* const entry = find(listener);
  if (entry == nullptr || !entry->generations.front()->pooled) return false;
  entry->paused_until = std::chrono::steady_clock::now() + duration;
  for (auto& worker : workers_) worker->pause(listener, entry->paused_until);
  return true;
}

bool Proxy::Impl::resume(const std::string& listener) {
  Entry* const entry = find(listener);
  if (entry == nullptr || !entry->generations.front()->pooled) return false;
  entry->paused_until = {};
  for (auto& worker : workers_) worker->resume(listener);
  return true;
}

void Proxy::Impl::drop_unused() {
  const auto wanted_address = [&](const std::string& key) {
    return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
      return std::find(entry.addresses.begin(), entry.addresses.end(), key) != entry.addresses.end();
    });
  };
  std::erase_if(acceptors_, [&](const auto& acceptor) { return !wanted_address(acceptor.first); });
  std::erase_if(resolutions_, [&](const auto& resolution) {
    for (const Entry& entry : entries_) {
      for (const auto& upstream : entry.upstreams) {
        if (upstream.get() == resolution.first) return false;
      }
    }
    resolution.second->stop();
    return true;
  });
}

void Proxy::Impl::begin_drain() {
  draining_ = true;
  acceptors_.clear();
  for (auto& worker : workers_) worker->drain();
}

void Proxy::Impl::stop() {
  acceptors_.clear();
  for (auto& resolution : resolutions_) resolution.second->stop();
  resolutions_.clear();
  workers_.clear();
}

std::size_t Proxy::Impl::clients() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const Entry& entry : entries_) sum += entry.open->count.load(std::memory_order_relaxed);
  for (const auto& open : leaving_) sum += open->count.load(std::memory_order_relaxed);
  return sum;
}

Snapshot Proxy::Impl::snapshot() const {
  Snapshot all;
  const auto now = std::chrono::steady_clock::now();
  all.workers = static_cast<unsigned>(workers_.size());
  all.accept_pauses = pauses_;
  all.draining = draining_;
  for (const auto& worker : workers_) all.buffered_bytes += worker->buffered();
  for (const Entry& entry : entries_) {
    ListenerSnapshot& listener = all.listeners.emplace_back();
    listener.name = entry.config.name;
    listener.protocol = entry.config.protocol;
    listener.addresses = entry.addresses;
    listener.clients = entry.open->count.load(std::memory_order_relaxed);
    listener.max_clients = entry.config.max_clients;
    listener.clients_refused = entry.refused->get();
    for (const auto& generation : entry.generations) generation->listener_counters->add_to(listener);
    if (const auto& pooled = entry.generations.front()->pooled) {
      listener.pool.paused = now < entry.paused_until;
      listener.pool.most = entry.config.sql.max_server_connections;
      listener.pool.pins = pooled->pinned();
      listener.pool.units = pooled->units();
    } else if (const auto& core = entry.generations.front()->core) {
      listener.kept = core->kept();
    }
    if (const auto& core = entry.generations.front()->core; core && !core->mirror().empty()) {
      MirrorSnapshot& mirror = listener.mirror.emplace();
      mirror.listener = core->mirror();
      for (const auto& generation : entry.generations) generation->listener_counters->mirror.add_to(mirror);
    }
    for (std::size_t i = 0; i < entry.upstreams.size(); ++i) {
      BackendSnapshot& backend = listener.backends.emplace_back();
      entry.upstreams[i]->describe(backend, now);
      backend.weight = entry.config.backends[i].weight;
      for (const auto& generation : entry.generations) generation->counters[i]->add_to(backend);
      listener.request_time += backend.request_time;
    }
  }
  return all;
}

std::vector<ProbeTarget> Proxy::Impl::probe_targets() const {
  std::vector<ProbeTarget> targets;
  for (const Entry& entry : entries_) {
    const auto& core = entry.generations.front()->core;  // a pooled protocol begins TLS in its own way
    for (const auto& upstream : entry.upstreams) {
      targets.push_back({.listener = entry.config.name,
                         .upstream = upstream,
                         .core = core,
                         .timeout = entry.config.timeouts.connect,
                         .tls = core ? entry.tls : nullptr,
                         .max_lag = entry.config.redis.max_lag});
    }
  }
  return targets;
}

std::shared_ptr<const TlsClient> Proxy::Impl::tls(const std::string& listener) {
  const Entry* const entry = find(listener);
  return entry != nullptr ? entry->tls : nullptr;
}

void Proxy::Impl::list_clients(std::size_t limit,
                               const std::function<void(std::vector<ClientSnapshot>)>& done) {
  gather<ClientSnapshot>(
      control_, workers_, [limit](Worker& worker, auto take) { worker.list_clients(limit, std::move(take)); },
      [limit, done](std::vector<ClientSnapshot> clients) {
        if (clients.size() > limit) clients.resize(limit);
        done(std::move(clients));
      });
}

void Proxy::Impl::list_slow_requests(std::size_t limit,
                                     const std::function<void(std::vector<SlowRequest>)>& done) {
  gather<SlowRequest>(
      control_, workers_, [](Worker& worker, auto take) { worker.list_slow_requests(std::move(take)); },
      [limit, done](std::vector<SlowRequest> requests) {
        std::ranges::stable_sort(requests, std::ranges::greater(), &SlowRequest::at);
        if (requests.size() > limit) requests.resize(limit);
        done(std::move(requests));
      });
}

void Proxy::Impl::list_hot_keys(const std::function<void(std::vector<AskedKeys>)>& done) {
  gather<AskedKeys>(
      control_, workers_, [](Worker& worker, auto take) { worker.list_hot_keys(std::move(take)); },
      [done](std::vector<AskedKeys> keys) { done(put_together(std::move(keys))); });
}

void Proxy::Impl::list_big_keys(std::size_t limit, const std::function<void(std::vector<BigKey>)>& done) {
  gather<BigKey>(
      control_, workers_, [](Worker& worker, auto take) { worker.list_big_keys(std::move(take)); },
      [limit, done](std::vector<BigKey> keys) {
        keys = put_together(std::move(keys));
        if (keys.size() > limit) keys.resize(limit);
        done(std::move(keys));
      });
}

Proxy::Proxy(boost::asio::io_context& control, Options options, CoreFactory factory)
    : impl_(std::make_unique<Impl>(control, std::move(options), std::move(factory))) {}
Proxy::~Proxy() = default;

Result<void> Proxy::apply(const config::Document& document) {
  return impl_->apply(document);
}
std::size_t Proxy::clients() const {
  return impl_->clients();
}
void Proxy::begin_drain() {
  impl_->begin_drain();
}
void Proxy::stop() {
  impl_->stop();
}
Snapshot Proxy::snapshot() const {
  return impl_->snapshot();
}
void Proxy::list_clients(std::size_t limit, const std::function<void(std::vector<ClientSnapshot>)>& done) {
  impl_->list_clients(limit, done);
}
void Proxy::list_slow_requests(std::size_t limit, const std::function<void(std::vector<SlowRequest>)>& done) {
  impl_->list_slow_requests(limit, done);
}
void Proxy::list_hot_keys(const std::function<void(std::vector<AskedKeys>)>& done) {
  impl_->list_hot_keys(done);
}
void Proxy::list_big_keys(std::size_t limit, const std::function<void(std::vector<BigKey>)>& done) {
  impl_->list_big_keys(limit, done);
}
std::vector<ProbeTarget> Proxy::probe_targets() const {
  return impl_->probe_targets();
}
std::shared_ptr<const TlsClient> Proxy::tls(const std::string& listener) const {
  return impl_->tls(listener);
}
Result<void> Proxy::reload_tls(const std::string& listener) {
  return impl_->reload_tls(listener);
}
bool Proxy::pause(const std::string& listener, std::chrono::milliseconds duration) {
  return impl_->pause(listener, duration);
}
bool Proxy::resume(const std::string& listener) {
  return impl_->resume(listener);
}
void Proxy::login_changed(const std::string& listener) {
  impl_->login_changed(listener);
}
void Proxy::standing_changed(const std::string& listener) {
  impl_->standing_changed(listener);
}
bool Proxy::listening() const {
  return impl_->listening();
}

}  // namespace ambassador::proxy::net
