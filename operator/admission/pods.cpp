#include "operator/admission/pods.hpp"

#include <exception>

#include "common/log/log.hpp"
#include "operator/kube/object.hpp"

namespace ambassador::admission {

namespace {

using Clock = std::chrono::steady_clock;

Verdict verdict_of(const inject::Decision& decision) {
  Verdict verdict;
  verdict.allowed = decision.allowed();
  if (verdict.allowed) verdict.patch = decision.patch;
  verdict.message = decision.message;
  verdict.warnings = decision.warnings;
  return verdict;
}

/// One line per Pod that somebody may ask about: refused or skipped at level info, the others at debug.
void tell(const Review& review, const inject::Decision& decision) {
  const bool notable =
      decision.outcome == inject::Outcome::denied || decision.outcome == inject::Outcome::skipped;
  const auto level = notable ? log::Level::info : log::Level::debug;
  if (!log::enabled(level)) return;
  std::string policies;
  for (const auto& key : decision.policies) policies += (policies.empty() ? "" : ",") + key.text();
  const auto name = review.name.empty() ? kube::string_at(review.object(), {"metadata", "generateName"}) + "*"
                                        : review.name;
  log::write(level, "pod reviewed",
             {{"namespace", review.ns},
              {"pod", name},
              {"result", inject::text(decision.outcome)},
              {"reason", decision.cause},
              {"policies", policies},
              {"message", notable ? decision.message : std::string()},
              {"dry_run", review.dry_run}});
}

}  // namespace

Pods::Pods(const ClusterView& view, LiveReader& reader, Counts& counts)
    : view_(view), reader_(reader), counts_(counts) {}

inject::Decision Pods::decide(const Review& review, std::vector<inject::KnownPolicyPtr> policies,
                              api::Labels namespace_labels) const {
  const auto installation = view_.installation();
  return inject::decide({.pod = review.object(),
                         .ns = review.ns,
                         .namespace_labels = std::move(namespace_labels),
                         .operation = review.operation,
                         .policies = std::move(policies),
                         .installation = *installation});
}

void Pods::review(const std::shared_ptr<const Review>& review, const Done& done) const {
  const auto began = Clock::now();
  const auto answer = [this, began, review, done](const inject::Decision& decision) {
    counts_.pod(decision.outcome, decision.cause, Clock::now() - began);
    tell(*review, decision);
    done(verdict_of(decision));
  };
  if (!view_.watches(review->ns)) {
    inject::Decision untouched;
    untouched.outcome = inject::Outcome::ignored;
    untouched.cause = "NamespaceNotWatched";
    return answer(untouched);
  }
  const auto labels = view_.namespace_labels(review->ns);
  auto decision = decide(*review, view_.policies_for(review->ns), labels.value_or(api::Labels{}));
  // A namespace made a moment ago: its labels choose the environment, which is pinned now and for good.
  const bool concerned = decision.outcome != inject::Outcome::not_requested &&
                         decision.outcome != inject::Outcome::opted_out &&
                         decision.outcome != inject::Outcome::ignored;
  if (!decision.policies_missing && (labels.has_value() || !concerned)) return answer(decision);

  reader_.read(review->ns, [this, review, answer, cached = std::move(decision)](Result<LiveFacts> facts) {
    counts_.live_read(facts.ok());
    auto decided = cached;
    if (facts.ok()) {
      try {
        decided = decide(*review, std::move(facts->policies), std::move(facts->namespace_labels));
      } catch (const std::exception& failure) {  // nobody above this thread could catch it
        log::error("review failed", {{"namespace", review->ns}, {"why", failure.what()}});
      }
    } else {
      decided.message += " (looked for on the API server: " + facts.error().text() + ")";
      log::warning("policies not read", {{"namespace", review->ns}, {"why", facts.error().text()}});
    }
    answer(decided);
  });
}

}  // namespace ambassador::admission
