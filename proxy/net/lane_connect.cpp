// How a lane gets its connection: all addresses in order, each with its share of timeouts.connect, then a
// pause that grows, for as long as somebody waits.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

#include "proxy/net/client.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {
namespace {

/// However many addresses there are, each gets this much time to answer.
constexpr std::chrono::milliseconds kLeastAttempt{200};
/// Unacknowledged data ends a connection: a host that vanished must show within seconds, not minutes.
constexpr std::chrono::milliseconds kUnacknowledged{2'500};

double jitter() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.75, 1.25)(random);
}

}  // namespace

void Lane::connect() {
  round_ = upstream_->addresses();
  next_address_ = 0;
  if (round_->empty()) {
    last_failure_ = "no address is known for " + upstream_->backend().host;
    return round_failed();
  }
  // A client's own lanes spread over all addresses of a name; a shared one keeps to the first that works.
  if (owner_ != nullptr) next_address_ = upstream_->next_start() % round_->size();
  attempts_left_ = round_->size();
  attempt_since_ = loop().now();
  try_next_address();
}

void Lane::try_next_address() {
  while (attempts_left_ > 0) {
    --attempts_left_;
    address_ = (*round_)[next_address_++ % round_->size()];
    socket_ = Socket::stream(address_.family());
    int error = socket_ ? socket_.connect(address_) : errno;
    if (error == 0 || error == EINPROGRESS) {
      state_ = State::connecting;
      if (loop().poller().add(socket_, *this, true)) {
        if (error == 0) return connected();
        const auto share =
            relay_.timeouts().connect / static_cast<std::chrono::milliseconds::rep>(round_->size());
        attempt_until_ = loop().now() + std::max(share, kLeastAttempt);
        loop().deadlines().no_later_than(*this, attempt_until_);
        return;
      }
      error = errno;
    }
    last_failure_ = address_.text() + ": " + std::strerror(error);
    socket_.close();
  }
  round_failed();
}

void Lane::connecting_ready(std::uint32_t events) {
  const int error = socket_.error();
  if (error != 0) return address_failed(error);
  if ((events & EPOLLOUT) == 0) return;
  // Connecting to a port of the own range can meet itself (RFC 793, simultaneous open): that is no server.
  if (socket_.connected_to_itself()) return address_failed(ECONNREFUSED);
  connected();
}

void Lane::address_failed(int error) {
  last_failure_ = address_.text() + ": " + std::strerror(error);
  loop().poller().remove(socket_);
  socket_.close();
  try_next_address();
}

void Lane::round_failed() {
  const SteadyTime now = loop().now();
  ++failures_;
  counters_->connect_failures.add();
  upstream_->connect_failed(last_failure_, now);
  if (failures_ == 1)
    relay_.say(config::LogLevel::warning, "a backend can't be reached", this, last_failure_);
  relay_.outside().resolve_again(upstream_);
  const auto pause = std::min(kLongestPause, kFirstPause * (1 << std::min(failures_ - 1, 5U)));
  state_ = State::pausing;
  pause_until_ = now + std::chrono::duration_cast<SteadyTime::duration>(pause * jitter());
  loop().deadlines().no_later_than(*this, pause_until_);
  if (owner_ != nullptr) return owner_->server_unreachable();
  move_elsewhere();
  show();
}

void Lane::connected() {
  if (failures_ > 0) relay_.say(config::LogLevel::info, "a backend is reached again", this, {});
  failures_ = 0;
  state_ = State::up;
  loop().poller().want_writing(socket_, *this, false);
  socket_.tune(kKeepaliveIdle);
  socket_.give_up_after(kUnacknowledged);
  framer_ = relay_.generation()->core->new_framer();
  readable_ = hung_up_ = write_blocked_ = moving_ = told_end_ = false;
  moved_at_ = SteadyTime::max();
  heard_at_ = loop().now();
  counters_->lanes_open.add();
  counters_->connects.add();
  counters_->connect_time.record(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - attempt_since_)
          .count()));
  upstream_->connected();
  upstream_->open_connections.fetch_add(1, std::memory_order_relaxed);
  loop().flush_lane_later(*this);
}

void Lane::drop_connection() {
  if (!socket_) return;
  if (state_ == State::up) {
    counters_->lanes_open.subtract();
    upstream_->open_connections.fetch_sub(1, std::memory_order_relaxed);
  }
  loop().poller().remove(socket_);
  socket_.close();
  state_ = State::idle;
  framer_.reset();
  input_.block.reset();
  input_.begin = input_.end = 0;
  moving_ = false;
  moved_at_ = SteadyTime::max();
  if (blocked_by_ != nullptr) std::exchange(blocked_by_, nullptr)->lane_forgets();
}

void Lane::retarget(std::shared_ptr<Upstream> upstream, std::shared_ptr<BackendCounters> counters) {
  shown_waiting_ ? counters_->waiting.subtract(shown_owed_) : counters_->owed.subtract(shown_owed_);
  counters_->queued_bytes.subtract(shown_queued_);
  shown_owed_ = shown_queued_ = 0;
  upstream_ = std::move(upstream);
  counters_ = std::move(counters);
  failures_ = 0;
}

void Lane::addresses_changed() {
  const auto addresses = upstream_->addresses();
  const bool known = std::find(addresses->begin(), addresses->end(), address_) != addresses->end();
  if (state_ == State::pausing && (owner_ != nullptr || !owed_.empty())) return connect();
  if (state_ == State::connecting && !known) {
    drop_connection();
    return connect();
  }
  if (state_ != State::up || owner_ != nullptr) return;
  if (known) {
    moved_at_ = SteadyTime::max();
  } else if (moved_at_ == SteadyTime::max()) {
    moved_at_ = loop().now();
    loop().deadlines().no_later_than(*this, moved_at_ + kMovedGrace);
  }
}

void Lane::move_when_nothing_is_owed() {
  if (state_ != State::up) return;
  if (!owed_.empty() && owed_.front().start < sent_) return;
  relay_.say(config::LogLevel::info, "a backend has moved to another address", this, {});
  drop_connection();
  if (!owed_.empty()) loop().again(*this);
}

void Lane::retire() {
  retired_ = true;
  if (finished()) relay_.lane_finished(*this);
}

void Lane::close() {
  drop_connection();
  loop().deadlines().cancel(*this);
  while (!owed_.empty()) {
    Client* client = owed_.front().client;
    owed_.pop();
    client->not_owed();
  }
  out_.clear();

  room_again();
  show();
}

void Lane::on_deadline(SteadyTime now) {
  if (state_ == State::connecting && now >= attempt_until_) address_failed(ETIMEDOUT);
  if (state_ == State::pausing && now >= pause_until_) {
    if (owner_ != nullptr || !owed_.empty()) {
      connect();
    } else {
      state_ = State::idle;
    }
  }
  if (state_ == State::up) {
    check_silence(now);
    if (moved_at_ != SteadyTime::max() && now - moved_at_ >= kMovedGrace && state_ == State::up) {
      moving_ = true;
      move_when_nothing_is_owed();
    }
  }
  if (state_ != State::up) fail_expired(now);
  watch();
}

}  // namespace ambassador::proxy::net
