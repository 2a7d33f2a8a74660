#include "operator/controller/controller.hpp"

#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "common/log/log.hpp"
#include "common/metrics/metrics.hpp"
#include "operator/api/names.hpp"
#include "operator/controller/caches.hpp"
#include "operator/controller/missed.hpp"
#include "operator/controller/missed_pods.hpp"
#include "operator/controller/name_watch.hpp"
#include "operator/controller/pod_reconciler.hpp"
#include "operator/controller/pod_table.hpp"
#include "operator/controller/policy_reconciler.hpp"
#include "operator/controller/references.hpp"
#include "operator/controller/same_configuration.hpp"
#include "operator/controller/webhook_reconciler.hpp"
#include "operator/controller/workers.hpp"
#include "operator/inject/record.hpp"
#include "operator/kube/leader.hpp"
#include "operator/kube/timestamp.hpp"

namespace ambassador::controller {
namespace {

using discovery::ObjectReference;
using kube::Json;
using kube::Object;

/// Two are enough: a policy's turn is a look at caches and one write a second.
constexpr unsigned kPolicyWorkers = 2;
/// How often a new leader looks whether every cache has been filled.
constexpr std::chrono::milliseconds kSyncPoll{20};
/// The replica that injected a Pod may have known a newer policy than we do: let our cache catch up before
/// judging it.
constexpr std::chrono::milliseconds kReplicaLag{300};
/// A Pod that was created no longer ago than this is news when it is first seen.
constexpr std::chrono::seconds kNewPod{60};

std::string key_of(const api::PolicyKey& policy) {
  return kube::join_key(policy.ns, policy.name);
}

kube::LeaderOptions leader_options(const ControllerOptions& options) {
  return {.name_space = options.name_space,
          .name = options.lease,
          .identity = options.identity,
          .lease_duration = options.lease_duration,
          .renew_deadline = options.renew_deadline,
          .retry_period = options.retry_period};
}

/// The identity must differ even between two processes of one Pod: a restarted container is not the one
/// before.
ControllerOptions with_unique_identity(ControllerOptions options) {
  std::random_device random;
  options.identity += "_" + std::to_string(random() % 1'000'000);
  return options;
}

}  // namespace

class Controller::Impl {
 public:
  Impl(const kube::Client& client, admission::ClusterView& view, ControllerOptions given)
      : options_(with_unique_identity(std::move(given))),
        view_(view),
        caches_(client, options_.watch_namespaces, options_.selected_webhook, options_.annotated_webhook),
        events_(client, {.instance = options_.identity, .default_namespace = options_.name_space}),
        acting_{client, events_, [this] { return elector_.is_leader(); }},
        names_(options_.lookup ? options_.lookup : resolver_lookup(options_.dns),
               [this](const std::string& policy) { policies_.queue().add(policy); }),
        elector_(client, leader_options(options_),
                 {[this] { begin_term(); }, [this] { end_term(); },
                  [](const std::string& who) {
                    log::info("another replica leads", {{"leader", who}});
                  }}) {
    watch_policies();
    watch_references();
    watch_pods();
    watch_cluster();
  }

  void start() {
    caches_.start();
    names_.start();
    events_.start();
    elector_.start();
  }

  void stop() {
    elector_.stop();  // ends the term first
    names_.stop();
    caches_.stop();
    events_.stop();
  }

  [[nodiscard]] bool has_synced() const { return caches_.has_synced(); }
  [[nodiscard]] bool is_leader() const { return elector_.is_leader(); }
  void look_at_webhook() { webhooks_.queue().add(kWebhookKey); }

  void collect(metrics::Sheet& sheet) const;

 private:
  void watch_policies();
  void watch_references();
  void watch_pods();
  void watch_cluster();
  void policy_changed(const Object& before, const Object& after);
  void reference_changed(ObjectReference::Kind kind, const std::string& ns, const std::string& name);
  void pod_changed(const Object& before, const Object& after);

