// room: proxy/postgresql
// What is read of PostgreSQL's protocol, on arbitrary bytes: a client's first packet, messages, errors,
// SCRAM. Nothing is read out of bounds, what is cut is incomplete and never something else, limits hold.
//
// Input: the bytes are taken as each of these in turn.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/postgresql/base64.hpp"
#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/first_packet.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/message.hpp"
#include "proxy/postgresql/scram_keys.hpp"
#include "proxy/postgresql/scram_server.hpp"

namespace {

using namespace ambassador::proxy::postgresql;

void must(bool holds) {
  if (!holds) std::abort();
}

// Calls `read` with a copy of exactly the first `size` bytes, so that a read past their end is seen.
template <class Read>
auto with_first(std::string_view bytes, std::size_t size, Read read) {
  const std::vector<char> shown(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
  return read(std::string_view(shown.data(), shown.size()));
}

void first_packet(std::string_view bytes) {
  using Kind = FirstPacket::Kind;
  const FirstPacket packet = read_first_packet(bytes);
  if (packet.kind == Kind::incomplete) must(bytes.size() < kMaxFirstPacket + 4);
  if (packet.kind == Kind::incomplete || packet.kind == Kind::broken) return;
  must(packet.size <= bytes.size() && packet.size <= kMaxFirstPacket + 4);
  for (std::size_t size = 0; size < packet.size; size += 1 + packet.size / 16)
    must(with_first(bytes, size, read_first_packet).kind == Kind::incomplete);
  if (packet.kind == Kind::cancel) {
    std::string again;
    write_cancel_request(again, packet.process, packet.key);
    must(bytes.starts_with(again));
  }
  if (packet.kind == Kind::startup && packet.extensions.empty()) {
    std::string again;
    write_startup(again, packet.minor, packet.parameters);
    must(again == bytes.substr(0, packet.size));
  }
}

void messages(std::string_view bytes) {
  for (;;) {
    const Header header = read_header(bytes);
    const Message message = read_message(bytes, kMaxHeld);
    if (message.found != Found::whole) {
      must(message.found == Found::broken || bytes.size() < kHeader + kMaxHeld);
      return;
    }
    must(header.found == Found::whole && header.size() == message.size());
    must(message.size() <= bytes.size());
    with_first(bytes, message.size() - 1,
               [](std::string_view cut) { must(read_message(cut, kMaxHeld).found == Found::incomplete); });
    if (const auto fields = read_error_fields(message.body))
      must(fields->message.size() + fields->code.size() + fields->severity.size() <= message.body.size());
    bytes.remove_prefix(message.size());
  }
}

void scram(std::string_view bytes) {
  if (const auto decoded = from_base64(bytes)) must(base64(*decoded) == bytes);
  if (const auto verifier = read_scram_verifier(bytes)) {
    must(verifier->iterations > 0 && verifier->iterations <= kMaxScramIterations);
    // The iterations may have zeros in front.
    must(read_scram_verifier(verifier->text())->text() == verifier->text());
  }
  static const ScramVerifier kVerifier = make_scram_verifier("pencil", "salt", 2);
  const std::size_t first = bytes.find('\n');
  ScramServer server(kVerifier, "servernonce", first % 2 == 0 ? "certificate" : "");
  if (server.answer(first % 2 == 0 ? kScramPlus : kScram, bytes.substr(0, first)) &&
      first != std::string_view::npos)
    (void)server.finish(bytes.substr(first + 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<char> exactly(data, data + size);
  const std::string_view bytes(exactly.data(), exactly.size());
  first_packet(bytes);
  messages(bytes);
  scram(bytes);
  return 0;
}
