// Prepared statements that follow their clients from server to server. Equal statements (SQL and parameter
// types) have one name on all servers, whoever prepares them under whichever name; which of them one server
// has its StatementNames know. Used by the session. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/postgresql/pins.hpp"
#include "proxy/postgresql/route_scan.hpp"
#include "proxy/postgresql/values.hpp"

namespace ambassador::proxy::postgresql {

/// No client's statement that is sent to a server under the client's own name may begin so.
inline constexpr std::string_view kStatementPrefix = "amb_";

struct Statement {
  std::uint64_t id = 0;  // given once per process: servers outlive cores
  std::string name;      // on the servers: amb_<id>
  std::string body;      // SQL, zero, parameter types: a Parse without its name
  bool scanned = false;
  PinSet pins = 0;           // of those who use it
  TrackedSet resets = 0;     // PinScan::resets
  bool deallocates = false;  // PinScan::deallocates
  std::optional<Route> route;
};

class Statements {
 public:
  /// The statement with this body, made if there is none.
  [[nodiscard]] std::shared_ptr<Statement> get(std::string_view body);

 private:
  void forget_unused();

  std::unordered_map<std::string_view, std::shared_ptr<Statement>> all_;  // keys lie in the bodies
  std::size_t sweep_at_ = 0;
};

/// A number that was never given before in this process.
[[nodiscard]] std::uint64_t next_statement_id();

[[nodiscard]] std::string statement_name(std::uint64_t id);

}  // namespace ambassador::proxy::postgresql
