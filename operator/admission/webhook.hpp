// The webhook's HTTP side: which path is asked, is it a review at all, and the answer's bytes. Everything
// that is no review gets a 4xx that says why.
//
// Threads: handle() is called by the HTTP server's threads and never blocks.
#pragma once

#include <functional>
#include <string>

#include "common/http/message.hpp"
#include "operator/admission/pods.hpp"

namespace ambassador::admission {

/// The leader proves that the API server reaches us by the dry run of a policy with this name in the
/// operator's own namespace; it is refused with kReachabilityAnswer, whoever asks.
inline constexpr const char* kReachabilityPolicy = "reachability-check";
inline constexpr const char* kReachabilityAnswer = "the ambassador operator's webhook was reached";
/// Neither 403 nor 422: in the audit log it must look like neither a lack of permission nor a mistake.
inline constexpr int kReachabilityCode = 418;

class Webhook {
 public:
  /// @param own_namespace the operator's
  Webhook(const Pods& pods, Counts& counts, std::string own_namespace);

  void handle(const http::Request& request, http::Reply reply) const;

 private:
  void review_pod(const std::shared_ptr<const Review>& review, http::Reply reply) const;
  void review_policy(const Review& review, const http::Reply& reply) const;
  void refuse(const http::Reply& reply, unsigned status, const std::string& why) const;

  const Pods& pods_;
  Counts& counts_;
  const std::string own_namespace_;
};

}  // namespace ambassador::admission
