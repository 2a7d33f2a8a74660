#include "operator/app/program.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "operator/admission/webhook.hpp"
#include "operator/app/gauges.hpp"
#include "operator/controller/controller.hpp"
#include "operator/kube/config.hpp"
#include "operator/kube/cpprest_transport.hpp"
#include "operator/kube/event_recorder.hpp"

namespace ambassador::app {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// After the drain: what is still being answered may finish.
constexpr std::chrono::seconds kCloseGrace{8};
constexpr std::chrono::seconds kTick{10};

/// The few clients of the metrics port.
http::Limits health_limits() {
  http::Limits limits;
  limits.body_bytes = 1024;
  limits.max_connections = 64;
  return limits;
}

class Program {
 public:
  Program(const Options& options, const kube::Config& config)
      : options_(options),
        client_(kube::cpprest_transport(config)),
        view_(client_, {options.watch_namespaces, options.installation}),
        controller_(client_, view_, controller_options(), &metrics_),
        publisher_(client_, publisher_options()),
        keeper_(client_, keeper_options()),
        events_(client_, {.instance = options.pod_name, .default_namespace = options.name_space}),
        counts_(metrics_),
        pods_(view_, reader_, counts_),
        webhook_(pods_, counts_, options.name_space),
        listener_([this](const http::Request& request, http::Reply reply) {
          webhook_.handle(request, std::move(reply));
        }),
        reader_(client_),
        reachability_(client_, reachability_options()),
        health_(
            io_,
            [this](const http::Request& request, const http::Reply& reply) { reply(answer_health(request)); },
            health_limits()),
        signals_(io_, SIGTERM, SIGINT),
        timer_(io_) {}

  int run() {
    if (!open_health()) return 1;
    add_checks();
    metrics_.at_scrape([this](metrics::Sheet& sheet) {
      fill(sheet, {view_, listener_, reachability_, readiness_, keeper_, publisher_});
    });
    keeper_.on_change([this] { certificate_changed(); });
    signals_.async_wait([this](const error_code& error, int signal) {
      if (!error) begin_end(signal);
    });
    tick();
    view_.start();
    controller_.start();
    events_.start();
    publisher_.start();
    keeper_.start();
    reachability_.start();
    io_.run();
    return exit_code_;
  }

 private:
  controller::ControllerOptions controller_options() {
    controller::ControllerOptions to;
    to.name_space = options_.name_space;
    to.identity = options_.pod_name;
    to.lease = options_.lease;
    to.watch_namespaces = options_.watch_namespaces;
    to.selected_webhook = options_.selected_webhook;
    to.annotated_webhook = options_.annotated_webhook;
    to.service = options_.service;
    to.webhook_timeout = options_.webhook_timeout;
    to.pod_workers = options_.workers;
    to.ca_bundle = [this]() -> std::optional<std::string> {
      if (options_.certificates == certs::Origin::cert_manager) return "";
      auto bundle = keeper_.ca_bundle();
      if (bundle.empty()) return std::nullopt;
      return bundle;
    };
    return to;
  }

  certs::PublisherOptions publisher_options() const {
    certs::PublisherOptions to;
    to.origin = options_.certificates;
    to.annotated = options_.annotated_webhook;
    to.policies = options_.policy_webhook;
    to.dns_name = options_.dns_names().front();
    return to;
  }

  certs::KeeperOptions keeper_options() {
    certs::KeeperOptions to;
    to.origin = options_.certificates;
    to.name_space = options_.name_space;
    to.secret = options_.certificate_secret;
    to.dns_names = options_.dns_names();
    to.trusted = [this](const std::string& ca) { return publisher_.trusted(ca); };
    return to;
  }

  admission::ReachabilityOptions reachability_options() {
    admission::ReachabilityOptions to;
    to.name_space = options_.name_space;
    to.wanted = [this] { return controller_.is_leader() && readiness_.look().ready; };
    to.changed = [this](bool reached, const std::string& why) { tell_reachability(reached, why); };
    return to;
  }

  void add_checks() {
    readiness_.add("caches", [this]() -> Result<void> {
      if (view_.has_synced()) return {};
      return Error{"", "policies, namespaces and nodes have not been listed yet"};
    });
    readiness_.add("certificate", [this]() -> Result<void> {
      if (listener_.is_open()) return {};
      return Error{options_.certificate_secret, "there is no certificate to serve yet"};
    });
    readiness_.add("CA bundle", [this] { return publisher_.accepted(keeper_.certificate()); });
    readiness_.add("matchConditions", [this] { return publisher_.intact(); });
  }

  bool open_health() {
    auto opened = health_.listen("::", options_.metrics_port);
    if (!opened.ok()) opened = health_.listen("0.0.0.0", options_.metrics_port);
    if (opened.ok()) return true;
    log::error("metrics port not opened", {{"why", opened.error().text()}, {"flag", "--metrics-port"}});
    return false;
  }

