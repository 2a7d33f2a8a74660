// A PostgreSQL server's side of a conversation, written by hand, and something that carries out the steps of
// what logs in there. No sockets.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "proxy/postgresql/server.hpp"
#include "proxy/postgresql/write.hpp"

namespace toy {

using namespace ambassador::proxy;
using namespace ambassador::proxy::postgresql;

/// What a server says in one or several messages.
template <class Write>
std::string said(Write write) {
  std::string text;
  write(text);
  return text;
}

inline std::string error(std::string_view code, std::string_view severity = "FATAL") {
  return said([&](auto& out) { write_error(out, {.severity = severity, .code = code, .message = "no"}); });
}
inline std::string parameter(std::string_view name, std::string_view value) {
  return said([&](auto& out) { write_parameter_status(out, name, value); });
}
inline std::string ready(char status = 'I') {
  return said([&](auto& out) { write_ready(out, status); });
}
inline std::string complete(std::string_view tag) {
  std::string text = "C";
  text += std::string(3, '\0') + static_cast<char>(4 + tag.size() + 1);
  return text.append(tag) + '\0';
}
/// From AuthenticationOk to ReadyForQuery.
inline std::string welcome(std::string_view key = "keys") {
  return said([&](auto& out) {
    write_authentication_ok(out);
    write_parameter_status(out, "server_version", "15.1");
    write_parameter_status(out, "in_hot_standby", "off");
    write_backend_key(out, 42, key);
    write_ready(out, 'I');
  });
}

inline LoginPlan plan(const std::string& password = "pencil") {
  return {.credentials = std::make_shared<Credentials>("me", password),
          .parameters = {{"database", "db"}},
          .nonce = "clientnonce"};
}

/// What came of carrying out steps until they say need_more, ready or failed.
struct Outcome {
  Step::Kind kind = Step::Kind::need_more;
  bool passing = false;
  std::string sent;  // to the server
  std::string text;  // of failed
  bool tls = false;  // start_tls was said
};

/// Feeds a server connection (or a Login) with bytes as a relay does.
template <class Asked>
class Feeder {
 public:
  explicit Feeder(Asked& asked) : asked_(asked) {}

  /// `bytes` arrive. With start_tls, tls_started(peer) is called at once.
  Outcome feed(std::string_view bytes, const TlsPeer& peer = {}) {
    const auto gone = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
    skip_ -= gone;
    input_ += bytes.substr(gone);
    Outcome outcome;
    for (;;) {
      // A copy of exactly what is there: a read past its end is seen by the sanitizers.
      const std::vector<char> shown(input_.begin(), input_.end());
      const Step step = ask({shown.data(), shown.size()});
      REQUIRE(step.consumed <= input_.size());
      input_.erase(0, step.consumed);
      if (step.more > 0) {
        REQUIRE(input_.empty());
        skip_ = step.more;
      }
      switch (step.kind) {
        case Step::Kind::skip:
          if (skip_ > 0 || (idle_ && input_.empty())) return outcome;
          break;
        case Step::Kind::send:
          REQUIRE(step.to == Side::server);
          outcome.sent += step.text;
          break;
        case Step::Kind::start_tls:
          REQUIRE(input_.empty());
          outcome.tls = true;
          asked_.tls_started(peer);
          break;
        default:
          outcome.kind = step.kind;
          outcome.passing = step.passing;
          outcome.text = step.text;
          idle_ = step.kind == Step::Kind::ready;
          return outcome;
      }
    }
  }
  [[nodiscard]] bool input_empty() const { return input_.empty(); }

 private:
  Step ask(std::string_view input) {
    if constexpr (std::is_same_v<Asked, Login>)
      return asked_.on_bytes(input);
    else
      return asked_.on_bytes({input.data(), input.size()});
  }

  Asked& asked_;
  std::string input_;
  std::uint64_t skip_ = 0;
  bool idle_ = false;  // ready was said: it is asked only when bytes arrive
};

}  // namespace toy
