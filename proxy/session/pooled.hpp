// The second seam between protocol cores and proxy/net: for protocols whose client holds one server
// connection at a time, lent to it from a pool, and where what a message means depends on both directions
// (PostgreSQL, MySQL). The first, for protocols of requests and replies, is session.hpp. As there, the relay
// owns sockets, TLS, buffers, deadlines, the pool and its queue; a protocol only looks at bytes and says the
// next step.
//
// The shape. A *session* (one per client) sees what the client sends, and what the server sends while one is
// lent to it. The relay calls on_bytes with everything received from that side and not consumed yet, carries
// the step out and calls again, until the session says need_more (or borrow, or close). A *server* (one per
// server connection) is what the protocol must know of that connection as long as it lives: it logs in, is
// asked by the relay while no client holds it, and is handed to the session it is lent to. Bodies are never
// collected: what is long is forwarded by length (Step::more).
//
// Threads: all objects of one worker are used by that worker's thread alone; every worker has a core of its
// own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/session/session.hpp"
#include "proxy/session/standing.hpp"

namespace ambassador::proxy {

enum class Side : std::uint8_t { client, server };

/// What the relay shall do next.
struct Step {
  enum class Kind : std::uint8_t {
    need_more,  // nothing can be said before that side has sent more
    skip,       // the `consumed` bytes lead nowhere, nor do the next `more`
    forward,  // the `consumed` bytes go to the other side, and so do the next `more`, which the session does
              // not see
    send,     // `text` goes to the side `to`
    start_tls,  // with the side `to`; everything received from it must have been consumed. Nothing is asked
                // before tls_started, or the connection ends
    borrow,     // the session needs a server, PooledSession::want says which: the relay asks nothing before
                // server_lent or borrow_failed
    give_back,  // the session needs its server no more; everything received from it must have been consumed
    hold,    // of the client's side, while a server is lent: what it sent behind `consumed` waits until the
             // server has said something; the client is not read meanwhile
    cancel,  // `text` is a client's wish to interrupt what another client runs (PooledSession::may_cancel)
    close,   // `text` goes to the client, then the connection is closed
    // Of servers alone:
    ready,   // it may be lent
    failed,  // it can't be used: `text` is what the clients who wait for it are told (borrow_failed); with
             // `passing` it may be otherwise in a moment, and they go on waiting for as long as they may
  };
  Kind kind = Kind::need_more;
  Side to = Side::client;
  bool passing = false;
  /// give_back: the client may have written by this server, and its reads have to see that (Want::causal).
  bool wrote = false;
  /// give_back and borrow: what this server could not do is done by another one. The session is asked for the
  /// client's side next, whether there is input or not.
  bool again = false;
  /// Bytes at the front of the input that are done with; steps of any kind may have some.
  std::size_t consumed = 0;
  /// skip and forward: that many bytes of that side follow which have the same way. With more > 0 the whole
  /// input is consumed.
  std::uint64_t more = 0;
  /// For measuring: requests of this client that begin or end with this step, in their order.
  std::uint8_t began = 0;
  std::uint8_t ended = 0;
  static constexpr std::uint8_t kMostCounted = 255;
  std::string_view text{};  // valid until the next call on a session or server of the same core
};

/// What is known of the peer when TLS was started.
struct TlsPeer {
  /// RFC 5929 tls-server-end-point: the hash of the server's certificate (of the peer's where the proxy is
  /// the client, of its own where it is the server). Empty: none.
  std::string server_end_point;
};

/// One connection to a server, for as long as it lives. Pure: no clock, no socket, no file.
class PooledServer {
 public:
  virtual ~PooledServer() = default;
  PooledServer(const PooledServer&) = delete;
  PooledServer& operator=(const PooledServer&) = delete;

  /// While no client holds it: `input` is everything received and not consumed yet. Called with none as soon
  /// as it is connected, and after given_back() said false. Steps: need_more, skip, send (to the server),
  /// start_tls (with the server), ready, failed. After ready it is asked only when the server sends
  /// something.
  virtual Step on_bytes(std::span<const char> input) = 0;
  virtual void tls_started(const TlsPeer& peer) = 0;
  /// The client that held it gave it back. True: it may be lent again at once. False: on_bytes says what has
  /// to be done first, until ready.
  virtual bool given_back() = 0;
  /// As far as it has said.
  [[nodiscard]] virtual Standing standing() const = 0;
  /// It is ready and nobody's, and the core can_watch(): standing() is to be found out anew. on_bytes says
  /// how, until ready.
  virtual void ask() = 0;
  /// What a connection of its own to the same address has to send to interrupt what this one runs; empty:
  /// there is no such thing. Encrypted if this one is: a new server of the same key is asked, and its steps
  /// carried out, until it says start_tls; then this is sent.
  [[nodiscard]] virtual std::string_view interruption() const = 0;
  /// Sent before the connection is closed in peace.
  [[nodiscard]] virtual std::string_view farewell() const = 0;