  void begin_term();
  void work_once_synced(const std::stop_token& stop);
  void end_term();
  void look_at_pods_in(const std::string& ns);
  void look_at_all_pods();
  void look_at_policies(const std::set<api::PolicyKey>& policies);
  void tell_injected(const Json& pod);

  const ControllerOptions options_;
  admission::ClusterView& view_;
  Caches caches_;
  kube::EventRecorder events_;
  Acting acting_;
  References references_;
  PodTable table_;
  NameWatch names_;

  MissedPods missed_{{acting_, view_, [this](const std::string& key) { missed_workers_.queue().add(key); },
                      [this] { return missed_workers_.queue().idle(); },
                      [this](const auto& policies) { look_at_policies(policies); }}};
  PolicyReconciler policy_{{acting_, view_, caches_, names_, references_, table_,
                            [this](const api::PolicyKey& policy) { return missed_.count(policy); },
                            options_.status_interval}};
  PodReconciler pod_{
      {acting_, view_, caches_, table_, [this](const auto& policies) { look_at_policies(policies); }}};
  WebhookReconciler webhook_{{acting_, view_, caches_, options_.selected_webhook, options_.service,
                              options_.name_space, options_.webhook_timeout, options_.ca_bundle,
                              [this](const auto& namespaces) { missed_.watch(namespaces); }}};

  Workers policies_{"policy", kPolicyWorkers, [this](const std::string& key, std::stop_token stop) {
                      return policy_.reconcile(key, stop);
                    }};
  Workers pods_{"pod", options_.pod_workers,
                [this](const std::string& key, std::stop_token stop) { return pod_.reconcile(key, stop); }};
  Workers webhooks_{"webhook", 1,
                    [this](const std::string&, std::stop_token stop) { return webhook_.reconcile(stop); }};
  Workers missed_workers_{"missed", 1, [this](const std::string& key, std::stop_token stop) {
                            return missed_.reconcile(key, stop);
                          }};

