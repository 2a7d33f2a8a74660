#include "proxy/health/prober.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <random>
#include <string>
#include <string_view>
#include <utility>

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

}  // namespace

/// The probing of one backend. Callbacks hold it; `attempt_` tells those of an attempt that is over.
class Prober::Probe : public std::enable_shared_from_this<Probe> {
 public:
  Probe(asio::io_context& control, net::ProbeTarget target)
      : target_(std::move(target)), socket_(control), deadline_(control), next_(control) {}

  [[nodiscard]] const net::ProbeTarget& target() const { return target_; }
  void retarget(net::ProbeTarget target) { target_ = std::move(target); }

  void start() {
    const std::shared_ptr<const net::Addresses> addresses = target_.upstream->addresses();
    if (addresses->empty()) {  // not resolved yet: the resolver says so, there is nobody to ask
      schedule(kRetryInterval);
      return;
    }
    const unsigned attempt = ++attempt_;
    request_ = target_.core ? target_.core->probe_request() : std::string_view();
    reply_size_ = 0;
    deadline_.expires_after(std::min(target_.timeout, kMaxTimeout));
    deadline_.async_wait([self = shared_from_this(), attempt](error_code error) {
      if (!error && attempt == self->attempt_) {
        self->failed("no answer to the health probe in time");
      }
    });
    if (socket_.is_open()) {
      write();
    } else {
      connect((*addresses)[turn_++ % addresses->size()]);
    }
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
    return [self = shared_from_this(), attempt = attempt_, doing, next](error_code error,
                                                                        std::size_t bytes = 0) {
      if (attempt != self->attempt_) {
        return;
      }
      if (error) {
        self->failed(std::string(doing) + ": " + error.message());
      } else {
        next(*self, bytes);
      }
    };
  }

  void connect(const net::Address& address) {
    fresh_ = true;
    const asio::generic::stream_protocol::endpoint endpoint(address.data(), address.size());
    socket_.async_connect(endpoint, step("cannot connect", [](Probe& self, std::size_t) {
                            if (self.request_.empty()) {
                              self.close();
                              self.healthy();
                            } else {
                              self.write();
                            }
                          }));
  }

  void write() {
    asio::async_write(socket_, asio::buffer(request_),
                      step("health probe", [](Probe& self, std::size_t) { self.read(); }));
  }

  void read() {
    socket_.async_read_some(asio::buffer(reply_.data() + reply_size_, reply_.size() - reply_size_),
                            step("health probe", [](Probe& self, std::size_t bytes) {
                              self.reply_size_ += bytes;
                              self.judge();
                            }));
  }

  void judge() {
    const std::string_view reply(reply_.data(), reply_size_);
    switch (target_.core->probe_reply(reply)) {
      case ProtocolCore::Health::healthy:
        healthy();
        return;
      case ProtocolCore::Health::unhealthy:
        failed("answered the health probe with: " +
               std::string(reply.substr(0, reply.find('\r')).substr(0, 120)));
        return;
      case ProtocolCore::Health::need_more:
        if (reply_size_ == reply_.size()) {
          failed("answered the health probe with more than a probe's reply");
        } else {
          read();
        }
        return;
    }
  }

  void healthy() {
    ++attempt_;
    deadline_.cancel();
    target_.upstream->probed(true, {}, net::SteadyTime::clock::now());
    fresh_ = false;
    schedule(request_.empty() ? kConnectInterval : kInterval);
  }

  // A kept connection that broke says only that it broke (the server was restarted, or closes idle ones): the
  // backend is asked once more on a new one before it counts as down.
  void failed(const std::string& why) {
    ++attempt_;
    deadline_.cancel();
    close();
    if (!fresh_) {
      start();
      return;
    }
    target_.upstream->probed(false, why, net::SteadyTime::clock::now());
    schedule(kRetryInterval);
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  void schedule(milliseconds interval) {
    if (stopped_) {
      return;
    }
    next_.expires_after(jittered(interval));
    next_.async_wait([self = shared_from_this()](error_code error) {
      if (!error && !self->stopped_) {
        self->start();
      }
    });
  }

  net::ProbeTarget target_;
  asio::generic::stream_protocol::socket socket_;
  asio::steady_timer deadline_;
  asio::steady_timer next_;
  std::string request_;
  std::array<char, kMaxReplyBytes> reply_{};
  std::size_t reply_size_ = 0;
  std::size_t turn_ = 0;
  unsigned attempt_ = 0;
  bool fresh_ = false;  // the connection was made for this probe
  bool stopped_ = false;
};

Prober::Prober(asio::io_context& control, std::function<std::vector<net::ProbeTarget>()> targets)
    : control_(control), targets_(std::move(targets)) {}

Prober::~Prober() {
  stop();
}

void Prober::refresh() {
  std::vector<std::shared_ptr<Probe>> kept;
  for (net::ProbeTarget& target : targets_()) {
    const auto same = std::find_if(probes_.begin(), probes_.end(), [&](const std::shared_ptr<Probe>& probe) {
      return probe && probe->target().upstream == target.upstream;
    });
    if (same != probes_.end()) {
      (*same)->retarget(std::move(target));
      kept.push_back(std::move(*same));
    } else {
      kept.push_back(std::make_shared<Probe>(control_, std::move(target)));
      kept.back()->start();
    }
  }
  for (const auto& probe : probes_) {
    if (probe) {
      probe->stop();
    }
  }
  probes_ = std::move(kept);
}

void Prober::stop() {
  for (const auto& probe : probes_) {
    probe->stop();
  }
  probes_.clear();
}

}  // namespace ambassador::proxy::health
