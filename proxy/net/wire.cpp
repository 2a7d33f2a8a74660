#include "proxy/net/wire.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace ambassador::proxy::net {
bool Wire::open(Socket socket, bool known) {
  transport_ = Transport(std::move(socket));
  readable_ = true;
  hung_up_ = write_blocked_ = shaking_ = false;
  wants_writing_ = known;
  if (!known) return loop_.poller().add(transport_.socket(), owner_, false);
  want_writing(false);
  return true;
}

void Wire::close() {
  if (!is_open()) return;
  loop_.poller().remove(transport_.socket(), owner_);
  transport_.close();
  input_ = Slice();
  out.clear();
  readable_ = false;
}

void Wire::want_writing(bool wanted) {
  if (wants_writing_ == wanted && !wanted) return;
  wants_writing_ = wanted;
  loop_.poller().want_writing(transport_.socket(), owner_, wanted);
}

bool Wire::told(std::uint32_t events) {
  constexpr std::uint32_t kEnds = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & kEnds) != 0) hung_up_ = true;
  events = transport_.meaning(events);
  if ((events & (EPOLLIN | kEnds)) != 0) readable_ = true;
  if ((events & EPOLLOUT) == 0 || !write_blocked_) return false;
  write_blocked_ = false;
  return true;
}

std::ptrdiff_t Wire::receive() {
  make_room(loop_.pool(), input_);
  const std::size_t room = input_.block->capacity - input_.end;
  const std::ptrdiff_t got = transport_.receive(input_.block->data() + input_.end, room);
  if (got > 0) {
    const auto n = static_cast<std::size_t>(got);
    // A short read has emptied the socket, unless its end is known to be there too.
    if (transport_.emptied(n, room) && !hung_up_) readable_ = false;
    input_.end += static_cast<std::uint32_t>(n);
    return got;
  }
  release_if_empty();
  readable_ = false;
  if (got == -EAGAIN && transport_.wants_writing()) want_writing(true);
  return got;
}

std::ptrdiff_t Wire::flush() {
  std::ptrdiff_t all = 0;
  while (!out.empty() && !write_blocked_ && !shaking_) {
    std::array<iovec, 64> pieces;  // Asio's and most kernels' sweet spot; the rest goes with the next one
    const std::size_t count = out.gather(pieces);
    const std::ptrdiff_t sent = transport_.send({pieces.data(), count});
    if (sent == -EAGAIN) {
      write_blocked_ = true;
      want_writing(!transport_.wants_reading());
    } else if (sent < 0) {
      return sent;
    } else {
      out.consume(static_cast<std::size_t>(sent));
      all += sent;
    }
  }
  return all;
}

Transport::Handshake Wire::shake() {
  const Transport::Handshake state = transport_.handshake();
  if (state == Transport::Handshake::pending && transport_.wants_writing()) want_writing(true);
  if (state == Transport::Handshake::done) {
    shaking_ = false;
    readable_ = true;  // it may have received more than the handshake
  }
  return state;
}

std::string Wire::why(std::ptrdiff_t negative_errno) const {
  if (std::string tls = transport_.why(); !tls.empty()) return tls;
  return std::strerror(static_cast<int>(-negative_errno));
}

}  // namespace ambassador::proxy::net
