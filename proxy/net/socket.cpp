#include "proxy/net/socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ambassador::proxy::net {
namespace {

void set(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof(value));
}

std::ptrdiff_t get(int fd, char* at, std::size_t n, int flags) {
  for (;;) {
    const ssize_t got = ::recv(fd, at, n, flags);
    if (got >= 0) return got;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace

void Socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Socket Socket::stream(int family) {
  return Socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

std::pair<Socket, Socket> Socket::connected_pair() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return {};
  return {Socket(ends[0]), Socket(ends[1])};
}

int Socket::connect(const Address& address) const {
  if (::connect(fd_, address.data(), address.size()) == 0) return 0;
  // A full backlog of a Unix socket says EAGAIN and never gets better by waiting for the socket.
  return errno;
}

int Socket::error() const {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

bool Socket::connected_to_itself() const {
  sockaddr_storage mine{}, theirs{};
  socklen_t my_size = sizeof(mine), their_size = sizeof(theirs);
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&mine), &my_size) != 0) return false;
  if (getpeername(fd_, reinterpret_cast<sockaddr*>(&theirs), &their_size) != 0) return false;
  return mine.ss_family != AF_UNIX && my_size == their_size && std::memcmp(&mine, &theirs, my_size) == 0;
}

std::ptrdiff_t Socket::receive(char* at, std::size_t n) const {
  return get(fd_, at, n, 0);
}

std::ptrdiff_t Socket::peek(char& first) const {
  return get(fd_, &first, 1, MSG_PEEK);
}

std::ptrdiff_t Socket::send(std::span<const iovec> pieces) const {
  for (;;) {
    ssize_t sent = 0;
    if (pieces.size() == 1) {  // send is about 100 ns cheaper than sendmsg
      sent = ::send(fd_, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(pieces.data());
      message.msg_iovlen = pieces.size();
      sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    }
    if (sent >= 0) return sent;
    if (errno != EINTR) return -errno;
  }
}

Socket Socket::duplicate() const {
  return Socket(fcntl(fd_, F_DUPFD_CLOEXEC, 0));
}

void Socket::end_of_writing() const {
  ::shutdown(fd_, SHUT_WR);
}

void Socket::reset_on_close() const {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

void Socket::tune(std::chrono::seconds keepalive_idle) const {
  // On a Unix socket these fail, and nothing is lost.
  set(fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd_, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd_, IPPROTO_TCP, TCP_KEEPIDLE,
      static_cast<int>(std::max<std::chrono::seconds::rep>(1, keepalive_idle.count())));
  set(fd_, IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set(fd_, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

void Socket::give_up_after(std::chrono::milliseconds unacknowledged) const {
  set(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(unacknowledged.count()));
}

}  // namespace ambassador::proxy::net
