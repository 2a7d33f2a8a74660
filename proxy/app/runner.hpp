// The proxy from start to end: takes the configuration, keeps following it, and drains when it is told to
// end. Wires net::Proxy, health checking, the search for servers, the ports and the watch together;
// everything it does is one of their calls.
//
// Threads: run() is the control thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "common/dns/resolver.hpp"
#include "common/metrics/metrics.hpp"
#include "proxy/admin/metrics.hpp"
#include "proxy/admin/view.hpp"
#include "proxy/app/drain.hpp"
#include "proxy/app/file_watch.hpp"
#include "proxy/app/new_names.hpp"
#include "proxy/app/options.hpp"
#include "proxy/app/ports.hpp"
#include "proxy/app/secrets.hpp"
#include "proxy/app/trim.hpp"
#include "proxy/discovery/membership.hpp"
#include "proxy/health/prober.hpp"
#include "proxy/net/proxy.hpp"

namespace ambassador::proxy::app {

/// Version and commit of the program, for --version, status and metrics.
struct Build {
  std::string version;
  std::string commit;
};

class Runner {
 public:
  Runner(Options options, const Build& build);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Returns the process' exit code: 0 after a drain, 1 when the configuration cannot be taken at the start.
  int run();

 private:
  Result<config::Document> load();
  bool start();
  void bind();
  Result<void> take(config::Document document);
  bool take_found_servers();
  void reload();
  void refuse(const Error& error);
  void wait_for_signal();
  void begin_drain(const char* why);
  void drain_step();
  void finish(int exit_code);

  Options options_;
  boost::asio::io_context control_{1};
  config::Document document_;  // as declared
  admin::ConfigurationState state_;
  std::string text_;  // of the file as last looked at, taken or refused
  std::shared_ptr<admin::View> view_ = std::make_shared<admin::View>();
  std::shared_ptr<metrics::Metrics> metrics_ = std::make_shared<metrics::Metrics>(admin::kMaxSeries);
  dns::Resolver resolver_;
  NewNames new_names_;
  Secrets secrets_;
  std::unique_ptr<discovery::Membership> membership_;
  std::unique_ptr<net::Proxy> proxy_;
  std::unique_ptr<health::Prober> prober_;
  std::unique_ptr<Ports> ports_;
  std::optional<FileWatch> watch_;
  Trim trim_{control_};
  boost::asio::signal_set signals_;
  boost::asio::steady_timer timer_;  // the delayed bind, then the drain
  std::optional<Drain> drain_;
  bool bound_ = false;
  bool finishing_ = false;
  int exit_code_ = 0;
};

}  // namespace ambassador::proxy::app
