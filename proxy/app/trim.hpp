// Gives memory that a load's peaks have used back to the system: malloc keeps it otherwise, and a container's
// use would only ever grow.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

namespace ambassador::proxy::app {

class Trim {
 public:
  static constexpr std::chrono::seconds kEvery{10};

  /// From now on, on the thread that runs `io`.
  explicit Trim(boost::asio::io_context& io);

 private:
  void wait();

  boost::asio::steady_timer timer_;
};

}  // namespace ambassador::proxy::app
