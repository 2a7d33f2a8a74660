// One listener as one worker serves it, as the worker sees it: a Relay (requests and replies over shared
// lanes) or a PooledRelay (servers lent from a pool). Nothing of it is called per request. One worker's
// thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/generation.hpp"
#include "proxy/net/outside.hpp"
#include "proxy/net/snapshot.hpp"
#include "proxy/net/socket.hpp"

namespace ambassador::proxy::net {

class Service {
 public:
  virtual ~Service() = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  [[nodiscard]] virtual const std::shared_ptr<const Generation>& generation() const = 0;
  [[nodiscard]] const std::string& name() const { return generation()->config.name; }
  /// The listener's configuration was reloaded, its protocol is the same.
  virtual void adopt(std::shared_ptr<const Generation> generation) = 0;
  /// `open`: null for one that is of this proxy itself: it does not count as a client, and a drain lets it
  /// be.
  virtual void accept(Socket socket, const Address& peer, std::shared_ptr<OpenClients> open) = 0;
  [[nodiscard]] virtual bool draining() const = 0;
  /// Clients are closed as soon as nothing is in flight for them.
  virtual void drain() = 0;
  virtual void close() = 0;
  virtual void addresses_changed(const Upstream& upstream) = 0;
  /// Servers are to be logged in at anew; where clients do that themselves, or nobody does, it means nothing.
  virtual void login_changed() {}
  /// A backend says something else of itself (Upstream::set_standing), or is reached again; likewise.
  virtual void standing_changed() {}
  /// Lends no servers until then, or until it is resumed (Pool::pause). Where none are lent it means nothing.
  virtual void pause(SteadyTime /*until*/) {}
  virtual void resume() {}
  /// Whom it means may be with this worker.
  virtual void cancel(const Wish& wish) = 0;
  virtual void describe(std::vector<ClientSnapshot>& out, std::size_t limit) const = 0;
  /// Appends what is kept of slow requests; where nothing is it means nothing.
  virtual void list_slow_requests(std::vector<SlowRequest>& /*out*/) const {}
  /// Likewise what is known of its keys: those that are asked for most, and those of large messages.
  virtual void list_hot_keys(std::vector<AskedKeys>& /*out*/) const {}
  virtual void list_big_keys(std::vector<BigKey>& /*out*/) const {}
  /// No client is left, not even one that a reply is still owed to.
  [[nodiscard]] virtual bool empty() const = 0;
  /// And no connection to a server either: close() was called, and the turn has ended.
  [[nodiscard]] virtual bool gone() const = 0;

  // What clients and servers need. -----------------------------------------------------------------------
  [[nodiscard]] const Outside& outside() const { return outside_; }
  /// An event of this listener; `upstream` (may be null) is the backend that it concerns.
  void say(config::LogLevel level, std::string what, const Upstream* upstream, std::string_view error,
           std::string client = {}) const;

 protected:
  explicit Service(const Outside& outside) : outside_(outside) {}

 private:
  const Outside& outside_;
};

}  // namespace ambassador::proxy::net
