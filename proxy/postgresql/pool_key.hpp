// What makes servers interchangeable: who logs in, to which database, with which startup parameters (those
// that can't be set per client). The key is spelled as the body of the StartupMessage (name, zero, value,
// zero, ...; user and database first, the others in alphabetical order), which is unambiguous, and what a
// login sends. Made by the session, read by the server. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/postgresql/first_packet.hpp"

namespace ambassador::proxy::postgresql {

enum class Shared : std::uint8_t {
  by_most,    // clients with other tracked parameters get the same servers, where these are set for each
  by_equals,  // all parameters are the login's: what RESET brings back is the client's own
};

/// `packet`: a startup.
[[nodiscard]] std::string make_key(const FirstPacket& packet, std::string_view user,
                                   std::string_view database, Shared shared);

/// The same with another user.
[[nodiscard]] std::string with_user(std::string_view key, std::string_view user);

/// The user in it.
[[nodiscard]] std::string_view user_of(std::string_view key);
/// The database in it.
[[nodiscard]] std::string_view database_of(std::string_view key);

/// The others: what a login says besides the user.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> parameters_of(std::string_view key);

}  // namespace ambassador::proxy::postgresql
