#include "proxy/net/client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "proxy/net/lane.hpp"
#include "proxy/net/login_limit.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {
namespace {

/// An idle client keeps no more than these places for exchanges.
constexpr std::size_t kExchangesKept = 16;
constexpr std::chrono::milliseconds kTidyAfter{1'000};
/// How often a client without a backend asks for one.
constexpr std::chrono::milliseconds kChooseEvery{100};

}  // namespace

Client::Client(Relay& relay, std::shared_ptr<const Generation> generation, Socket socket, const Address& peer,
               std::shared_ptr<OpenClients> open)
    : relay_(relay),
      generation_(std::move(generation)),
      session_(generation_->core->new_session(relay.key_watch())),
      transport_(std::move(socket)),
      peer_(peer),
      open_(std::move(open)),
      shared_(generation_->core->shares_lanes()),
      keeps_replies_(generation_->core->keeps_replies()),
      unheard_(generation_->certificate != nullptr),
      started_(relay.loop().now()),
      active_(started_) {}

Client::~Client() = default;

Loop& Client::loop() const {
  return relay_.loop();
}

bool Client::start() {
  if (!loop().poller().add(transport_.socket(), *this, false)) return false;
  if (!shared_) open_own_lane();
  if (session_->logging_in()) logged_in_by_ = loop().now() + kLoginMost;
  set_deadline();
  return true;
}

void Client::open_own_lane() {
  own_lane_ = relay_.choose_lane(*this);
  if (own_lane_) own_lane_->open();
}

void Client::on_ready(std::uint32_t events) {
  if (closed_) return;
  events = transport_.meaning(events);
  if ((events & EPOLLOUT) != 0 && write_blocked_) {
    write_blocked_ = false;
    loop().flush_client_later(*this);
  }
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hung_up_ = true;
  // Nobody waits any more: the server must not give an element to who is gone, as it would not itself.
  if (hung_up_ && patient_ > 0) return close();
  // A reset while nobody reads would not be seen: nobody is there to be answered any more.
  if ((events & EPOLLERR) != 0 && (ended_ || !may_read())) return close();
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    readable_ = true;
    if (shaking()) return shake();
    read();
  }
}

void Client::go_on() {
  if (closed_) return;
  stopped_ = false;
  if (input_.size() > 0) received(0);
  if (!closed_) read();
}

bool Client::may_read() {
  if (ended_ || closing_ || settling_ || shaking() || full_lane_ != nullptr) return false;
  if (stream_ == Stream::waiting || stream_ == Stream::sent) return false;
  if (waiting_since_ != SteadyTime::max()) return false;
  if (out_.size() > kUnreadHigh / 4 || exchanges_.size() >= kExchangesMost) return false;
  if (!shared_ && !own_lane_) return false;
  if (relay_.rate().limits() && throttled()) [[unlikely]]
    return false;
  if (loop().under_pressure() && stream_ == Stream::none) {
    loop().wait_for_memory(*this);
    return false;
  }
  return true;
}

void Client::read() {
  int budget = kReadsPerTurn;
  while (readable_ && !closed_ && !ended_) {
    if (!may_read()) {
      if (hung_up_ && patient_ > 0) return close();  // it can't be read that it has left
      stopped_ = true;
      return;
    }
    if (budget-- == 0) return loop().again(*this);
    if (unheard_ && greets_with_tls()) return start_tls();
    make_room(loop().pool(), input_);
    const std::size_t room = input_.block->capacity - input_.end;
    const std::ptrdiff_t got = transport_.receive(input_.block->data() + input_.end, room);
    if (got > 0) {
      // Then nothing more is there, unless its end is known to be.
      if (transport_.emptied(static_cast<std::size_t>(got), room) && !hung_up_) readable_ = false;
      input_.end += static_cast<std::uint32_t>(got);
      received(static_cast<std::size_t>(got));
      continue;
    }
    if (input_.size() == 0) input_.block.reset();
    if (got == -EAGAIN) {
      readable_ = false;
      if (transport_.wants_writing()) loop().poller().want_writing(transport_.socket(), *this, true);
    } else if (got == 0) {
      readable_ = false;
      end_of_client();
    } else {
      close();
    }
  }
}

