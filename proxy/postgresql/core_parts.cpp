#include "proxy/postgresql/core_parts.hpp"

#include <array>
#include <utility>

#include "proxy/postgresql/base64.hpp"
#include "proxy/postgresql/limits.hpp"

namespace ambassador::proxy::postgresql {
namespace {

/// As PostgreSQL's scram_iterations.
constexpr unsigned kIterations = 4096;

ScramVerifier verifier_of(const std::string& password, const Settings& settings) {
  if (const auto verifier = read_scram_verifier(password)) return verifier.value();
  std::array<char, 16> salt{};
  settings.random(salt);
  return make_scram_verifier(password, {salt.data(), salt.size()}, kIterations);
}

}  // namespace

const std::shared_ptr<Credentials>& CoreParts::credentials() {
  if (std::exchange(account_taken_, true)) return credentials_;
  // With passthrough nobody is asked for; a client that came in before a reload to that has nobody.
  if (auto now = settings.account ? settings.account() : nullptr; now != account_) {
    credentials_ = now ? std::make_shared<Credentials>(now->user, now->password) : nullptr;
    account_ = std::move(now);
  }
  return credentials_;
}

const ClientLogin* CoreParts::client_login() {
  if (auto now = settings.client_account(); now != client_account_) {
    client_login_.reset();
    if (now) client_login_ = ClientLogin{now->user, verifier_of(now->password, settings)};
    client_account_ = std::move(now);
  }
  return client_login_ ? &*client_login_ : nullptr;
}

std::string make_nonce(const Settings& settings) {
  std::array<char, 18> bytes{};  // as PostgreSQL takes
  settings.random(bytes);
  return base64({bytes.data(), bytes.size()});
}

void remember(std::map<std::string, std::string, std::less<>>& table, std::string key, std::string value) {
  if (table.size() >= kMaxRemembered) table.clear();
  table[std::move(key)] = std::move(value);
}

}  // namespace ambassador::proxy::postgresql
