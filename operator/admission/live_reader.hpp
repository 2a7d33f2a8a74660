// Reads a namespace's policies from the API server for Pods whose policy the cache does not know yet (policy
// and Pod in one `kubectl apply`). Off the webhook's threads; Pods of one namespace share a read.
//
// Threads: read() may be called by every thread and never blocks; `done` is called on a thread of the reader.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/result/result.hpp"
#include "operator/api/selector.hpp"
#include "operator/inject/known_policy.hpp"
#include "operator/kube/client.hpp"

namespace ambassador::admission {

struct LiveFacts {
  std::vector<inject::KnownPolicyPtr> policies;  // the namespace's own and every ClusterAmbassadorPolicy
  api::Labels namespace_labels;
};

struct LiveReaderOptions {
  /// From the Pod's coming on. The API server waits 5 s for us.
  std::chrono::milliseconds limit{2000};
  unsigned threads = 4;
  /// Pods that wait for a read. Beyond it they are refused at once, and created again by their owners.
  std::size_t max_waiting = 1000;
};

class LiveReader {
 public:
  using Done = std::function<void(Result<LiveFacts>)>;

  explicit LiveReader(const kube::Client& client, LiveReaderOptions options = {});
  /// Whoever still waits is told so.
  ~LiveReader();
  LiveReader(const LiveReader&) = delete;
  LiveReader& operator=(const LiveReader&) = delete;

  /// `done` is called once, within the limit. The read begins after this call: what was there then is seen.
  void read(const std::string& ns, Done done);

  [[nodiscard]] std::uint64_t reads() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ambassador::admission
