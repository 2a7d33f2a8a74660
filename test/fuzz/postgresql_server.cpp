// room: proxy/postgresql
// A server connection against a hostile server: logging in, at rest, being cleaned. Steps keep the rules of
// the seam, a refusal is one whole ErrorResponse, and cuts change nothing.
//
// Input: the first byte says whether TLS is begun, has a certificate's hash, and who logs in; the second how
// the rest, which the server sends, is cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/limits.hpp"
#include "proxy/postgresql/server.hpp"

namespace {

using namespace ambassador::proxy;
using namespace ambassador::proxy::postgresql;
using Kind = Step::Kind;

constexpr std::uint8_t kEncrypt = 1;
constexpr std::uint8_t kEndPoint = 2;
constexpr std::uint8_t kPassthrough = 4;
constexpr std::uint8_t kOpenTransaction = 8;

void must(bool holds) {
  if (!holds) std::abort();
}

// The next distance between two cuts: 1 to 64 bytes.
std::size_t next_cut(std::uint32_t& state) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return 1 + state % 64;
}

// Each derivation of keys would take half a second: iterations have three digits at most.
bool too_slow(std::string_view bytes) {
  for (std::size_t at = bytes.find("i="); at != std::string_view::npos; at = bytes.find("i=", at + 2)) {
    const std::string_view digits = bytes.substr(at + 2, 4);
    if (std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return true;
  }
  return false;
}

// The relay, with one connection. `seed` 0: everything comes at once.
class Driver {
 public:
  Driver(std::uint8_t flags, std::uint32_t seed)
      : flags_(flags),
        seed_(seed),
        server_({.encrypt = (flags & kEncrypt) != 0,
                 .log_in = (flags & kPassthrough) == 0,
                 .credentials = std::make_shared<Credentials>("me", "pencil"),
                 .parameters = {{"database", "db"}},
                 .nonce = "rOprNGfwEbeRWgbNEkqO"}) {}

  // All that it says and learns, as text.
  std::string run(std::string_view bytes) {
    bool go_on = steps();
    // The answer to SSLRequest comes alone when cut, or nothing would ever be said under TLS.
    const bool alone = seed_ != 0 && (flags_ & kEncrypt) != 0 && !bytes.empty();
    if (go_on && alone) {
      receive(bytes.substr(0, 1));
      bytes.remove_prefix(1);
      go_on = steps();
    }
    while (go_on && !bytes.empty()) {
      const std::size_t size = seed_ == 0 ? bytes.size() : std::min(bytes.size(), next_cut(seed_));
      receive(bytes.substr(0, size));
      bytes.remove_prefix(size);
      if (!input_.empty()) go_on = steps();
    }
    for (const auto& [name, value] : server_.parameters().all()) trace_ += "|" + name + "=" + value;
    (void)server_.role();
    trace_ += server_.interruption();
    return trace_;
  }

 private:
  void receive(std::string_view bytes) {
    const auto gone = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
    skip_ -= gone;
    input_ += bytes.substr(gone);
  }

  // False: it failed.
  bool steps() {
    for (;;) {
      // A copy of exactly what is there, so that a read past its end is seen.
      const std::vector<char> shown(input_.begin(), input_.end());
      const Step step = server_.on_bytes(shown);
      must(step.consumed <= input_.size());
      input_.erase(0, step.consumed);
      must(step.more == 0 || (step.kind == Kind::skip && input_.empty()));
      skip_ = step.more;
      switch (step.kind) {
        case Kind::need_more:
          must(input_.size() < kHeader + kMaxHeld);
          return true;
        case Kind::skip:
          must(step.consumed > 0);
          if (input_.empty()) return true;
          break;
        case Kind::send:
          must(step.to == Side::server && !step.text.empty());
          trace_ += "|send " + std::string(step.text);
          break;
        case Kind::start_tls:
          must(step.to == Side::server && input_.empty());
          trace_ += "|tls";
          server_.tls_started({(flags_ & kEndPoint) != 0 ? "hash" : ""});
          break;
        case Kind::ready:
          trace_ += "|ready";
          // Lent and given back at once, in different states.
          if (times_ready_++ < 2) {
            server_.left_something();
            if ((flags_ & kOpenTransaction) != 0) server_.transaction_status('T');
            must(!server_.given_back());
          } else if (input_.empty()) {
            return true;
          }
          break;
        case Kind::failed: {
          const Message message = read_message(step.text, kMaxHeld);
          must(message.found == Found::whole && message.size() == step.text.size() && message.type == 'E');
          trace_ += "|failed " + std::string(step.text) + (step.passing ? " passing" : "");
          return false;
        }
        default:
          std::abort();  // not of servers
      }
    }
  }

  std::uint8_t flags_;
  std::uint32_t seed_;
  PostgresqlServer server_;
  std::string input_;
  std::uint64_t skip_ = 0;
  int times_ready_ = 0;
  std::string trace_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (too_slow(bytes)) return 0;
  const std::string at_once = Driver(data[0], 0).run(bytes);
  const std::string cut = Driver(data[0], 1U + data[1]).run(bytes);
  // What comes behind the answer to SSLRequest is refused if it is there already.
  must((data[0] & kEncrypt) != 0 || at_once == cut);
  return 0;
}
