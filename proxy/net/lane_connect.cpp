// How a lane gets its connection: a round of Connecting, then a pause that grows, and so on for as long as
// somebody waits.
#include <algorithm>

#include "proxy/net/client.hpp"
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

void Lane::connect() {
  state_ = State::connecting;
  lasting_ = false;
  // A client's own lanes spread over all addresses of a name; a shared one keeps to the first that works.
  const std::size_t first = owner_ != nullptr ? upstream_->next_start() : 0;
  came_to(connecting_.begin(*upstream_, first, relay_.timeouts().connect));
}

void Lane::came_to(Connecting::State state) {
  if (state == Connecting::State::connected) connected();
  if (state != Connecting::State::failed) return;
  if (!refusal_.empty()) failures_ = 0;  // another reason: to be said
  refusal_.clear();
  round_failed("a backend can't be reached", connecting_.why());
}

// `what` is for the log, which gets it once until a connection is up again.
void Lane::round_failed(const char* what, std::string_view why) {
  const SteadyTime now = loop().now();
  ++failures_;
  counters_->connect_failures.add();
  if (!lasting_) {
    upstream_->connect_failed(why, now);
    relay_.outside().resolve_again(upstream_);
  }
  if (failures_ == 1)
    relay_.say(lasting_ ? config::LogLevel::debug : config::LogLevel::warning, what, upstream_.get(), why);
  state_ = State::pausing;
  pause_until_ = now + pause_after(failures_);
  loop().deadlines().no_later_than(*this, pause_until_);
  if (owner_ != nullptr) return owner_->server_unreachable();
  if (lasting_) return fail_expired(now);
  ask_for_primary();
  move_elsewhere();
  show();
}

// `tells`: Greeted::tells.
void Lane::come_up(bool tells) {
  if (failures_ > 0) relay_.say(config::LogLevel::info, "a backend is reached again", upstream_.get(), {});
  failures_ = 0;
  refusal_.clear();
  state_ = State::up;
  welcome_.reset();
  const ProtocolCore& core = *relay_.generation()->core;
  framer_ = core.new_framer(kind_);
  if (use_ == Use::shared) keeps_ = core.keeps_requests();
  if (listens_) framer_->listen();
  moved_at_ = SteadyTime::max();
  heard_at_ = loop().now();
  counters_->connected(connecting_.took());
  upstream_->connected();
  if (tells) begin_to_keep();
  loop().flush_lane_later(*this);
}

void Lane::drop_connection() {
  if (state_ == State::connecting) {
    connecting_.stop();
    state_ = State::idle;
  }
  if (!transport_) return;
  if (state_ == State::up) {
    counters_->lanes_open.subtract();
    upstream_->disconnected();
  }
  loop().poller().remove(transport_.socket(), *this);
  transport_.close();
  state_ = State::idle;
  welcome_.reset();
  framer_.reset();
  keeping_.reset();
  input_.block.reset();
  input_.begin = input_.end = 0;
  moving_ = declines_ = false;
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
  if ((state_ == State::connecting || state_ == State::greeting) && !known) {
    drop_connection();
    return connect();
  }
  // What a lease stands for can't move: it lasts as long as its connection.
  if (state_ != State::up || owner_ != nullptr || holder_ != nullptr) return;
  if (known) {
    moved_at_ = SteadyTime::max();
  } else if (moved_at_ == SteadyTime::max()) {
    moved_at_ = loop().now();
    loop().deadlines().no_later_than(*this, moved_at_ + kMovedGrace);
  }
}

void Lane::login_changed() {
  stale_ = true;
  if (!refusal_.empty()) failures_ = 0;  // what was refused before says nothing any more
  if (state_ == State::pausing && !refusal_.empty()) {
    state_ = State::idle;
  } else if (state_ == State::greeting) {
    drop_connection();
  } else if (state_ == State::up && use_ == Use::shared) {
    moving_ = true;
    return make_anew_when_nothing_is_owed();
  }
  if (state_ == State::idle && !owed_.empty()) loop().again(*this);
}

bool Lane::in_mid_request() const {
  if (sent_ == queued_total_) return false;
  for (std::size_t i = 0; i < owed_.size(); ++i) {
    if (owed_[i].start >= sent_) return owed_[i].start > sent_;
  }
  return true;
}

void Lane::make_anew_when_nothing_is_owed() {
  if (state_ != State::up) return;
  if (!owed_.empty() && owed_.front().start < sent_) return;
  if (stale_) {
    relay_.say(config::LogLevel::debug, "a connection is made anew, for another login", upstream_.get(), {});
  } else {
    relay_.say(config::LogLevel::info, "a backend has moved to another address", upstream_.get(), {});
  }
  drop_connection();
  if (!owed_.empty()) loop().again(*this);
}

void Lane::retire() {
  retired_ = true;
  keeping_.reset();
  standing_changed();  // nobody will tell it any more
  place_anew(false);
  if (finished()) relay_.lane_finished(*this);
}

void Lane::close() {
  holder_ = nullptr;
  drop_connection();
  loop().deadlines().cancel(*this);
  for (const Aside& one : std::exchange(aside_, {})) one.owed.client->not_owed();
  for (const PutOff& later : std::exchange(put_off_, {})) later.one.owed.client->not_owed();
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
  if (state_ == State::greeting && now >= welcome_->until)
    not_greeted("the server did not answer the greeting in time");
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
      make_anew_when_nothing_is_owed();
    }
  }
  if (state_ != State::up || (declines_ && nothing_sent())) fail_expired(now);
  if (state_ == State::up) ask_again(now);
  ask_those_put_off(now);
  if (ages() && unused() && now - heard_at_ >= kUnusedKind) return relay_.lane_unused(*this);
  if (finished()) return relay_.lane_finished(*this);
  watch();
}

}  // namespace ambassador::proxy::net
