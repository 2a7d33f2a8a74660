#include "proxy/health/prober.hpp"

#include <fcntl.h>

#include <algorithm>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/net/standings.hpp"
#include "proxy/net/tls_client.hpp"
#include "proxy/net/transport.hpp"

namespace ambassador::proxy::health {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;

milliseconds jittered(milliseconds interval) {
  static thread_local std::minstd_rand generator{std::random_device{}()};
  const auto spread = interval.count() / 10;
  return interval +
         milliseconds(std::uniform_int_distribution<milliseconds::rep>(-spread, spread)(generator));
}

bool follows_primary(const net::ProbeTarget& target) {
  return target.core && target.core->follows_primary();
}

}  // namespace

/// What the probes of one listener find out together, where it matters who is the primary.
struct Prober::Followed {
  net::Standings standings;
  std::function<void()> changed;
  std::function<void()> ask_all;  // that are not being asked
};

/// The probing of one backend. Callbacks hold it; `attempt_` tells those of an attempt that is over.
class Prober::Probe : public std::enable_shared_from_this<Probe> {
 public:
  Probe(asio::io_context& control, net::ProbeTarget target)
      : target_(std::move(target)), socket_(control), deadline_(control), next_(control) {}

  [[nodiscard]] const net::ProbeTarget& target() const { return target_; }
  void retarget(net::ProbeTarget target) { target_ = std::move(target); }
  /// Null: it does not matter who is the primary.
  void follow(std::shared_ptr<Followed> followed) { followed_ = std::move(followed); }

  void start() {
    const std::shared_ptr<const net::Addresses> addresses = target_.upstream->addresses();
    if (addresses->empty()) {  // not resolved yet: the resolver says so, there is nobody to ask
      schedule(kRetryInterval);
      return;
    }
    const unsigned attempt = ++attempt_;
    busy_ = true;
    asked_at_ = net::SteadyTime::clock::now();
    request_ = target_.core ? target_.core->probe_request() : std::string_view();
    reply_size_ = 0;
    if (std::exchange(log_in_again_, false)) close();
    deadline_.expires_after(std::min(target_.timeout, kMaxTimeout));
    deadline_.async_wait([self = shared_from_this(), attempt](error_code error) {
      if (!error && attempt == self->attempt_) {
        self->down("no answer to the health probe in time");
      }
    });
    if (socket_.is_open()) {
      ask();
      go_on();
    } else {
      connect((*addresses)[turn_++ % addresses->size()]);
    }
  }

  void login_changed() { log_in_again_ = true; }

  void start_soon() {
    in_doubt_until_ = net::SteadyTime::clock::now() + kDoubt;
    if (stopped_ || busy_) return;
    const auto least = asked_at_ + target_.apart;
    next_.expires_at(std::max(least, net::SteadyTime::clock::now()));
    wait_for_next();
  }

  void stop() {
    ++attempt_;
    stopped_ = true;
    close();
    error_code ignored;
    deadline_.cancel(ignored);
    next_.cancel(ignored);
  }

 private:
  // Runs `next` if `error` is none and the attempt is still the one that began this.
  template <class Next>
  auto step(std::string_view doing, Next next) {
    return [self = shared_from_this(), attempt = attempt_, doing, next](error_code error) {
      if (attempt != self->attempt_) {
        return;
      }
      if (error) {
        self->failed(std::string(doing) + ": " + error.message());
      } else {
        next(*self);
      }
    };
  }

  void connect(const net::Address& address) {
    fresh_ = true;
    const asio::generic::stream_protocol::endpoint endpoint(address.data(), address.size());
    socket_.async_connect(endpoint, step("cannot connect", [](Probe& self) { self.connected(); }));
  }

  void connected() {
    greeting_ = target_.core ? target_.core->new_greeting(LaneKind::ordinary) : nullptr;
    if (request_.empty() && !greeting_ && !target_.tls) {
      close();
      return healthy();
    }
    // Asio waits for the socket, the transport reads and writes it.
    error_code ignored;
    socket_.native_non_blocking(true, ignored);
    transport_.emplace(net::Socket(::fcntl(socket_.native_handle(), F_DUPFD_CLOEXEC, 0)));
    if (target_.tls) {
      auto tls = target_.tls->connection(target_.upstream->backend().host);
      if (!tls) return failed("TLS can't be set up for this host");
      transport_->start(std::move(tls));
      shaking_ = true;
    } else if (!begin()) {
      return;
    }
    go_on();
  }

  // Connected, and encrypted if need be. False: the attempt is over.
  bool begin() {
    if (greeting_) return greet({});
    ask();
    return true;
  }

  void ask() {
    out_ = request_;
    asked_at_ = net::SteadyTime::clock::now();
  }

