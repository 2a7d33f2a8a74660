#include "proxy/net/pooled_relay.hpp"

#include <algorithm>
#include <cassert>

namespace ambassador::proxy::net {
namespace {

// What a connection to a server is made from, without what may differ between two that are alike.
config::Listener login_of(const Generation& generation) {
  config::Listener login = generation.config;
  login.addresses.clear();
  login.port = 0;
  login.unix_socket.clear();
  login.backends.clear();
  login.timeouts = {};
  login.max_clients = 0;
  const config::Sql usual;
  login.sql.max_server_connections = 0;
  login.sql.servers = usual.servers;
  login.sql.read_write_split = usual.read_write_split;
  login.sql.max_lag = usual.max_lag;
  login.sql.causal_reads = usual.causal_reads;
  return login;
}

}  // namespace

PooledRelay::PooledRelay(Loop& loop, const Outside& outside, std::shared_ptr<const Generation> generation)
    : Service(outside), loop_(loop), generation_(std::move(generation)), pool_(*this), watch_(*this) {
  watch_.begin();
}

PooledRelay::~PooledRelay() {
  close();
}

void PooledRelay::adopt(std::shared_ptr<const Generation> generation) {
  const auto old = std::exchange(generation_, std::move(generation));
  const bool other_login = login_of(*old) != login_of(*generation_);
  pool_.adopt(other_login);
  watch_.adopt(other_login);
}

void PooledRelay::login_changed() {
  generation_->pooled->login_changed();
  pool_.adopt(true);
  watch_.adopt(true);
}

void PooledRelay::addresses_changed(const Upstream& upstream) {
  pool_.addresses_changed(upstream);
  watch_.addresses_changed(upstream);
}

void PooledRelay::accept(Socket socket, const Address& peer, std::shared_ptr<OpenClients> open) {
  auto client = std::make_unique<PooledClient>(*this, generation_, std::move(socket), peer, std::move(open));
  PooledClient& accepted = clients_.add(std::move(client));
  counters().clients_total.add();
  if (!accepted.start()) accepted.close();
}

void PooledRelay::drain() {
  draining_ = true;
  for (std::size_t i = clients_.size(); i-- > 0;) clients_[i].drain();  // a closed one leaves the list
}

void PooledRelay::close() {
  draining_ = true;
  pool_.stop();
  watch_.close();
  for (std::size_t i = clients_.size(); i-- > 0;) clients_[i].close();
  pool_.close();
  for (auto& interruption : interruptions_) {
    interruption->close();
    loop_.bury(std::move(interruption));
  }
  interruptions_.clear();
}

void PooledRelay::describe(std::vector<ClientSnapshot>& out, std::size_t limit) const {
  for (const auto& client : clients_) {
    if (out.size() >= limit) return;
    out.push_back(client->describe(loop_.now()));
  }
}

void PooledRelay::client_closed(PooledClient& client, OpenClients& open) {
  open.count.fetch_sub(1, std::memory_order_relaxed);
  outside().client_closed();
  loop_.bury(clients_.take(client));
}

// Interruptions ---------------------------------------------------------------------------------------------

void PooledRelay::cancel(const Wish& wish) {
  for (const auto& client : clients_) {
    if (client->cancel(wish)) return;
  }
}

void PooledRelay::interrupt(ServerConnection& server, std::shared_ptr<const Socket> asker) {
  if (server.protocol().interruption().empty()) return;
  counters().pool.interruptions.add();
  interruptions_.push_back(std::make_unique<Interruption>(*this, server, std::move(asker)));
  server.interruption_began();
  interruptions_.back()->start();
}

void PooledRelay::interruption_over(Interruption& interruption) {
  const auto found = std::find_if(interruptions_.begin(), interruptions_.end(),
                                  [&](const auto& one) { return one.get() == &interruption; });
  assert(found != interruptions_.end());
  ServerConnection* const server = interruption.target();
  loop_.bury(std::move(*found));
  interruptions_.erase(found);
  if (server != nullptr) server->interruption_ended();
}

void PooledRelay::interruptions_forget(const ServerConnection& server) {
  for (const auto& interruption : interruptions_) interruption->forget(server);
}

}  // namespace ambassador::proxy::net
