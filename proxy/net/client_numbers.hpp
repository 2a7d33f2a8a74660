// Who the clients of one listener are to each other, over all of its workers: a number and a secret that no
// other client has, which is how one connection names another that it wishes to interrupt. Kept over reloads.
// Any thread; once per connection.
#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_set>

#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::net {

class ClientNumbers {
 public:
  [[nodiscard]] PooledCore::Client take();
  /// The client is gone.
  void give_back(const PooledCore::Client& client);

 private:
  [[nodiscard]] static std::uint32_t head(const PooledCore::Client& client);

  std::mutex mutex_;
  std::uint32_t last_ = 0;
  std::unordered_set<std::uint32_t> numbers_;
  std::unordered_set<std::uint32_t> heads_;  // the first four bytes of the secrets
};

}  // namespace ambassador::proxy::net
