#include "proxy/net/poller.hpp"

#include <cerrno>
#include <system_error>

namespace ambassador::proxy::net {
namespace {

epoll_event wanted(Pollable& who, bool writing) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  if (writing) event.events |= EPOLLOUT;
  event.data.ptr = &who;
  return event;
}

}  // namespace

Poller::Poller() : set_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!set_) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

bool Poller::add(const Socket& socket, Pollable& who, bool writing) {
  epoll_event event = wanted(who, writing);
  return epoll_ctl(set_.fd(), EPOLL_CTL_ADD, socket.fd(), &event) == 0;
}

void Poller::want_writing(const Socket& socket, Pollable& who, bool writing) {
  epoll_event event = wanted(who, writing);
  epoll_ctl(set_.fd(), EPOLL_CTL_MOD, socket.fd(), &event);
}

void Poller::remove(const Socket& socket, const Pollable& who) {
  epoll_ctl(set_.fd(), EPOLL_CTL_DEL, socket.fd(), nullptr);
  for (std::size_t i = 0; i < ready_; ++i) {
    if (events_[i].data.ptr == &who) events_[i].data.ptr = nullptr;
  }
}

void Poller::wait(std::chrono::milliseconds most) {
  const int count = epoll_wait(set_.fd(), events_, kEvents, static_cast<int>(most.count()));
  ready_ = count < 0 ? 0U : static_cast<std::size_t>(count);
}

void Poller::tell() {
  for (std::size_t i = 0; i < ready_; ++i) {
    if (auto* const who = static_cast<Pollable*>(events_[i].data.ptr)) who->on_ready(events_[i].events);
  }
  ready_ = 0;
}

}  // namespace ambassador::proxy::net
