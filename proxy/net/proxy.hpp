// The running proxy: binds the listeners of a configuration document, hands accepted clients to the workers,
// keeps names resolved, applies new documents without disturbing what did not change, drains. proxy/app owns
// one; proxy/health and proxy/admin look into it.
//
// Threads: everything here belongs to the control thread (the one that runs `control`), except where a line
// says otherwise. The workers' threads are made in the constructor and joined in the destructor.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/document.hpp"
#include "common/result/result.hpp"
#include "common/tls/source.hpp"
#include "proxy/net/event.hpp"
#include "proxy/net/generation.hpp"
#include "proxy/net/snapshot.hpp"
#include "proxy/net/upstream.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

/// Makes a listener's protocol core, of either kind; called once per worker and configuration, on the control
/// thread. `availability` outlives the core and counts backends as `listener` does. An Error refuses the
/// document.
using CoreFactory =
    std::function<Result<Core>(const config::Listener& listener, const Availability& availability)>;
/// The certificate that a listener shows to clients who ask for TLS; null: none. Called with every
/// configuration, on the control thread; only listeners of pooled protocols have one.
using CertificateFunction =
    std::function<Result<std::shared_ptr<const tls::Source>>(const config::Listener& listener)>;

/// What a resolver says of a name.
struct Resolved {
  Addresses addresses;           // with port 0; at least one
  std::chrono::seconds ttl{30};  // how long it may be used without asking again
};
/// Resolves a DNS name to all of its A and AAAA records and calls back on the control thread, exactly once,
/// never before it returned. IP literals and Unix paths never come here.
using ResolveFunction =
    std::function<void(const std::string& name, std::function<void(Result<Resolved>)> done)>;

struct Options {
  unsigned workers = 1;
  ResolveFunction resolve;
  EventSink events = [](const Event&) {};
  CertificateFunction certificate;  // empty: no listener has one
  /// Which of the servers of a listener is the primary is in doubt: to be probed at once. On the control
  /// thread.
  std::function<void(const std::string& listener)> ask_standing = [](const std::string&) {};
  /// Memory for buffers of all workers together. Above it clients are not read until some is free again.
  std::size_t memory_budget = std::size_t{64} * 1024 * 1024;
};

/// A backend, or a seed, that health checking should probe.
struct ProbeTarget {
  std::string listener;
  std::shared_ptr<Upstream> upstream;      // where it is, and where the result goes
  std::shared_ptr<const Probing> core;     // what is asked; null: connecting is the probe
  std::chrono::milliseconds timeout{};     // timeouts.connect of the listener
  std::shared_ptr<const TlsClient> tls{};  // what its connections begin with; null: nothing
  std::chrono::milliseconds max_lag{};     // where it matters who is the primary
  /// Asked out of turn, it is probed at most this often.
  std::chrono::milliseconds apart = kProbesApart;
  /// Is told each answer; nothing: there was none, or it was not healthy. May be empty.
  std::function<void(std::optional<std::string_view> reply)> heard{};
  static constexpr std::chrono::milliseconds kProbesApart{20};
};

class Proxy {
 public:
  Proxy(boost::asio::io_context& control, Options options, CoreFactory factory);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// Makes the running proxy agree with `document`; only what differs is touched. On an Error (an address
  /// that cannot be bound, a core that cannot be made) everything goes on as before. Log level, drain time
  /// and ports of admin and health are not its business.
  Result<void> apply(const config::Document& document);

  /// Reads the CA, certificate and key files that a listener has for connections to servers again:
  /// connections from now on use them, and earlier ones are lent to no further client. An Error names the
  /// file that can't be used: then all stays as it was.
  Result<void> reload_tls(const std::string& listener);
  /// Who logs in at the servers of that listener is somebody else now: connections that were made before are
  /// lent to no further client.
  void login_changed(const std::string& listener);

  /// A probe has found out that a server of that listener is something else than before.
  void standing_changed(const std::string& listener);

  /// Lends no servers to clients of that listener for so long, or until resume(): they wait, however long it
  /// takes, so that servers can be switched without an error. False: there is no such listener that lends.
  bool pause(const std::string& listener, std::chrono::milliseconds duration);
  bool resume(const std::string& listener);

  /// Clients connected now, over all listeners. Any thread.
  [[nodiscard]] std::size_t clients() const;
  /// Accepts no more, closes clients as soon as nothing is in flight for them; clients() then falls to 0.
  void begin_drain();
  /// Closes everything at once; the destructor does it too.
  void stop();

  [[nodiscard]] Snapshot snapshot() const;
  /// The clients of now, asked from every worker; `done` is called on the control thread. At most `limit`.
  void list_clients(std::size_t limit, const std::function<void(std::vector<ClientSnapshot>)>& done);
  /// Likewise what is kept of slow requests, the newest first.
  void list_slow_requests(std::size_t limit, const std::function<void(std::vector<SlowRequest>)>& done);
  /// Likewise the keys that are asked for most, by listener, and those of large messages, the largest first.
  void list_hot_keys(const std::function<void(std::vector<AskedKeys>)>& done);
  void list_big_keys(std::size_t limit, const std::function<void(std::vector<BigKey>)>& done);
  /// What connections to the servers of that listener begin with; null: nothing, or there is no such
  /// listener.
  [[nodiscard]] std::shared_ptr<const TlsClient> tls(const std::string& listener) const;
  /// All backends of all listeners as configured now; changes with every apply().
  [[nodiscard]] std::vector<ProbeTarget> probe_targets() const;
  /// True when every listener of the document is bound.
  [[nodiscard]] bool listening() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ambassador::proxy::net
