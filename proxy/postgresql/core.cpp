#include "proxy/postgresql/core.hpp"

#include "proxy/postgresql/core_parts.hpp"
#include "proxy/postgresql/pool_key.hpp"
#include "proxy/postgresql/server.hpp"
#include "proxy/postgresql/session.hpp"

namespace ambassador::proxy::postgresql {
namespace {

class PostgresCore final : public PooledCore {
 public:
  explicit PostgresCore(std::unique_ptr<CoreParts> parts) : parts_(std::move(parts)) {}

  // The longest message that is held, and the head of the one behind it.
  [[nodiscard]] std::size_t max_head() const override { return kMaxKept + kHeader; }
  [[nodiscard]] std::unique_ptr<PooledSession> new_session(const Client& client) const override {
    return std::make_unique<PostgresSession>(*parts_, client);
  }
  [[nodiscard]] std::unique_ptr<PooledServer> new_server(std::string_view key, bool alone) const override {
    LoginPlan plan;
    plan.encrypt = parts_->settings.server_tls != config::TlsMode::disabled;
    plan.log_in = !alone;
    if (!alone) {
      plan.credentials = parts_->credentials();
      plan.parameters = parameters_of(key);
      plan.nonce = make_nonce(parts_->settings);
    }
    return std::make_unique<PostgresqlServer>(std::move(plan));
  }
  // With Passthrough there is nobody to ask as.
  [[nodiscard]] bool can_watch() const override {
    return parts_->settings.authentication == config::Authentication::proxy;
  }
  [[nodiscard]] std::string watch_key() const override {
    const auto account = parts_->settings.account();
    if (!account) return {};
    return make_key({}, account->user, watched_database(), Shared::by_most);
  }
  void rebind(PooledSession& session) const override {
    static_cast<PostgresSession&>(session).rebind(*parts_);  // cores of a listener are of one protocol
  }
  [[nodiscard]] std::vector<PinCount> pinned() const override {
    std::vector<PinCount> all;
    if (!parts_->settings.pins) return all;
    for (std::size_t i = 0; i < kPins; ++i)
      all.push_back({kPinNames[i], parts_->settings.pins->pinned[i].load(std::memory_order_relaxed)});
    return all;
  }
  [[nodiscard]] UnitCounts units() const override {
    UnitCounts all;
    if (!parts_->settings.pins) return all;
    for (const PinCounters::Transactions& of_core : parts_->settings.pins->transactions) {
      all.pinned += of_core.pinned.load(std::memory_order_relaxed);
      all.unpinned += of_core.unpinned.load(std::memory_order_relaxed);
    }
    return all;
  }

  void login_changed() const override { parts_->login_changed(); }

 private:
  // Any will do that is there: what is configured, what a client was let into, or what tools connect to.
  [[nodiscard]] std::string watched_database() const {
    if (!parts_->settings.database.empty()) return parts_->settings.database;
    const auto& greeted = parts_->greetings;
    return greeted.empty() ? "postgres" : std::string(database_of(greeted.begin()->first));
  }

  const std::unique_ptr<CoreParts> parts_;  // what its sessions and servers write
};

}  // namespace

std::shared_ptr<const PooledCore> make_core(Settings settings) {
  auto parts = std::make_unique<CoreParts>();
  parts->settings = std::move(settings);
  if (const auto& pins = parts->settings.pins)
    parts->transactions =
        &pins->transactions[pins->cores.fetch_add(1, std::memory_order_relaxed) % PinCounters::kCores];
  return std::make_shared<const PostgresCore>(std::move(parts));
}

}  // namespace ambassador::proxy::postgresql
