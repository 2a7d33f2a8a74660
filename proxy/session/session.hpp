// What a protocol tells the relay: the one seam between the pure protocol cores (proxy/redis, proxy/tcp, ...)
// and proxy/net. The relay owns sockets, buffers, deadlines and order; a protocol only looks at bytes and
// gives verdicts. The relay never learns a protocol's name, a protocol never learns what a socket is.
//
// The shape. A *lane* is one connection to one backend, with a FIFO of the replies it still owes. A *framer*
// (one per lane) finds where a reply ends. A *session* (one per client) turns the client's bytes into
// verdicts, each of which opens at most one *exchange*: a place in the order of replies this client will see.
// Lanes may be shared by all clients of a worker (Redis: requests are merged, replies found by order) or be
// one client's own (TCP, PostgreSQL).
//
// A client's own lane (shares_lanes() == false): `backend` in verdicts is ignored, everything goes to that
// lane. Bytes that arrive while the lane owes nothing (the server speaks first) go straight to the client. A
// protocol without messages passes once with more = kForever and has a framer that never says complete. The
// end of either direction is relayed as a half-close; sessions and framers do not see it.
//
// Shared lanes: a session collects messages by need_more, and streams (Verdict::streams()) only large ones
// (Redis: what is longer than 64 KiB and need not be split). Such bytes come at the client's pace: on a
// shared lane they would hold up everybody else, and a client that leaves in the middle would take the lane
// with it. So the relay gives a streamed exchange a lane of its own, begins it when the client's earlier
// exchanges are answered and reads the client's next message when it is answered, which keeps the order of
// one client's commands. Bytes from a server that owes nothing break the lane, unless the framer says that
// they are news (Frame::news). Each connection of a lane gets a new framer.
//
// Kinds of lanes: a connection to a server may have to be told something first (who logs in, which version of
// the protocol, which database: greeting.hpp). Verdict::lane says which kind of connection a message needs;
// shared lanes are one per backend and kind, made when the first message needs them, closed when none has for
// a while. A message never goes over a connection of another kind, or over one that was not greeted.
//
// Leases: what must not, or cannot, be shared goes by a lane of the client's own (Verdict::lease): the keys
// that it watches, a command that blocks, its subscriptions. A client has at most one such lane per backend.
// A leased lane and the shared one are two connections, and a server reads each at its own pace: so a session
// says settle before it changes from one to the other, and between the two sends nothing that could be
// overtaken. A leased connection is never made again once it was there: what it stood for at the server ended
// with it (Session::lease_lost). A lane that listens may bring messages that nobody asked for (Frame::news);
// each goes to the client as a whole, after the replies that came before it on that lane.
//
// Servers of which one takes writes and the others follow it (ProtocolCore::follows_primary): probes tell
// which is which (probe_standing), and a server that is asked for what it does not do says so
// (Frame::declined). Lanes keep what they sent until it is answered: what was declined, and reads behind it,
// are given to the server that elsewhere() names, or to the same one again a moment later, in their order and
// before what the lane has not sent yet, for timeouts.queue at most. The session must not ask the new primary
// before what it asked the old one is answered: it settles first.
//
// Servers that tell when what they replied is so no more (keeping.hpp): a core that keeps replies
// (ProtocolCore::keeps_replies) has a Keeper for each connection of a shared lane to one, which is shown the
// replies to requests with Verdict::keeps, and all news. Sessions then answer by themselves what is kept:
// only when nothing of their client is open (Session::stands), so that no client sees the past after the
// present.
//
// Servers that have the data shared out among them, and move it about while clients use it
// (ProtocolCore::follows_homes): a message says what it is about (Verdict::home), and a server that is asked
// for what it does not have names the one who has it (Decline::moved, once). Such a request goes there at
// once, in the order in which the first server answered: so requests of one client about one home are done in
// their order, as long as its session settles before it asks another server about it by itself. What can't be
// done for the moment (Decline::later) is asked again by itself, what reads behind it waits for it, and its
// client sends nothing more meanwhile.
//
// Threads: all objects of one worker (core, availability, sessions, framers) are used by that worker's thread
// alone; every worker has a core of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/session/greeting.hpp"
#include "proxy/session/keeping.hpp"
#include "proxy/session/key_watch.hpp"
#include "proxy/session/probing.hpp"

