// What a connection to a server begins with, before anything of a client goes over it: who logs in, the
// version of the protocol, a database. Made by ProtocolCore::new_greeting for each new connection; whoever
// opened it (a lane of proxy/net, a health probe) sends what the greeting says and shows it the answers.
// Pure: time runs out elsewhere (timeouts.connect).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ambassador::proxy {

/// Which kind of connection to a backend a message needs. Connections of different kinds are greeted
/// differently, and a message never goes over one of another kind than its own. What a kind means is the
/// protocol's business; `ordinary` is the one of clients that asked for nothing special.
enum class LaneKind : std::uint16_t { ordinary = 0 };

/// What is to be done now.
struct Greeted {
  enum class State : std::uint8_t {
    need_more,  // the server has to say more first
    ready,      // the connection may be used
    refused,    // it may not; `why`
  };
  State state = State::need_more;
  /// refused: no other attempt will fare better (there is no such database). Who waits is told at once,
  /// and the backend is as well as before. Otherwise trying again may help: it is tried after a pause.
  bool lasting = false;
  /// ready: the server will tell when what it replies is so no more (Keeper). Where that was asked for and
  /// can't be had, `why`.
  bool tells = false;
  std::size_t consumed = 0;  // bytes at the front of the input that are done with
  std::string_view send{};   // to the server; valid, as `why`, until the next call
  /// For logs and for clients: without secrets, printable, one line.
  std::string_view why{};
};

class Greeting {
 public:
  /// What a greeting's answers may have before they are over; more is no server of the protocol.
  static constexpr std::size_t kMaxAnswer = std::size_t{16} * 1024;

  virtual ~Greeting() = default;
  Greeting(const Greeting&) = delete;
  Greeting& operator=(const Greeting&) = delete;

  /// First without input, as soon as the connection is up; then with everything received and not consumed,
  /// each time there is more, until it is ready or refused.
  virtual Greeted on_bytes(std::span<const char> input) = 0;

 protected:
  Greeting() = default;
};

}  // namespace ambassador::proxy
