#include "operator/inject/select.hpp"

#include <algorithm>

#include "operator/inject/decide.hpp"

namespace ambassador::inject {
namespace {

using api::Labels;

/// Is the policy of this namespace, or offered to it?
bool offered(const api::ParsedPolicy& policy, const std::string& ns, const Labels& namespace_labels) {
  if (!policy.key.cluster()) return policy.key.ns == ns;
  return !policy.namespace_selector || policy.namespace_selector->matches(namespace_labels);
}

std::string kind_of(const api::PolicyKey& key) {
  return key.cluster() ? "ClusterAmbassadorPolicy " + key.name : "AmbassadorPolicy " + key.name;
}

std::string names_of(const std::vector<KnownPolicyPtr>& policies, const std::string& ns,
                     const Labels& namespace_labels) {
  constexpr std::size_t kShown = 10;
  std::vector<std::string> names;
  for (const auto& policy : policies) {
    if (offered(policy->parsed, ns, namespace_labels)) names.push_back(policy->parsed.key.reference());
  }
  std::ranges::sort(names);
  std::string all;
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) all += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kShown) all += ", ...";
  return all.empty() ? "there are none" : "there are: " + all;
}

Obstacle not_found(const api::PolicyKey& key, const std::string& known) {
  return {"PolicyNotFound", kind_of(key) + " does not exist" +
                                (key.cluster() ? "" : " in namespace " + key.ns) + " (" + known +
                                "): create it, or correct the annotation ambassador.dev/policy"};
}

Obstacle not_offered(const api::PolicyKey& key, const std::string& ns) {
  return {"PolicyNotOffered", kind_of(key) + " is not offered to namespace " + ns +
                                  ": its namespaceSelector does not match the namespace's labels; label the "
                                  "namespace, or drop the policy from the annotation"};
}

/// A policy that cannot be used is an obstacle for those that it concerns.
void check_accepted(Selection& selection) {
  for (const auto& policy : selection.policies) {
    if (policy->parsed.problems.empty()) continue;
    selection.obstacle = Obstacle{
        "PolicyNotAccepted", kind_of(policy->parsed.key) + " is not accepted: " + policy->parsed.message()};
    return;
  }
}

Selection named(const Wish& wish, const std::vector<KnownPolicyPtr>& policies, const std::string& ns,
                const Labels& namespace_labels) {
  Selection selection;
  for (const auto& key : wish.names) {
    const auto found =
        std::ranges::find_if(policies, [&](const auto& policy) { return policy->parsed.key == key; });
    if (found == policies.end()) {
      selection.obstacle = not_found(key, names_of(policies, ns, namespace_labels));
      selection.policies_missing = true;
      return selection;
    }
    if (!offered((*found)->parsed, ns, namespace_labels)) {
      selection.obstacle = not_offered(key, ns);
      return selection;
    }
    selection.policies.push_back(*found);
  }
  return selection;
}

}  // namespace

bool selects(const api::Policy& policy, const std::string& ns, const Labels& namespace_labels,
             const Labels& pod_labels) {
  const bool there = policy.key.cluster()
                         ? !policy.namespace_selector || policy.namespace_selector->matches(namespace_labels)
                         : policy.key.ns == ns;
  return there && policy.pod_selector && policy.pod_selector->matches(pod_labels);
}

Selection select_policies(const Wish& wish, const std::vector<KnownPolicyPtr>& policies,
                          const std::string& ns, const Labels& namespace_labels, const Labels& pod_labels) {
  if (wish.kind == Wish::Kind::never) return {};
  Selection selection;
  if (wish.kind == Wish::Kind::named) {
    selection = named(wish, policies, ns, namespace_labels);
  } else {
    for (const auto& policy : policies) {
      const auto& parsed = policy->parsed;
      if (!offered(parsed, ns, namespace_labels)) continue;
      const bool open = !parsed.pod_selector && wish.kind == Wish::Kind::every_policy;
      if (open || (parsed.pod_selector && parsed.pod_selector->matches(pod_labels))) {
        selection.policies.push_back(policy);
      }
    }
    std::ranges::sort(selection.policies, {},
                      [](const auto& policy) { return policy->parsed.key.reference(); });
    if (selection.policies.empty() && wish.kind == Wish::Kind::every_policy) {
      selection.policies_missing = true;
      selection.obstacle =
          Obstacle{"PolicyNotFound",
                   "no AmbassadorPolicy in namespace " + ns + " fits this Pod (" +
                       names_of(policies, ns, namespace_labels) +
                       "): create one without podSelector or with one that matches the Pod's labels, or "
                       "remove the annotation ambassador.dev/inject"};
    }
  }
  if (!selection.obstacle) check_accepted(selection);
  return selection;
}

}  // namespace ambassador::inject