namespace ambassador::proxy {

/// Position of a backend in the listener's backend list (config::Listener::backends, in that order).
using BackendIndex = std::uint32_t;
inline constexpr BackendIndex kNoBackend = ~BackendIndex{0};
/// Verdict::more of a stream without end.
inline constexpr std::uint64_t kForever = ~std::uint64_t{0};

/// Which part of the data a message is about, as the core numbers them (Redis Cluster: the slot of its keys).
/// The backend that this lies with may be another one by the time that the message is sent.
enum class Home : std::uint16_t { anywhere = 0xffff };

/// By which lane to its backend a message goes, where lanes are shared.
enum class Lease : std::uint8_t {
  none,  // the shared one
  keep,  // one of this client's own, taken if it has none yet, and its own from then on
  last,  // the same; given back when this message and those before it are answered: for other clients, but
         // for one that listened, which is closed
  drop,  // the same; closed then
};

/// What the relay shall do with the client's bytes. `consumed` bytes at the front of the input are done with.
struct Verdict {
  enum class Kind : std::uint8_t {
    need_more,  // nothing can be said before more bytes are there; consumed may be > 0 (bytes to drop)
    pass,       // forward the `consumed` bytes verbatim to `backend`; one exchange, its reply streams to the
                // client
    send,       // the same with `text` in place of the consumed bytes (the request in another spelling)
    ask,     // send `text` to `backend` as one part of the open group; its reply is kept for Session::merge
    gather,  // close the open group (0..n asks since the last gather, no other verdict but need_more between
             // them): one exchange, answered by Session::merge
    answer,  // `text` is the whole reply of one exchange: goes to the client in its turn
    close,   // `text` (may be empty) goes to the client in its turn, then the connection is closed
    wait,    // a backend that is needed cannot be used now; consumed == 0. The relay reads no further from
             // this client and asks again when something changed (or every few tens of milliseconds); after
             // timeouts.queue it calls give_up and asks again
    settle,  // consumed == 0: the relay asks again when every exchange of this client is answered, at once if
             // none is open. Until then it reads no further from it
  };
  Kind kind = Kind::need_more;
  /// pass only: the message goes on after `consumed + more` bytes; the next verdict that is not need_more is
  /// a pass that continues the same exchange (its `backend` says nothing), or a close.
  bool unfinished = false;
  /// pass and send: the server may take as long as it likes; a client that leaves meanwhile takes the lane
  /// with it, and a drain does not wait for it.
  bool patient = false;
  /// pass, send and ask: the message changes nothing, it may be asked more often than once
  /// (ProtocolCore::keeps_requests).
  bool reads = false;
  /// pass and send by a shared lane: the reply is shown to the Keeper of the connection that it comes by.
  bool keeps = false;
  /// answer: the bytes that are done with hold a password; the relay wipes them where they were received.
  bool secret = false;
  /// pass, send and gather: there is to be a copy for ProtocolCore::mirror(): of a pass the bytes that are
  /// done with, and those to come, else `text`. Whole messages.
  bool mirrored = false;
  /// With a lease: from now on the server may send messages that nobody asked for.
  bool listens = false;
  /// pass, send and ask: which lane. answer: with `drop` all lanes that the client has leased are closed;
  /// they must owe nothing.
  Lease lease = Lease::none;
  /// pass, send and ask: the kind of connection to it that the message needs; gather: that its copy needs.
  /// Own lanes are ordinary ones.
  LaneKind lane = LaneKind::ordinary;
  /// pass, send and ask; kNoBackend: it fails with Failure::no_backend.
  BackendIndex backend = kNoBackend;
  /// pass, send and ask: what it is about, for ProtocolCore::elsewhere.
  Home home = Home::anywhere;
  /// ask only: so many replies come to its text; together they are the part's.
  std::uint32_t replies = 1;
  /// Bytes at the front of the input that are done with; verdicts of any kind may have some.
  std::size_t consumed = 0;
  /// pass only: more of the same message's bytes follow than are in the input; the next `more` bytes from the
  /// client belong to the same exchange and are streamed to the same backend without asking the session
  /// again. With more > 0 the whole input is consumed.
  std::uint64_t more = 0;
  /// Valid until the next call on a session of the same core. Of a gather: its copy, if there is to be one.
  std::string_view text{};

