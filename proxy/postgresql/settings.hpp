// PostgreSQL as one listener is to speak it: what the core is made of. Filled by proxy/app from the
// configuration and the Secrets. Plain values.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "common/config/document.hpp"
#include "proxy/postgresql/pins.hpp"
#include "proxy/session/account.hpp"
#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::postgresql {

struct Settings {
  config::Authentication authentication = config::Authentication::proxy;
  config::Pooling pooling = config::Pooling::session;  // passthrough: session
  /// For clients that name none; empty: their user's name, as the protocol has it.
  std::string database;
  /// Anything but disabled: no server is spoken to in plain text.
  config::TlsMode server_tls = config::TlsMode::disabled;
  /// Which servers clients get.
  Role role = Role::primary;
  /// With Role::primary and pooling by transaction: what goes to replicas nevertheless...
  config::ReadWriteSplit split = config::ReadWriteSplit::disabled;
  /// ...and whether to those alone that have what the client wrote.
  bool causal_reads = true;
  /// Authentication::proxy: asked once, and again after each PooledCore::login_changed. Null as long as there
  /// is none: clients are told so. Any thread that has a core of these settings.
  AccountFunction account;
  /// Authentication::proxy: who clients have to prove to be, by SCRAM; its password may be a verifier
  /// (scram_keys.hpp). Asked at every login of a client; null: there is nothing to prove it by yet, and
  /// nobody is let in. Threads as for `account`. Empty: clients are trusted.
  AccountFunction client_account;
  /// Fills the bytes with what nobody can guess.
  std::function<void(std::span<char>)> random;
  /// May be null.
  std::shared_ptr<PinCounters> pins;
};

}  // namespace ambassador::proxy::postgresql
