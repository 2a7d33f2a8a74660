#include "proxy/postgresql/first_packet.hpp"

#include "proxy/postgresql/body_reader.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/sqlstate.hpp"

namespace ambassador::proxy::postgresql {
namespace {

constexpr std::uint32_t kLength = 4;
constexpr std::string_view kExtension = "_pq_.";
constexpr char kTlsHandshake = 0x16;  // the first byte of a TLS ClientHello

FirstPacket broken(std::string_view code, std::string_view problem) {
  FirstPacket packet;
  packet.kind = FirstPacket::Kind::broken;
  packet.problem_code = code;
  packet.problem = problem;
  return packet;
}

FirstPacket read_cancel(BodyReader body, std::size_t size) {
  FirstPacket packet;
  packet.kind = FirstPacket::Kind::cancel;
  packet.size = size;
  packet.process = body.int32();
  packet.key = body.rest();
  // Whoever cancels awaits no answer.
  if (!body.ok() || packet.key.size() < kMinCancelKey || packet.key.size() > kMaxCancelKey)
    return broken({}, {});
  return packet;
}

FirstPacket read_startup(BodyReader body, std::size_t size, std::uint32_t minor) {
  FirstPacket packet;
  packet.kind = FirstPacket::Kind::startup;
  packet.size = size;
  packet.minor = minor;
  for (;;) {
    const std::string_view name = body.string();
    if (name.empty()) break;
    const std::string_view value = body.string();
    if (name.starts_with(kExtension))
      packet.extensions.push_back(name);
    else
      packet.parameters.push_back({name, value});
  }
  if (!body.at_end())
    return broken(sqlstate::kProtocolViolation,
                  "invalid startup packet layout: expected terminator as last byte");
  return packet;
}

}  // namespace

std::string_view FirstPacket::parameter(std::string_view name) const {
  // PostgreSQL takes the last of several.
  for (auto it = parameters.rbegin(); it != parameters.rend(); ++it) {
    if (it->name == name) return it->value;
  }
  return {};
}

FirstPacket read_first_packet(std::string_view input) {
  // No startup message is that long: it is TLS without an SSLRequest (PostgreSQL 17's direct TLS).
  if (!input.empty() && input.front() == kTlsHandshake) return broken({}, {});
  if (input.size() < kLength) return {};
  const std::uint32_t length = big_endian32(input.data());
  if (length < kLength + sizeof(std::uint32_t) || length > kLength + kMaxFirstPacket)
    return broken(sqlstate::kProtocolViolation, "invalid length of startup packet");
  if (input.size() < length) return {};

  BodyReader body(input.substr(kLength, length - kLength));
  const std::uint32_t code = body.int32();
  if (code == kSslRequest || code == kGssRequest) {
    if (!body.at_end()) return broken(sqlstate::kProtocolViolation, "invalid length of startup packet");
    FirstPacket packet;
    packet.kind = code == kSslRequest ? FirstPacket::Kind::ssl_request : FirstPacket::Kind::gss_request;
    packet.size = length;
    return packet;
  }
  if (code == kCancelRequest) return read_cancel(body, length);
  if (code >> 16 != kMajor)
    return broken(sqlstate::kFeatureNotSupported,
                  "unsupported frontend protocol: server supports 3.0 to 3.2");
  return read_startup(body, length, code & 0xFFFF);
}

}  // namespace ambassador::proxy::postgresql
