// One listener as one worker serves it: its clients, its lanes, its current generation. One worker's thread
// only.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proxy/net/client.hpp"
#include "proxy/net/event.hpp"
#include "proxy/net/generation.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/loop.hpp"

namespace ambassador::proxy::net {

/// What relays call outside of their worker. Any thread.
struct Outside {
  EventSink events;
  /// A backend's addresses did not work: ask again.
  std::function<void(const std::shared_ptr<Upstream>&)> resolve_again;
  /// A client of this worker has been closed.
  std::function<void()> client_closed;
};

class Relay {
 public:
  Relay(Loop& loop, const Outside& outside, std::shared_ptr<const Generation> generation);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// The listener's configuration was reloaded. Clients move to it with their next message.
  void adopt(std::shared_ptr<const Generation> generation);
  void accept(Socket socket, const Address& peer, std::shared_ptr<OpenClients> open);
  [[nodiscard]] bool draining() const { return draining_; }
  /// Clients are closed as soon as nothing is in flight for them.
  void drain();
  void close();
  void addresses_changed(const Upstream& upstream);
  /// No client is left, not even one that a reply is still owed to.
  [[nodiscard]] bool empty() const { return clients_.empty(); }
  /// And no lane either: close() was called, and the turn has ended.
  [[nodiscard]] bool gone() const { return clients_.empty() && lanes_.empty() && retired_.empty(); }
  [[nodiscard]] const std::string& name() const { return generation_->config.name; }
  void describe(std::vector<ClientSnapshot>& out, std::size_t limit) const;

  // What clients and lanes need. -------------------------------------------------------------------------
  [[nodiscard]] Loop& loop() const { return loop_; }
  [[nodiscard]] const Outside& outside() const { return outside_; }
  [[nodiscard]] const std::shared_ptr<const Generation>& generation() const { return generation_; }
  [[nodiscard]] ListenerCounters& counters() const { return *generation_->listener_counters; }
  [[nodiscard]] const config::Timeouts& timeouts() const { return generation_->config.timeouts; }
  /// The shared lane to a backend of `generation`; null for kNoBackend, or when a reload has removed it.
  [[nodiscard]] Lane* lane(const Generation& generation, BackendIndex backend);
  /// The lane that serves the same keys as `unreachable`, which can't be connected; null: none.
  [[nodiscard]] Lane* lane_instead_of(const Lane& unreachable);
  /// A lane for one client alone, to the backend that the core chooses; null: none usable.
  [[nodiscard]] std::unique_ptr<Lane> choose_lane(Client& client);
  /// A lane to a backend of `generation` for one large message; null for kNoBackend.
  [[nodiscard]] std::unique_ptr<Lane> lease(const Generation& generation, BackendIndex backend);
  /// `fit`: the message was sent and answered as a whole; the lane may serve another one.
  void give_back(std::unique_ptr<Lane> lane, bool fit);
  /// The client's own lane could not be connected: it gets the backend that the core chooses now.
  void choose_again(Lane& lane);
  /// A client's connection is closed...
  void client_closed(OpenClients& open);
  /// ...and no lane owes it anything any more: it is destroyed.
  void client_gone(Client& client);
  void lane_finished(Lane& lane);
  void say(config::LogLevel level, std::string what, const Lane* lane, std::string_view error,
           std::string client = {}) const;

 private:
  /// Large messages that go on at the same time are few; each further one makes a connection of its own.
  static constexpr std::size_t kSpare = 4;

  [[nodiscard]] BackendIndex choose() const;
  void close_lane(std::unique_ptr<Lane> lane);

  Loop& loop_;
  const Outside& outside_;
  std::shared_ptr<const Generation> generation_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // shared; by BackendIndex of generation_, null until first used
  std::vector<std::unique_ptr<Lane>> retired_;
  std::vector<std::unique_ptr<Lane>> spare_;  // leased before, idle now
  bool draining_ = false;
};

}  // namespace ambassador::proxy::net
