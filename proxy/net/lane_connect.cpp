// How a lane gets its connection: a round of Connecting, then a pause that grows, and so on for as long as
// somebody waits.
#include <algorithm>

#include "proxy/net/client.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

void Lane::connect() {
  state_ = State::connecting;
  // A client's own lanes spread over all addresses of a name; a shared one keeps to the first that works.
  const std::size_t first = owner_ != nullptr ? upstream_->next_start() : 0;
  came_to(connecting_.begin(*upstream_, first, relay_.timeouts().connect));
}

void Lane::came_to(Connecting::State state) {
  if (state == Connecting::State::connected) connected();
  if (state == Connecting::State::failed) round_failed();
}

void Lane::round_failed() {
  const SteadyTime now = loop().now();
  ++failures_;
  counters_->connect_failures.add();
  upstream_->connect_failed(connecting_.why(), now);
  if (failures_ == 1)
    relay_.say(config::LogLevel::warning, "a backend can't be reached", upstream_.get(), connecting_.why());
  relay_.outside().resolve_again(upstream_);
  state_ = State::pausing;
  pause_until_ = now + pause_after(failures_);
  loop().deadlines().no_later_than(*this, pause_until_);
  if (owner_ != nullptr) return owner_->server_unreachable();
  move_elsewhere();
  show();
}

void Lane::connected() {
  if (failures_ > 0) relay_.say(config::LogLevel::info, "a backend is reached again", upstream_.get(), {});
  failures_ = 0;
  state_ = State::up;
  socket_ = connecting_.take();
  loop().poller().want_writing(socket_, *this, false);
  framer_ = relay_.generation()->core->new_framer();
  readable_ = hung_up_ = write_blocked_ = moving_ = told_end_ = false;
  moved_at_ = SteadyTime::max();
  heard_at_ = loop().now();
  counters_->connected(connecting_.took());
  upstream_->connected();
  loop().flush_lane_later(*this);
}

void Lane::drop_connection() {
  if (state_ == State::connecting) {
    connecting_.stop();
    state_ = State::idle;
  }
  if (!socket_) return;
  if (state_ == State::up) {
    counters_->lanes_open.subtract();
    upstream_->disconnected();
  }
  loop().poller().remove(socket_, *this);
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
  const bool known =
      std::find(addresses->begin(), addresses->end(), connecting_.address()) != addresses->end();
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
  relay_.say(config::LogLevel::info, "a backend has moved to another address", upstream_.get(), {});
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
  if (state_ == State::connecting) came_to(connecting_.late(now));
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
