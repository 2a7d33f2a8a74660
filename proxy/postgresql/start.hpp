// What a session knows of its client until it has let it in. Inside of the session.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "proxy/postgresql/scram_server.hpp"
#include "proxy/postgresql/session.hpp"
#include "proxy/postgresql/values.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::postgresql {

struct PostgresSession::Start {
  bool asked_tls = false;
  bool asked_gss = false;
  bool encrypted = false;
  std::string end_point;
  std::uint32_t minor = 0;
  std::string negotiation;  // goes before the first answer
  std::string packet;       // passthrough: the client's StartupMessage
  Values wishes;
  std::optional<ScramServer> scram;
  std::string user;       // with `scram`: who the client says that it is...
  bool is_known = false;  // ...and whether that may log in
  std::optional<Failure> failed;
  std::string failure_text;
  std::string refusal;  // of the wishes, by the server
};

}  // namespace ambassador::proxy::postgresql
