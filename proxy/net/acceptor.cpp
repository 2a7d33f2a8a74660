#include "proxy/net/acceptor.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace ambassador::proxy::net {
namespace {

Error cannot(const Address& address, const char* step, int error) {
  std::string what = std::string("cannot ") + step + ": " + std::strerror(error);
  if (error == EADDRINUSE) what += "; another process uses it: stop that, or choose another port or path";
  if (error == EADDRNOTAVAIL) what += "; this host does not have the address";
  if (error == EACCES) what += "; use a port from 1024 to 65535, or a folder that may be written";
  return {address.text(), what};
}

std::string path_of(const Address& address) {
  return reinterpret_cast<const sockaddr_un*>(address.data())->sun_path;
}

// A file that nobody listens on is left over from a process that was killed.
Result<void> make_way(const Address& address) {
  const std::string path = path_of(address);
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  struct stat file {};
  if (::lstat(path.c_str(), &file) != 0) return {};
  if (!S_ISSOCK(file.st_mode))
    return Error{address.text(), "a file that is not a socket lies there: remove it"};
  const Socket probe = Socket::stream(AF_UNIX);
  if (const int error = probe.connect(address); error == 0 || error == EAGAIN) {
    return Error{address.text(), "another process listens on it: stop that, or choose another path"};
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return cannot(address, "replace the stale file", errno);
  return {};
}

}  // namespace

Result<std::unique_ptr<Acceptor>> Acceptor::bind(boost::asio::io_context& control, const Address& address) {
  Socket socket = Socket::stream(address.family());
  if (!socket) return cannot(address, "make a socket", errno);
  if (address.is_unix()) {
    if (auto way = make_way(address); !way) return way.error();
  } else {
    const int on = 1;
    setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    // An IPv4 listener on the same port is a listener of its own.
    if (address.family() == AF_INET6) setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  }
  if (::bind(socket.fd(), address.data(), address.size()) != 0) return cannot(address, "bind", errno);
  if (address.is_unix() && ::chmod(path_of(address).c_str(), 0666) != 0)
    return cannot(address, "set mode 0666", errno);
  if (::listen(socket.fd(), kBacklog) != 0) return cannot(address, "listen", errno);
  return std::unique_ptr<Acceptor>(new Acceptor(control, std::move(socket), address));
}

Acceptor::Acceptor(boost::asio::io_context& control, Socket socket, const Address& address)
    : address_(address), socket_(control, ::dup(socket.fd())), timer_(control) {
  struct stat file {};
  if (address_.is_unix() && ::lstat(path_of(address_).c_str(), &file) == 0) {
    file_device_ = file.st_dev;
    file_inode_ = file.st_ino;
  }
}

Acceptor::~Acceptor() {
  *alive_ = false;
  struct stat file {};
  if (address_.is_unix() && ::lstat(path_of(address_).c_str(), &file) == 0 && file.st_dev == file_device_ &&
      file.st_ino == file_inode_) {
    ::unlink(path_of(address_).c_str());
  }
}

void Acceptor::start(std::function<void(Socket, Address)> client,
                     std::function<void(std::string_view why)> paused) {
  const bool running = static_cast<bool>(client_);
  client_ = std::move(client);
  paused_ = std::move(paused);
  if (!running) wait();
}

void Acceptor::wait() {
  socket_.async_wait(Descriptor::wait_read, [this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    accept();
  });
}

void Acceptor::accept() {
  const auto alive = alive_;
  for (int i = 0; i < kBatch && *alive; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    Socket socket(::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size,
                            SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      client_(std::move(socket), Address::from(reinterpret_cast<const sockaddr*>(&peer), size));
      continue;
    }
    if (errno == EAGAIN) break;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      paused_(std::strerror(errno));
      timer_.expires_after(kPause);
      timer_.async_wait([this, alive](const boost::system::error_code& error) {
        if (!error && *alive) accept();
      });
      return;
    }
    // The connection was gone before it was taken (ECONNABORTED and its like): the next one.
  }
  if (*alive) wait();
}

}  // namespace ambassador::proxy::net