  http::Response answer_health(const http::Request& request) {
    if (request.method != "GET" && request.method != "HEAD") return http::Response::text(405, "GET only\n");
    const auto path = request.path();
    if (path == "/healthz") {
      return listener_.alive() ? http::Response::text(200, "ok\n")
                               : http::Response::text(503, "the webhook's threads hang\n");
    }
    if (path == "/readyz") {
      const auto report = readiness_.look();
      return http::Response::text(report.ready ? 200 : 503, report.text);
    }
    if (path == "/metrics") return {200, metrics::kContentType, metrics_.text(), {}};
    return http::Response::text(404, "there are /healthz, /readyz and /metrics\n");
  }

  /// On the keeper's thread.
  void certificate_changed() {
    publisher_.publish(keeper_.ca_bundle());
    controller_.ca_bundle_changed();
    asio::post(io_, [this] {
      if (listener_.is_open() || ending_) return;
      const auto opened = listener_.open(options_.webhook_port, keeper_.source());
      if (opened.ok()) {
        log::info("webhook opened", {{"port", opened.value()}});
        return;
      }
      log::error("webhook not opened", {{"why", opened.error().text()}, {"flag", "--webhook-port"}});
      exit_code_ = 1;
      begin_end(0);
    });
  }

  void tell_reachability(bool reached, const std::string& why) {
    const nlohmann::json service = {
        {"apiVersion", "v1"},
        {"kind", "Service"},
        {"metadata", {{"name", options_.service}, {"namespace", options_.name_space}}}};
    if (reached) {
      log::info("webhook reached by the API server");
      events_.record(service, kube::EventType::normal, "WebhookReached", "CheckWebhook",
                     "The API server reaches the webhook.");
      return;
    }
    log::error("webhook not reached by the API server", {{"why", why}});
    events_.record(service, kube::EventType::warning, "WebhookNotReached", "CheckWebhook",
                   "The API server does not reach the webhook; annotated Pods are refused: " + why);
  }

  /// Says once what would otherwise show only in metrics.
  void tick() {
    const auto intact = publisher_.intact();
    if (view_.has_synced() && intact.ok() != intact_) {
      intact_ = intact.ok();
      if (intact_) log::info("webhook configuration intact again");
      if (!intact_) log::error("webhook configuration damaged", {{"why", intact.error().text()}});
    }
    timer_.expires_after(kTick);
    timer_.async_wait([this](const error_code& error) {
      if (!error) tick();
    });
  }

  /// Not ready, but still answering until nobody is sent here any more; the lease goes at once, so that
  /// another replica leads meanwhile.
  void begin_end(int signal) {
    if (ending_) return;
    ending_ = true;
    log::info("ending", {{"signal", signal}, {"drain", options_.drain}});
    // A second signal ends it the hard way.
    signals_.async_wait([](const error_code& error, int again) {
      if (!error) std::_Exit(128 + again);
    });
    readiness_.end();
    listener_.begin_drain();
    closer_ = std::jthread([this] {
      const auto until = std::chrono::steady_clock::now() + options_.drain;
      reachability_.stop();
      controller_.stop();
      std::this_thread::sleep_until(until);
      listener_.close(kCloseGrace);
      keeper_.stop();
      publisher_.stop();
      events_.stop();
      view_.stop();
      log::info("ended");
      io_.stop();
    });
  }

  const Options options_;
  asio::io_context io_{1};
  metrics::Metrics metrics_;
  kube::Client client_;
  admission::ClusterView view_;
  controller::Controller controller_;
  certs::Publisher publisher_;
  certs::Keeper keeper_;
  kube::EventRecorder events_;
  admission::Counts counts_;
  admission::Pods pods_;
  admission::Webhook webhook_;
  admission::Listener listener_;
  admission::LiveReader reader_;  // goes before whom it answers
  admission::Readiness readiness_;
  admission::Reachability reachability_;
  http::Server health_;
  asio::signal_set signals_;
  asio::steady_timer timer_;
  bool ending_ = false;
  bool intact_ = true;
  int exit_code_ = 0;
  std::jthread closer_;
};

}  // namespace

void forbid_core_dumps() {
  const rlimit none{0, 0};
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0) {
    log::warning("core dumps not switched off");
  }
}

int run(const Options& options) {
  log::configure(options.log_form, options.log_level);
  std::signal(SIGPIPE, SIG_IGN);
  forbid_core_dumps();
  const auto config = kube::find_config(options.kubeconfig, options.context);
  if (!config.ok()) {
    log::error("API server not known", {{"why", config.error().text()}, {"flag", "--kubeconfig"}});
    return 1;
  }
  log::info("starting", {{"server", config->server},
                         {"context", config->context},
                         {"namespace", options.name_space},
                         {"pod", options.pod_name}});
  Program program(options, *config);
  return program.run();
}

}  // namespace ambassador::app
