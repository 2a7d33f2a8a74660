#include "proxy/app/cores.hpp"

#include <openssl/rand.h>

#include <map>
#include <stdexcept>
#include <utility>

#include "proxy/postgresql/core.hpp"
#include "proxy/redis/cluster.hpp"
#include "proxy/redis/core.hpp"
#include "proxy/redis/sentinel.hpp"
#include "proxy/tcp/core.hpp"

namespace ambassador::proxy::app {
namespace {

void fill_with_random(std::span<char> out) {
  // Only a machine that can't start a process either has none.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) != 1) {
    throw std::runtime_error("the system gives no random bytes");
  }
}

// What the cores of one listener count together, over its workers and reloads.
template <class Counters>
class Counted {
 public:
  std::shared_ptr<Counters> of(const std::string& listener) {
    std::erase_if(known_, [](const auto& one) { return one.second.expired(); });
    auto& known = known_[listener];
    auto found = known.lock();
    if (!found) known = found = std::make_shared<Counters>();
    return found;
  }

 private:
  std::map<std::string, std::weak_ptr<Counters>> known_;
};
using Pins = Counted<postgresql::PinCounters>;

postgresql::Settings postgresql_settings(const config::Listener& listener, Secrets& secrets, Pins& pins) {
  postgresql::Settings settings;
  settings.authentication = listener.sql.authentication;
  settings.pooling = listener.sql.pooling;
  settings.role = listener.sql.servers == config::Servers::replicas ? Role::replica : Role::primary;
  settings.split = listener.sql.read_write_split;
  settings.causal_reads = listener.sql.causal_reads;
  settings.database = listener.sql.database;
  settings.server_tls = listener.server_tls.mode;
  if (settings.authentication == config::Authentication::proxy) settings.account = secrets.account(listener);
  settings.client_account = secrets.client_account(listener);
  settings.random = fill_with_random;
  settings.pins = pins.of(listener.name);
  return settings;
}

}  // namespace

std::shared_ptr<const SeedQuestion> seed_question(const config::Listener& listener, Secrets& secrets) {
  AccountFunction account = secrets.account(listener);
  if (listener.redis.mode == config::RedisMode::cluster)
    return redis::make_cluster_question(std::move(account));
  return redis::make_sentinel_question(listener, std::move(account));
}

net::CoreFactory core_factory(Secrets& secrets,
                              std::function<NobodyFunction(const std::string& listener)> nobody,
                              unsigned workers) {
  return [&secrets, nobody = std::move(nobody), workers, pins = std::make_shared<Pins>(),
          kept = std::make_shared<Counted<redis::KeptCounters>>()](
             const config::Listener& listener, const Availability& availability) -> Result<net::Core> {
    switch (listener.protocol) {
      case config::Protocol::redis:
        return net::Core(redis::make_core(listener, availability, secrets.account(listener),
                                          secrets.client_account(listener),
                                          listener.finds_servers() ? nobody(listener.name) : NobodyFunction(),
                                          {.workers = workers, .counters = kept->of(listener.name)}));
      case config::Protocol::tcp:
        return net::Core(tcp::make_core(listener, availability));
      case config::Protocol::postgresql:
        return net::Core(postgresql::make_core(postgresql_settings(listener, secrets, *pins)));
    }
    return Error{"listeners." + listener.name + ".protocol", "is not in this version"};
  };
}

}  // namespace ambassador::proxy::app
