#include "proxy/app/cores.hpp"

#include "proxy/redis/core.hpp"
#include "proxy/tcp/core.hpp"

namespace ambassador::proxy::app {

net::CoreFactory core_factory() {
  return [](const config::Listener& listener, const Availability& availability) -> Result<net::Core> {
    switch (listener.protocol) {
      case config::Protocol::redis:
        return net::Core(redis::make_core(listener, availability));
      case config::Protocol::tcp:
        return net::Core(tcp::make_core(listener, availability));
      case config::Protocol::postgresql:
        break;
    }
    return Error{"listeners." + listener.name + ".protocol", "is not in this version"};
  };
}

}  // namespace ambassador::proxy::app
