// A client's first packet, the only one without a type: a wish for TLS or GSSAPI encryption (another first
// packet follows), a wish to cancel, or the startup message of a session. Used by the session. Pure.
//
// Source: https://www.postgresql.org/docs/current/protocol-message-formats.html; PostgreSQL's
// ProcessStartupPacket (postmaster.c), whose limits and error texts these are.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "proxy/postgresql/write.hpp"

namespace ambassador::proxy::postgresql {

struct FirstPacket {
  enum class Kind : std::uint8_t {
    incomplete,  // more bytes are needed
    broken,      // `problem` says why; the client must be closed
    ssl_request,
    gss_request,
    cancel,
    startup,
  };
  Kind kind = Kind::incomplete;
  std::size_t size = 0;  // bytes of the input that are the packet

  // cancel: whom to interrupt.
  std::uint32_t process = 0;
  std::string_view key{};

  // startup. Views into the input.
  std::uint32_t minor = 0;                     // of protocol 3
  std::vector<Parameter> parameters{};         // without the protocol's options
  std::vector<std::string_view> extensions{};  // names of protocol options ("_pq_."), of which we know none

  // broken: for the ErrorResponse (severity FATAL); empty: what speaks there would not understand one.
  std::string_view problem_code{};
  std::string_view problem{};

  /// startup: the client must be told by NegotiateProtocolVersion what of its wishes is not known here.
  [[nodiscard]] bool needs_negotiation() const { return minor > kNewestMinor || !extensions.empty(); }
  /// startup: the value of a parameter; empty when it is not there.
  [[nodiscard]] std::string_view parameter(std::string_view name) const;
};

/// What `input` begins with. Never more than kMaxFirstPacket bytes and the length have to be held for it.
[[nodiscard]] FirstPacket read_first_packet(std::string_view input);

}  // namespace ambassador::proxy::postgresql
