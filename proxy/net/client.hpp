// One client's connection: asks its session what its bytes mean, carries the verdicts out, keeps the order of
// the replies. One worker's thread only. Where its parts lie: client.cpp (the socket), client_tls.cpp (how
// TLS begins), client_rate.cpp (how often it may ask), verdicts.cpp (from the client to the lanes),
// replies.cpp (from the lanes to the client), stream.cpp (large messages), leases.cpp (lanes of its own),
// client_mirror.cpp (copies for a mirror).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/net/exchange.hpp"
#include "proxy/net/generation.hpp"
#include "proxy/net/leases.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/ring.hpp"
#include "proxy/net/slices.hpp"
#include "proxy/net/token_bucket.hpp"
#include "proxy/net/transport.hpp"

namespace ambassador::proxy::net {

class Lane;
class Relay;

class Client final : public Peer {
 public:
  /// Replies that wait for the client to read them: above this it is not read, and a lane that has more for
  /// it waits.
  static constexpr std::size_t kUnreadHigh = std::size_t{1024} * 1024;
  /// How long a shared lane waits for a client that does not read: then the client is closed.
  static constexpr std::chrono::milliseconds kSlowPatience{500};
  /// Replies kept because an earlier one is still missing, or to be merged.
  static constexpr std::size_t kKeptMost = std::size_t{64} * 1024 * 1024;
  /// Replies that wait for one that is missing among them: no more bytes than these.
  static constexpr std::size_t kHeldMost = std::size_t{4} * 1024;
  /// Exchanges that are open at once: above this the client is not read.
  static constexpr std::size_t kExchangesMost = 1024;
  /// How often a session that waits for a backend is asked again.
  static constexpr std::chrono::milliseconds kAskAgain{30};
  /// A TLS handshake that takes longer is given up.
  static constexpr std::chrono::milliseconds kHandshakeMost{10'000};
  /// Receives per turn (of one block each), so that no client starves others.
  static constexpr int kReadsPerTurn = 4;

  Client(Relay& relay, std::shared_ptr<const Generation> generation, Socket socket, const Address& peer,
         std::shared_ptr<OpenClients> open);
  ~Client() override;
  /// Starts reading. False: the kernel refused; the client is to be destroyed.
  [[nodiscard]] bool start();

  // What lanes do. ---------------------------------------------------------------------------------------
  /// Bytes of the reply to `part` of exchange `sequence`; `complete`: its last ones.
  void reply(Lane& lane, std::uint32_t sequence, std::uint32_t part, Block* block, std::string_view bytes,
             bool complete);
  /// Bytes of a message that nobody asked for (leased lanes that listen); `complete`: its last ones.
  void news(Lane& lane, Block* block, std::string_view bytes, bool complete);
  /// A leased lane's connection has ended; what it owed has failed.
  void lease_lost(Lane& lane);
  /// Bytes that no exchange asked for (own lanes).
  void unasked(Lane& lane, Block* block, std::string_view bytes);
  /// There will be no reply, or no more of it. `reason`: Greeted::why of a refused greeting.
  void fail(std::uint32_t sequence, std::uint32_t part, Failure failure, const Upstream* upstream,
            std::string_view reason = {});
  /// What there was of the reply to `part` of exchange `sequence` means nothing; it is all to come.
  void take_back(std::uint32_t sequence, std::uint32_t part);
  /// One of its requests has to be asked again later: it sends nothing more before all are answered.
  void hold_back();
  /// A request's place in a lane's FIFO was taken or given up: a closed client stays in memory until none is
  /// left.
  void owed() { ++owed_; }
  void not_owed();
  void lane_has_room();
  /// The lane that waited for this client to read waits no more.
  void lane_forgets() { blocked_lane_ = nullptr; }
  /// The own lane: the server will send no more, or is gone.
  void server_ended();
  void server_lost();
  /// The own lane could not be connected: it tries another backend, until timeouts.queue has passed.
  void server_unreachable();

  // What the relay does. ---------------------------------------------------------------------------------
  void close();
  /// Closes as soon as nothing is in flight.
  void drain();
  void addresses_changed(const Upstream& upstream);
  /// Whether what is leased still has a use, now that something may have changed.
  void check_leases();
  /// Who logs in at servers is somebody else now.
  void login_changed();
  /// Which server is the primary may be another one than before.
  void standing_changed();
  /// How often it may ask is another rate than before: it begins anew.
  void rate_changed();
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] const Address& peer() const { return peer_; }
  [[nodiscard]] ClientSnapshot describe(SteadyTime now) const;
  std::size_t place = 0;  // in the relay's list

  // Peer
  void on_ready(std::uint32_t events) override;
  void on_deadline(SteadyTime now) override;
  void flush() override;
  void go_on() override;

 private:
  /// A message that comes in pieces: what becomes of them.
  enum class Stream : std::uint8_t {
    none,
    waiting,  // for the replies to earlier exchanges; the first piece is held
    running,  // each piece goes to the own or leased lane
    sent,     // all have; the reply is due, and nothing more is read before it has come
    dropped,  // the exchange is over already: the pieces lead nowhere
  };

  // client.cpp
  void read();
  [[nodiscard]] bool may_read();
  void received(std::size_t bytes);
  void end_of_client();
  void finish_if_done();
  void read_on_if_stopped();
  void close_when_written();
  void check_slow();
  void broken(const char* why);
  void set_deadline();
  [[nodiscard]] Loop& loop() const;

