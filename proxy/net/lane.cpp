#include "proxy/net/lane.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "proxy/net/client.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {
namespace {

/// How often the clock is looked at while replies are owed, and while the server may take its time.
constexpr std::chrono::milliseconds kWatchEvery{250};
constexpr std::chrono::milliseconds kWatchPatiently{1'000};

}  // namespace

Lane::Lane(Relay& relay, std::shared_ptr<Upstream> upstream, std::shared_ptr<BackendCounters> counters,
           Use use, LaneKind kind, Client* owner)
    : relay_(relay),
      upstream_(std::move(upstream)),
      counters_(std::move(counters)),
      use_(use),
      kind_(kind),
      owner_(owner),
      connecting_(relay.loop(), *this) {
  assert((use == Use::own) == (owner != nullptr));
}

Lane::~Lane() {
  close();
}

Loop& Lane::loop() const {
  return relay_.loop();
}

// Requests --------------------------------------------------------------------------------------------------

Slices* Lane::enqueue(Client& client, std::uint32_t sequence, std::uint32_t part, std::size_t bytes,
                      const Verdict& how) {
  if (queued() > 0 && queued() + bytes > kQueueMost) return nullptr;
  owe({.client = &client,
       .sequence = sequence,
       .part = part,
       .replies = how.replies,
       .patient = how.patient,
       .reads = how.reads,
       .keeps = how.keeps,
       .home = how.home,
       .since = loop().now()},
      bytes);
  return &out_;
}

void Lane::owe(const Owed& owed, std::uint64_t bytes) {
  Owed& last = owed_.push();
  last = owed;
  last.start = queued_total_;
  queued_total_ += bytes;
  owed.client->owed();
  counters_->requests.add();
  queued_more();
}

void Lane::queued_more() {
  if (state_ == State::up) {
    loop().flush_lane_later(*this);
  } else if (state_ == State::idle || lasting_) {
    loop().again(*this);  // connects, or fails; not here: a caller still has to append its bytes
  }
  if (owner_ == nullptr) loop().deadlines().no_later_than(*this, loop().now() + kWatchEvery);
}

void Lane::watch() {
  SteadyTime next = SteadyTime::max();
  if (state_ == State::connecting) next = connecting_.until();
  if (state_ == State::greeting) next = welcome_->until;
  if (state_ == State::pausing) next = pause_until_;
  const bool patient = state_ == State::up && !owed_.empty() && owed_.front().patient;
  const SteadyTime soon = loop().now() + (patient ? kWatchPatiently : kWatchEvery);
  if (!owed_.empty() && owner_ == nullptr) next = std::min(next, soon);
  if (moved_at_ != SteadyTime::max()) next = std::min(next, std::max(moved_at_ + kMovedGrace, soon));
  if (declines_ && nothing_sent()) next = std::min(next, asks_again_at_);
  if (!put_off_.empty()) next = std::min(next, put_off_.front().until);
  if (ages() && unused()) next = std::min(next, std::max(heard_at_ + kUnusedKind, soon));
  if (next != SteadyTime::max()) loop().deadlines().no_later_than(*this, next);
}

void Lane::begin_stream(Client& client, std::uint32_t sequence) {
  assert(use_ != Use::shared && owed_.empty());
  keeps_ = false;  // it may be of any length
  head_.clear();
  owe({.client = &client, .sequence = sequence, .since = loop().now()}, 0);
}

void Lane::note_slow(const Owed& owed, std::chrono::microseconds took) const {
  std::string scratch;
  relay_.note_slow(took, *owed.client, *upstream_, front_head(scratch));
}

// Of what reads the answer is what is large about its key; of others either may be.
void Lane::note_big(const Owed& owed, std::uint64_t request, std::uint64_t reply) const {
  std::string scratch;
  const std::uint64_t bytes = owed.reads ? reply : std::max(request, reply);
  if (bytes >= relay_.big_threshold()) relay_.note_big(bytes, front_head(scratch));
}

// The beginning of the oldest request, of which nothing is forgotten yet.
std::string_view Lane::front_head(std::string& scratch) const {
  if (!keeps_) return head_;
  return unanswered_.front(static_cast<std::size_t>(std::min<std::uint64_t>(front_length(), kHead)), scratch);
}

void Lane::keep_head(std::string_view piece) {
  if (relay_.notes_requests() && head_.size() < kHead) head_ += piece.substr(0, kHead - head_.size());
}

void Lane::stream(Slices& bytes) {
  std::string scratch;
  keep_head(bytes.front(kHead, scratch));
  queued_total_ += bytes.size();
  out_.take(loop().pool(), bytes);
  queued_more();
}

void Lane::stream(Block* block, std::string_view bytes) {
  keep_head(bytes);
  queued_total_ += bytes.size();
  out_.append(loop().pool(), block, bytes.data(), bytes.size());
  queued_more();
}

void Lane::end_of_requests() {
  ending_ = true;
  if (state_ == State::up) loop().flush_lane_later(*this);
}

void Lane::lend(Client& holder) {
  assert(use_ == Use::leased && owed_.empty());
  holder_ = &holder;
  lent_from_ = sent_;
  movable_ = false;
  keeps_ = relay_.generation()->core->keeps_requests();
}

void Lane::listen() {
  if (std::exchange(listens_, true)) return;
  if (framer_) framer_->listen();
}

void Lane::unblock(Client& client) {
  if (blocked_by_ != &client) return;
  blocked_by_ = nullptr;
  if (finished()) return relay_.lane_finished(*this);
  loop().again(*this);
}

// The socket ------------------------------------------------------------------------------------------------

void Lane::on_ready(std::uint32_t events) {
  if (state_ == State::connecting) return came_to(connecting_.ready(events));
  if (state_ == State::greeting) return on_ready_greeting(events);
  if (state_ != State::up) return;
  events = transport_.meaning(events);
  if ((events & EPOLLOUT) != 0 && write_blocked_) {
    write_blocked_ = false;
    loop().flush_lane_later(*this);
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    readable_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
    read();
  }
}

void Lane::go_on() {
  if (state_ == State::idle && (owner_ != nullptr || !owed_.empty())) return connect();
  if (state_ == State::pausing && lasting_) return fail_expired(loop().now());
  if (state_ != State::up) return;
  replies();
  read();
}

void Lane::flush() {
  if (state_ != State::up || holds_back()) return;
  while (!out_.empty() && !write_blocked_) {
    const std::ptrdiff_t sent = send(out_);
    if (sent == -EAGAIN) break;
    if (sent < 0) {
      readable_ = hung_up_ = true;  // its last words may say why
      read();
      if (state_ == State::up && blocked_by_ == nullptr) lose(Failure::lost, why(sent));
      return;
    }
    sent_ += static_cast<std::size_t>(sent);
    counters_->bytes_sent.add(static_cast<std::size_t>(sent));
    if (holds_back()) break;
  }
  if (out_.empty() && ending_ && !told_end_) {
    transport_.socket().end_of_writing();
    told_end_ = true;
  }
  room_again();
  show();
}

void Lane::room_again() {
  if (waiting_for_room_.empty() || held() > high() / 2) return;
  std::vector<Client*> waiting;
  waiting.swap(waiting_for_room_);
  for (Client* client : waiting) client->lane_has_room();
}

std::ptrdiff_t Lane::send(Slices& out) {
  std::array<iovec, 64> pieces;
  const std::size_t count = out.gather(pieces);
  const std::ptrdiff_t sent = transport_.send({pieces.data(), count});
  if (sent == -EAGAIN) {
    write_blocked_ = true;
    if (!transport_.wants_reading()) loop().poller().want_writing(transport_.socket(), *this, true);
  } else if (sent >= 0 && keeps_ && &out == &out_) {
    unanswered_.take(out, static_cast<std::size_t>(sent));
  } else if (sent >= 0) {
    out.consume(static_cast<std::size_t>(sent));
  }
  return sent;
}

std::ptrdiff_t Lane::receive() {
  make_room(loop().pool(), input_);
  const std::size_t room = input_.block->capacity - input_.end;
  const std::ptrdiff_t got = transport_.receive(input_.block->data() + input_.end, room);
  if (got > 0) {
    if (transport_.emptied(static_cast<std::size_t>(got), room) && !hung_up_) readable_ = false;
    input_.end += static_cast<std::uint32_t>(got);
    return got;
  }
  if (input_.size() == 0) input_.block.reset();
  readable_ = false;
  if (got == -EAGAIN && transport_.wants_writing())
    loop().poller().want_writing(transport_.socket(), *this, true);
  return got;
}

void Lane::read() {
  int budget = kReadsPerTurn;
  while (readable_ && state_ == State::up && blocked_by_ == nullptr) {
    if (budget-- == 0) {
      loop().again(*this);
      break;
    }
    const std::ptrdiff_t got = receive();
    if (got > 0) {
      counters_->bytes_received.add(static_cast<std::size_t>(got));
      heard_at_ = loop().now();
      if (keeping_) [[unlikely]]
        keeping_->keeper->heard(heard_at_);
      replies();
      continue;
    }
    if (got == -EAGAIN) break;
    if (got == 0 && owner_ != nullptr) {
      owner_->server_ended();
    } else {
      lose(Failure::lost, got == 0 ? "the server closed the connection" : why(got));
    }
  }
  show();
}

void Lane::replies() {
  while (input_.size() > 0 && state_ == State::up && blocked_by_ == nullptr) {
    Block* block = input_.block.get();
    const std::string_view bytes = input_.view();
    const bool asked = !owed_.empty() && owed_.front().start < sent_;
    if (!asked && owner_ != nullptr) {
      input_.begin = input_.end;
      owner_->unasked(*this, block, bytes);
      continue;
    }
    const Framer::Frame frame = framer_->next(bytes);
    if (frame.news && frame.bytes > 0) {
      input_.begin += static_cast<std::uint32_t>(frame.bytes);
      if (keeping_) keep_news(bytes.substr(0, frame.bytes), frame.complete);
      if (listens_ && holder_ != nullptr)
        holder_->news(*this, block, bytes.substr(0, frame.bytes), frame.complete);
      continue;
    }
    if (!asked && !frame.news) return lose(Failure::lost, "the server sent what nothing had asked for");
    if (frame.broken) return lose(Failure::lost, "the server does not speak the protocol");
    if (frame.bytes == 0 && !frame.complete) {
      if (bytes.size() > kHeadMost)
        return lose(Failure::lost, "the server sent a reply's head that does not end");
      return;
    }
    assert(frame.bytes <= bytes.size());
    input_.begin += static_cast<std::uint32_t>(frame.bytes);
    const bool introduces = owed_.front().introduced && owed_.front().came == 0;
    if (introduces) [[unlikely]] {
      if (frame.complete) ++owed_.front().came;
      continue;
    }
    if (frame.declined != Decline::none || declines_ || !put_off_.empty()) [[unlikely]] {
      heed_decline(frame);
      if (state_ != State::up) return;
    }
    const bool complete =
        frame.complete && ++owed_.front().came == owed_.front().replies + (owed_.front().introduced ? 1 : 0);
    if (owed_.front().declined != Decline::none) [[unlikely]] {
      if (complete) decline();
      continue;
    }
    if (!complete) owed_.front().replied += frame.bytes;
    if (keeping_ && owed_.front().keeps) [[unlikely]]
      keep_reply(bytes.substr(0, frame.bytes), complete);
    const Owed owed = owed_.front();
    if (complete) {
      const std::uint64_t request = front_length();
      const std::uint64_t reply = owed.replied + frame.bytes;
      const auto took = std::chrono::duration_cast<std::chrono::microseconds>(loop().now() - owed.since);
      // How long a client was blocked says nothing of the server.
      if (!owed.patient) {
        counters_->request_time.record(static_cast<std::uint64_t>(took.count()));
        if (took >= relay_.slow_threshold()) [[unlikely]]
          note_slow(owed, took);
      }
      if (request + reply >= relay_.big_threshold()) [[unlikely]]
        note_big(owed, request, reply);
      if (keeps_) unanswered_.consume(static_cast<std::size_t>(request));
      owed_.pop();
      counters_->replies.add();
    }
    owed.client->reply(*this, owed.sequence, owed.part, block, bytes.substr(0, frame.bytes), complete);
    if (complete) owed.client->not_owed();
  }
  if (state_ == State::up && input_.size() == 0) input_.block.reset();
  if (keeps_) room_again();
  if (declines_ && !aside_.empty() && nothing_sent()) give_on();
  if (moving_) make_anew_when_nothing_is_owed();
  if (finished()) relay_.lane_finished(*this);
}

void Lane::show() {
  const std::uint64_t owed = owed_.size() + aside_.size() + put_off_.size();
  const std::uint64_t queued_bytes = queued();
  Counter& shown_in = shown_waiting_ ? counters_->waiting : counters_->owed;
  shown_in.subtract(shown_owed_);
  shown_waiting_ = state_ != State::up;
  (shown_waiting_ ? counters_->waiting : counters_->owed).add(owed);
  counters_->queued_bytes.add(queued_bytes - shown_queued_);
  shown_owed_ = owed;
  shown_queued_ = queued_bytes;
}

}  // namespace ambassador::proxy::net
