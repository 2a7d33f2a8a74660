#include "operator/admission/webhook.hpp"

#include <chrono>
#include <exception>

#include "common/log/log.hpp"
#include "operator/api/names.hpp"
#include "operator/api/review.hpp"

namespace ambassador::admission {

namespace {

using Clock = std::chrono::steady_clock;

bool is_json(std::string_view content_type) {
  constexpr std::string_view kJson = "application/json";
  if (!content_type.starts_with(kJson)) return false;
  const auto rest = content_type.substr(kJson.size());
  return rest.empty() || rest.front() == ';' || rest.front() == ' ';
}

bool is_pod(const Review& review) {
  return review.group.empty() && review.version == "v1" && review.kind == "Pod" && review.subresource.empty();
}
bool is_policy(const Review& review) {
  return review.group == api::kGroup && review.version == api::kVersion &&
         (review.kind == api::kKind || review.kind == api::kClusterKind) && review.subresource.empty();
}

}  // namespace

Webhook::Webhook(const Pods& pods, Counts& counts, std::string own_namespace)
    : pods_(pods), counts_(counts), own_namespace_(std::move(own_namespace)) {}

void Webhook::handle(const http::Request& request, http::Reply reply) const {
  const bool pods = request.path() == api::kMutatePath;
  const bool policies = request.path() == api::kValidatePath;
  if (!pods && !policies)
    return refuse(reply, 404, "no such path; reviews go to " + std::string(api::kMutatePath));
  if (request.method != "POST") return refuse(reply, 405, "reviews are sent by POST");
  if (!is_json(request.header("content-type")))
    return refuse(reply, 415, "Content-Type must be application/json");
  try {
    auto read = read_review(request.body);
    if (!read.ok()) return refuse(reply, 400, read.error().text());
    const auto review = std::make_shared<const Review>(std::move(read).value());
    if (pods && is_pod(*review)) return review_pod(review, std::move(reply));
    if (policies && is_policy(*review)) return review_policy(*review, reply);
    refuse(reply, 400,
           "request.kind: " + review->kind + " of \"" + review->group + "/" + review->version +
               "\" is not reviewed on this path");
  } catch (const std::exception& failure) {
    log::error("review failed", {{"path", request.path()}, {"why", failure.what()}});
    refuse(reply, 500, "the review failed; the operator's log says why");
  }
}

void Webhook::review_pod(const std::shared_ptr<const Review>& review, http::Reply reply) const {
  pods_.review(review, [uid = review->uid, reply = std::move(reply)](const Verdict& verdict) {
    reply(http::Response::json(answer_text(uid, verdict)));
  });
}

void Webhook::review_policy(const Review& review, const http::Reply& reply) const {
  const auto began = Clock::now();
  Verdict verdict;
  verdict.code = 422;
  verdict.reason = "Invalid";
  if (review.dry_run && review.ns == own_namespace_ && review.name == kReachabilityPolicy) {
    verdict.allowed = false;
    verdict.code = kReachabilityCode;
    verdict.reason = "Reached";
    verdict.message = kReachabilityAnswer;
  } else {
    auto found = api::review_policy(review.request);
    verdict.allowed = found.allowed;
    verdict.message = std::move(found.message);
    verdict.warnings = std::move(found.warnings);
    counts_.policy(verdict.allowed, Clock::now() - began);
    if (!verdict.allowed) {
      log::info("policy refused",
                {{"namespace", review.ns}, {"policy", review.name}, {"message", verdict.message}});
    }
  }
  reply(http::Response::json(answer_text(review.uid, verdict)));
}

void Webhook::refuse(const http::Reply& reply, unsigned status, const std::string& why) const {
  counts_.refused(status);
  reply(http::Response::text(status, why + "\n"));
}

}  // namespace ambassador::admission
