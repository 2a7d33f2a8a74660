#include "proxy/net/worker.hpp"

#include <pthread.h>

#include <algorithm>

#include "proxy/net/pooled_relay.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

Worker::Worker(Outside outside, std::size_t memory_budget)
    : outside_(std::move(outside)), loop_(memory_budget), thread_([this] {
        pthread_setname_np(pthread_self(), "worker");
        loop_.run();
      }) {
  outside_.client_closed = [this] { clients_.fetch_sub(1, std::memory_order_relaxed); };
  outside_.service = [this](std::string_view listener) { return find(listener); };
}

Worker::~Worker() {
  loop_.post([this] {
    for (auto& service : services_) service->close();
    for (auto& service : leaving_) service->close();
    loop_.end_turn();
    loop_.stop();
  });
  thread_.join();
}

template <class Work>
void Worker::post(Work work) {
  loop_.post([this, work = std::move(work)]() mutable {
    work();
    // Their lanes must be gone before they are: closed in this turn, destroyed at its end.
    for (auto& service : leaving_) {
      if (service->empty()) service->close();
    }
    loop_.end_turn();
    std::erase_if(leaving_, [](const auto& service) { return service->gone(); });
  });
}

Service* Worker::find(std::string_view listener) {
  for (auto& service : services_) {
    if (service->name() == listener) return service.get();
  }
  return nullptr;
}

void Worker::adopt(std::shared_ptr<const Generation> generation) {
  post([this, generation = std::move(generation)] {
    const auto same = [&](const auto& service) { return service->name() == generation->config.name; };
    const auto found = std::find_if(services_.begin(), services_.end(), same);
    if (found != services_.end()) {
      const Generation& old = *(*found)->generation();
      const bool same_kind = (old.pooled != nullptr) == (generation->pooled != nullptr);
      if (same_kind && old.config.protocol == generation->config.protocol) return (*found)->adopt(generation);
      leave(found);  // sessions can't follow into another protocol
    }
    services_.push_back(serve(generation));
  });
}

std::unique_ptr<Service> Worker::serve(std::shared_ptr<const Generation> generation) {
  if (generation->pooled) return std::make_unique<PooledRelay>(loop_, outside_, std::move(generation));
  return std::make_unique<Relay>(loop_, outside_, std::move(generation));
}

void Worker::remove(const std::string& listener) {
  post([this, listener] {
    const auto same = [&](const auto& service) { return service->name() == listener; };
    const auto found = std::find_if(services_.begin(), services_.end(), same);
    if (found != services_.end()) leave(found);
  });
}

void Worker::leave(Services::iterator service) {
  (*service)->drain();
  leaving_.push_back(std::move(*service));
  services_.erase(service);
}

void Worker::accept(std::string listener, Socket socket, Address peer, std::shared_ptr<OpenClients> open) {
  clients_.fetch_add(1, std::memory_order_relaxed);
  post([this, listener = std::move(listener), socket = std::move(socket), peer,
        open = std::move(open)]() mutable {
    if (Service* service = find(listener); service != nullptr && !service->draining()) {
      return service->accept(std::move(socket), peer, std::move(open));
    }
    open->count.fetch_sub(1, std::memory_order_relaxed);
    clients_.fetch_sub(1, std::memory_order_relaxed);
  });
}

void Worker::addresses_changed(std::shared_ptr<const Upstream> upstream) {
  post([this, upstream = std::move(upstream)] {
    for (auto& service : services_) service->addresses_changed(*upstream);
  });
}

template <class Work>
void Worker::tell(std::string listener, Work work) {
  post([this, listener = std::move(listener), work = std::move(work)] {
    for (auto* list : {&services_, &leaving_}) {
      for (auto& service : *list) {
        if (service->name() == listener) work(*service);
      }
    }
  });
}

void Worker::standing_changed(std::string listener) {
  tell(std::move(listener), [](Service& service) { service.standing_changed(); });
}

void Worker::pause(std::string listener, SteadyTime until) {
  tell(std::move(listener), [until](Service& service) { service.pause(until); });
}

void Worker::resume(std::string listener) {
  tell(std::move(listener), [](Service& service) { service.resume(); });
}

void Worker::login_changed(std::string listener) {
  tell(std::move(listener), [](Service& service) { service.login_changed(); });
}

void Worker::cancel(std::string listener, Wish wish) {
  tell(std::move(listener), [wish = std::move(wish)](Service& service) { service.cancel(wish); });
}

void Worker::drain() {
  post([this] {
    for (auto& service : services_) service->drain();
  });
}

template <class One, class Describe>
void Worker::list(Describe describe, std::function<void(std::vector<One>)> done) {
  post([this, describe, done = std::move(done)] {
    std::vector<One> all;
    for (const Services* services : {&services_, &leaving_}) {
      for (const auto& service : *services) describe(*service, all);
    }
    done(std::move(all));
  });
}

void Worker::list_clients(std::size_t limit, std::function<void(std::vector<ClientSnapshot>)> done) {
  list<ClientSnapshot>([limit](const Service& service, auto& out) { service.describe(out, limit); },
                       std::move(done));
}

void Worker::list_slow_requests(std::function<void(std::vector<SlowRequest>)> done) {
  list<SlowRequest>([](const Service& service, auto& out) { service.list_slow_requests(out); },
                    std::move(done));
}

void Worker::list_hot_keys(std::function<void(std::vector<AskedKeys>)> done) {
  list<AskedKeys>([](const Service& service, auto& out) { service.list_hot_keys(out); }, std::move(done));
}

void Worker::list_big_keys(std::function<void(std::vector<BigKey>)> done) {
  list<BigKey>([](const Service& service, auto& out) { service.list_big_keys(out); }, std::move(done));
}

}  // namespace ambassador::proxy::net
