#include "operator/inject/decide.hpp"

#include "operator/api/document.hpp"
#include "operator/api/names.hpp"
#include "operator/inject/apply.hpp"
#include "operator/inject/obstacles.hpp"
#include "operator/inject/plan.hpp"
#include "operator/inject/record.hpp"

namespace ambassador::inject {
namespace {

using nlohmann::json;

/// One decision in the making.
class Deciding {
 public:
  explicit Deciding(const AdmissionInput& input)
      : input_(input),
        metadata_(api::member(input.pod, "metadata")),
        annotations_(api::texts_at(metadata_, "annotations")),
        labels_(api::texts_at(metadata_, "labels")) {}

  Decision run();

 private:
  Decision refuse(const Obstacle& obstacle, bool asked);
  Decision leave(Outcome outcome);
  std::optional<Obstacle> prepare(const Wish& wish);
  Decision inject(bool asked);
  PodRecord record(const Settings& settings, const std::vector<Variable>& variables,
                   const Mounts& mounts) const;

  const AdmissionInput& input_;
  const json& metadata_;
  api::Labels annotations_;
  api::Labels labels_;
  Overrides overrides_;
  Selection selection_;
  std::vector<PlacedPolicy> placed_;
};

Decision Deciding::refuse(const Obstacle& obstacle, bool asked) {
  Decision decision = asked ? Decision{} : leave(Outcome::skipped);
  decision.outcome = asked ? Outcome::denied : Outcome::skipped;
  decision.cause = obstacle.cause;
  decision.message = obstacle.message;
  decision.policies_missing = selection_.policies_missing;
  for (const auto& policy : selection_.policies) decision.policies.push_back(policy->parsed.key);
  if (!asked) decision.warnings.push_back("no ambassador is injected: " + obstacle.message);
  return decision;
}

/// Allowed without an ambassador; what only the operator may write is taken away.
Decision Deciding::leave(Outcome outcome) {
  Decision decision;
  decision.outcome = outcome;
  Patch patch(input_.pod);
  strip(patch);
  decision.patch = patch.take();
  return decision;
}

Decision Deciding::run() {
  if (input_.operation != "CREATE" || annotations_.contains(api::kMirrorPod)) {
    Decision ignored;
    ignored.outcome = Outcome::ignored;
    return ignored;
  }
  if (const auto obstacle = malformed(input_.pod)) return refuse(*obstacle, true);
  const auto wish = read_wish(annotations_, input_.ns);
  if (!wish.ok()) return refuse({"InvalidAnnotation", wish.error().text()}, true);
  if (wish->kind == Wish::Kind::never) return leave(Outcome::opted_out);
  selection_ = select_policies(*wish, input_.policies, input_.ns, input_.namespace_labels, labels_);
  if (const auto obstacle = prepare(*wish)) return refuse(*obstacle, wish->asked());
  if (selection_.policies.empty()) return leave(Outcome::not_requested);
  return inject(wish->asked());
}

/// Everything that may stand in the way; leaves placed_ and overrides_ ready.
std::optional<Obstacle> Deciding::prepare(const Wish& wish) {
  if (selection_.obstacle) return selection_.obstacle;
  if (selection_.policies.empty() && !wish.asked()) return std::nullopt;
  if (auto obstacle = unfit(input_.pod)) return obstacle;
  std::vector<Error> errors;
  overrides_ = read_overrides(annotations_, input_.installation, errors);
  if (!errors.empty()) return Obstacle{"InvalidAnnotation", errors.front().text()};
  if (auto obstacle = unknown_environment(selection_.policies, overrides_)) return obstacle;
  if (auto obstacle = port_taken(selection_.policies, input_.pod, input_.installation)) return obstacle;
  for (const auto& policy : selection_.policies) {
    placed_.push_back({policy, environment_for(policy->spec(), overrides_, input_.namespace_labels, labels_,
                                               input_.installation)});
    if (auto obstacle = no_way(placed_.back())) return obstacle;
  }
  return std::nullopt;
}

/// A second pass keeps what the first one recorded of image and shape: those it does not change any more.
PodRecord Deciding::record(const Settings& settings, const std::vector<Variable>& variables,
                           const Mounts& mounts) const {
  PodRecord record;
  for (const auto& [policy, environment] : placed_) {
    record.policies.push_back({policy->parsed.key, policy->spec().hash, environment});
  }
  record.image = settings.image;
  record.config_version = config::kVersion;
  record.shape = shape_of(settings, variables, mounts);
  if (!injected_already(input_.pod)) return record;
  if (auto first = read_record(input_.pod)) {
    record.image = std::move(first->image);
    record.shape = std::move(first->shape);
  }
  return record;
}

Decision Deciding::inject(bool asked) {
  const auto& policies = selection_.policies;
  const bool already = injected_already(input_.pod);
  const Settings settings = settle(policies, overrides_, input_.installation, all_guaranteed(input_.pod));
  Decision decision;
  decision.outcome = already ? Outcome::already_injected : Outcome::injected;
  decision.warnings = settings.differences;
  const Mounts mounts = mounts_of(policies);
  PodFacts facts = pod_facts(input_.pod);
  facts.sockets = mounts.sockets;
  const auto variables = variables_of(policies, decision.warnings);
  const Injection injection{
      .settings = settings,
      .installation = input_.installation,
      .variables = variables,
      .mounts = mounts,
      .config = config_text(render_config(placed_, settings, facts, input_.installation)),
      .record = record_text(record(settings, variables, mounts))};
  if (injection.config.size() > api::kMaxConfigBytes) {
    return refuse(
        {"ConfigTooLarge", "the configuration would have " + std::to_string(injection.config.size()) +
                               " bytes, and at most " + std::to_string(api::kMaxConfigBytes) +
                               " fit an annotation: name fewer policies or backends"},
        asked);
  }
  Patch patch(input_.pod);
  apply(patch, injection, decision.warnings);
  decision.patch = patch.take();
  for (const auto& policy : policies) decision.policies.push_back(policy->parsed.key);
  return decision;
}

}  // namespace

std::string_view text(Outcome outcome) {
  switch (outcome) {
    case Outcome::injected:
      return "Injected";
    case Outcome::already_injected:
      return "AlreadyInjected";
    case Outcome::not_requested:
      return "NotRequested";
    case Outcome::opted_out:
      return "OptedOut";
    case Outcome::ignored:
      return "Ignored";
    case Outcome::skipped:
      return "Skipped";
    case Outcome::denied:
      return "Denied";
  }
  return "Unknown";
}

Decision decide(const AdmissionInput& input) {
  return Deciding(input).run();
}

}  // namespace ambassador::inject