void Client::received(std::size_t bytes) {
  if (bytes > 0) {
    active_ = loop().now();
    bytes_received_ += bytes;
    relay_.counters().bytes_received.add(bytes);
  }
  consume();
  if (!closed_ && input_.size() == 0) input_.block.reset();
}

void Client::end_of_client() {
  ended_ = true;
  if (!shared_) {
    if (own_lane_) own_lane_->end_of_requests();
    if (!own_lane_ || told_end_) close();
    return;
  }
  // Half a message will never be answered, and what came before it was.
  if (stream_ == Stream::running || patient_ > 0) return close();
  finish_if_done();
}

void Client::finish_if_done() {
  if (closed_ || !out_.empty()) return;
  if (closing_) return close();
  if (!shared_) {
    if (server_ended_ && !told_end_) {
      transport_.socket().end_of_writing();
      told_end_ = true;
    }
    if (told_end_ && ended_) close();
    return;
  }
  // A client that is blocked is not waited for: it may be so for ever.
  const bool done = ended_ || (draining_ && (input_.size() == 0 || patient_ > 0));
  if (done && exchanges_.size() == patient_) close();
}

void Client::close_when_written() {
  closing_ = true;
  loop().flush_client_later(*this);
}

void Client::flush() {
  if (closed_) return;
  if (is_worth_holding() && !loop().releasing()) return loop().hold(*this);
  loop().let_go(*this);
  while (!out_.empty() && !write_blocked_) {
    std::array<iovec, 64> pieces;  // Asio's and most kernels' sweet spot; the rest goes with the next one
    const std::size_t count = out_.gather(pieces);
    const std::ptrdiff_t sent = transport_.send({pieces.data(), count});
    if (sent == -EAGAIN) {
      write_blocked_ = true;
      if (!transport_.wants_reading()) loop().poller().want_writing(transport_.socket(), *this, true);
    } else if (sent < 0) {
      return close();
    } else {
      out_.consume(static_cast<std::size_t>(sent));
      bytes_sent_ += static_cast<std::size_t>(sent);
      relay_.counters().bytes_sent.add(static_cast<std::size_t>(sent));
      active_ = loop().now();
    }
  }
  if (blocked_lane_ != nullptr && out_.size() <= kUnreadHigh / 2) {
    std::exchange(blocked_lane_, nullptr)->unblock(*this);
  }
  finish_if_done();
  if (closed_) return;
  if (exchanges_.empty() && exchanges_.capacity() > kExchangesKept) {
    loop().deadlines().no_later_than(*this, loop().now() + kTidyAfter);
  }
  read_on_if_stopped();
}

void Client::read_on_if_stopped() {
  if (stopped_ && may_read()) {
    stopped_ = false;
    loop().again(*this);
  }
}

void Client::drain() {
  if (!open_) return;  // others need it for as long as they are served
  draining_ = true;
  finish_if_done();
}

void Client::addresses_changed(const Upstream& upstream) {
  if (own_lane_ && &own_lane_->upstream() == &upstream) own_lane_->addresses_changed();
  if (!leases_) return;
  for (LentLane& lease : leases_->lanes) {
    if (&lease.lane->upstream() == &upstream) lease.lane->addresses_changed();
  }
}

void Client::login_changed() {
  if (own_lane_) own_lane_->login_changed();
  if (!leases_) return;
  for (LentLane& lease : leases_->lanes) lease.lane->login_changed();
}

void Client::broken(const char* why) {
  relay_.counters().clients_broken.add();
  relay_.say(config::LogLevel::info, "closed a client", nullptr, why, peer_.text());
  close();
}

