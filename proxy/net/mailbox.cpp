#include "proxy/net/mailbox.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

namespace ambassador::proxy::net {

Mailbox::Mailbox() : bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!bell_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Mailbox::add(std::unique_ptr<Letter> letter) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = letters_.empty();
    letters_.push_back(std::move(letter));
  }
  // It can only fail when it was rung 2^64 times.
  if (first) (void)eventfd_write(bell_.fd(), 1);
}

std::vector<std::unique_ptr<Mailbox::Letter>> Mailbox::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(letters_, {});
}

}  // namespace ambassador::proxy::net
