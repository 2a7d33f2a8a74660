// What one server is asked about once a second, on a connection of its own, and what its answers mean: is it
// well, what is it. proxy/health asks; a protocol's core says so of its servers (ProtocolCore), a
// SeedQuestion of those who know where the servers are. Pure.
//
// Threads: every member may be called by every thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/session/greeting.hpp"
#include "proxy/session/standing.hpp"

namespace ambassador::proxy {

class Probing {
 public:
  virtual ~Probing() = default;
  Probing(const Probing&) = delete;
  Probing& operator=(const Probing&) = delete;

  /// For one connection of that kind; null: it needs none. Probes are greeted as ordinary ones.
  [[nodiscard]] virtual std::unique_ptr<Greeting> new_greeting(LaneKind /*kind*/) const { return nullptr; }

  /// What a probe sends and how its reply is judged. Empty request: connecting is the probe.
  [[nodiscard]] virtual std::string_view probe_request() const = 0;
  enum class Health : std::uint8_t { need_more, healthy, unhealthy };
  [[nodiscard]] virtual Health probe_reply(std::string_view bytes) const = 0;
  /// A reply of more bytes than this is not one.
  [[nodiscard]] virtual std::size_t max_probe_reply() const { return kMaxProbeReply; }
  static constexpr std::size_t kMaxProbeReply = 4096;

  /// Which of the servers takes writes matters to clients, and each tells what it is;
  /// ProtocolCore::keeps_requests(), too.
  [[nodiscard]] virtual bool follows_primary() const { return false; }
  /// follows_primary(): what a probe's reply that was healthy says of the server.
  [[nodiscard]] virtual Standing probe_standing(std::string_view /*reply*/) const { return {}; }

 protected:
  Probing() = default;
};

}  // namespace ambassador::proxy