void Client::close() {
  if (closed_) return;
  closed_ = true;
  loop().poller().remove(transport_.socket(), *this);
  transport_.close();
  loop().deadlines().cancel(*this);
  end_throttling();

  if (full_lane_ != nullptr) std::exchange(full_lane_, nullptr)->forget(*this);
  if (blocked_lane_ != nullptr) std::exchange(blocked_lane_, nullptr)->unblock(*this);
  input_.block.reset();
  out_.clear();
  held_.clear();
  copied_.reset();
  while (!exchanges_.empty()) {
    exchanges_.front().reset();
    exchanges_.pop();
  }
  exchanges_.release();
  end_leases();
  leases_.reset();
  if (own_lane_ && shared_) {
    relay_.give_back(std::move(own_lane_), false);
  } else if (own_lane_) {
    own_lane_->close();
    loop().bury(std::move(own_lane_));
  }
  settled_ = true;
  relay_.client_closed(open_.get());
  if (owed_ == 0) relay_.client_gone(*this);
}

void Client::not_owed() {
  if (--owed_ == 0 && settled_) relay_.client_gone(*this);
}

void Client::set_deadline() {
  const auto idle = relay_.timeouts().idle;
  if (idle.count() > 0) loop().deadlines().no_later_than(*this, std::max(active_ + idle, loop().now()));
  if (!shared_ && !own_lane_) loop().deadlines().no_later_than(*this, loop().now() + kChooseEvery);
  const SteadyTime introduced_by = std::min(shaken_by_, logged_in_by_);
  if (introduced_by != SteadyTime::max()) loop().deadlines().no_later_than(*this, introduced_by);
}

void Client::on_deadline(SteadyTime now) {
  if (closed_) return;
  if (now >= shaken_by_) return broken("its TLS handshake took too long");
  if (now >= logged_in_by_) {
    if (session_->logging_in()) return broken(kLoginTooSlow);
    logged_in_by_ = SteadyTime::max();
  }
  if (blocked_lane_ != nullptr && shared_) {
    if (now - blocked_since_ >= kSlowPatience) {
      relay_.counters().clients_slow.add();
      relay_.say(config::LogLevel::warning, "closed a client that does not read its replies",
                 &blocked_lane_->upstream(), std::to_string(out_.size()) + " bytes wait for it",
                 peer_.text());
      return close();
    }
    loop().deadlines().no_later_than(*this, blocked_since_ + kSlowPatience);
  }
  if (throttled_since_ != SteadyTime::max()) read_on_if_stopped();
  if (waiting_since_ != SteadyTime::max()) ask_again(now);
  if (leases_) check_leases();
  if (closed_) return;
  if (!shared_ && !own_lane_) {
    open_own_lane();
    if (own_lane_) {
      read_on_if_stopped();
    } else if (now - started_ >= relay_.timeouts().queue) {
      relay_.counters().failures.add(Failure::no_backend);
      return close();
    }
  }
  const auto idle = relay_.timeouts().idle;
  if (open_ && idle.count() > 0 && now - active_ >= idle && (!shared_ || exchanges_.empty()) &&
      throttled_since_ == SteadyTime::max() && !(leases_ && leases_->listens())) {
    relay_.counters().clients_idle.add();
    return close();
  }
  if (exchanges_.empty() && exchanges_.capacity() > kExchangesKept) {
    if (now - active_ >= kTidyAfter) {
      exchanges_.release();
    } else {
      loop().deadlines().no_later_than(*this, active_ + kTidyAfter);
    }
  }
  set_deadline();
}

ClientSnapshot Client::describe(SteadyTime now) const {
  ClientSnapshot out;
  out.listener = relay_.name();
  out.peer = peer_.text();
  if (own_lane_) out.backend = own_lane_->upstream().backend().name;
  out.age = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_);
  out.idle = std::chrono::duration_cast<std::chrono::milliseconds>(now - active_);
  out.requests = requests_;
  out.bytes_received = bytes_received_;
  out.bytes_sent = bytes_sent_;
  out.pending = exchanges_.size();
  out.buffered_bytes = out_.size() + kept_;
  out.throttles = throttles_;
  return out;
}

}  // namespace ambassador::proxy::net
