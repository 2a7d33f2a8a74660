#include "proxy/net/worker.hpp"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>

namespace ambassador::proxy::net {

Worker::Worker(EventSink events, std::function<void(const std::shared_ptr<Upstream>&)> resolve_again,
               std::size_t memory_budget)
    : io_(1),
      work_(io_.get_executor()),
      outside_{std::move(events), std::move(resolve_again),
               [this] { clients_.fetch_sub(1, std::memory_order_relaxed); }},
      loop_(io_, memory_budget),
      thread_([this] {
        pthread_setname_np(pthread_self(), "worker");
        io_.run();
      }) {}

Worker::~Worker() {
  boost::asio::post(io_, [this] {
    loop_.turn([this] {
      for (auto& relay : relays_) relay->close();
      for (auto& relay : leaving_) relay->close();
    });
    loop_.stop();
    io_.stop();
  });
  thread_.join();
}

template <class Work>
void Worker::post(Work work) {
  boost::asio::post(io_, [this, work = std::move(work)]() mutable {
    loop_.turn([&] {
      work();
      // Their lanes must be gone before they are: closed in this turn, destroyed at its end.
      for (auto& relay : leaving_) {
        if (relay->empty()) relay->close();
      }
    });
    std::erase_if(leaving_, [](const auto& relay) { return relay->gone(); });
  });
}

Relay* Worker::find(const std::string& listener) {
  for (auto& relay : relays_) {
    if (relay->name() == listener) return relay.get();
  }
  return nullptr;
}

void Worker::adopt(std::shared_ptr<const Generation> generation) {
  post([this, generation = std::move(generation)] {
    const auto same = [&](const auto& relay) { return relay->name() == generation->config.name; };
    const auto found = std::find_if(relays_.begin(), relays_.end(), same);
    if (found != relays_.end()) {
      if ((*found)->generation()->config.protocol == generation->config.protocol)
        return (*found)->adopt(generation);
      leave(found);  // sessions can't follow into another protocol
    }
    relays_.push_back(std::make_unique<Relay>(loop_, outside_, generation));
  });
}

void Worker::remove(const std::string& listener) {
  post([this, listener] {
    const auto same = [&](const auto& relay) { return relay->name() == listener; };
    const auto found = std::find_if(relays_.begin(), relays_.end(), same);
    if (found != relays_.end()) leave(found);
  });
}

void Worker::leave(Relays::iterator relay) {
  (*relay)->drain();
  leaving_.push_back(std::move(*relay));
  relays_.erase(relay);
}

void Worker::accept(std::string listener, Socket socket, Address peer, std::shared_ptr<OpenClients> open) {
  clients_.fetch_add(1, std::memory_order_relaxed);
  post([this, listener = std::move(listener), socket = std::move(socket), peer,
        open = std::move(open)]() mutable {
    if (Relay* relay = find(listener); relay != nullptr && !relay->draining()) {
      return relay->accept(std::move(socket), peer, std::move(open));
    }
    open->count.fetch_sub(1, std::memory_order_relaxed);
    clients_.fetch_sub(1, std::memory_order_relaxed);
  });
}

void Worker::addresses_changed(std::shared_ptr<const Upstream> upstream) {
  post([this, upstream = std::move(upstream)] {
    for (auto& relay : relays_) relay->addresses_changed(*upstream);
  });
}

void Worker::drain() {
  post([this] {
    for (auto& relay : relays_) relay->drain();
  });
}

void Worker::list_clients(std::size_t limit, std::function<void(std::vector<ClientSnapshot>)> done) {
  post([this, limit, done = std::move(done)] {
    std::vector<ClientSnapshot> clients;
    for (auto& relay : relays_) relay->describe(clients, limit);
    for (auto& relay : leaving_) relay->describe(clients, limit);
    done(std::move(clients));
  });
}

}  // namespace ambassador::proxy::net
