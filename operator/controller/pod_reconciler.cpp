#include "operator/controller/pod_reconciler.hpp"

#include <nlohmann/json.hpp>

#include "common/log/log.hpp"
#include "operator/inject/live.hpp"
#include "operator/inject/record.hpp"

namespace ambassador::controller {
namespace {

using kube::Json;

PodVerdict carrying(const Json& pod, const inject::PodRecord& record) {
  PodVerdict verdict;
  verdict.uid = kube::uid_of(pod);
  for (const auto& policy : record.policies) {
    auto key = policy.key;
    if (!key.cluster()) key.ns = kube::namespace_of(pod);
    verdict.policies.push_back(std::move(key));
  }
  return verdict;
}

PodVerdict judge(const Json& pod, const inject::PodRecord& record, const inject::LiveState& live) {
  PodVerdict verdict = carrying(pod, record);
  verdict.stale = live.stale;
  verdict.up_to_date = live.wanted_annotations.empty() && !live.stale;
  verdict.ready = is_ready(pod);
  verdict.gone.insert(live.gone.begin(), live.gone.end());
  verdict.differences = live.differences;
  return verdict;
}

}  // namespace

bool is_ready(const Json& pod) {
  const Json* conditions = kube::at(pod, {"status", "conditions"});
  if (conditions == nullptr || !conditions->is_array()) return false;
  for (const auto& one : *conditions) {
    if (kube::string_at(one, {"type"}) == "Ready") return kube::string_at(one, {"status"}) == "True";
  }
  return false;
}

bool has_ended(const Json& pod) {
  const auto phase = kube::string_at(pod, {"status", "phase"});
  return phase == "Succeeded" || phase == "Failed";
}

std::optional<PodReconciler::Look> PodReconciler::look(const Json& pod) const {
  if (has_ended(pod)) return std::nullopt;
  const auto record = inject::read_record(pod);
  if (!record) return std::nullopt;
  if (kube::is_being_deleted(pod)) {
    Look last{carrying(pod, *record), {}};
    last.verdict.leaving = true;
    return last;
  }
  const auto ns = kube::namespace_of(pod);
  const auto installation = needs_.view.installation();
  auto live =
      inject::live_state({.pod = pod,
                          .ns = ns,
                          .namespace_labels = needs_.view.namespace_labels(ns).value_or(api::Labels{}),
                          .policies = needs_.view.policies_for(ns),
                          .installation = *installation});
  if (!live) return std::nullopt;
  return Look{judge(pod, *record, *live), std::move(live->wanted_annotations)};
}

bool PodReconciler::count(const Json& pod) {
  auto seen = look(pod);
  if (!seen) return false;
  (void)needs_.table.put(kube::key_of(pod), std::move(seen->verdict));
  return !seen->wanted_annotations.empty();
}

Verdict PodReconciler::reconcile(const std::string& key, const std::stop_token& stop) {
  const auto pod = needs_.caches.pods.store().get(key);
  const auto seen = pod ? look(*pod) : std::nullopt;
  if (!seen) {
    needs_.counted(needs_.table.remove(key));
    return Verdict::done();
  }
  const auto before = needs_.table.get(key);
  needs_.counted(needs_.table.put(key, seen->verdict));
  tell(*pod, before, seen->verdict);
  if (seen->wanted_annotations.empty()) return Verdict::done();
  return patch(key, *pod, seen->wanted_annotations, stop);
}

Verdict PodReconciler::patch(const std::string& key, const Json& pod,
                             const std::vector<std::pair<std::string, std::string>>& annotations,
                             const std::stop_token& stop) {
  Json patch = {{"metadata", {{"uid", kube::uid_of(pod)}, {"annotations", Json::object()}}}};
  for (const auto& [name, value] : annotations) patch["metadata"]["annotations"][name] = value;
  if (!needs_.acting.leads()) return Verdict::retry();
  const auto answer =
      needs_.acting.client.patch(kube::resources::pods, kube::namespace_of(pod), kube::name_of(pod),
                                 kube::PatchType::merge, patch, "", needs_.acting.write(stop));
  if (answer.ok()) {
    ++patches_;
    log::debug("configuration patched", {{"pod", key}});
    return Verdict::done();  // the watch brings the Pod back, and with it the count
  }
  // Gone, or another Pod of the same name by now: the watch tells.
  if (answer.error().not_found() || answer.error().conflict()) return Verdict::done();
  if (!stop.stop_requested()) {
    ++failures_;
    log::warning("configuration not patched", {{"pod", key}, {"error", answer.error().text()}});
  }
  return Verdict::retry();
}

void PodReconciler::tell(const Json& pod, const PodVerdict& before, const PodVerdict& now) {
  if (before.uid != now.uid) return;  // first seen in this term: what was gone before has been told before
  for (const auto& policy : now.gone) {
    if (before.gone.contains(policy)) continue;
    needs_.acting.events.record(
        pod, kube::EventType::warning, "PolicyDeleted", "FollowPolicy",
        "policy " + policy.text() +
            " was deleted: the ambassador keeps the configuration it has; create the policy "
            "again, or restart the Pod without it");
  }
}

}  // namespace ambassador::controller
