#include "operator/controller/missed_pods.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/log/log.hpp"
#include "operator/api/names.hpp"
#include "operator/controller/missed.hpp"
#include "operator/controller/pod_reconciler.hpp"
#include "operator/controller/slim.hpp"
#include "operator/inject/decide.hpp"

namespace ambassador::controller {
namespace {

using kube::Json;

std::string names_of(const std::set<api::PolicyKey>& policies) {
  std::string out;
  for (const auto& policy : policies) out += (out.empty() ? "" : ", ") + policy.text();
  return out;
}

kube::InformerOptions uninjected(const std::string& ns) {
  kube::InformerOptions options{.resource = kube::resources::pods};
  options.namespaces = {ns};
  options.label_selector = std::string(api::kInjectedLabel) + "!=true";
  options.metadata_only = true;
  options.transform = slim_metadata;
  return options;
}

}  // namespace

void MissedPods::watch(const std::set<std::string>& namespaces) {
  std::vector<std::unique_ptr<kube::Informer>> ended;  // joined without the lock
  const std::lock_guard lock(mutex_);
  watching_ = true;
  for (auto it = informers_.begin(); it != informers_.end();) {
    if (namespaces.contains(it->first)) {
      ++it;
      continue;
    }
    ended.push_back(std::move(it->second));
    it = informers_.erase(it);
  }
  for (const auto& ns : namespaces) {
    auto& informer = informers_[ns];
    if (informer) continue;
    informer = std::make_unique<kube::Informer>(needs_.acting.client, uninjected(ns));
    informer->on_change([this](const kube::Object& before, const kube::Object& after) {
      needs_.changed(kube::key_of(after ? *after : *before));
    });
    informer->start();
  }
  // What was found in namespaces that are no longer watched is looked at once more, and let go.
  for (const auto& [key, missed] : missed_) {
    if (!namespaces.contains(kube::split_key(key).first)) needs_.changed(key);
  }
}

void MissedPods::look_again(const std::string& ns) {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, informer] : informers_) {
    if (!ns.empty() && name != ns) continue;
    for (const auto& pod : informer->store().list()) needs_.changed(kube::key_of(*pod));
  }
}

void MissedPods::forget() {
  decltype(informers_) ended;
  {
    const std::lock_guard lock(mutex_);
    ended.swap(informers_);
    missed_.clear();
    watching_ = false;
  }
}

kube::Object MissedPods::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto informer = informers_.find(kube::split_key(key).first);
  return informer == informers_.end() ? nullptr : informer->second->store().get(key);
}

Verdict MissedPods::clear(const std::string& key) {
  std::set<api::PolicyKey> policies;
  {
    const std::lock_guard lock(mutex_);
    const auto found = missed_.find(key);
    if (found == missed_.end()) return Verdict::done();
    policies = std::move(found->second.policies);
    missed_.erase(found);
  }
  needs_.counted(policies);
  return Verdict::done();
}

Verdict MissedPods::reconcile(const std::string& key, std::stop_token stop) {
  const auto seen = find(key);
  if (!seen) return clear(key);
  const auto ns = kube::namespace_of(*seen);
  const auto labels = needs_.view.namespace_labels(ns).value_or(api::Labels{});
  auto documents = needs_.view.policies().store().in_namespace(ns);
  const auto cluster = needs_.view.cluster_policies().store().list();
  documents.insert(documents.end(), cluster.begin(), cluster.end());
  const auto policies = missed_policies(*seen, labels, documents);
  if (policies.empty()) return clear(key);

  const auto whole = needs_.acting.client.get(kube::resources::pods, ns, kube::name_of(*seen),
                                              {.timeout = kWriteTimeout, .stop = stop});
  if (!whole.ok()) return whole.error().not_found() ? clear(key) : Verdict::retry();
  if (has_ended(**whole) || kube::uid_of(**whole) != kube::uid_of(*seen)) return clear(key);
  std::set<api::PolicyKey> old;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = missed_[key];
    if (entry.uid == kube::uid_of(*seen) && entry.policies == policies) return Verdict::done();
    old = std::exchange(entry, {kube::uid_of(*seen), policies}).policies;
  }
  old.insert(policies.begin(), policies.end());
  needs_.counted(old);
  tell(**whole, policies);
  return Verdict::done();
}

void MissedPods::tell(const Json& pod, const std::set<api::PolicyKey>& policies) {
  const auto created = kube::parse_rfc3339(kube::string_at(pod, {"metadata", "creationTimestamp"}));
  if (!created || std::chrono::system_clock::now() - *created > kWorthTelling) return;
  const auto ns = kube::namespace_of(pod);
  const auto installation = needs_.view.installation();
  const auto decision =
      inject::decide({.pod = pod,
                      .ns = ns,
                      .namespace_labels = needs_.view.namespace_labels(ns).value_or(api::Labels{}),
                      .policies = needs_.view.policies_for(ns),
                      .installation = *installation});
  const bool skipped = decision.outcome == inject::Outcome::skipped;
  const std::string why = skipped
                              ? decision.message
                              : "the webhook was not asked when the Pod was created (it was away, or the "
                                "policy's podSelector came to "
                                "match later): delete the Pod, and its owner makes one with an ambassador";
  needs_.acting.events.record(pod, kube::EventType::warning, skipped ? decision.cause : "NotInjected",
                              "Inject",
                              "selected by " + names_of(policies) + ", but without an ambassador: " + why);
  log::warning("pod without ambassador",
               {{"pod", kube::key_of(pod)}, {"policies", names_of(policies)}, {"cause", why}});
}

std::optional<unsigned> MissedPods::count(const api::PolicyKey& policy) const {
  const std::lock_guard lock(mutex_);
  const bool listed =
      std::ranges::all_of(informers_, [](const auto& one) { return one.second->has_synced(); });
  if (!watching_ || !listed || !needs_.idle()) return std::nullopt;
  unsigned out = 0;
  for (const auto& [key, missed] : missed_) out += missed.policies.contains(policy) ? 1U : 0U;
  return out;
}

std::size_t MissedPods::total() const {
  const std::lock_guard lock(mutex_);
  return missed_.size();
}

}  // namespace ambassador::controller
