// One thread with its loop, and what serves all listeners on it. Proxy makes as many as Options say;
// they share nothing but Upstreams and counters. All public members may be called by any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proxy/net/loop.hpp"
#include "proxy/net/outside.hpp"
#include "proxy/net/service.hpp"

namespace ambassador::proxy::net {

class Worker {
 public:
  /// `outside`: all but client_closed and service, which are the worker's own.
  Worker(Outside outside, std::size_t memory_budget);
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
  void standing_changed(std::string listener);
  void pause(std::string listener, SteadyTime until);
  void resume(std::string listener);
  void login_changed(std::string listener);
  void cancel(std::string listener, Wish wish);
  void drain();
  /// Calls `done` on the worker's thread.
  void list_clients(std::size_t limit, std::function<void(std::vector<ClientSnapshot>)> done);
  void list_slow_requests(std::function<void(std::vector<SlowRequest>)> done);
  void list_hot_keys(std::function<void(std::vector<AskedKeys>)> done);
  void list_big_keys(std::function<void(std::vector<BigKey>)> done);

  /// Clients that were given to it and are still open.
  [[nodiscard]] std::uint32_t clients() const { return clients_.load(std::memory_order_relaxed); }
  /// Bytes in blocks that are in use.
  [[nodiscard]] std::size_t buffered() const { return loop_.pool().in_use(); }
  /// The worker's clock, read once per turn; on its thread.
  [[nodiscard]] SteadyTime now() const { return loop_.now(); }

 private:
  using Services = std::vector<std::unique_ptr<Service>>;

  template <class Work>
  void post(Work work);
  /// Calls work(service) for each service of that listener, those that are leaving too.
  template <class Work>
  void tell(std::string listener, Work work);
  /// Calls describe(service, list) for each service, those that are leaving too, then `done`.
  template <class One, class Describe>
  void list(Describe describe, std::function<void(std::vector<One>)> done);
  Service* find(std::string_view listener);
  [[nodiscard]] std::unique_ptr<Service> serve(std::shared_ptr<const Generation> generation);
  void leave(Services::iterator service);

  std::atomic<std::uint32_t> clients_{0};
  Outside outside_;
  Loop loop_;
  Services services_;
  Services leaving_;  // of listeners that are gone, until their clients are
  std::thread thread_;
};

}  // namespace ambassador::proxy::net
