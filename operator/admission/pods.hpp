// Answers the API server's question about a Pod: from the cache, or after one live read where the Pod asked
// for a policy that the cache does not know. The decision itself is inject::decide.
//
// Threads: review() may be called by every thread and does not block; `done` is called before it returns, or
// later on a thread of the LiveReader. Nothing of a Pod but its name is ever logged.
#pragma once

#include <functional>
#include <memory>

#include "operator/admission/cluster_view.hpp"
#include "operator/admission/counts.hpp"
#include "operator/admission/live_reader.hpp"
#include "operator/admission/review.hpp"

namespace ambassador::admission {

class Pods {
 public:
  using Done = std::function<void(const Verdict&)>;

  /// All three must outlive this and every answer that is still owed.
  Pods(const ClusterView& view, LiveReader& reader, Counts& counts);

  /// `review` must be of a Pod. `done` is called exactly once and must not throw.
  void review(const std::shared_ptr<const Review>& review, const Done& done) const;

 private:
  inject::Decision decide(const Review& review, std::vector<inject::KnownPolicyPtr> policies,
                          api::Labels namespace_labels) const;

  const ClusterView& view_;
  LiveReader& reader_;
  Counts& counts_;
};

}  // namespace ambassador::admission
