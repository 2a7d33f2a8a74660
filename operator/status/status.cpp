#include "operator/status/status.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "operator/api/document.hpp"
#include "operator/api/shorten.hpp"
#include "operator/api/spelling.hpp"
#include "operator/status/conditions.hpp"

namespace ambassador::status {
namespace {

using discovery::ResolvedListener;
using nlohmann::json;

// Leaves room for "and n more".
constexpr std::size_t kMaxJoined = api::kMaxMessage - 124;

/// "cache (staging)".
std::string label(const ResolvedListener& listener) {
  return listener.environment.empty() ? listener.name : listener.name + " (" + listener.environment + ")";
}

/// The messages of the listeners that are picked, one after another.
template <class Pick>
std::string messages(const std::vector<ResolvedListener>& listeners, Pick pick) {
  std::string all;
  std::size_t left_out = 0;
  for (const auto& listener : listeners) {
    if (!pick(listener)) continue;
    const std::string one = "listener " + label(listener) + ": " + listener.message;
    if (all.size() + one.size() > kMaxJoined && !all.empty()) {
      ++left_out;
    } else {
      all += (all.empty() ? "" : "; ") + one;
    }
  }
  if (left_out > 0) all += "; and " + std::to_string(left_out) + " more";
  return all;
}

bool bad_reference(const ResolvedListener& listener) {
  return !listener.reason.empty() && listener.reason != discovery::kNoAddress;
}

bool has_address(const ResolvedListener& listener) {
  return std::ranges::any_of(listener.backends, [](const auto& backend) { return !backend.address.empty(); });
}

/// The listeners that the conditions are about.
std::vector<ResolvedListener> that_count(const StatusInput& input) {
  std::vector<ResolvedListener> all = input.listeners;
  if (input.used) {
    std::erase_if(all, [&](const auto& one) { return !input.used->contains({one.name, one.environment}); });
  }
  return all;
}

Condition accepted(const StatusInput& input) {
  const bool good = input.parsed.problems.empty();
  return {"Accepted", good ? "True" : "False", input.parsed.reason(),
          good ? "the spec is valid" : input.parsed.message()};
}

Condition resolved_refs(const StatusInput& input, const std::vector<ResolvedListener>& listeners) {
  if (!input.parsed.problems.empty()) {
    return {"ResolvedRefs", "Unknown", "NotAccepted", "the spec is not accepted, so nothing is looked up"};
  }
  if (!input.resolved)
    return {"ResolvedRefs", "Unknown", "Pending", "its Services and StatefulSets are being looked up"};
  const auto bad = std::ranges::find_if(listeners, bad_reference);
  if (bad == listeners.end()) {
    return {"ResolvedRefs", "True", "ResolvedRefs", "what the spec names exists and is permitted"};
  }
  return {"ResolvedRefs", "False", bad->reason, messages(listeners, bad_reference)};
}

/// Accepted and resolved, and every listener has an address: backend health and stale Pods never flip it.
Condition ready(const std::vector<ResolvedListener>& listeners, const Condition& accepted,
                const Condition& refs) {
  if (accepted.status != "True") return {"Ready", "False", accepted.reason, accepted.message};
  if (refs.status == "Unknown") return {"Ready", "Unknown", refs.reason, refs.message};
  if (refs.status != "True") return {"Ready", "False", refs.reason, refs.message};
  const auto without = [](const ResolvedListener& listener) { return !has_address(listener); };
  if (std::ranges::any_of(listeners, without)) {
    return {"Ready", "False", std::string(discovery::kNoAddress), messages(listeners, without)};
  }
  return {"Ready", "True", "Ready", "every listener has an address"};
}

/// kstatus: Reconciling while something is still expected to change by itself, Stalled when a person has to
/// act.
void add_progress(std::vector<Condition>& conditions, const Condition& ready) {
  if (ready.status == "True") return;
  const bool waits = ready.status == "Unknown" || ready.reason == discovery::kNoAddress ||
                     ready.reason == discovery::kRefNotFound;
  conditions.push_back({waits ? "Reconciling" : "Stalled", "True", ready.reason, ready.message});
}

void add_conflicts(std::vector<Condition>& conditions, const StatusInput& input) {
  if (input.conflicts.empty()) return;
  std::string all;
  for (const auto& one : input.conflicts) all += (all.empty() ? "" : "; ") + one;
  conditions.push_back({"Conflicted", "True", "PoliciesDiffer", all});
}

std::string protocols_of(const api::ParsedPolicy& parsed) {
  if (!parsed.policy) return "";
  std::set<std::string_view> names;
  for (const auto& listener : parsed.policy->listeners)
    names.insert(api::print(api::kProtocols, listener.protocol));
  std::string all;
  for (const auto name : names) all.append(all.empty() ? "" : ",").append(name);
  return all;
}

/// "3/4": ready and all, each backend once however many listeners lead to it.
std::string backends_of(const std::vector<ResolvedListener>& listeners) {
  std::set<std::pair<std::string, std::uint16_t>> all;
  std::set<std::pair<std::string, std::uint16_t>> up;
  for (const auto& listener : listeners) {
    for (const auto& backend : listener.backends) {
      all.emplace(backend.host, backend.port);
      if (backend.ready && !backend.address.empty()) up.emplace(backend.host, backend.port);
    }
  }
  return std::to_string(up.size()) + "/" + std::to_string(all.size());
}

json pods_json(const PodCounts& pods) {
  return {{"selected", pods.selected},
          {"injected", pods.injected},
          {"upToDate", pods.up_to_date},
          {"stale", pods.stale},
          {"ready", pods.ready}};
}

}  // namespace

json compute_status(const StatusInput& input) {
  const Condition accept = accepted(input);
  const auto listeners = that_count(input);
  const Condition refs = resolved_refs(input, listeners);
  std::vector<Condition> conditions = {ready(listeners, accept, refs), accept, refs};
  add_progress(conditions, conditions.front());
  add_conflicts(conditions, input);

  json status = {
      {"observedGeneration", input.parsed.generation},
      {"conditions", conditions_json(conditions, api::member(input.previous, "conditions"),
                                     input.parsed.generation, input.now)},
      {"summary",
       {{"protocols", protocols_of(input.parsed)},
        {"backends", backends_of(input.listeners)},
        {"pods", std::to_string(input.pods.injected) + "/" + std::to_string(input.pods.selected)}}},
      {"pods", pods_json(input.pods)},
      {"listeners", json::array()}};
  if (input.connections_per_pod) status["connectionsPerPod"] = *input.connections_per_pod;
  for (const auto& listener : input.listeners) status["listeners"].push_back(to_json(listener));
  return status;
}

}  // namespace ambassador::status
