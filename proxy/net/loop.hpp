// One worker's turns. A turn: take what is ready from the poller, let each socket read all it has (within its
// budget), then write once to every peer that something was gathered for, then free what was closed. A call
// that another thread posted has its place among those that are ready. No Asio here: its reactor around this
// poller would cost two system calls more per turn, which carries one message or two where a client waits for
// each answer. One worker's thread only, but for post() and pool().in_use().
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "proxy/net/block.hpp"
#include "proxy/net/clock.hpp"
#include "proxy/net/deadlines.hpp"
#include "proxy/net/mailbox.hpp"
#include "proxy/net/poller.hpp"

namespace ambassador::proxy::net {

/// One end of a connection, as the loop sees it.
class Peer : public Pollable, public Timed {
 public:
  virtual ~Peer() = default;
  /// The end of a turn in which flush_later was called: write what was gathered.
  virtual void flush() = 0;
  /// The turn after the one in which again was called: go on with what was left.
  virtual void go_on() = 0;

 private:
  friend class Loop;
  bool flush_due_ = false;
  bool again_due_ = false;
  bool starved_ = false;
  static constexpr std::size_t kNotHeld = ~std::size_t{0};
  std::size_t held_at_ = kNotHeld;
};

class Loop {
 public:
  /// `memory_budget` in bytes; see under_pressure.
  explicit Loop(std::size_t memory_budget);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Turns, until stop() is called in one.
  void run();
  /// Forgets everybody, so that nothing is called any more.
  void stop();
  /// Calls `work` in the loop's thread, before what peers have to say that came after it. Any thread. What
  /// was not called before stop() never is; it is destroyed with the loop at the latest.
  template <class Work>
  void post(Work work) {
    mailbox_.put(std::move(work));
  }

  [[nodiscard]] Poller& poller() { return poller_; }
  [[nodiscard]] BlockPool& pool() { return pool_; }
  [[nodiscard]] const BlockPool& pool() const { return pool_; }
  [[nodiscard]] Deadlines& deadlines() { return deadlines_; }
  /// The time, read once per turn.
  [[nodiscard]] SteadyTime now() const { return now_; }

  void flush_lane_later(Peer& lane) { later(lane, lanes_); }
  void flush_client_later(Peer& client) { later(client, clients_); }
  /// So long a client's replies wait at most for one that is missing among them.
  static constexpr std::chrono::milliseconds kHoldMost{1};
  /// What `client` was to flush now is likely to be more in a moment: it is flushed when releasing(), unless
  /// it has been let go before.
  void hold(Peer& client) {
    if (client.held_at_ != Peer::kNotHeld) return;
    if (held_.empty()) held_until_ = now_ + kHoldMost;
    client.held_at_ = held_.size();
    held_.push_back(&client);
  }
  void let_go(Peer& client);
  /// The time is up for those that were held.
  [[nodiscard]] bool releasing() const { return releasing_; }
  void again(Peer& peer) {
    if (std::exchange(peer.again_due_, true)) return;
    again_.push_back(&peer);
  }
  /// Destroys `peer` when the turn has ended: until then its pointers may be in use.
  void bury(std::unique_ptr<Peer> peer) { graveyard_.push_back(std::move(peer)); }

  /// More is buffered than the budget allows: clients should not be read. Who stops for that calls
  /// wait_for_memory, and is called back by go_on.
  [[nodiscard]] bool under_pressure() const { return pool_.in_use() > budget_; }
  void wait_for_memory(Peer& peer) {
    if (std::exchange(peer.starved_, true)) return;
    starved_.push_back(&peer);
  }

  /// Ends a turn, for who has to see what is left of it: everybody is flushed, what was buried is gone.
  void end_turn();

 private:
  void later(Peer& peer, std::vector<Peer*>& list) {
    if (std::exchange(peer.flush_due_, true)) return;
    list.push_back(&peer);
  }
  /// So long it sleeps at once, whatever the first deadline is: what epoll_wait takes is an int.
  static constexpr std::chrono::milliseconds kPatienceMost{std::chrono::hours(1)};

  /// Told when the mailbox has something.
  struct Bell final : Pollable {
    explicit Bell(Loop& rung) : loop(rung) {}
    void on_ready(std::uint32_t /*events*/) override { loop.open_letters(); }
    Loop& loop;
  };
  [[nodiscard]] std::chrono::milliseconds patience() const;
  void go_on();
  void release();
  void open_letters();
  void flush_all(std::vector<Peer*>& list);

  const std::size_t budget_;
  BlockPool pool_;
  Deadlines deadlines_;
  Poller poller_;
  Mailbox mailbox_;
  Bell bell_{*this};
  SteadyTime now_;
  bool stopped_ = false;

  std::vector<Peer*> lanes_, clients_, again_, starved_, held_;
  SteadyTime held_until_;
  bool releasing_ = false;
  std::vector<std::unique_ptr<Peer>> graveyard_;
};

}  // namespace ambassador::proxy::net
