#include "operator/inject/live.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/config/parse.hpp"
#include "operator/api/document.hpp"
#include "operator/api/names.hpp"
#include "operator/inject/container.hpp"
#include "operator/inject/plan.hpp"

namespace ambassador::inject {
namespace {

using api::list_at;
using api::member;
using api::text_at;
using nlohmann::json;

/// Our container in the Pod, or null.
const json& own_container(const json& pod) {
  for (const char* kind : {"initContainers", "containers"}) {
    for (const auto& container : list_at(member(pod, "spec"), kind)) {
      if (is_ours(container)) return container;
    }
  }
  return api::null();
}

bool has_sockets(const json& pod) {
  return std::ranges::any_of(list_at(own_container(pod), "volumeMounts"),
                             [](const json& mount) { return text_at(mount, "name") == api::kSocketVolume; });
}

/// "shop-data" of the listener "shop-data.cache": listeners' names hold no dot.
std::string policy_of(const config::Listener& listener) {
  return listener.name.substr(0, listener.name.rfind('.'));
}

/// The listener of this name, if it is wanted, stays as it is in `now`; one that is not there yet waits.
void hold(std::vector<config::Listener>& listeners, const std::string& name, const config::Document& now) {
  const auto wanted = std::ranges::find(listeners, name, &config::Listener::name);
  if (wanted == listeners.end()) return;
  const auto old = std::ranges::find(now.listeners, name, &config::Listener::name);
  if (old == now.listeners.end()) {
    listeners.erase(wanted);
  } else {
    *wanted = *old;
  }
}

/// What the live state of one Pod is made from.
class Looking {
 public:
  Looking(const LiveInput& input, PodRecord record)
      : input_(input),
        record_(std::move(record)),
        annotations_(api::texts_at(member(input.pod, "metadata"), "annotations")),
        labels_(api::texts_at(member(input.pod, "metadata"), "labels")) {}

  LiveState look();

 private:
  void find_policies();
  config::Document document(const Settings& settings) const;
  std::optional<config::Document> as_it_is() const;
  config::Document with_those_held(config::Document document) const;
  config::Document with_those_gone(config::Document document) const;
  void want(LiveState& state, std::string_view annotation, std::string value) const;
  std::string staleness(const Settings& settings) const;

