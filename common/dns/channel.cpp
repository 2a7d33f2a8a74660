#include "common/dns/channel.hpp"

#include <chrono>
#include <mutex>

namespace ambassador::dns {

void initialize_library() {
  static std::once_flag once;
  std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
}

Channel::Socket::~Socket() {
  if (descriptor.is_open()) descriptor.release();
}

Result<std::shared_ptr<Channel>> Channel::open(boost::asio::io_context& io, const Options& options,
                                               const std::vector<std::string>& servers) {
  initialize_library();
  auto channel = std::make_shared<Channel>(io, nullptr);
  ares_options settings{};
  settings.timeout = static_cast<int>(options.try_timeout.count());
  settings.tries = options.tries;
  settings.sock_state_cb = &Channel::on_socket_state;
  settings.sock_state_cb_data = channel.get();
  int status = ares_init_options(&channel->channel_, &settings,
                                 ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) {
    channel->channel_ = nullptr;
    return Error{"DNS", std::string("cannot be set up: ") + ares_strerror(status)};
  }
  if (!servers.empty()) {
    std::string list;
    for (const std::string& server : servers) list += (list.empty() ? "" : ",") + server;
    status = ares_set_servers_ports_csv(channel->channel_, list.c_str());
    if (status != ARES_SUCCESS) {
      return Error{list, std::string("is no list of DNS servers: ") + ares_strerror(status) +
                             "; give addresses such as 127.0.0.1:53 or [::1]:53"};
    }
  }
  return channel;
}

Channel::~Channel() {
  if (channel_ != nullptr) ares_destroy(channel_);
}

void Channel::on_socket_state(void* self, ares_socket_t fd, int readable, int writable) {
  static_cast<Channel*>(self)->watch(fd, readable != 0, writable != 0);
}

void Channel::watch(ares_socket_t fd, bool readable, bool writable) {
  auto found = sockets_.find(fd);
  if (!readable && !writable) {  // c-ares closes it now
    if (found == sockets_.end()) return;
    found->second->descriptor.release();
    sockets_.erase(found);
    return;
  }
  if (found == sockets_.end()) {
    found = sockets_.emplace(fd, std::make_shared<Socket>(io_)).first;
    found->second->descriptor.assign(fd);
  }
  found->second->wants_read = readable;
  found->second->wants_write = writable;
  wait(fd, found->second);
}

void Channel::wait(ares_socket_t fd, const std::shared_ptr<Socket>& socket) {
  using boost::asio::posix::descriptor_base;
  const auto start = [&](bool& under_way, descriptor_base::wait_type type, ares_socket_t readable,
                         ares_socket_t writable) {
    under_way = true;
    socket->descriptor.async_wait(type, [weak = weak_from_this(), socket, &under_way, fd, readable,
                                         writable](boost::system::error_code error) {
      under_way = false;
      const auto self = weak.lock();
      if (error || !self || !socket->descriptor.is_open()) return;
      self->process(readable, writable);
      if (socket->descriptor.is_open()) self->wait(fd, socket);
    });
  };
  if (socket->wants_read && !socket->reading)
    start(socket->reading, descriptor_base::wait_read, fd, ARES_SOCKET_BAD);
  if (socket->wants_write && !socket->writing) {
    start(socket->writing, descriptor_base::wait_write, ARES_SOCKET_BAD, fd);
  }
}

void Channel::process(ares_socket_t readable, ares_socket_t writable) {
  const auto keep = shared_from_this();  // a callback may let go of us
  ares_process_fd(channel_, readable, writable);
  arm();
}

void Channel::arm() {
  timeval soonest{};
  if (ares_timeout(channel_, nullptr, &soonest) == nullptr) {
    timer_.cancel();
    return;
  }
  const auto wait = std::chrono::seconds(soonest.tv_sec) + std::chrono::microseconds(soonest.tv_usec);
  timer_.expires_after(wait + std::chrono::milliseconds(1));  // never before c-ares thinks it is time
  timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!error && self) self->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  });
}

}  // namespace ambassador::dns
