// Before keys are given to a server that joins a ring, DNS has to know it: the operator may have seen it in
// DNS while this Pod's server does not have it yet, or has it no more for now, and a share of all keys would
// wait for nothing. Meanwhile the configuration before goes on.
//
// Threads: the control thread, the one that runs `control`.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/config/document.hpp"
#include "proxy/net/proxy.hpp"

namespace ambassador::proxy::app {

/// The DNS names of the servers that `after` adds to the rings of `before`, each once. Listeners that had no
/// servers wait for nothing: their keys have nowhere else to go. Nor does a document that says shutdown.
[[nodiscard]] std::vector<std::string> new_names(const config::Document& before,
                                                 const config::Document& after);

class NewNames {
 public:
  /// Two questions for one name are so far apart.
  static constexpr std::chrono::milliseconds kRetry{500};
  /// So long a name is waited for. All Pods have to agree on where keys lie, so in the end one without an
  /// address is taken, too.
  static constexpr std::chrono::seconds kMost{30};

  NewNames(boost::asio::io_context& control, net::ResolveFunction resolve);
  NewNames(const NewNames&) = delete;
  NewNames& operator=(const NewNames&) = delete;

  /// `then` is called when each of `names` has had an address, or `most` has passed; before this returns if
  /// there are none. What was awaited before is forgotten.
  void await(std::vector<std::string> names, std::function<void()> then,
             std::chrono::milliseconds most = kMost);
  void forget();

 private:
  struct Awaited {
    std::vector<std::string> names;
    std::function<void()> then;
    std::chrono::steady_clock::time_point until;
    std::size_t asked = 0;  // answers that are to come
  };
  void ask();
  void answered(const std::string& name, bool known);

  boost::asio::steady_timer timer_;
  net::ResolveFunction resolve_;
  std::shared_ptr<Awaited> awaited_;
};

}  // namespace ambassador::proxy::app
