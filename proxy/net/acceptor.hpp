// A bound address that clients connect to. Accepts on the control thread and hands each connection on, so
// that clients spread evenly over the workers (the kernel's own spreading by hash is uneven for the few
// connections of a Pod). When the process is out of descriptors it pauses instead of spinning.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "common/result/result.hpp"
#include "proxy/net/address.hpp"
#include "proxy/net/socket.hpp"

namespace ambassador::proxy::net {

class Acceptor {
 public:
  /// The kernel cuts it to net.core.somaxconn.
  static constexpr int kBacklog = 4096;
  /// Accepts in a row before the control thread does something else.
  static constexpr int kBatch = 64;
  static constexpr std::chrono::milliseconds kPause{100};

  /// Binds and listens; nothing is accepted before start(). A Unix socket's folder is made, its stale file
  /// replaced, its mode 0666. `Error::where` is the address.
  static Result<std::unique_ptr<Acceptor>> bind(boost::asio::io_context& control, const Address& address);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// `client` gets each connection; `paused` is told when descriptors ran out.
  void start(std::function<void(Socket, Address)> client, std::function<void(std::string_view why)> paused);
  [[nodiscard]] const Address& address() const { return address_; }

 private:
  using Descriptor = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>,
                                                  boost::asio::io_context::executor_type>;
  Acceptor(boost::asio::io_context& control, Socket socket, const Address& address);
  void wait();
  void accept();

  Address address_;
  Descriptor socket_;
  Timer timer_;
  std::function<void(Socket, Address)> client_;
  std::function<void(std::string_view why)> paused_;
  unsigned long file_device_ = 0, file_inode_ = 0;  // of the Unix socket's file, to remove no one else's
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ambassador::proxy::net
