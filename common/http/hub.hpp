// What the connections of one server share: handler, limits, counts, and the list of those who wait for a
// request, so that the longest waiting one can be closed for a new one. Inside of common/http.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>

#include "common/http/server.hpp"

namespace ambassador::http {

/// As the hub sees it. close() may be called by every thread.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void start() = 0;
  virtual void close() = 0;

 private:
  friend class Hub;
  std::list<Connection*>::iterator place_;  // in Hub::waiting_
  bool waits_ = false;
  bool begun_ = false;
  bool evicted_ = false;
};

class Hub : public std::enable_shared_from_this<Hub> {
 public:
  Hub(boost::asio::io_context& io, Handler handler, Limits limits, std::shared_ptr<const tls::Source> tls);

  struct Counters {
    std::atomic<std::uint64_t> accepted{0}, evicted{0}, accept_pauses{0}, handshake_failures{0}, requests{0},
        malformed{0}, too_large{0}, too_slow{0};
  };

  /// Makes room and takes the connection in; false: all are busy, or the server stops.
  bool admit(const std::shared_ptr<Connection>& connection);
  /// Once, when it has closed.
  void gone(Connection& connection);
  /// `begun`: a part of the request is there; stop() then lets it come.
  void waits(Connection& connection, bool begun);
  void works(Connection& connection);
  /// Closes the connection that has waited longest; false when none waits.
  bool evict_one();

  void drain() { draining = true; }
  /// Closes those who wait and have sent nothing yet; `done` (may be empty) when all are gone.
  void stop(std::function<void()> done);
  void close_all();
  [[nodiscard]] std::uint64_t open() const;

  boost::asio::io_context& io;
  const Limits limits;
  const std::shared_ptr<const tls::Source> tls;
  Counters counters;
  std::atomic<bool> draining{false};  // every response says `Connection: close`
  std::atomic<bool> closed{false};    // the Server is gone: no handler is called any more

  void handle(Request request, Reply reply) { handler_(std::move(request), std::move(reply)); }

 private:
  void evict_locked(Connection& connection);

  const Handler handler_;
  mutable std::mutex mutex_;
  std::set<Connection*> all_;
  std::list<Connection*> waiting_;  // longest first
  std::size_t evicting_ = 0;        // told to close, still in all_
  bool stopping_ = false;
  std::function<void()> done_;
};

}  // namespace ambassador::http
