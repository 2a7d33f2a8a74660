// One thread with its io_context, and the relays of all listeners on it. Proxy makes as many as Options say;
// they share nothing but Upstreams and counters. All public members may be called by any thread.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proxy/net/loop.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

class Worker {
 public:
  Worker(EventSink events, std::function<void(const std::shared_ptr<Upstream>&)> resolve_again,
         std::size_t memory_budget);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// A new listener, or a new configuration of one.
  void adopt(std::shared_ptr<const Generation> generation);
  /// The listener is no longer configured: its clients are drained.
  void remove(const std::string& listener);
  /// A client of that listener; `open` was counted up for it.
  void accept(std::string listener, Socket socket, Address peer, std::shared_ptr<OpenClients> open);
  void addresses_changed(std::shared_ptr<const Upstream> upstream);
  void drain();
  /// Calls `done` on the worker's thread.
  void list_clients(std::size_t limit, std::function<void(std::vector<ClientSnapshot>)> done);

  /// Clients that were given to it and are still open.
  [[nodiscard]] std::uint32_t clients() const { return clients_.load(std::memory_order_relaxed); }
  /// Bytes in blocks that are in use.
  [[nodiscard]] std::size_t buffered() const { return loop_.pool().in_use(); }
  /// The worker's clock, read once per turn; on its thread.
  [[nodiscard]] SteadyTime now() const { return loop_.now(); }

 private:
  using Relays = std::vector<std::unique_ptr<Relay>>;

  template <class Work>
  void post(Work work);
  Relay* find(const std::string& listener);
  void leave(Relays::iterator relay);

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::atomic<std::uint32_t> clients_{0};
  Outside outside_;
  Loop loop_;
  Relays relays_;
  Relays leaving_;  // of listeners that are gone, until their clients are
  std::thread thread_;
};

}  // namespace ambassador::proxy::net