  // Does what can be done at once, then waits for the socket.
  void go_on() {
    while (!shaking_ || shake()) {
      if (!out_.empty()) {
        const iovec piece{out_.data(), out_.size()};
        const std::ptrdiff_t sent = transport_->send({&piece, 1});
        if (sent == -EAGAIN) return wait(!transport_->wants_reading());
        if (sent < 0) return failed("health probe: " + why(sent));
        out_.erase(0, static_cast<std::size_t>(sent));
        continue;
      }
      const std::ptrdiff_t got =
          transport_->receive(reply_.data() + reply_size_, reply_.size() - reply_size_);
      if (got == -EAGAIN) return wait(transport_->wants_writing());
      if (got < 0) return failed("health probe: " + why(got));
      if (got == 0) return failed("health probe: the server closed the connection");
      reply_size_ += static_cast<std::size_t>(got);
      if (reply_size_ == reply_.size()) make_room();
      if (greeting_ ? !greet({reply_.data(), reply_size_}) : !judge()) return;
    }
  }

  // For a reply that is longer than those of servers, if there may be one.
  void make_room() {
    if (greeting_ || !target_.core) return;
    reply_.resize(std::max(reply_.size(), std::min(2 * reply_.size(), target_.core->max_probe_reply())));
  }

  void wait(bool for_writing) {
    socket_.async_wait(for_writing ? asio::socket_base::wait_write : asio::socket_base::wait_read,
                       step("health probe", [](Probe& self) { self.go_on(); }));
  }

  // True: it is done.
  bool shake() {
    switch (transport_->handshake()) {
      case net::Transport::Handshake::pending:
        wait(transport_->wants_writing());
        return false;
      case net::Transport::Handshake::failed:
        failed("health probe: " + transport_->why());
        return false;
      case net::Transport::Handshake::done:
        break;
    }
    shaking_ = false;
    return begin();
  }

  // False: the attempt is over.
  bool greet(std::string_view input) {
    const Greeted said = greeting_->on_bytes({input.data(), input.size()});
    std::memmove(reply_.data(), reply_.data() + said.consumed, reply_size_ - said.consumed);
    reply_size_ -= said.consumed;
    switch (said.state) {
      case Greeted::State::need_more:
        out_ += said.send;
        if (reply_size_ < reply_.size()) return true;
        failed("answered the health probe's greeting with more than an answer");
        return false;
      case Greeted::State::ready:
        greeting_.reset();
        ask();
        return true;
      case Greeted::State::refused:
        failed("refuses the connection: " + std::string(said.why));
        return false;
    }
    return false;
  }

  [[nodiscard]] std::string why(std::ptrdiff_t negative_errno) const {
    std::string tls = transport_->why();
    return tls.empty() ? std::strerror(static_cast<int>(-negative_errno)) : tls;
  }

  // True: more is to come. False: the attempt is over.
  bool judge() {
    const std::string_view reply(reply_.data(), reply_size_);
    switch (target_.core->probe_reply(reply)) {
      case Probing::Health::healthy:
        healthy();
        return false;
      case Probing::Health::unhealthy:
        failed("answered the health probe with: " +
               std::string(reply.substr(0, reply.find('\r')).substr(0, 120)));
        return false;
      case Probing::Health::need_more:
        if (reply_size_ < reply_.size()) return true;
        failed("answered the health probe with more than a probe's reply");
        return false;
    }
    return false;
  }

  void healthy() {
    ++attempt_;
    busy_ = false;
    deadline_.cancel();
    const net::SteadyTime now = net::SteadyTime::clock::now();
    target_.upstream->probed(true, {}, now);
    fresh_ = false;
    if (!request_.empty())
      target_.upstream->probe_took(std::chrono::duration_cast<std::chrono::microseconds>(now - asked_at_));
    if (target_.core) learn(now);
    schedule(interval());
    if (target_.heard) target_.heard(std::string_view(reply_.data(), reply_size_));
  }

  void learn(net::SteadyTime now) {
    const Standing standing = target_.core->probe_standing({reply_.data(), reply_size_});
    const bool changed = target_.upstream->set_standing(standing, now);
    if (!followed_) return;
    const bool another = followed_->standings.said(*target_.upstream, standing, asked_at_, now);
    if (another) followed_->ask_all();
    if (changed || another) followed_->changed();
  }

  // Often enough to know of a lag that is too much before it is a third more.
  [[nodiscard]] milliseconds interval() const {
    if (target_.heard && net::SteadyTime::clock::now() < in_doubt_until_) return target_.apart;
    if (!followed_) return request_.empty() ? kConnectInterval : kInterval;
    if (!followed_->standings.has_primary()) return kIntervalWithoutPrimary;
    return std::min(kIntervalWithPrimary, target_.max_lag * 3 / 10);
  }

