#include "proxy/postgresql/core_parts.hpp"

#include <openssl/crypto.h>

#include <array>

#include "proxy/postgresql/base64.hpp"
#include "proxy/postgresql/limits.hpp"

namespace ambassador::proxy::postgresql {

Account::~Account() {
  OPENSSL_cleanse(user.data(), user.size());
  OPENSSL_cleanse(password.data(), password.size());
}

const std::shared_ptr<Credentials>& CoreParts::credentials() {
  // With passthrough nobody is asked for; a client that came in before a reload to that has nobody.
  if (auto now = settings.account ? settings.account() : nullptr; now != account_) {
    credentials_ = now ? std::make_shared<Credentials>(now->user, now->password) : nullptr;
    account_ = std::move(now);
  }
  return credentials_;
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
