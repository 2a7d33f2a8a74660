#include "proxy/app/trim.hpp"

#include <malloc.h>

namespace ambassador::proxy::app {

Trim::Trim(boost::asio::io_context& io) : timer_(io) {
  wait();
}

void Trim::wait() {
  timer_.expires_after(kEvery);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    malloc_trim(0);
    wait();
  });
}

}  // namespace ambassador::proxy::app
