// Follows the live webhook configurations and puts the CA bundle into them where it is missing, at once and
// on every replica: what each does is the same, and needed before anybody leads. Says what readiness asks:
// would the API server take our certificate, has `annotated` kept its matchConditions?
//
// Threads: everything but start() and stop() may be called by every thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "common/result/result.hpp"
#include "operator/certs/keeper.hpp"
#include "operator/kube/client.hpp"

namespace ambassador::certs {

struct PublisherOptions {
  Origin origin = Origin::own;  // cert_manager: follows only, writes nothing
  std::string annotated;        // the MutatingWebhookConfiguration for Pods that ask by annotation
  std::string policies;         // the ValidatingWebhookConfiguration
  std::string dns_name;         // by which the API server verifies us
  /// How soon a write that failed is tried again.
  std::chrono::milliseconds retry{1000};
  std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
};

class Publisher {
 public:
  Publisher(const kube::Client& client, PublisherOptions options);
  ~Publisher();  // stops
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  void start();
  void stop();

  /// The bundle that both configurations are to hold from now on (PEM); "" changes nothing.
  void publish(std::string bundle);

  /// The live `annotated` holds this CA (PEM).
  [[nodiscard]] bool trusted(const std::string& ca) const;
  /// Would the API server, by the live `annotated`, take this certificate (PEM) now? The Error says why not.
  [[nodiscard]] Result<void> accepted(const std::string& certificate) const;
  /// The live `annotated` has its matchConditions. The Error says what is missing and the way out.
  [[nodiscard]] Result<void> intact() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ambassador::certs