  const LiveInput& input_;
  PodRecord record_;
  api::Labels annotations_;
  api::Labels labels_;
  Overrides overrides_;
  std::vector<KnownPolicyPtr> usable_;
  std::vector<PlacedPolicy> placed_;
  std::vector<api::PolicyKey> gone_;
};

void Looking::find_policies() {
  for (auto& recorded : record_.policies) {
    const auto found = std::ranges::find_if(
        input_.policies, [&](const auto& policy) { return policy->parsed.key == recorded.key; });
    if (found == input_.policies.end()) {
      gone_.push_back(recorded.key);
    } else if ((*found)->parsed.policy) {
      recorded.hash = (*found)->spec().hash;
      usable_.push_back(*found);
      placed_.push_back({*found, recorded.environment});
    }
  }
}

/// The configuration that the Pod has; nullopt where somebody made it unreadable.
std::optional<config::Document> Looking::as_it_is() const {
  const auto annotation = annotations_.find(api::kConfig);
  if (annotation == annotations_.end()) return std::nullopt;
  auto parsed = config::parse_all(annotation->second);
  if (!parsed.ok()) return std::nullopt;
  return std::move(parsed.document);
}

/// A policy that is gone, or not valid now, keeps the listeners that it has in the Pod's configuration.
config::Document Looking::with_those_gone(config::Document document) const {
  if (placed_.size() == record_.policies.size()) return document;
  const auto now = as_it_is();
  if (!now) return document;
  if (placed_.empty()) {
    config::Document kept = *now;
    kept.shutdown = document.shutdown;
    return kept;
  }
  std::vector<config::Listener> listeners;
  for (const auto& recorded : record_.policies) {
    const bool usable =
        std::ranges::any_of(usable_, [&](const auto& one) { return one->parsed.key == recorded.key; });
    const auto& source = usable ? document.listeners : now->listeners;
    std::ranges::copy_if(source, std::back_inserter(listeners), [&](const auto& listener) {
      return policy_of(listener) == recorded.key.config_name();
    });
  }
  document.listeners = std::move(listeners);
  return document;
}

/// A listener that needs files which this Pod does not mount stays as it is until a new Pod has them; one
/// that is new waits for that Pod.
config::Document Looking::with_those_held(config::Document document) const {
  const auto recorded = record_.shape.find(kSecretsSubject);
  const std::string_view mounted = recorded == record_.shape.end() ? std::string_view() : recorded->second;
  std::optional<config::Document> now;  // read when it is needed first: hardly ever
  for (const auto& policy : usable_) {
    for (const auto& listener : policy->spec().listeners) {
      const auto& key = policy->parsed.key;
      const std::string name = key.listener_key(listener.name);
      if (all_mounted(secret_files(name, listener), mounted)) continue;
      if (!now) now = as_it_is().value_or(config::Document{});
      hold(document.listeners, name, *now);
      hold(document.listeners, key.listener_key(api::readers_name(listener)), *now);
    }
  }
  return document;
}

config::Document Looking::document(const Settings& settings) const {
  PodFacts facts = pod_facts(input_.pod);
  facts.sockets = has_sockets(input_.pod);
  facts.shutdown = applications_ended(input_.pod);
  return with_those_gone(with_those_held(render_config(placed_, settings, facts, input_.installation)));
}

void Looking::want(LiveState& state, std::string_view annotation, std::string value) const {
  const auto now = annotations_.find(annotation);
  if (now == annotations_.end() || now->second != value) {
    state.wanted_annotations.emplace_back(annotation, std::move(value));
  }
}

/// What a restart would change; empty = nothing.
std::string Looking::staleness(const Settings& settings) const {
  if (usable_.size() < record_.policies.size()) return "";  // what it would be then, nobody can say
  if (record_.image != settings.image) return "image";
  std::vector<std::string> ignored;
  const auto variables = variables_of(usable_, ignored);
  auto shape = shape_of(settings, variables, mounts_of(usable_));
  shape.try_emplace(kSecretsSubject);  // none wanted, though some may be mounted
  for (const auto& [subject, value] : shape) {
    const auto recorded = record_.shape.find(subject);
    if (value != (recorded == record_.shape.end() ? "" : recorded->second)) return subject;
  }
  for (const auto& [policy, environment] : placed_) {
    if (environment !=
        environment_for(policy->spec(), overrides_, input_.namespace_labels, labels_, input_.installation)) {
      return "environment";
    }
  }
  const auto wish = read_wish(annotations_, input_.ns);
  if (!wish.ok()) return "";
  const auto selection = select_policies(*wish, input_.policies, input_.ns, input_.namespace_labels, labels_);
  if (!selection.obstacle && selection.policies != usable_) return "policies";
  return "";
}

LiveState Looking::look() {
  LiveState state;
  find_policies();
  state.gone = gone_;
  if (record_.config_version != config::kVersion) {
    state.stale = true;
    state.stale_because = "configVersion";
    return state;
  }
  std::vector<Error> invalid;  // an annotation edited into nonsense counts as absent on a running Pod
  overrides_ = read_overrides(annotations_, input_.installation, invalid);
  const Settings settings = settle(usable_, overrides_, input_.installation, all_guaranteed(input_.pod));
  state.differences = settings.differences;
  auto text = config_text(document(settings));
  if (text.size() <= api::kMaxConfigBytes) {
    want(state, api::kConfig, std::move(text));
    want(state, api::kStatus, record_text(record_));
  }
  state.stale_because = staleness(settings);
  state.stale = !state.stale_because.empty();
  return state;
}

}  // namespace

std::optional<LiveState> live_state(const LiveInput& input) {
  auto record = read_record(input.pod);
  if (!record || own_container(input.pod).is_null()) return std::nullopt;
  for (auto& policy : record->policies) {
    if (!policy.key.cluster()) policy.key.ns = input.ns;
  }
  return Looking(input, std::move(*record)).look();
}

bool applications_ended(const json& pod) {
  const json& spec = member(pod, "spec");
  const auto restart = text_at(spec, "restartPolicy");
  if (restart != "Never" && restart != "OnFailure") return false;
  bool ours = false;
  std::size_t others = 0;
  for (const auto& container : list_at(spec, "containers")) {
    if (is_ours(container)) {
      ours = true;
    } else {
      ++others;
    }
  }
  if (!ours || others == 0) return false;
  std::size_t ended = 0;
  for (const auto& status : list_at(member(pod, "status"), "containerStatuses")) {
    if (text_at(status, "name") == api::kContainerName) continue;
    const json& terminated = member(status, "state", "terminated");
    if (!terminated.is_object()) continue;
    if (restart == "Never" || api::integer_at(terminated, "exitCode").value_or(1) == 0) ++ended;
  }
  return ended == others;
}

}  // namespace ambassador::inject
