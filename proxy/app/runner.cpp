#include "proxy/app/runner.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <utility>

#include "common/config/print.hpp"
#include "common/log/log.hpp"
#include "proxy/admin/routes.hpp"
#include "proxy/app/cores.hpp"
#include "proxy/app/cpu_limit.hpp"
#include "proxy/app/log_events.hpp"
#include "proxy/app/resolve.hpp"
#include "proxy/app/source.hpp"

namespace ambassador::proxy::app {
namespace {

using boost::system::error_code;

/// While draining: how often the clients are counted.
constexpr std::chrono::milliseconds kDrainStep{100};

}  // namespace

Runner::Runner(Options options, const Build& build)
    : options_(std::move(options)),
      resolver_(control_),
      new_names_(control_, resolve_with(resolver_)),
      secrets_(control_, {[this](const std::string& listener) {
                            proxy_->login_changed(listener);
                            prober_->login_changed(listener);
                          },
                          [this](const std::string& listener) {
                            prober_->login_changed(listener);
                            return proxy_->reload_tls(listener);
                          }}),
      signals_(control_),
      timer_(control_) {
  net::Options net_options;
  net_options.workers = options_.threads != 0 ? options_.threads : cpu_limit();
  const unsigned workers = net_options.workers;
  net_options.resolve = resolve_with(resolver_);
  net_options.events = log_event;
  net_options.certificate = [this](const config::Listener& listener) {
    return secrets_.certificate(listener);
  };
  net_options.ask_standing = [this](const std::string& listener) { prober_->ask_standing(listener); };
  membership_ = std::make_unique<discovery::Membership>(
      control_, discovery::Membership::Outside{
                    .resolve = resolve_with(resolver_),
                    .events = log_event,
                    .question = [this](const auto& listener) { return seed_question(listener, secrets_); },
                    .servers_changed = [this] { return take_found_servers(); },
                    .seeds_changed = [this] { prober_->refresh(); }});
  proxy_ = std::make_unique<net::Proxy>(
      control_, std::move(net_options),
      core_factory(
          secrets_, [this](const std::string& listener) { return membership_->nobody(listener); }, workers));
  prober_ = std::make_unique<health::Prober>(
      control_,
      [this] {
        auto targets = proxy_->probe_targets();
        std::ranges::move(
            membership_->targets([this](const std::string& listener) { return proxy_->tls(listener); }),
            std::back_inserter(targets));
        return targets;
      },
      [this](const std::string& listener) { proxy_->standing_changed(listener); });

  view_->version = build.version;
  view_->commit = build.commit;
  view_->started_at = std::chrono::system_clock::now();
  view_->snapshot = [this] {
    net::Snapshot snapshot = proxy_->snapshot();
    snapshot.draining = snapshot.draining || drain_.has_value();
    membership_->describe(snapshot);
    return snapshot;
  };
  view_->list_clients = [this](std::size_t limit, auto done) {
    proxy_->list_clients(limit, std::move(done));
  };
  view_->list_slow_requests = [this](std::size_t limit, auto done) {
    proxy_->list_slow_requests(limit, std::move(done));
  };
  view_->list_hot_keys = [this](auto done) { proxy_->list_hot_keys(std::move(done)); };
  view_->list_big_keys = [this](std::size_t limit, auto done) {
    proxy_->list_big_keys(limit, std::move(done));
  };
  view_->document = [this]() -> const config::Document& { return document_; };
  view_->configuration = [this]() -> const admin::ConfigurationState& { return state_; };
  view_->pause = [this](const std::string& listener, std::chrono::milliseconds duration) {
    return proxy_->pause(listener, duration);
  };
  view_->resume = [this](const std::string& listener) { return proxy_->resume(listener); };
  view_->listening = [this] { return bound_ && proxy_->listening(); };
  metrics_->at_scrape([view = view_](metrics::Sheet& sheet) { admin::add_samples(*view, sheet); });
  ports_ = std::make_unique<Ports>(control_, admin::health_routes(view_, metrics_),
                                   admin::admin_routes(view_, metrics_));
}

Runner::~Runner() = default;

int Runner::run() {
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): cannot fail
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    signals_.add(signal);
  }
  wait_for_signal();
  if (!start()) {
    return 1;
  }
  control_.run();
  proxy_->stop();
  return exit_code_;
}

Result<config::Document> Runner::load() {
  if (options_.config.empty() && !options_.redis_servers.empty()) {
    state_.source = "REDIS_SERVERS";
    return drop_in(options_);
  }
  if (options_.config.empty()) {
    options_.config = kDefaultConfig;
  }
  state_.source = options_.config;
  Result<std::string> text = read_file(options_.config);
  if (!text) {
    return Error{text.error().where, text.error().what + "; give --config FILE or set REDIS_SERVERS"};
  }
  text_ = std::move(text).value();
  return parse_file(options_.config, text_);
}

