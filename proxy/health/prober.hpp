// Active health checking: asks every backend about once a second whether it is well, on one connection of its
// own per backend (a protocol whose probe is connecting: a new one each time), encrypted and greeted as lanes
// are, and tells the Upstream. What the relay sees by itself (a refused connection) counts too, but that is
// between lanes and Upstream. Where it matters who is the primary, the probes find out that as well, and how
// far the others are behind. Who wants to hear the answers (ProbeTarget::heard: proxy/discovery, of seeds) is
// told them.
//
// Threads: everything on the control thread, the one that runs `control`.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/proxy.hpp"

namespace ambassador::proxy::health {

/// Between two probes of a backend that is well; each is moved by up to a tenth, so that the ambassadors of a
/// fleet do not ask in step.
inline constexpr std::chrono::milliseconds kInterval{1000};
/// Between two probes of a backend that is not: it is used again soon after it came back.
inline constexpr std::chrono::milliseconds kRetryInterval{250};
/// The same where it matters who is the primary: one that is superseded gets no write after a second.
inline constexpr std::chrono::milliseconds kIntervalWithPrimary{800};
/// And while none is known.
inline constexpr std::chrono::milliseconds kIntervalWithoutPrimary{100};
/// Asked out of turn, a seed is asked as often as it may be for so long: what one wants to know may not have
/// come to pass yet.
inline constexpr std::chrono::milliseconds kDoubt{2000};
/// A protocol without a probe of its own is connected to this often.
inline constexpr std::chrono::milliseconds kConnectInterval{2000};
/// A probe that is not answered within the listener's timeouts.connect, but at most this, failed.
inline constexpr std::chrono::milliseconds kMaxTimeout{2000};

class Prober {
 public:
  /// `targets` is asked at start and at every refresh(): Proxy::probe_targets, and seeds. `standing_changed`:
  /// a server of that listener is something else than before (Upstream::set_standing).
  Prober(
      boost::asio::io_context& control, std::function<std::vector<net::ProbeTarget>()> targets,
      std::function<void(const std::string& listener)> standing_changed = [](const std::string&) {});
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  /// After every Proxy::apply(): new backends are probed at once, removed ones no more, the others go on.
  void refresh();
  /// Who logs in at the servers of that listener is somebody else now: its next probes go over new
  /// connections.
  void login_changed(const std::string& listener);
  /// Who is the primary of that listener is in doubt: its servers, and its seeds, are asked at once.
  void ask_standing(const std::string& listener);
  void stop();

 private:
  class Probe;
  struct Followed;
  void follow(const std::vector<net::ProbeTarget>& targets);
  boost::asio::io_context& control_;
  std::function<std::vector<net::ProbeTarget>()> targets_;
  std::function<void(const std::string& listener)> standing_changed_;
  std::vector<std::shared_ptr<Probe>> probes_;
  std::map<std::string, std::shared_ptr<Followed>> followed_;  // by listener
};

}  // namespace ambassador::proxy::health