 protected:
  PooledServer() = default;
};

/// One client's view of the protocol. Pure: no clock, no socket, no file.
class PooledSession {
 public:
  virtual ~PooledSession() = default;
  PooledSession(const PooledSession&) = delete;
  PooledSession& operator=(const PooledSession&) = delete;

  /// `input` is everything received from `from` and not consumed yet; unchanged at the front when it comes
  /// again. It may be empty: after a step that consumed all, and after server_lent, borrow_failed and
  /// server_lost. Side::server only while a server is lent.
  virtual Step on_bytes(Side from, std::span<const char> input) = 0;
  virtual void tls_started(const TlsPeer& peer) = 0;

  /// Which server the session wants to borrow; asked after the step `borrow`.
  struct Want {
    /// Servers with equal keys are interchangeable: who logs in, to what, with which parameters. Stays as it
    /// is until server_lent, borrow_failed or borrow_cancelled.
    std::string_view key;
    Role role = Role::any;
    /// Role::replica: it must have all that this client has written (Step::wrote).
    bool causal = false;
    /// For this client alone: never lent to another, closed when given back, not logged in by the pool.
    bool alone = false;
  };
  [[nodiscard]] virtual Want want() const = 0;
  /// `server` is the session's until it is given back, lost, or the client leaves.
  virtual void server_lent(PooledServer& server) = 0;
  /// There is none, after timeouts.queue at the latest. `text`: of the step `failed`, or empty. on_bytes for
  /// the client is called next.
  virtual void borrow_failed(Failure failure, std::string_view text) = 0;
  /// The connection to the server ended, all it had sent was shown. on_bytes for the client is called next,
  /// its input may be empty.
  virtual void server_lost() = 0;
  /// The client is gone while it holds a server. True: nothing is in flight there, and the pool takes it back
  /// as by give_back. False: it is interrupted and closed.
  virtual bool client_left() = 0;

  /// True: `text`, of another session's step `cancel`, is meant for this one, and what it would interrupt is
  /// under way. Every session of the listener is asked that holds a server or waits for one (borrow), over
  /// all workers. Compares in constant time.
  [[nodiscard]] virtual bool may_cancel(std::string_view text) const = 0;
  /// It was cancelled while it waited, and waits no more. on_bytes for the client is called next.
  virtual void borrow_cancelled() = 0;
  /// It is the client's turn to say who it is, or to prove it; for that it has a limited time.
  [[nodiscard]] virtual bool logging_in() const = 0;
  /// Between two units of work: may be told to leave (drain), and moved to another core (rebind).
  [[nodiscard]] virtual bool at_rest() const = 0;
  /// What a client at rest is told when it has to leave.
  [[nodiscard]] virtual std::string_view farewell() const = 0;

 protected:
  PooledSession() = default;
};

/// So often clients kept a server between units of work, for a reason that the protocol names.
struct PinCount {
  std::string_view reason;
  std::uint64_t count = 0;
};

/// Units of work after which their clients kept their server, or did not, as far as clients share servers
/// between units.
struct UnitCounts {
  std::uint64_t pinned = 0;
  std::uint64_t unpinned = 0;
};

/// A pooled protocol as configured for one listener: one core per worker. Its configuration never changes.
class PooledCore {
 public:
  virtual ~PooledCore() = default;
  PooledCore(const PooledCore&) = delete;
  PooledCore& operator=(const PooledCore&) = delete;

  /// The most bytes that the relay may hold for one side that says need_more.
  [[nodiscard]] virtual std::size_t max_head() const = 0;

  /// What the edge knows of a client; `secret` is random, and its first four bytes are no other client's.
  struct Client {
    std::uint32_t number = 0;  // positive as an int32, no other client's
    std::array<char, 32> secret{};
    bool can_tls = false;  // the listener has a certificate
  };
  [[nodiscard]] virtual std::unique_ptr<PooledSession> new_session(const Client& client) const = 0;
  /// For a connection to a server that a session wants: Want::key, Want::alone.
  [[nodiscard]] virtual std::unique_ptr<PooledServer> new_server(std::string_view key, bool alone) const = 0;
  /// Servers can be asked for their standing, on connections of no client.
  [[nodiscard]] virtual bool can_watch() const = 0;
  /// Key of such connections; empty: not at the moment.
  [[nodiscard]] virtual std::string watch_key() const = 0;
  /// Lets a living session that is at rest go on by this core (the configuration was reloaded).
  virtual void rebind(PooledSession& session) const = 0;
  /// Over all cores of the listener, all reasons that there are. Any thread.
  [[nodiscard]] virtual std::vector<PinCount> pinned() const { return {}; }
  /// Likewise.
  [[nodiscard]] virtual UnitCounts units() const { return {}; }

  /// What servers are logged in with may be something else now.
  virtual void login_changed() const {}

 protected:
  PooledCore() = default;
};

}  // namespace ambassador::proxy