bool Runner::start() {
  Result<config::Document> document = load();
  if (!document) {
    log::error("configuration refused", {{"error", document.error().text()}});
    return false;
  }
  log::set_level(log_level(document->log_level));
  if (const Result<void> opened = ports_->apply(*document); !opened) {
    log::error("configuration refused", {{"error", opened.error().text()}});
    return false;
  }
  document_ = std::move(document).value();
  state_.hash = config::content_hash(document_);
  if (options_.bind_delay.count() == 0) {
    bind();
  } else {
    log::warning("test hook: the listeners bind later", {{"delay_seconds", options_.bind_delay}});
    timer_.expires_after(options_.bind_delay);
    timer_.async_wait([this](error_code error) {
      if (!error) {
        bind();
      }
    });
  }
  return !control_.stopped();
}

void Runner::bind() {
  if (const Result<void> taken = take(document_); !taken) {
    log::error("configuration refused", {{"error", taken.error().text()}});
    finish(1);
    return;
  }
  if (state_.source != "REDIS_SERVERS") {
    watch_.emplace(control_, options_.config, [this] { reload(); });
  }
}

Result<void> Runner::take(config::Document document) {
  if (Result<void> opened = ports_->apply(document); !opened) {
    return opened;
  }
  if (Result<void> applied = proxy_->apply(membership_->effective(document)); !applied) {
    (void)ports_->apply(document_);  // as they were
    return applied;
  }
  document_ = std::move(document);
  membership_->follow(document_);
  bound_ = true;
  state_.hash = config::content_hash(document_);
  state_.applied_at = std::chrono::system_clock::now();
  ++state_.applied;
  state_.last_refusal.clear();
  log::set_level(log_level(document_.log_level));
  prober_->refresh();
  log::info("configuration applied",
            {{"source", state_.source}, {"hash", state_.hash}, {"listeners", document_.listeners.size()}});
  secrets_.follow(document_);
  if (document_.shutdown) {
    begin_drain("the configuration says shutdown");
  }
  return {};
}

bool Runner::take_found_servers() {
  if (const Result<void> applied = proxy_->apply(membership_->effective(document_)); !applied) {
    log::error("cannot go over to the servers that were found, those before stay",
               {{"error", applied.error().text()}});
    return false;
  }
  prober_->refresh();
  return true;
}

void Runner::reload() {
  Result<std::string> text = read_file(options_.config);
  if (!text) {
    if (text_ != text.error().text()) {  // told once; the file may be between two versions
      text_ = text.error().text();
      refuse(text.error());
    }
    return;
  }
  if (*text == text_) {
    return;
  }
  text_ = std::move(text).value();
  Result<config::Document> document = parse_file(options_.config, text_);
  if (!document) {
    refuse(document.error());
    return;
  }
  if (*document == document_) {
    new_names_.forget();
    state_.last_refusal.clear();
    return;
  }
  std::vector<std::string> names = new_names(document_, *document);
  for (const std::string& name : names) {
    log::info("configuration waits until DNS has the new server", {{"host", name}});
  }
  new_names_.await(std::move(names), [this, document = std::move(document).value()] {
    if (const Result<void> taken = take(document); !taken) {
      refuse(taken.error());
    }
  });
}

void Runner::refuse(const Error& error) {
  ++state_.refused;
  state_.last_refusal = error.text();
  state_.last_refusal_at = std::chrono::system_clock::now();
  log::error("configuration refused, the one before it goes on", {{"error", state_.last_refusal}});
}

void Runner::wait_for_signal() {
  signals_.async_wait([this](error_code error, int signal) {
    if (error) {
      return;
    }
    if (signal == SIGHUP) {
      if (watch_) {
        text_.clear();  // said explicitly: look again even at the same text
        reload();
      }
      secrets_.look();
    } else if (drain_ || !bound_) {
      finish(0);  // asked twice, or before anything was served
    } else {
      begin_drain(signal == SIGINT ? "SIGINT" : "SIGTERM");
    }
    wait_for_signal();
  });
}

void Runner::begin_drain(const char* why) {
  if (drain_) {
    return;
  }
  log::info("draining",
            {{"why", why}, {"clients", proxy_->clients()}, {"at_most_seconds", document_.drain_timeout}});
  drain_.emplace(std::chrono::steady_clock::now(), document_.drain_timeout);
  drain_step();
}

void Runner::drain_step() {
  if (!drain_) {
    return;
  }
  const Drain::Step step = drain_->step(proxy_->clients(), std::chrono::steady_clock::now());
  if (step == Drain::Step::exit) {
    finish(0);
    return;
  }
  if (step == Drain::Step::finish && !std::exchange(finishing_, true)) {
    log::info("draining: the time is up, finishing what is in flight", {{"clients", proxy_->clients()}});
    proxy_->begin_drain();
  }
  timer_.expires_after(kDrainStep);
  timer_.async_wait([this](error_code error) {
    if (!error) {
      drain_step();
    }
  });
}

void Runner::finish(int exit_code) {
  exit_code_ = exit_code;
  log::info("ended", {{"exit_code", exit_code}, {"clients", proxy_->clients()}});
  prober_->stop();
  ports_->close();
  control_.stop();
}

}  // namespace ambassador::proxy::app
