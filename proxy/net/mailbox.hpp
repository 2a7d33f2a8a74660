// Calls that other threads want to be made on a worker's thread, in the order in which they came. Wakes the
// worker by an eventfd in its epoll set.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "proxy/net/socket.hpp"

namespace ambassador::proxy::net {

class Mailbox {
 public:
  /// What is to be done; need not be copyable.
  class Letter {
   public:
    virtual ~Letter() = default;
    virtual void open() = 0;
  };

  /// Throws std::system_error when the kernel refuses.
  Mailbox();

  /// Any thread.
  template <class Work>
  void put(Work work) {
    add(std::make_unique<Written<Work>>(std::move(work)));
  }

  /// All there are. The worker's thread.
  [[nodiscard]] std::vector<std::unique_ptr<Letter>> take();
  /// Readable, edge by edge, after each time that a letter came into the empty box. Never read: there would
  /// be nothing to learn.
  [[nodiscard]] const Socket& bell() const { return bell_; }

 private:
  template <class Work>
  class Written final : public Letter {
   public:
    explicit Written(Work work) : work_(std::move(work)) {}
    void open() override { work_(); }

   private:
    Work work_;
  };

  void add(std::unique_ptr<Letter> letter);

  Socket bell_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Letter>> letters_;
};

}  // namespace ambassador::proxy::net
