// One connection of one kind to one backend, made when it is needed and again when it was lost, with the FIFO
// of replies it owes. Shared by all clients of a relay, or one client's own. Requests queue while it
// connects, encrypts and greets the server, each at most timeouts.queue; what was not sent when a connection
// ends goes out on the next one, what was sent fails, unless it may be asked once more. One worker's thread
// only. Where its parts lie: lane.cpp (requests and replies), lane_connect.cpp and lane_greet.cpp (how it
// comes up), lane_fail.cpp, lane_again.cpp (what is asked once more), lane_sent_on.cpp (what servers send to
// other ones), lane_keep.cpp (what is kept of replies).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/connecting.hpp"
#include "proxy/net/counters.hpp"
#include "proxy/net/loop.hpp"
#include "proxy/net/pieces.hpp"
#include "proxy/net/ring.hpp"
#include "proxy/net/slices.hpp"
#include "proxy/net/transport.hpp"
#include "proxy/net/upstream.hpp"
#include "proxy/session/session.hpp"

namespace ambassador::proxy::net {

class Client;
class Relay;

class Lane final : public Peer {
 public:
  /// Bytes that wait to be sent: above this, who adds to them is not read until there is room again.
  static constexpr std::size_t kQueueHigh = std::size_t{4} * 1024 * 1024;
  /// The same for lanes that one client uses alone.
  static constexpr std::size_t kQueueHighAlone = std::size_t{256} * 1024;
  /// Requests beyond this are refused (Failure::overloaded): many clients may each add one message to a full
  /// queue.
  static constexpr std::size_t kQueueMost = std::size_t{32} * 1024 * 1024;
  /// What a framer may leave unread: longer heads of replies are not spoken by any server.
  static constexpr std::size_t kHeadMost = std::size_t{64} * 1024;
  /// A server that owes a reply and says nothing is given up after this long (not one that may take its
  /// time), or...
  static constexpr std::chrono::milliseconds kSilent{30'000};
  /// ...after this long when a health probe failed too: it is stopped, or gone without a word.
  static constexpr std::chrono::milliseconds kSilentAndDown{2'000};
  /// Receives per turn, of one block each, so that no server starves others.
  static constexpr int kReadsPerTurn = 8;
  /// How long a connection to an address that the name no longer has is used.
  static constexpr std::chrono::milliseconds kMovedGrace{10'000};
  /// A shared connection that is not of the ordinary kind is kept so long when nobody uses it: clients that
  /// come and go make it often, and what clients ask for once must not stay.
  static constexpr std::chrono::milliseconds kUnusedKind{60'000};
  /// Before another connection is made when one was lost: a server that dies ends its connections before it
  /// ends listening, and would take what is sent on a new one with it.
  static constexpr std::chrono::milliseconds kDying{5};
  /// What a server declined is asked of it again after so long, unless another one has been found for it.
  static constexpr std::chrono::milliseconds kAskAgain{100};
  /// So often a request goes on from server to server without a pause.
  static constexpr unsigned kMostSentOn = 4;

  enum class Use : std::uint8_t {
    shared,  // by all clients of a relay
    leased,  // to one client of a protocol with shared lanes: for one large message, or see lend()
    own,     // one client's, for all its life
  };
  /// `owner`: the client of an own lane, else null. Own lanes are of the ordinary kind.
  Lane(Relay& relay, std::shared_ptr<Upstream> upstream, std::shared_ptr<BackendCounters> counters, Use use,
       LaneKind kind, Client* owner = nullptr);
  ~Lane() override;

  // What clients do. -------------------------------------------------------------------------------------
  /// Takes a place in the FIFO for a whole message of `bytes`; its replies are for part `part` of the
  /// client's exchange `sequence`. The caller appends exactly these bytes to what is returned. Null: the
  /// queue is full. `how`: its replies, and whether it is patient or reads.
  [[nodiscard]] Slices* enqueue(Client& client, std::uint32_t sequence, std::uint32_t part, std::size_t bytes,
                                const Verdict& how);
  /// Takes a place for a message that comes in pieces (leased and own lanes: nothing else may come between).
  void begin_stream(Client& client, std::uint32_t sequence);
  void stream(Slices& bytes);
  void stream(Block* block, std::string_view bytes);
  /// The client has sent all it ever will: tell the server when the queue has gone out (own lanes).
  void end_of_requests();
  /// An own lane that could not connect: tries that backend next.
  void retarget(std::shared_ptr<Upstream> upstream, std::shared_ptr<BackendCounters> counters);
  /// More is queued than should be: who adds to it is not read until lane_has_room().
  [[nodiscard]] bool full() const { return held() > high(); }
  void call_when_room(Client& client) { waiting_for_room_.push_back(&client); }
  void forget(Client& client) { std::erase(waiting_for_room_, &client); }
  /// A reply can't go on to its client for now: read no more until unblock().
  void block(Client& client) { blocked_by_ = &client; }
  void unblock(Client& client);

  // What is leased for more than a message. ---------------------------------------------------------------
  /// It is `holder`'s until take_back(). Once something of the holder has been sent, the connection is not
  /// made again: when it ends, all that is owed fails, sent or not, and Client::lease_lost is called.
  void lend(Client& holder);
  void take_back() { holder_ = nullptr; }
  /// Its one message may go by a connection to another server as well, as long as nothing of it was done.
  void may_move(bool may) { movable_ = may; }
  /// Fails all that is owed and ends the lease.
  void end_lease(Failure failure, std::string_view why);
  /// What the server sends unasked is news for the holder, from now on and for good.
  void listen();
  [[nodiscard]] bool listens() const { return listens_; }

  [[nodiscard]] std::size_t queued() const { return out_.size(); }
  [[nodiscard]] const Upstream& upstream() const { return *upstream_; }
  [[nodiscard]] LaneKind kind() const { return kind_; }
  /// Connected, and nothing queued or owed: fit for another client.
  [[nodiscard]] bool clean() const {
    return state_ == State::up && !stale_ && !listens_ && owed_.empty() && out_.empty() && input_.size() == 0;
  }
  /// Nobody waits for anything of it.
  [[nodiscard]] bool unused() const {
    return owed_.empty() && aside_.empty() && put_off_.empty() && blocked_by_ == nullptr &&
           waiting_for_room_.empty();
  }

  // What the relay does. ---------------------------------------------------------------------------------
  /// Own lanes connect at once; others with their first request.
  void open() { connect(); }
  /// The backend is no longer configured: finish what is owed, then close.
  void retire();
  [[nodiscard]] bool finished() const { return retired_ && unused(); }
  /// Name resolution has news.
  void addresses_changed();
  /// Which server is the primary may be another one than before.
  void standing_changed();
  /// Who logs in is somebody else now, or whom TLS believes: what is owed is waited for, then the connection
  /// is made anew.
  void login_changed();
  /// The core is another one: what its Keeper kept is gone, and the new one's begins.
  void keep_anew();
  /// Ends at once, tells nobody.
  void close();

  // Peer
  void on_ready(std::uint32_t events) override;
  void on_deadline(SteadyTime now) override;
  void flush() override;
  void go_on() override;

 private:
  enum class State : std::uint8_t {
    idle,
    connecting,
    greeting,  // connected; TLS is begun, the server greeted
    pausing,   // after a round that failed
    up,
  };
  /// A connection that is not up yet.
  struct Welcome {
    std::unique_ptr<Greeting> greeting;  // null: TLS is all
    Slices out;                          // what it says, not sent yet
    SteadyTime until;
    bool shaking = false;  // TLS
  };
  struct Owed {
    Client* client;
    std::uint32_t sequence;
    std::uint32_t part = 0;
    std::uint32_t replies = 1;  // to it
    std::uint32_t came = 0;     // of them
    bool patient = false;       // the server may take its time
    bool reads = false;         // and does nothing else
    bool keeps = false;         // its reply is shown to the Keeper
    bool introduced = false;    // it begins with what ProtocolCore::sent_here() says, which has a reply, too
    bool again = false;         // it is asked once more
    Decline declined = Decline::none;  // one of its replies says so
    std::uint8_t sent_on = 0;          // so often, in a row
    Home home = Home::anywhere;
    std::uint64_t start = 0;    // where its request begins in all that was ever queued
    SteadyTime since{};         // it was queued, or is to be asked once more
    std::uint64_t replied = 0;  // bytes of its replies that have gone to the client already
  };
  /// What comes by a connection whose server tells.
  struct Keeping {
    std::unique_ptr<Keeper> keeper;
    Pieces reply;  // to the oldest request
    Pieces news;
  };
  /// What is to be asked once more.
  struct Aside {
    Owed owed;
    Slices request;
  };
  /// The same, by itself, when its time has come.
  struct PutOff {
    Aside one;
    SteadyTime until;
  };

  // lane_connect.cpp
  void connect();
  void came_to(Connecting::State state);
  void round_failed(const char* what, std::string_view why);
  void come_up(bool tells = false);
  void drop_connection();
  void make_anew_when_nothing_is_owed();
  [[nodiscard]] bool in_mid_request() const;

  // lane_greet.cpp
  void connected();
  void start_tls();
  void on_ready_greeting(std::uint32_t events);
  void shake();
  void begin_greeting();
  void hear_greeting();
  void greet(std::string_view input);
  void send_greeting();
  void not_greeted(std::string_view why, bool lasting = false);

  // lane_fail.cpp
  void lose(Failure failure, std::string_view why);
  void fail_all(Failure failure);
  void fail_sent(Failure failure);
  void fail_expired(SteadyTime now);
  void move_elsewhere();
  void check_silence(SteadyTime now);
  [[nodiscard]] bool silent_too_long(SteadyTime now);
  void tell(const std::vector<Owed>& failed, Failure failure);
  [[nodiscard]] Failure why_unsent() const;
  [[nodiscard]] std::uint64_t front_length() const;

  // lane_again.cpp
  void heed_decline(const Framer::Frame& frame);
  [[nodiscard]] Aside take_front(std::uint64_t sent);
  void set_aside(std::uint64_t sent);
  void decline();
  void hold_back_and_ask_again();
  void put_back();
  void give_on();
  void move_lease();
  template <class Where>
  void move_each(Where where);
  void place_anew(bool only_reads);
  void ask_again(SteadyTime now);
  void ask_for_primary() const;
  [[nodiscard]] bool may_be_asked_again() const {
    return keeps_ && (use_ == Use::shared || (movable_ && owed_.front().start == lent_from_));
  }
  [[nodiscard]] bool may_be_read_again(Failure failure) const;
  /// The server has not begun with anything that is owed.
  [[nodiscard]] bool nothing_sent() const { return owed_.empty() || owed_.front().start >= sent_; }

  // lane_keep.cpp
  void begin_to_keep();
  void keep_reply(std::string_view bytes, bool complete);
  void keep_news(std::string_view bytes, bool complete);

  // lane_sent_on.cpp
  void send_on();
  void send_lease_on();
  void put_off();
  void ask_those_put_off(SteadyTime until);
  void take_over(Aside one, bool introduced = false);
  void refuse_front();
  [[nodiscard]] bool waits_behind_put_off(const Owed& owed) const;

  // lane.cpp
  void note_slow(const Owed& owed, std::chrono::microseconds took) const;
  void note_big(const Owed& owed, std::uint64_t request, std::uint64_t reply) const;
  [[nodiscard]] std::string_view front_head(std::string& scratch) const;
  void keep_head(std::string_view piece);
  void owe(const Owed& owed, std::uint64_t bytes);
  void queued_more();
  void show();
  /// What came, or why nothing did (0: the end; negative errno), into input_; a next one is tried while
  /// readable_.
  [[nodiscard]] std::ptrdiff_t receive();
  /// Sends from the front of `out` what the connection takes: how much, or why not (negative errno).
  [[nodiscard]] std::ptrdiff_t send(Slices& out);
  void read();
  void replies();
  void room_again();
  void watch();
  [[nodiscard]] std::string why(std::ptrdiff_t negative_errno) const;
  /// Nobody keeps it by using it.
  [[nodiscard]] bool ages() const { return use_ == Use::shared && kind_ != LaneKind::ordinary && !retired_; }
  /// What was queued and may be needed yet.
  [[nodiscard]] std::size_t held() const { return out_.size() + unanswered_.size(); }
  /// Nothing more is sent before what was sent is answered.
  [[nodiscard]] bool holds_back() const { return (moving_ || declines_) && !in_mid_request(); }
  [[nodiscard]] std::size_t high() const { return use_ == Use::shared ? kQueueHigh : kQueueHighAlone; }
  [[nodiscard]] Loop& loop() const;

  Relay& relay_;
  std::shared_ptr<Upstream> upstream_;
  std::shared_ptr<BackendCounters> counters_;
  const Use use_;
  const LaneKind kind_;
  Client* const owner_;
  Client* holder_ = nullptr;     // of a lease
  std::uint64_t lent_from_ = 0;  // what was sent before was not the holder's

  State state_ = State::idle;
  bool readable_ = false;
  bool hung_up_ = false;  // the peer's end is known: read until it shows
  bool write_blocked_ = false;
  bool ending_ = false;  // end_of_requests() was called
  bool retired_ = false;
  bool moving_ = false;   // to another connection: sends nothing more until nothing is owed
  bool stale_ = false;    // the connection was made for another login
  bool lasting_ = false;  // refusal_ stands, whoever asks: who waits is told at once
  bool told_end_ = false;
  bool listens_ = false;
  bool keeps_ = false;     // what was sent, until it is answered
  bool movable_ = false;   // the lease
  bool declines_ = false;  // the server: it is sent nothing more until it has answered what was sent
  std::uint64_t shown_owed_ = 0, shown_queued_ = 0;  // this lane's share in the counters
  bool shown_waiting_ = false;
  Transport transport_;
  std::unique_ptr<Welcome> welcome_;  // while greeting
  std::string refusal_;               // the last greeting's, until one succeeds
  std::unique_ptr<Framer> framer_;
  std::unique_ptr<Keeping> keeping_;  // null: nothing is kept of what comes
  Slice input_;
  Client* blocked_by_ = nullptr;

  Slices out_;  // the bytes from sent_ on
  /// How much of a request is looked at to tell what it is.
  static constexpr std::size_t kHead = 4096;
  std::string head_;                // of the message that is streamed, to tell what it was
  Slices unanswered_;               // those before, of requests that owe all of their replies, if keeps_
  std::uint64_t queued_total_ = 0;  // bytes ever queued
  std::uint64_t sent_ = 0;          // bytes ever sent
  Ring<Owed> owed_;
  std::vector<Aside> aside_;  // all before those in owed_
  std::deque<PutOff> put_off_;
  std::string named_;  // Frame::to of the oldest request's reply
  std::vector<Client*> waiting_for_room_;

  Connecting connecting_;
  SteadyTime pause_until_;
  SteadyTime moved_at_ = SteadyTime::max();
  SteadyTime heard_at_;
  SteadyTime down_since_ = SteadyTime::max();  // seen while a patient request was owed
  SteadyTime asks_again_at_ = SteadyTime::max();
  unsigned failures_ = 0;
};

}  // namespace ambassador::proxy::net
