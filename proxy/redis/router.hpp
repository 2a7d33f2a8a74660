// Which backend a request goes to, by the listener's mode and what is usable now. One per core, shared by its
// sessions. Used by the session. Pure; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/document.hpp"
#include "proxy/redis/ring.hpp"
#include "proxy/session/seed.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

class Router {
 public:
  /// `nobody`: may be empty.
  Router(const config::Listener& listener, const Availability& availability, NobodyFunction nobody = {});

  /// True when one backend serves all keys of a client: nothing is hashed, split or fanned out.
  [[nodiscard]] bool whole() const { return whole_; }
  /// True when that is the primary, whichever of the backends it is (modes Replicated, Sentinel)...
  [[nodiscard]] bool replicated() const { return replicated_; }
  /// ...and others may answer reads.
  [[nodiscard]] bool replicas_read() const { return replicas_read_; }
  [[nodiscard]] std::uint32_t backends() const { return static_cast<std::uint32_t>(names_.size()); }
  [[nodiscard]] std::string_view name(BackendIndex backend) const { return names_[backend]; }
  [[nodiscard]] bool usable(BackendIndex backend) const { return availability_.usable(backend); }

  /// True when all clients look for a key, or a channel, at the same server: messages between clients meet.
  [[nodiscard]] bool meets() const;
  /// The error of a request for which no backend was there in time.
  [[nodiscard]] std::string nobody() const;

  /// Every key has the same place, by the same number, as with `other`.
  [[nodiscard]] bool same_places(const Router& other) const;
  /// Both keep all that a client has in one place, whichever that is, by the same rules.
  [[nodiscard]] bool same_rules(const Router& other) const;
  /// The number of the backend of that name; kNoBackend: there is none.
  [[nodiscard]] BackendIndex find(std::string_view name) const;
  /// Grows when keys have moved (an ejecting ring).
  [[nodiscard]] std::uint64_t moves() const { return moves_; }

  /// whole(): the backend for a client that used `current` until now (kNoBackend: none yet). A Spread client
  /// stays where it is as long as that is usable, so that it reads what it wrote; new ones take turns.
  [[nodiscard]] BackendIndex for_client(BackendIndex current) const;
  /// replicas_read(): the backend for a read of a client that read from `current` until now; it stays there
  /// as long as that will do.
  [[nodiscard]] BackendIndex for_reading(BackendIndex current) const;
  /// Otherwise: the backend that holds `key`; kNoBackend when all are ejected.
  [[nodiscard]] BackendIndex for_key(std::string_view key) const;
  /// Otherwise: one for a command without keys, a usable one if there is any.
  [[nodiscard]] BackendIndex for_any() const;
  /// Where requests for `backend` may go instead when it cannot be reached, or has declined them; kNoBackend:
  /// nowhere.
  [[nodiscard]] BackendIndex elsewhere(BackendIndex backend, bool declined) const;

  /// True when every key that `pattern` (of SORT's BY and GET) can stand for is held by `backend`: its hash
  /// tag says so.
  [[nodiscard]] bool pattern_stays(std::string_view pattern, BackendIndex backend) const;
  /// A random number; not for secrets.
  std::uint32_t random() const;

  /// To be called before a message is routed: an ejecting ring follows what is usable.
  void follow_ejection() const {
    if (ejects_) rebuild_ring();
  }

 private:
  void rebuild_ring() const;
  template <class Fits>
  [[nodiscard]] BackendIndex next_of(Fits fits) const;
  [[nodiscard]] bool follows(BackendIndex backend) const {
    return availability_.follows(backend, config_.max_lag);
  }
  [[nodiscard]] BackendIndex nearest(BackendIndex current) const;

  const Availability& availability_;
  const NobodyFunction nobody_;
  const config::Redis config_;
  const std::vector<RingServer> servers_;
  std::vector<std::string> names_;
  bool whole_ = false;
  bool ejects_ = false;
  bool replicated_ = false;
  bool replicas_read_ = false;
  mutable Ring ring_;
  mutable std::vector<bool> live_;  // what ring_ was built from, when ejecting
  mutable std::uint64_t moves_ = 0;
  mutable std::uint32_t turn_ = 0;           // whose turn it is where clients take turns
  mutable std::uint32_t random_ = 88172645;  // Distribution::random
};

}  // namespace ambassador::proxy::redis
