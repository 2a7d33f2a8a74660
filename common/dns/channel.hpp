// One c-ares channel under Asio: its sockets are watched, its time-outs kept by a timer. Inside of
// common/dns; Resolver makes a new one when the configuration changed or a server refused us.
#pragma once

#include <ares.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <string>

#include "common/dns/resolver.hpp"
#include "common/result/result.hpp"

namespace ambassador::dns {

/// c-ares' library-wide state; once, before the first channel.
void initialize_library();

class Channel : public std::enable_shared_from_this<Channel> {
 public:
  /// `servers`: as Options::servers; empty: what /etc/resolv.conf says now.
  static Result<std::shared_ptr<Channel>> open(boost::asio::io_context& io, const Options& options,
                                               const std::vector<std::string>& servers);
  Channel(boost::asio::io_context& io, ares_channel channel) : timer_(io), io_(io), channel_(channel) {}
  /// Calls back every query that is under way with ARES_EDESTRUCTION.
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  [[nodiscard]] ares_channel raw() { return channel_; }
  /// Call after each query was started, for its time-out.
  void arm();

 private:
  struct Socket {
    explicit Socket(boost::asio::io_context& io) : descriptor(io) {}
    boost::asio::posix::stream_descriptor descriptor;  // c-ares owns the fd: released, never closed
    bool wants_read = false;
    bool wants_write = false;
    bool reading = false;  // a wait is under way
    bool writing = false;
    ~Socket();
  };

  static void on_socket_state(void* self, ares_socket_t fd, int readable, int writable);
  void watch(ares_socket_t fd, bool readable, bool writable);
  void wait(ares_socket_t fd, const std::shared_ptr<Socket>& socket);
  void process(ares_socket_t readable, ares_socket_t writable);

  boost::asio::steady_timer timer_;
  boost::asio::io_context& io_;
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, std::shared_ptr<Socket>> sockets_;
};

}  // namespace ambassador::dns
