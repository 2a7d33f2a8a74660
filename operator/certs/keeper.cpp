#include "operator/certs/keeper.hpp"

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/log/log.hpp"
#include "operator/certs/call_timeout.hpp"
#include "operator/certs/inspect.hpp"
#include "operator/certs/rotation.hpp"
#include "operator/certs/secret.hpp"
#include "operator/kube/timestamp.hpp"

namespace ambassador::certs {

namespace {
/// Nothing is served yet, or the last look failed: the next one comes soon.
constexpr std::chrono::milliseconds kRetry{1000};

/// A Secret that was deleted or garbled is written again as it was: a new CA would be trusted by nobody for a
/// while. A bundle without ca.key is no damage but a wish: a new CA, beside the old one.
bool is_damaged(const Material& stored) {
  if (read_certificates(stored.ca_bundle).empty()) return true;
  return !stored.ca_key.empty() && !key_fits(stored.ca_bundle, stored.ca_key);
}
}  // namespace

class Keeper::Impl {
 public:
  Impl(const kube::Client& client, KeeperOptions options) : client_(client), options_(std::move(options)) {}

  void start() {
    thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
  }

  std::vector<std::function<void()>> handlers;

  std::shared_ptr<tls::Source> source() const {
    const std::lock_guard lock(mutex_);
    return source_;
  }
  Material material() const {
    const std::lock_guard lock(mutex_);
    return material_;
  }

 private:
  void run(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    while (!stop.stop_requested()) {
      const bool looked = look(stop);
      std::unique_lock lock(mutex);
      never.wait_for(lock, stop, looked ? options_.interval : kRetry, [] { return false; });
    }
  }

  /// True when what is served now is what the Secret says.
  bool look(const std::stop_token& stop) {
    for (int tries = 0; tries < kWriteTries && !stop.stop_requested(); ++tries) {
      auto secret = client_.get(kube::resources::secrets, options_.name_space, options_.secret,
                                {.timeout = kCallTimeout, .stop = stop});
      if (!secret.ok() && !secret.error().not_found())
        return complain("certificate not read", secret.error());
      const nlohmann::json current = secret.ok() ? **secret : nlohmann::json();
      if (options_.origin == Origin::cert_manager) return read_foreign(current);
      switch (rotate_and_write(current, stop)) {
        case Written::yes:
          return true;
        case Written::no:
          return false;
        case Written::somebody_was_faster:
          break;
      }
    }
    return false;
  }

  bool read_foreign(const nlohmann::json& secret) {
    const Material found = read_secret(secret);
    if (found.certificate.empty() || found.key.empty()) {
      log::warning("certificate missing", {{"secret", options_.secret},
                                           {"hint", "cert-manager has not written tls.crt and tls.key yet"}});
      return false;
    }
    return serve(found);
  }

  enum class Written { yes, no, somebody_was_faster };

  Written rotate_and_write(const nlohmann::json& current, const std::stop_token& stop) {
    RotationInput input{read_secret(current), options_.dns_names, options_.now(), options_.trusted};
    const Material ours = material();
    if (!ours.ca_key.empty() && is_damaged(input.current)) input.current = ours;
    auto rotation = rotate(input);
    if (!rotation.ok()) {
      log::error("certificate not made", {{"why", rotation.error().text()}});
      return Written::no;
    }
    Material& wanted = rotation->material;
    if (wanted == read_secret(current)) return serve(wanted) ? Written::yes : Written::no;
    const auto document = write_secret(current, options_.name_space, options_.secret, wanted);
    kube::WriteOptions write;
    write.timeout = kCallTimeout;
    write.stop = stop;
    auto written = current.is_null()
                       ? client_.create(kube::resources::secrets, options_.name_space, document, write)
                       : client_.update(kube::resources::secrets, document, write);
    if (!written.ok()) {
      // Also the answer to our own write whose first answer got lost: reading again finds it done.
      if (written.error().code == 409) return Written::somebody_was_faster;
      complain("certificate not written", written.error());
      return Written::no;
    }
    log::info("certificate written",
              {{"secret", options_.secret},
               {"why", rotation->reason.empty() ? std::string("the Secret was gone") : rotation->reason}});
    return serve(wanted) ? Written::yes : Written::no;
  }

  bool serve(const Material& wanted) {
    {
      const std::lock_guard lock(mutex_);
      if (wanted == material_) return true;
      if (wanted.certificate != material_.certificate || wanted.key != material_.key) {
        if (!source_) {
          auto made = tls::Source::from_pem(wanted.certificate, wanted.key);
          if (!made.ok()) return refuse(made.error());
          source_ = *made;
        } else if (auto replaced = source_->replace_pem(wanted.certificate, wanted.key); !replaced.ok()) {
          return refuse(replaced.error());
        }
        const auto info = source_->info();
        log::info("certificate served",
                  {{"serial", info.serial}, {"not_after", kube::rfc3339(info.not_after)}});
      }
      material_ = wanted;
    }
    for (const auto& handler : handlers) handler();
    return true;
  }

  bool refuse(const Error& error) const {
    log::error("certificate not usable", {{"secret", options_.secret}, {"why", error.text()}});
    return false;
  }
  bool complain(std::string_view event, const kube::ApiError& error) const {
    log::warning(event, {{"secret", options_.secret}, {"why", error.text()}});
    return false;
  }

  const kube::Client& client_;
  const KeeperOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<tls::Source> source_;
  Material material_;
  std::jthread thread_;
};

Keeper::Keeper(const kube::Client& client, KeeperOptions options)
    : impl_(std::make_unique<Impl>(client, std::move(options))) {}
Keeper::~Keeper() {
  stop();
}
void Keeper::on_change(std::function<void()> handler) {
  impl_->handlers.push_back(std::move(handler));
}
void Keeper::start() {
  impl_->start();
}
void Keeper::stop() {
  impl_->stop();
}
std::shared_ptr<tls::Source> Keeper::source() const {
  return impl_->source();
}
std::string Keeper::ca_bundle() const {
  return impl_->material().ca_bundle;
}
std::string Keeper::certificate() const {
  return impl_->material().certificate;
}

}  // namespace ambassador::certs
