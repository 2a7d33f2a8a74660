// One worker's turns. A turn: take what is ready from the poller, let each socket read all it has (within its
// budget), then write once to every peer that something was gathered for, then free what was closed. Runs
// inside an io_context: everything else of the worker (posted calls, the timer) is a turn of its own.
// One worker's thread only, but for pool().in_use().
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_descriptor.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "proxy/net/block.hpp"
#include "proxy/net/clock.hpp"
#include "proxy/net/deadlines.hpp"
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
};

class Loop {
 public:
  /// `memory_budget` in bytes; see under_pressure.
  Loop(boost::asio::io_context& context, std::size_t memory_budget);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] Poller& poller() { return poller_; }
  [[nodiscard]] BlockPool& pool() { return pool_; }
  [[nodiscard]] const BlockPool& pool() const { return pool_; }
  [[nodiscard]] Deadlines& deadlines() { return deadlines_; }
  /// The time, read once per turn.
  [[nodiscard]] SteadyTime now() const { return now_; }

  void flush_lane_later(Peer& lane) { later(lane, lanes_); }
  void flush_client_later(Peer& client) { later(client, clients_); }
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

  /// Runs `work` as a turn: for what comes by post().
  template <class Work>
  void turn(Work&& work) {
    now_ = std::chrono::steady_clock::now();
    work();
    end_turn();
    go_on_later();
    arm();
  }
  /// Forgets everybody, so that nothing is called any more; before the io_context is destroyed.
  void stop();

 private:
  /// Turns in a row before Asio's own handlers get a chance.
  static constexpr int kTurns = 64;
  /// A batch this large makes it likely that more is ready already: the poller is asked again before Asio is.
  static constexpr std::size_t kBusy = 4;

  void later(Peer& peer, std::vector<Peer*>& list) {
    if (std::exchange(peer.flush_due_, true)) return;
    list.push_back(&peer);
  }
  void wait();
  void on_sockets();
  void go_on_later();
  void end_turn();
  void flush_all(std::vector<Peer*>& list);
  void arm();

  using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>,
                                                  boost::asio::io_context::executor_type>;

  boost::asio::io_context& context_;
  const std::size_t budget_;
  BlockPool pool_;
  Deadlines deadlines_;
  Poller poller_;
  Descriptor sockets_;
  Timer timer_;
  SteadyTime now_;
  SteadyTime armed_for_ = SteadyTime::max();
  bool go_on_posted_ = false;

  std::vector<Peer*> lanes_, clients_, again_, starved_;
  std::vector<std::unique_ptr<Peer>> graveyard_;
};

}  // namespace ambassador::proxy::net
