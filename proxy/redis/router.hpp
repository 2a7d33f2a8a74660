// Which backend a request goes to, by the listener's mode and what is usable now. One per core, shared by its
// sessions. Used by the session. Pure; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/config/document.hpp"
#include "proxy/redis/failure.hpp"
#include "proxy/redis/ring.hpp"
#include "proxy/redis/slots.hpp"
#include "proxy/session/seed.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::redis {

/// A server that has keys, and what is asked of it: all that are at home there.
struct Holder {
  BackendIndex backend = kNoBackend;
  Home home = Home::anywhere;
};

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
  /// True when keys lie where the servers say, by slots: those of one command must have one slot.
  [[nodiscard]] bool clustered() const { return clustered_; }
  [[nodiscard]] std::uint32_t backends() const { return static_cast<std::uint32_t>(names_.size()); }
  [[nodiscard]] std::string_view name(BackendIndex backend) const { return names_[backend]; }
  [[nodiscard]] bool usable(BackendIndex backend) const { return availability_.usable(backend); }

  /// True when all clients look for a key, or a channel, at the same server: messages between clients meet.
  [[nodiscard]] bool meets() const;
  /// The error of a request for which no backend was there in time.
  [[nodiscard]] std::string nobody() const;

  /// Every key has the same place, by the same number, as with `other`.
  [[nodiscard]] bool same_places(const Router& other) const;
  /// What a client has at a server may stay there, whatever number that has with `other`: both keep all that
  /// a client has in one place by the same rules, or go by the slots of a cluster.
  [[nodiscard]] bool same_rules(const Router& other) const;
  /// The number of the backend of that name; kNoBackend: there is none.
  [[nodiscard]] BackendIndex find(std::string_view name) const;
  /// The error for a command, or a transaction, whose keys are not at home in one place.
  [[nodiscard]] std::string_view crosses() const { return clustered_ ? kCrossSlot : kCrossShard; }
  /// Grows when keys have moved (an ejecting ring).
  [[nodiscard]] std::uint64_t moves() const { return moves_; }

  /// whole(): the backend for a client that used `current` until now (kNoBackend: none yet). A Spread client
  /// stays where it is as long as that is usable, so that it reads what it wrote; new ones take turns.
  [[nodiscard]] BackendIndex for_client(BackendIndex current) const;
  /// replicas_read(): the backend for a read of a client that read from `current` until now; it stays there
  /// as long as that will do.
  [[nodiscard]] BackendIndex for_reading(BackendIndex current) const;
  /// Otherwise: where `key` is at home. Keys with one home can be dealt with by one command. `reads`: by a
  /// command that a replica may answer, if any may.
  [[nodiscard]] Home home_of(std::string_view key, bool reads = false) const;
  /// The backend that has what is at home there; kNoBackend: none is known, or all are ejected. `client` is
  /// any number of the client: those who may be answered by several share them out.
  [[nodiscard]] BackendIndex backend_at(Home home, std::uint64_t client = 0) const;
  /// One more than the highest home there is.
  [[nodiscard]] std::size_t homes() const { return clustered_ ? std::size_t{2} * kSlots : names_.size(); }
  [[nodiscard]] BackendIndex for_key(std::string_view key) const { return backend_at(home_of(key)); }
  /// `backend`, of backend_at, is a replica: it has to be told that reads are meant for it (lane_kind).
  [[nodiscard]] bool is_replica_at(Home home, BackendIndex backend) const;
  /// Otherwise: all that have keys, in an order that stays while keys do.
  [[nodiscard]] const std::vector<Holder>& holders() const { return holders_; }
  /// Otherwise: one for a command without keys, a usable one if there is any.
  [[nodiscard]] BackendIndex for_any() const;
  /// Where requests about `home` that wait for `backend` may go instead when it cannot be reached, or has
  /// declined them; kNoBackend: nowhere.
  [[nodiscard]] BackendIndex elsewhere(BackendIndex backend, Home home, bool declined) const;
  /// The backend that `from` calls "host:port", the host perhaps empty (its own); kNoBackend: none.
  [[nodiscard]] BackendIndex named(BackendIndex from, std::string_view place) const;

  /// True when every key that `pattern` (of SORT's BY and GET) can stand for has that home: its hash tag says
  /// so, or servers see to it themselves.
  [[nodiscard]] bool pattern_stays(std::string_view pattern, Home home) const;
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
  [[nodiscard]] BackendIndex elsewhere_in_cluster(BackendIndex backend, Home home, bool declined) const;
  [[nodiscard]] BackendIndex for_reading_at(const ClusterShard& shard, std::uint64_t client) const;
  [[nodiscard]] bool follows(BackendIndex backend) const {
    return availability_.follows(backend, config_.max_lag);
  }
  [[nodiscard]] BackendIndex nearest(BackendIndex current) const;

  const Availability& availability_;
  const NobodyFunction nobody_;
  const config::Redis config_;
  const std::vector<RingServer> servers_;
  std::vector<std::string> names_;
  std::vector<std::pair<std::string, std::uint16_t>> places_;  // host and port
  SlotMap slots_;
  std::vector<Holder> holders_;
  bool clustered_ = false;
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
