// What the sessions and servers of one core share. Inside of proxy/postgresql. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "proxy/postgresql/credentials.hpp"
#include "proxy/postgresql/parameters.hpp"
#include "proxy/postgresql/route_scan.hpp"
#include "proxy/postgresql/scram_keys.hpp"
#include "proxy/postgresql/settings.hpp"
#include "proxy/postgresql/statements.hpp"

namespace ambassador::proxy::postgresql {

/// What a client has to prove.
struct ClientLogin {
  std::string user;
  ScramVerifier verifier;
};

struct CoreParts {
  Settings settings;
  PinCounters::Transactions* transactions = nullptr;  // of settings.pins; null: they are not counted
  Statements statements;
  RouteScan route;
  std::string text;  // of the last step of any of them: idle clients hold no answers

  /// What servers of a key report after a login.
  std::map<std::string, Parameters::Map, std::less<>> greetings;
  /// How servers spell the value of a tracked parameter that a client gave: "<index> <given>" to reported.
  std::map<std::string, std::string, std::less<>> spellings;
  /// Of the account as it was after the last login_changed; null: there was none yet.
  [[nodiscard]] const std::shared_ptr<Credentials>& credentials();
  void login_changed() { account_taken_ = false; }
  /// Of settings.client_account, which is there, as it is now; null: there is none yet.
  [[nodiscard]] const ClientLogin* client_login();

 private:
  bool account_taken_ = false;
  std::shared_ptr<const Account> account_;
  std::shared_ptr<Credentials> credentials_;
  std::shared_ptr<const Account> client_account_;
  std::optional<ClientLogin> client_login_;
};

/// Printable text without commas, of 18 random bytes.
[[nodiscard]] std::string make_nonce(const Settings& settings);

/// Remembers within kMaxRemembered.
void remember(std::map<std::string, std::string, std::less<>>& table, std::string key, std::string value);

}  // namespace ambassador::proxy::postgresql
