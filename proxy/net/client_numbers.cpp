#include "proxy/net/client_numbers.hpp"

#include <openssl/rand.h>

#include <cstring>
#include <stdexcept>

namespace ambassador::proxy::net {
namespace {

constexpr std::uint32_t kLargest = 0x7fffffff;  // positive as an int32

}  // namespace

std::uint32_t ClientNumbers::head(const PooledCore::Client& client) {
  std::uint32_t head = 0;
  std::memcpy(&head, client.secret.data(), sizeof(head));
  return head;
}

PooledCore::Client ClientNumbers::take() {
  PooledCore::Client client;
  const std::lock_guard lock(mutex_);
  do {
    last_ = last_ == kLargest ? 1 : last_ + 1;
  } while (!numbers_.insert(last_).second);
  client.number = last_;
  do {
    // Only a machine that can't start a process either has none.
    if (RAND_bytes(reinterpret_cast<unsigned char*>(client.secret.data()),
                   static_cast<int>(client.secret.size())) != 1) {
      throw std::runtime_error("the system gives no random bytes");
    }
  } while (!heads_.insert(head(client)).second);
  return client;
}

void ClientNumbers::give_back(const PooledCore::Client& client) {
  const std::lock_guard lock(mutex_);
  numbers_.erase(client.number);
  heads_.erase(head(client));
}

}  // namespace ambassador::proxy::net
