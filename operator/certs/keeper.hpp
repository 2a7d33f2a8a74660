// Keeps the webhook's certificate: reads (and, where it is ours to make, writes and rotates) the one Secret
// that all replicas share, and swaps what the listener serves. Runs on every replica; replicas agree by the
// Secret's resourceVersion, so no leader is needed.
//
// The CA bundle goes into `annotated` and into the policies' ValidatingWebhookConfiguration from here
// (webhook_trust.hpp). Into the entry of `selected` it goes from the controller that applies that entry: a
// second field manager in there would keep half an entry alive when the controller takes its own away.
//
// Threads: everything but start() and stop() may be called by every thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/tls/source.hpp"
#include "operator/kube/client.hpp"

namespace ambassador::certs {

enum class Origin {
  own,          // CA and certificate are made here and rotated
  cert_manager  // cert-manager writes the Secret and the CA bundles; only read here
};

struct KeeperOptions {
  Origin origin = Origin::own;
  std::string name_space;
  std::string secret;
  std::vector<std::string> dns_names;  // what the API server calls us: service.ns.svc first
  /// How often the Secret is looked at: another replica's new certificate is served that much later.
  std::chrono::milliseconds interval{std::chrono::seconds(10)};
  /// Does the live `annotated` configuration trust this CA (PEM)? Asked before a certificate of a
  /// new CA is issued, so that none is ever served that the API server refuses.
  std::function<bool(const std::string& ca)> trusted = {};
  std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;
};

/// Two replicas that start at once write the same Secret; who loses reads again.
inline constexpr int kWriteTries = 5;

class Keeper {
 public:
  Keeper(const kube::Client& client, KeeperOptions options);
  ~Keeper();  // stops
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// Called on the keeper's thread when source() or ca_bundle() has become another one. Before start().
  void on_change(std::function<void()> handler);
  void start();
  void stop();

  /// What the listener serves; null until there is a certificate. The same object from then on: rotation
  /// swaps what is in it.
  [[nodiscard]] std::shared_ptr<tls::Source> source() const;
  /// PEM of every CA to trust now (the old and the new one during a rotation); "" until known.
  [[nodiscard]] std::string ca_bundle() const;
  /// PEM of the certificate served, its chain after it; "" until there is one.
  [[nodiscard]] std::string certificate() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ambassador::certs
