// room: operator/admission
// Whatever reaches the webhook as a body: it is refused, or answered by a review with the same uid whose
// patch the API server can apply (one that it can't apply rejects the Pod even under failurePolicy Ignore),
// and whose second round changes nothing.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "operator/admission/review.hpp"
#include "operator/api/review.hpp"
#include "operator/inject/decide.hpp"

using namespace ambassador;
using nlohmann::json;

namespace {

const json kPolicy = json::parse(R"({
  "apiVersion": "ambassador.dev/v1alpha1", "kind": "AmbassadorPolicy",
  "metadata": {"name": "data", "namespace": "shop"},
  "spec": {"podSelector": {"matchLabels": {"app": "shop"}}, "listeners": [
    {"name": "cache", "protocol": "Redis", "port": 6380, "unixSocket": "Enabled",
     "env": {"url": "REDIS_URL", "host": "REDIS_HOST", "port": "REDIS_PORT"},
     "upstreams": [{"statefulSet": {"name": "redis-st", "port": 6379}}]}]}})");

inject::Decision decide(const admission::Review& review, const json& pod) {
  static const inject::Installation installation = [] {
    inject::Installation made;
    made.proxy_image = "ambassador-proxy:fuzz";
    return made;
  }();
  static const auto policy = inject::know_policy(kPolicy);
  return inject::decide({.pod = pod,
                         .ns = "shop",
                         .namespace_labels = {},
                         .operation = review.operation,
                         .policies = {policy},
                         .installation = installation});
}

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = admission::read_review({reinterpret_cast<const char*>(data), size});
  if (!read.ok()) {
    must(!read.error().what.empty());
    return 0;
  }
  const auto& review = read.value();
  (void)api::review_policy(review.request);

  const auto decision = decide(review, review.object());
  admission::Verdict verdict;
  verdict.allowed = decision.allowed();
  verdict.patch = decision.patch;
  verdict.message = decision.message;
  verdict.warnings = decision.warnings;
  const auto answer = json::parse(admission::answer_text(review.uid, verdict)).at("response");
  must(answer.at("uid") == review.uid && answer.at("allowed") == decision.allowed());
  must(answer.contains("patch") == answer.contains("patchType"));
  must(decision.allowed() != !decision.message.empty() || decision.outcome == inject::Outcome::skipped);

  if (!decision.allowed() || decision.patch.empty()) return 0;
  const json patched = review.object().patch(decision.patch);  // throws where it does not apply
  const auto again = decide(review, patched);
  must(again.allowed());
  must(patched.patch(again.patch) == patched);
  return 0;
}