  /// True for a pass whose message is not wholly in the input.
  [[nodiscard]] bool streams() const { return more > 0 || unfinished; }
};

/// Why a request got no reply from its backend.
enum class Failure : std::uint8_t {
  no_backend,   // nothing to choose from (unresolved, all down), waited timeouts.queue
  unreachable,  // could not connect within timeouts.queue; nothing was sent
  lost,         // the connection ended after the request was sent: it may or may not have been done
  timed_out,    // sent, but no reply in time
  overloaded,   // a queue or buffer limit was reached; nothing was sent
  refused,      // the server refused the greeting, and said why; nothing was sent
  declined,     // the server, or every one that was asked in time, would not do it; nothing was done
};

/// Why a server has done nothing of what it was asked, as its reply says.
enum class Decline : std::uint8_t {
  none,    // it has done it, or tried to
  not_it,  // it is not the one to do such things, or not now: another server, or this one later
  later,   // not this one for now: to be asked again in a moment
  moved,   // what it is about lies with another server, which it names
  once,    // the server that it names may do it, if told that it was sent there
};

/// One part of a gathered exchange: the reply's bytes, or why there is none.
struct Part {
  BackendIndex backend = kNoBackend;
  std::string_view backend_name{};  // config::Backend::name, for the error reply
  bool failed = false;
  Failure failure = Failure::lost;
  std::string_view reply{};
  std::string_view reason{};  // Failure::refused: Greeted::why
};

/// One client's view of the protocol. Pure: no clock, no socket, no file.
class Session {
 public:
  virtual ~Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// `input` is everything received and not consumed yet. Called again until it says need_more or close. The
  /// relay keeps at most the protocol's limit (see ProtocolCore::max_message) unconsumed and then closes.
  /// What was not consumed comes again, at the front and unchanged: sessions go on where they stopped.
  virtual Verdict on_client(std::span<const char> input) = 0;

  /// Before each on_client, where the core keeps_replies(). `at_rest`: every exchange of this client has been
  /// answered.
  virtual void stands(bool /*at_rest*/, std::chrono::steady_clock::time_point /*now*/) {}

  /// The session said wait and timeouts.queue has passed: until what it waited for is there again, it answers
  /// with errors instead of waiting.
  virtual void give_up() {}

  /// The replies to the asks of one gathered exchange, in the order of the asks; appends the merged reply to
  /// `out`. Exchanges are merged in the order in which they were gathered, each when its turn has come.
  /// Part::backend counts in the list of the core that the session was bound to when it asked.
  virtual void merge(std::span<const Part> parts, std::string& out) = 0;

  /// A `pass` got no reply (nothing of it went to the client yet): appends the error reply to `out`; called
  /// when the exchange's turn has come. Returns false when the protocol has no error replies: the relay then
  /// closes the client. `backend_name` is empty for Failure::no_backend; `reason` is Greeted::why for
  /// Failure::refused, else empty.
  virtual bool fail(Failure failure, std::string_view backend_name, std::string_view reason,
                    std::string& out) = 0;

  /// The lane that was leased to `backend` (of the core that the session is bound to; kNoBackend: one that
  /// this core does not have) has ended, or could not be had; what it owed fails. Not called for one that was
  /// given back. False: the client can't go on, and is closed when it has read what is due to it. May come
  /// between the asks of a group.
  virtual bool lease_lost(BackendIndex /*backend*/) { return true; }
  /// Asked now and then while lanes are leased and no exchange is open, and after rebind. False: what the
  /// session has at servers is where it has no use any more; the client is closed.
  [[nodiscard]] virtual bool leases_stand() { return true; }
  /// The client has to say and prove who it is, and never has; for that it has a limited time.
  [[nodiscard]] virtual bool logging_in() const { return false; }

