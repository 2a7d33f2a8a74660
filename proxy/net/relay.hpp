// One listener of a protocol of requests and replies as one worker serves it: its clients, its lanes, its
// current generation. One worker's thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/big_keys.hpp"
#include "proxy/net/client.hpp"
#include "proxy/net/generation.hpp"
#include "proxy/net/hot_keys.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/mirror.hpp"
#include "proxy/net/outside.hpp"
#include "proxy/net/placed.hpp"
#include "proxy/net/service.hpp"
#include "proxy/net/shared_lanes.hpp"
#include "proxy/net/slow_log.hpp"
#include "proxy/net/token_bucket.hpp"

namespace ambassador::proxy::net {

class Relay final : public Service {
 public:
  Relay(Loop& loop, const Outside& outside, std::shared_ptr<const Generation> generation);
  ~Relay() override;

  // Service. Clients move to an adopted configuration with their next message.
  void adopt(std::shared_ptr<const Generation> generation) override;
  void accept(Socket socket, const Address& peer, std::shared_ptr<OpenClients> open) override;
  [[nodiscard]] bool draining() const override { return draining_; }
  void drain() override;
  void close() override;
  void addresses_changed(const Upstream& upstream) override;
  void login_changed() override;
  void standing_changed() override;
  void cancel(const Wish& /*wish*/) override {}  // no protocol of this kind has such a thing
  [[nodiscard]] bool empty() const override { return clients_.empty(); }
  [[nodiscard]] bool gone() const override { return clients_.empty() && lanes_.empty() && retired_.empty(); }
  void describe(std::vector<ClientSnapshot>& out, std::size_t limit) const override;
  void list_slow_requests(std::vector<SlowRequest>& out) const override { slow_log_.list(out); }
  void list_hot_keys(std::vector<AskedKeys>& out) const override { hot_keys_.list(name(), out); }
  void list_big_keys(std::vector<BigKey>& out) const override;

  // What clients and lanes need. -------------------------------------------------------------------------
  [[nodiscard]] Loop& loop() const { return loop_; }
  [[nodiscard]] const std::shared_ptr<const Generation>& generation() const override { return generation_; }
  [[nodiscard]] ListenerCounters& counters() const { return *generation_->listener_counters; }
  [[nodiscard]] const config::Timeouts& timeouts() const { return generation_->config.timeouts; }
  /// How often each client may ask.
  [[nodiscard]] const TokenRate& rate() const { return rate_; }
  /// Where copies of requests go; null: nowhere.
  [[nodiscard]] Mirror* mirror() const { return mirror_.get(); }
  struct FoundLane {
    Lane* lane = nullptr;
    Failure why_not = Failure::no_backend;
  };
  /// The shared lane of that kind to a backend of `generation`. There is none for kNoBackend, when a reload
  /// has removed it, and when there are too many kinds (overloaded).
  [[nodiscard]] FoundLane lane(const Generation& generation, BackendIndex backend, LaneKind kind);
  /// Where that goes which is about `home` and waits for `backend`, as it can't be connected, or has declined
  /// it; kNoBackend: nowhere.
  [[nodiscard]] BackendIndex backend_instead_of(const Upstream& backend, Home home, bool declined) const;
  /// The shared lane there of the same kind; null: none.
  [[nodiscard]] Lane* lane_instead_of(const Lane& other, Home home, bool declined);
  /// The backend that a reply of `from` names (Frame::to); kNoBackend: none that is known.
  [[nodiscard]] BackendIndex backend_named(const Upstream& from, std::string_view to) const;
  /// A server has named another one than was thought: asks for news, but not for every request by itself.
  void moved();
  /// A lane for one client alone, to the backend that the core chooses; null: none usable.
  [[nodiscard]] std::unique_ptr<Lane> choose_lane(Client& client);
  struct LeasedLane {
    std::unique_ptr<Lane> lane;
    Failure why_not = Failure::no_backend;
  };
  /// A lane of that kind to a backend of `generation` for one client alone, until give_back. There is none
  /// for kNoBackend, and when there are too many (overloaded).
  [[nodiscard]] LeasedLane lease(const Generation& generation, BackendIndex backend, LaneKind kind);
  /// `fit`: nothing of the client is left on it; the lane may serve another one.
  void give_back(std::unique_ptr<Lane> lane, bool fit);
  /// The client's own lane could not be connected: it gets the backend that the core chooses now.
  void choose_again(Lane& lane);
  /// What takes as long as this to be answered, or longer, is to be told by note_slow().
  [[nodiscard]] std::chrono::microseconds slow_threshold() const { return slow_log_.threshold(); }
  /// `request`: what the server was sent, or its first bytes.
  void note_slow(std::chrono::microseconds took, const Client& client, const Upstream& upstream,
                 std::string_view request);
  /// A request and its reply that have as many bytes as this together, or more, may be told by note_big().
  [[nodiscard]] std::uint64_t big_threshold() const { return big_keys_.threshold(); }
  /// `bytes`: what counts of them.
  void note_big(std::uint64_t bytes, std::string_view request);
  /// Something of requests is kept for people, who want to know what they were about.
  [[nodiscard]] bool notes_requests() const { return notes_requests_; }
  [[nodiscard]] KeyWatch& key_watch() { return hot_keys_; }
  /// A client's connection is closed; `open` as it was accepted with...
  void client_closed(OpenClients* open);
  /// ...and no lane owes it anything any more: it is destroyed.
  void client_gone(Client& client);
  void lane_finished(Lane& lane);
  /// A shared lane that is not of the ordinary kind has not been used for long.
  void lane_unused(Lane& lane);

 private:
  /// Leased lanes that wait for the next who needs one: clients that block again and again, and the few large
  /// messages that go on at the same time. Each further one makes a connection of its own.
  static constexpr std::size_t kSpare = 8;
  /// Leased at once, by clients of one worker: each is a connection to a server, which has 10,000 for all
  /// (Redis' maxclients).
  static constexpr std::size_t kLeasedMost = 2048;
  /// Between two questions for news that requests gave rise to.
  static constexpr std::chrono::milliseconds kNewsApart{10};

  void take_limits();
  void take_mirror();
  [[nodiscard]] BackendIndex choose() const;
  void stock(std::unique_ptr<Lane> lane);
  void close_lane(std::unique_ptr<Lane> lane);
  void retire(std::vector<std::unique_ptr<Lane>> lanes);
  [[nodiscard]] std::unique_ptr<Lane>* make_place(LaneKind kind, BackendIndex backend);

  Loop& loop_;
  std::shared_ptr<const Generation> generation_;
  Placed<Client> clients_;
  SharedLanes lanes_;  // their backends count as generation_ does
  std::vector<std::unique_ptr<Lane>> retired_;
  std::vector<std::unique_ptr<Lane>> spare_;  // leased before, idle now
  std::size_t leased_ = 0;
  TokenRate rate_;
  std::unique_ptr<Mirror> mirror_;
  SlowLog slow_log_;
  BigKeys big_keys_;
  HotKeys hot_keys_;
  bool notes_requests_ = false;
  bool draining_ = false;
  SteadyTime asked_for_news_{};
};

}  // namespace ambassador::proxy::net
