// Keeps one backend's addresses fresh: asks again when the answer's time is up, soon after a failure, and at
// once when a lane could not connect. A failure keeps the last good answer. Control thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "proxy/net/proxy.hpp"
#include "proxy/net/upstream.hpp"

namespace ambassador::proxy::net {

class Resolution : public std::enable_shared_from_this<Resolution> {
 public:
  /// Two questions for one name are at least this far apart, whoever asks.
  static constexpr std::chrono::milliseconds kApart{250};
  /// After a failure. A Pod's name comes back within 2 s of DNS knowing it.
  static constexpr std::chrono::milliseconds kRetry{1'000};
  static constexpr std::chrono::seconds kLeastTtl{1};
  static constexpr std::chrono::seconds kMostTtl{300};

  /// `changed` is called when the set of addresses differs from the last good one.
  Resolution(boost::asio::io_context& control, ResolveFunction resolve, std::shared_ptr<Upstream> upstream,
             std::function<void()> changed);
  /// A backend given by address or path needs none.
  [[nodiscard]] static bool needed(const config::Backend& backend);

  void start() { ask(); }
  /// Somebody could not connect: the last answer may be out of date.
  void again();
  void stop();

 private:
  void ask();
  void ask_in(std::chrono::milliseconds wait);
  void answered(Result<Resolved> answer);

  boost::asio::steady_timer timer_;
  ResolveFunction resolve_;
  std::shared_ptr<Upstream> upstream_;
  std::function<void()> changed_;
  std::chrono::steady_clock::time_point asked_at_{};
  bool asking_ = false;
  bool soon_ = false;  // the timer is set by again()
  bool stopped_ = false;
};

}  // namespace ambassador::proxy::net
