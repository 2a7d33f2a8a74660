#include "operator/certs/publisher.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/log/log.hpp"
#include "operator/certs/call_timeout.hpp"
#include "operator/certs/inspect.hpp"
#include "operator/certs/webhook_trust.hpp"
#include "operator/kube/informer.hpp"

namespace ambassador::certs {

namespace {
/// One object by its name: the RBAC rule allows no more.
kube::InformerOptions follow(const kube::Resource& resource, const std::string& name) {
  kube::InformerOptions options{.resource = resource};
  options.field_selector = "metadata.name=" + name;
  options.on_error = [name](const kube::ApiError& error) {
    log::warning("webhook configuration not followed", {{"name", name}, {"why", error.text()}});
  };
  return options;
}
}  // namespace

class Publisher::Impl {
 public:
  Impl(const kube::Client& client, PublisherOptions options)
      : client_(client),
        options_(std::move(options)),
        annotated_(client, follow(kube::resources::mutating_webhooks, options_.annotated)),
        policies_(client, follow(kube::resources::validating_webhooks, options_.policies)) {
    for (auto* informer : {&annotated_, &policies_}) {
      informer->on_change([this](const kube::Object&, const kube::Object&) { wake(); });
    }
  }

  void start() {
    annotated_.start();
    policies_.start();
    thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
  }
  void stop() {
    annotated_.stop();
    policies_.stop();
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
  }

  void publish(std::string bundle) {
    const std::lock_guard lock(mutex_);
    if (bundle.empty()) return;
    bundle_ = std::move(bundle);
    awake_ = true;
    changed_.notify_all();
  }

  kube::Object annotated() const { return annotated_.store().get(options_.annotated); }
  const PublisherOptions& options() const { return options_; }

 private:
  void wake() {
    const std::lock_guard lock(mutex_);
    awake_ = true;
    changed_.notify_all();
  }

  void run(std::stop_token stop) {
    bool done = true;
    while (!stop.stop_requested()) {
      std::string bundle;
      {
        std::unique_lock lock(mutex_);
        const auto woken = [this] { return awake_; };
        if (done) {
          changed_.wait(lock, stop, woken);
        } else {
          changed_.wait_for(lock, stop, options_.retry, woken);
        }
        awake_ = false;
        bundle = bundle_;
      }
      if (stop.stop_requested() || options_.origin == Origin::cert_manager) continue;
      const bool first = apply(annotated_, options_.annotated, bundle, stop);
      done = apply(policies_, options_.policies, bundle, stop) && first;
    }
  }

  bool apply(const kube::Informer& informer, const std::string& name, const std::string& bundle,
             const std::stop_token& stop) {
    const auto live = informer.store().get(name);
    if (!live) return true;  // its coming wakes us
    const auto wanted = trust_to_apply(*live, bundle);
    // Our own write has not come back through the watch yet: once is enough.
    const std::string seen = kube::resource_version_of(*live) + bundle;
    if (!wanted || applied_[name] == seen) return true;
    kube::WriteOptions write;
    write.field_manager = kTrustFieldManager;
    write.force = true;
    write.timeout = kCallTimeout;
    write.stop = stop;
    auto applied = client_.apply(informer.resource(), "", name, *wanted, "", write);
    if (!applied.ok()) {
      log::warning("CA bundle not written", {{"name", name}, {"why", applied.error().text()}});
      return false;
    }
    applied_[name] = seen;
    log::info("CA bundle written", {{"name", name}, {"kind", informer.resource().kind}});
    return true;
  }

  const kube::Client& client_;
  const PublisherOptions options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool awake_ = false;
  std::string bundle_;
  std::map<std::string, std::string> applied_;  // by name: the version that we found and the bundle
  kube::Informer annotated_;
  kube::Informer policies_;
  std::jthread thread_;
};

Publisher::Publisher(const kube::Client& client, PublisherOptions options)
    : impl_(std::make_unique<Impl>(client, std::move(options))) {}
Publisher::~Publisher() {
  stop();
}
void Publisher::start() {
  impl_->start();
}
void Publisher::stop() {
  impl_->stop();
}
void Publisher::publish(std::string bundle) {
  impl_->publish(std::move(bundle));
}

bool Publisher::trusted(const std::string& ca) const {
  const auto live = impl_->annotated();
  return live && trusts(*live, ca);
}

Result<void> Publisher::accepted(const std::string& certificate) const {
  const auto& options = impl_->options();
  const auto live = impl_->annotated();
  if (!live) return Error{options.annotated, "this MutatingWebhookConfiguration is not there"};
  const auto bundle = bundle_of(*live);
  if (bundle.empty()) return Error{options.annotated, "has no caBundle yet"};
  const auto verified = verify(certificate, bundle, options.dns_name, options.now());
  if (verified.ok()) return {};
  return Error{options.annotated, "its caBundle does not trust our certificate: " + verified.error().text()};
}

Result<void> Publisher::intact() const {
  const auto& name = impl_->options().annotated;
  const auto live = impl_->annotated();
  if (!live) return Error{name, "this MutatingWebhookConfiguration is not there"};
  if (has_match_conditions(*live)) return {};
  return Error{name,
               "has lost its matchConditions, so that every Pod of the cluster waits for us: apply the chart "
               "again"};
}

}  // namespace ambassador::certs