  // A kept connection that broke says only that it broke (the server was restarted, or closes idle ones): the
  // backend is asked once more on a new one before it counts as down.
  void failed(const std::string& why) {
    if (fresh_) return down(why);
    ++attempt_;
    deadline_.cancel();
    close();
    start();
  }

  void down(const std::string& why) {
    ++attempt_;
    deadline_.cancel();
    close();
    busy_ = false;
    const net::SteadyTime now = net::SteadyTime::clock::now();
    target_.upstream->probed(false, why, now);
    if (followed_) {
      const bool had_primary = followed_->standings.has_primary();
      followed_->standings.silent(*target_.upstream, now);
      if (had_primary && !followed_->standings.has_primary()) followed_->ask_all();
    }
    schedule(kRetryInterval);
    if (target_.heard) target_.heard(std::nullopt);
  }

  void close() {
    if (transport_) transport_->close();
    transport_.reset();
    greeting_.reset();
    out_.clear();
    shaking_ = false;
    error_code ignored;
    socket_.close(ignored);
  }

  void schedule(milliseconds interval) {
    if (stopped_) {
      return;
    }
    next_.expires_after(jittered(interval));
    wait_for_next();
  }

  void wait_for_next() {
    next_.async_wait([self = shared_from_this()](error_code error) {
      if (!error && !self->stopped_) {
        self->start();
      }
    });
  }

  net::ProbeTarget target_;
  std::shared_ptr<Followed> followed_;
  asio::generic::stream_protocol::socket socket_;
  std::optional<net::Transport> transport_;  // over another descriptor of the same socket
  std::unique_ptr<Greeting> greeting_;       // until it is over
  std::string out_;                          // to be sent
  bool shaking_ = false;                     // TLS
  bool log_in_again_ = false;
  asio::steady_timer deadline_;
  asio::steady_timer next_;
  std::string request_;
  std::vector<char> reply_ = std::vector<char>(Probing::kMaxProbeReply);
  std::size_t reply_size_ = 0;
  std::size_t turn_ = 0;
  unsigned attempt_ = 0;
  net::SteadyTime asked_at_{};
  net::SteadyTime in_doubt_until_{};
  bool busy_ = false;
  bool fresh_ = false;  // the connection was made for this probe
  bool stopped_ = false;
};

Prober::Prober(asio::io_context& control, std::function<std::vector<net::ProbeTarget>()> targets,
               std::function<void(const std::string& listener)> standing_changed)
    : control_(control), targets_(std::move(targets)), standing_changed_(std::move(standing_changed)) {}

Prober::~Prober() {
  stop();
}

void Prober::refresh() {
  std::vector<net::ProbeTarget> targets = targets_();
  follow(targets);
  std::vector<std::shared_ptr<Probe>> kept;
  for (net::ProbeTarget& target : targets) {
    const auto followed = follows_primary(target) ? followed_.at(target.listener) : nullptr;
    const auto same = std::find_if(probes_.begin(), probes_.end(), [&](const std::shared_ptr<Probe>& probe) {
      return probe && probe->target().upstream == target.upstream;
    });
    if (same != probes_.end()) {
      (*same)->retarget(std::move(target));
      kept.push_back(std::move(*same));
    } else {
      kept.push_back(std::make_shared<Probe>(control_, std::move(target)));
    }
    kept.back()->follow(followed);
    if (same == probes_.end()) kept.back()->start();
  }
  for (const auto& probe : probes_) {
    if (probe) {
      probe->stop();
    }
  }
  probes_ = std::move(kept);
}

// One for each listener where it matters; what is known of those that stay is kept.
void Prober::follow(const std::vector<net::ProbeTarget>& targets) {
  std::map<std::string, net::Upstreams> servers;
  for (const net::ProbeTarget& target : targets) {
    if (follows_primary(target)) servers[target.listener].push_back(target.upstream);
  }
  std::erase_if(followed_, [&](const auto& one) { return !servers.contains(one.first); });
  for (const auto& [listener, upstreams] : servers) {
    auto& followed = followed_[listener];
    if (!followed) {
      followed = std::make_shared<Followed>();
      followed->changed = [this, name = listener] { standing_changed_(name); };
      followed->ask_all = [this, name = listener] { ask_standing(name); };
    }
    followed->standings.follow(upstreams);
  }
}

void Prober::ask_standing(const std::string& listener) {
  for (const auto& probe : probes_) {
    if (probe && probe->target().listener == listener) probe->start_soon();
  }
}

void Prober::login_changed(const std::string& listener) {
  for (const auto& probe : probes_) {
    if (probe->target().listener == listener) probe->login_changed();
  }
}

void Prober::stop() {
  for (const auto& probe : probes_) {
    probe->stop();
  }
  probes_.clear();
}

}  // namespace ambassador::proxy::health