  // client_tls.cpp
  [[nodiscard]] bool greets_with_tls();
  void start_tls();
  void shake();
  [[nodiscard]] bool shaking() const { return shaken_by_ != SteadyTime::max(); }

  // client_rate.cpp
  [[nodiscard]] bool throttled();
  void end_throttling();

  // verdicts.cpp
  void consume();
  void carry_out(const Verdict& verdict, std::string_view message);
  void pass(const Verdict& verdict, std::string_view message);
  void ask(const Verdict& verdict);
  void gather();
  void answer(Exchange::Kind kind, std::string_view text);
  void send(const Verdict& verdict);
  void begin_stream(const Verdict& verdict, std::string_view message);
  void continue_stream(const Verdict& verdict, std::string_view message);
  void start_stream();
  void stream_piece(std::string_view piece);
  void take_rest();
  void piece_ended();
  void end_stream();
  void wait(SteadyTime now);
  void ask_again(SteadyTime now);
  void not_queued(std::uint32_t sequence, std::uint32_t part, Failure why_not, BackendIndex backend);
  [[nodiscard]] Slices* queue_for(const Verdict& verdict, std::uint32_t part, std::size_t bytes);
  void open_own_lane();
  [[nodiscard]] std::uint32_t last_sequence() const;
  Exchange& open(Exchange::Kind kind);
  void open_pass(const Verdict& verdict);
  void rebind_if_stale();
  void wait_for_room(Lane& lane);
  void read_on();

  // client_mirror.cpp
  void mirror(const Verdict& verdict, std::string_view message);
  void copy_piece(std::string_view piece);
  void end_copy();

  // leases.cpp
  [[nodiscard]] Slices* leased_queue(const Verdict& verdict, std::uint32_t part, std::size_t bytes);
  void lease_failed(BackendIndex backend, std::uint32_t part, Failure failure);
  void lease_answered(const Lane& lane, std::uint32_t sequence, bool complete);
  void end_lease(LentLane& lease);
  void end_leases();
  void send_news();

  // replies.cpp
  void advance();
  void send_kept(Exchange& exchange);
  [[nodiscard]] bool send_failed(Exchange& exchange);
  void send_merged(Exchange& exchange);
  void pop();
  void wrote_more(Lane* from);
  [[nodiscard]] bool is_worth_holding() const;
  void kept_more(std::size_t bytes);

  Relay& relay_;
  std::shared_ptr<const Generation> generation_;
  std::unique_ptr<Session> session_;
  Transport transport_;
  std::shared_ptr<void> certificate_;  // of its TLS
  Address peer_;
  std::shared_ptr<OpenClients> open_;
  const bool shared_;   // lanes
  bool keeps_replies_;  // generation_'s core

  bool unheard_;  // it may begin TLS with its first byte
  bool closed_ = false;
  bool settled_ = false;  // closed, and the relay knows
  bool readable_ = true;
  bool hung_up_ = false;
  bool write_blocked_ = false;
  bool ended_ = false;         // the client sends no more
  bool closing_ = false;       // close when all is written
  bool server_ended_ = false;  // own lane: pass the end on when all is written
  bool told_end_ = false;
  bool draining_ = false;
  bool settling_ = false;  // nothing is read before every exchange is answered
  bool stopped_ = false;   // reading stopped for a reason that will pass
  bool group_open_ = false;
  bool unfinished_ = false;  // the streamed message goes on after more_ bytes
  Stream stream_ = Stream::none;
  std::uint32_t owed_ = 0;
  std::uint32_t patient_ = 0;  // exchanges for which the server may take its time

  Slice input_;  // received and not consumed
  Ring<Exchange> exchanges_;
  std::uint32_t first_ = 0;  // sequence number of the first of them
  Slices out_;               // to be written to the client
  std::size_t kept_ = 0;     // bytes kept in exchanges

  std::uint64_t more_ = 0;      // bytes of the streamed message that need no verdict
  std::uint32_t streamed_ = 0;  // its exchange's sequence number
  Slices held_;                 // its first piece, while waiting
  BackendIndex stream_to_ = kNoBackend;
  LaneKind stream_kind_ = LaneKind::ordinary;
  struct Copied {
    LaneKind kind = LaneKind::ordinary;
    Slices message;
  };
  std::unique_ptr<Copied> copied_;  // of the streamed message, for the mirror; null: it gets no copy
  Lane* full_lane_ = nullptr;       // reading waits for room there
  Lane* blocked_lane_ = nullptr;    // waits for this client to read
  SteadyTime blocked_since_;

  std::unique_ptr<Lane> own_lane_;                  // own, or leased for a large message
  std::unique_ptr<Leases> leases_;                  // null: none
  SteadyTime waiting_since_ = SteadyTime::max();    // the session said wait
  SteadyTime shaken_by_ = SteadyTime::max();        // the TLS handshake is to be over then
  SteadyTime logged_in_by_ = SteadyTime::max();     // likewise the login
  TokenBucket bucket_;                              // of requests, where they have a rate
  SteadyTime throttled_since_ = SteadyTime::max();  // it is not read since then, as its bucket is empty
  SteadyTime started_;
  SteadyTime active_;  // last traffic
  std::uint64_t requests_ = 0, bytes_received_ = 0, bytes_sent_ = 0, throttles_ = 0;
};

}  // namespace ambassador::proxy::net