 protected:
  Session() = default;
};

/// Finds the ends of replies in one lane's stream.
class Framer {
 public:
  struct Frame {
    std::size_t bytes = 0;  // that many bytes at the front of the input belong to the reply now due
    bool complete = false;  // and the reply, or the message that is news, ends with them
    bool broken = false;    // the server does not speak the protocol: the lane must be closed
    /// The bytes belong to no reply: the server tells news of its own accord, between two replies or while it
    /// owes none. They are nobody's, unless the lane listens for its client.
    bool news = false;
    /// With `complete`: what the reply says of a request of which nothing was done.
    Decline declined = Decline::none;
    /// Decline::moved and once: where that server is, for ProtocolCore::named. Lies in the input.
    std::string_view to{};
  };
  virtual ~Framer() = default;
  Framer(const Framer&) = delete;
  Framer& operator=(const Framer&) = delete;

  /// `input` starts where the last Frame ended. bytes == 0 && !complete: more is needed first. The framer
  /// keeps the state between calls, so that a large reply streams through without being collected.
  virtual Frame next(std::span<const char> input) = 0;

  /// The lane listens from now on: there may be messages among the replies, and while none is due.
  virtual void listen() {}

 protected:
  Framer() = default;
};

/// Which backends may be used now; written by health checking, read by routing. Pure view, one per listener
/// and worker.
class Availability {
 public:
  virtual ~Availability() = default;
  Availability(const Availability&) = delete;
  Availability& operator=(const Availability&) = delete;

  /// True unless the backend is known to be down (or ejected).
  [[nodiscard]] virtual bool usable(BackendIndex backend) const = 0;
  /// The one backend that all clients of a Failover listener use now, by the rule of balance::FirstInOrder
  /// (it needs the time, which a session does not know); kNoBackend: none is usable.
  [[nodiscard]] virtual BackendIndex preferred() const = 0;

  // Where servers tell what they are (ProtocolCore::follows_primary).
  /// The one that takes writes, by right; kNoBackend: none is known, or it is not usable.
  [[nodiscard]] virtual BackendIndex primary() const { return kNoBackend; }
  /// It is usable, and follows the primary, at most so far behind.
  [[nodiscard]] virtual bool follows(BackendIndex /*backend*/, std::chrono::milliseconds /*behind*/) const {
    return false;
  }
  /// How long it takes to ask it and to have its answer, lately.
  [[nodiscard]] virtual std::chrono::microseconds distance(BackendIndex /*backend*/) const { return {}; }

 protected:
  Availability() = default;
};

/// What a request is about, for people: nothing of it that may be secret.
struct RequestName {
  std::string_view command;
  std::string_view key;
};

/// Which requests count as slow: those whose reply is there `threshold` after they were queued for their
/// server, or later. The last `size` of them are kept, per worker; 0: none are.
struct SlowLimits {
  std::chrono::milliseconds threshold{};
  unsigned size = 0;
};

/// Which keys count as hot: the `size` that most commands ask for, as one command in `one_in` tells, of which
/// a worker's sessions tell the keys (KeyWatch). 0: none do.
struct HotLimits {
  unsigned one_in = 1;
  unsigned size = 0;
  friend bool operator==(const HotLimits&, const HotLimits&) = default;
};

/// Which keys count as big: those of a message of `threshold` bytes, or more. The `size` largest are kept,
/// per worker; 0: none are.
struct BigLimits {
  std::uint64_t threshold = 0;
  unsigned size = 0;
};

/// What is kept of requests for people to look at.
struct NoteLimits {
  SlowLimits slow;
  HotLimits hot;
  BigLimits big;
};

/// How often each client may ask, at most: `per_second` over time, `burst` at once. 0: as it likes.
struct RateLimit {
  std::uint32_t per_second = 0;
  std::uint32_t burst = 0;
};

/// A protocol as configured for one listener: makes sessions and framers, one core per worker. Its
/// configuration never changes: on reload a new core takes its place, and living sessions are rebound to it.
class ProtocolCore : public Probing {
 public:
  /// True: one lane per backend and kind is shared by all clients of the worker. False: each client has a
  /// lane of its own, opened when the client connects.
  [[nodiscard]] virtual bool shares_lanes() const = 0;
  /// Shared lanes keep what they sent until it is answered. What reads, and of which nothing was answered
  /// when the connection ended, is asked once more; so is what servers decline (follows_primary), and what
  /// reads behind it.
  [[nodiscard]] virtual bool keeps_requests() const { return false; }
  /// The most bytes that the relay may hold for a session that says need_more.
  [[nodiscard]] virtual std::size_t max_message() const = 0;