  std::atomic<bool> in_term_{false};
  std::jthread term_;
  kube::LeaderElector elector_;
};

// -- What makes whom be looked at --

void Controller::Impl::watch_policies() {
  for (auto* informer : {&view_.policies(), &view_.cluster_policies()}) {
    informer->on_change([this](const Object& before, const Object& after) { policy_changed(before, after); });
  }
}

void Controller::Impl::policy_changed(const Object& before, const Object& after) {
  if (!in_term_) return;
  const Json& any = after ? *after : *before;
  policies_.queue().add(kube::key_of(any));
  const auto ns = kube::namespace_of(any);
  const bool spec_changed =
      !before || !after || before->value("spec", Json()) != after->value("spec", Json());
  // Whether a Pod should have had an ambassador depends on when its policy was accepted.
  if (spec_changed || accepted_since(*before) != accepted_since(*after)) missed_.look_again(ns);
  if (before && after && same_configuration(*inject::know_policy(*before), *inject::know_policy(*after)))
    return;
  if (!spec_changed) {
    for (const auto& pod : table_.pods_of({ns, kube::name_of(any)})) pods_.queue().add(pod);
    return;
  }
  // It may select others now, and what should be on a Pod counts for staleness.
  if (ns.empty()) {
    look_at_all_pods();
  } else {
    look_at_pods_in(ns);
  }
  look_at_webhook();
}

void Controller::Impl::watch_references() {
  const auto follow = [this](kube::Informer& informer, ObjectReference::Kind kind) {
    informer.on_change([this, kind](const Object& before, const Object& after) {
      const Json& any = after ? *after : *before;
      reference_changed(kind, kube::namespace_of(any), kube::name_of(any));
    });
  };
  follow(caches_.stateful_sets, ObjectReference::Kind::stateful_set);
  follow(caches_.services, ObjectReference::Kind::service);
  caches_.slices.on_change([this](const Object& before, const Object& after) {
    const Json& any = after ? *after : *before;
    if (const auto service = kube::label_of(any, kServiceNameLabel)) {
      reference_changed(ObjectReference::Kind::service, kube::namespace_of(any), *service);
    }
  });
}

void Controller::Impl::reference_changed(ObjectReference::Kind kind, const std::string& ns,
                                         const std::string& name) {
  for (const auto& policy : references_.policies_of({kind, ns, name})) {
    names_.ask_again(policy);
    policies_.queue().add(policy);
  }
}

void Controller::Impl::watch_pods() {
  caches_.pods.on_change([this](const Object& before, const Object& after) { pod_changed(before, after); });
}

void Controller::Impl::pod_changed(const Object& before, const Object& after) {
  if (!in_term_) return;
  pods_.queue().add_after(kube::key_of(after ? *after : *before), kReplicaLag);
  if (!before) tell_injected(*after);
}

void Controller::Impl::watch_cluster() {
  view_.namespaces().on_change([this](const Object& before, const Object& after) {
    if (!in_term_) return;
    look_at_webhook();
    if (before && after && kube::labels_of(*before) != kube::labels_of(*after)) {
      look_at_pods_in(kube::name_of(*after));
      for (const auto& policy : view_.policies_for(kube::name_of(*after))) {
        policies_.queue().add(key_of(policy->parsed.key));
      }
    }
  });
  view_.on_installation_change([this] { look_at_all_pods(); });
  for (auto* informer : {&caches_.selected, &caches_.annotated}) {
    informer->on_change([this](const Object&, const Object&) { look_at_webhook(); });
  }
}

void Controller::Impl::look_at_pods_in(const std::string& ns) {
  for (const auto& pod : caches_.pods.store().in_namespace(ns)) pods_.queue().add(kube::key_of(*pod));
}

void Controller::Impl::look_at_all_pods() {
  for (const auto& pod : caches_.pods.store().list()) pods_.queue().add(kube::key_of(*pod));
}

void Controller::Impl::look_at_policies(const std::set<api::PolicyKey>& policies) {
  for (const auto& policy : policies) policies_.queue().add(key_of(policy));
}

void Controller::Impl::tell_injected(const Json& pod) {
  const auto created = kube::parse_rfc3339(kube::string_at(pod, {"metadata", "creationTimestamp"}));
  if (!created || std::chrono::system_clock::now() - *created > kNewPod) return;
  const auto record = inject::read_record(pod);
  if (!record) return;
  std::string policies;
  for (const auto& one : record->policies) {
    policies += (policies.empty() ? "" : ", ") + one.key.reference();
    if (!one.environment.empty()) policies += " (environment " + one.environment + ")";
  }
  events_.record(pod, kube::EventType::normal, "Injected", "Inject",
                 std::string(api::kContainerName) + " follows policy " + policies);
}

// -- Terms of leadership --

void Controller::Impl::begin_term() {
  log::info("leading", {{"identity", options_.identity}});
  term_ = std::jthread([this](const std::stop_token& stop) { work_once_synced(stop); });
}

void Controller::Impl::work_once_synced(const std::stop_token& stop) {
  // Acting on half-filled caches would take what is not listed yet for gone.
  while (!(caches_.has_synced() && view_.has_synced())) {
    if (stop.stop_requested()) return;
    std::this_thread::sleep_for(kSyncPoll);
  }
  // Pods are summed up before any status is written: half a sum would be written, and then the whole.
  pods_.begin_term();
  in_term_ = true;  // from here on changes are heard; what is there already is looked at now
  for (const auto& pod : caches_.pods.store().list()) {
    if (stop.stop_requested()) return;
    if (pod_.count(*pod)) pods_.queue().add(kube::key_of(*pod));
  }
  for (auto* workers : {&policies_, &webhooks_, &missed_workers_}) workers->begin_term();
  for (auto* informer : {&view_.policies(), &view_.cluster_policies()}) {
    for (const auto& policy : informer->store().list()) policies_.queue().add(kube::key_of(*policy));
  }
  look_at_webhook();
}

void Controller::Impl::end_term() {
  in_term_ = false;
  term_.request_stop();
  if (term_.joinable()) term_.join();
  in_term_ = false;  // it may just have begun
  for (auto* workers : {&policies_, &pods_, &webhooks_, &missed_workers_}) workers->end_term();
  missed_.forget();
  table_.clear();
  references_.clear();
  policy_.forget();
  names_.forget();
  log::info("not leading any more", {{"identity", options_.identity}});
}

void Controller::Impl::collect(metrics::Sheet& sheet) const {
  const auto number = [](auto value) { return static_cast<double>(value); };
  sheet.gauge("ambassador_operator_leader", "1 on the replica that leads", {}, elector_.is_leader() ? 1 : 0);
  sheet.counter("ambassador_operator_leader_terms_total", "How often this replica became the leader", {},
                number(elector_.terms()));
  for (const auto* workers : {&policies_, &pods_, &webhooks_, &missed_workers_}) workers->collect(sheet);
  caches_.collect(sheet);
  const auto dns = names_.statistics();
  for (const auto& [result, total] : {std::pair{"found", dns.found}, std::pair{"not_found", dns.not_found},
                                      std::pair{"unavailable", dns.unavailable}}) {
    sheet.counter("ambassador_operator_dns_questions_total", "DNS questions by what was answered",
                  {{"result", result}}, number(total));
  }
  sheet.gauge("ambassador_operator_dns_names", "Names that are followed in DNS", {}, number(dns.names));
  sheet.counter("ambassador_operator_config_patches_total", "Pods' configurations patched",
                {{"result", "success"}}, number(pod_.patches()));
  sheet.counter("ambassador_operator_config_patches_total", "", {{"result", "error"}},
                number(pod_.failures()));
  sheet.counter("ambassador_operator_status_writes_total", "Policies' status written", {},
                number(policy_.status_writes()));
  sheet.counter("ambassador_operator_webhook_writes_total", "Entries of the selected webhook applied", {},
                number(webhook_.writes()));
  const auto pods = table_.total();
  for (const auto& [state, count] :
       {std::pair{"injected", pods.injected}, std::pair{"up_to_date", pods.up_to_date},
        std::pair{"stale", pods.stale}, std::pair{"ready", pods.ready}}) {
    sheet.gauge("ambassador_operator_pods", "Injected Pods by state (on the leader)", {{"state", state}},
                number(count));
  }
  sheet.gauge("ambassador_operator_missed_pods",
              "Selected Pods that run without an ambassador (on the leader)", {}, number(missed_.total()));
  sheet.counter("ambassador_operator_events_total", "Events written", {{"result", "success"}},
                number(events_.written()));
  sheet.counter("ambassador_operator_events_total", "", {{"result", "dropped"}}, number(events_.dropped()));
}

// -- The public class --

Controller::Controller(const kube::Client& client, admission::ClusterView& view, ControllerOptions options,
                       metrics::Metrics* metrics)
    : impl_(std::make_shared<Impl>(client, view, std::move(options))) {
  if (metrics == nullptr) return;
  metrics->at_scrape([weak = std::weak_ptr<Impl>(impl_)](metrics::Sheet& sheet) {
    if (const auto impl = weak.lock()) impl->collect(sheet);
  });
}

Controller::~Controller() {
  stop();
}
void Controller::start() {
  impl_->start();
}
void Controller::stop() {
  impl_->stop();
}
bool Controller::has_synced() const {
  return impl_->has_synced();
}
bool Controller::is_leader() const {
  return impl_->is_leader();
}
void Controller::ca_bundle_changed() {
  impl_->look_at_webhook();
}

}  // namespace ambassador::controller