  /// `watch` is told what clients ask for (HotLimits), and outlives the session.
  [[nodiscard]] virtual std::unique_ptr<Session> new_session(KeyWatch& watch) const = 0;
  /// For one connection of that kind.
  [[nodiscard]] virtual std::unique_ptr<Framer> new_framer(LaneKind kind) const = 0;
  /// Lets a living session of the same protocol route by this core from its next message on (the
  /// configuration was reloaded). Called between messages only: no group is open, no `more` is due, what
  /// on_client saw and did not consume will be shown again. Exchanges already opened are answered as opened.
  /// The old core lives until this returns.
  virtual void rebind(Session& session) const = 0;

  /// The backend for a client that needs one lane for itself (shares_lanes() == false); kNoBackend: none
  /// usable. `open_connections[i]` are the connections that are open to backend i.
  [[nodiscard]] virtual BackendIndex choose(std::span<const std::uint32_t> open_connections) const = 0;

  /// Where a request about `home` that waits for `backend`, and of which nothing was sent, shall go when that
  /// cannot be reached, or has declined it: another usable backend that serves the same keys, or kNoBackend:
  /// it stays and waits (sharded). `backend` is kNoBackend for one that is not configured any more.
  [[nodiscard]] virtual BackendIndex elsewhere(BackendIndex /*backend*/, Home /*home*/,
                                               bool /*declined*/) const {
    return kNoBackend;
  }
  /// Where a whole request belongs by its own words, of which nothing was sent and whose backend is not
  /// configured any more; kNoBackend: with no single backend, or its words don't say.
  [[nodiscard]] virtual BackendIndex placed_anew(std::string_view /*request*/) const { return kNoBackend; }
  /// With which backend a home lies is what servers say, who move them about: what is known of it is made
  /// sure of when they decline requests, or are lost.
  [[nodiscard]] virtual bool follows_homes() const { return false; }
  /// The backend that a reply of `from` names (Frame::to); kNoBackend: it is none of the listener's, as far
  /// as is known.
  [[nodiscard]] virtual BackendIndex named(BackendIndex /*from*/, std::string_view /*to*/) const {
    return kNoBackend;
  }
  /// What goes before a request that was sent on by Decline::once; it has one reply, which means nothing.
  [[nodiscard]] virtual std::string_view sent_here() const { return {}; }

  // Only where lanes are shared and requests are kept (keeps_requests):
  [[nodiscard]] virtual bool keeps_replies() const { return false; }
  /// new_greeting for a connection of a shared lane: one that asks the server to tell (Greeted::tells).
  [[nodiscard]] virtual std::unique_ptr<Greeting> new_shared_greeting(LaneKind kind) const {
    return new_greeting(kind);
  }
  /// For such a connection, when its server tells; null: nothing of that backend is kept.
  [[nodiscard]] virtual std::unique_ptr<Keeper> new_keeper(BackendIndex /*backend*/) const { return nullptr; }
  /// Over all cores of the listener; nothing: they keep none. Any thread.
  [[nodiscard]] virtual std::optional<KeptCounts> kept() const { return std::nullopt; }
  [[nodiscard]] virtual RateLimit rate_limit() const { return {}; }

  /// The listener of the same protocol, by its name, that gets copies (Verdict::mirrored); empty: none does.
  [[nodiscard]] virtual std::string_view mirror() const { return {}; }
  /// Appends to `out` what a client says whose messages so far were for connections of the kind `from`, and
  /// whose next ones are for `to`. False: no client of this core can have such a one.
  virtual bool change_kind(LaneKind /*from*/, LaneKind to, std::string& /*out*/) const {
    return to == LaneKind::ordinary;
  }
  /// A reply that begins like this, by one byte or more, is an error.
  [[nodiscard]] virtual bool is_error(std::string_view /*reply*/) const { return false; }

  [[nodiscard]] virtual NoteLimits note_limits() const { return {}; }
  /// Of a request that was slow, or big: `request` is what its server was sent, or the first bytes of it.
  /// What is returned lies there, or lives for ever.
  [[nodiscard]] virtual RequestName name_request(std::string_view /*request*/) const { return {}; }
};

}  // namespace ambassador::proxy
