// A proxy at a moment, as plain values: two listeners, one of them with a backend that is down.
#pragma once

#include <memory>

#include "common/config/parse.hpp"
#include "common/config/print.hpp"
#include "proxy/admin/view.hpp"

namespace ambassador::proxy::admin {

struct Example {
  Example() {
    document = *config::parse(R"({"version":1,"listeners":[
      {"name":"shop.cache","protocol":"Redis","port":6380,
       "backends":[{"host":"redis-0","port":6379},{"host":"redis-1","port":6379}]},
      {"name":"shop.mail","protocol":"TCP","port":2525,"backends":[{"host":"mail","port":25}]}]})");
    configuration.source = "/etc/ambassador/config.json";
    configuration.hash = config::content_hash(document);
    configuration.applied_at = now - std::chrono::seconds(90);
    configuration.applied = 3;
    snapshot.workers = 2;
    for (const config::Listener& listener : document.listeners) {
      net::ListenerSnapshot& shown = snapshot.listeners.emplace_back();
      shown.name = listener.name;
      shown.protocol = listener.protocol;
      shown.addresses = {"127.0.0.1:" + std::to_string(listener.port)};
      shown.clients = 4;
      shown.max_clients = listener.max_clients;
      shown.requests = 1234;
      shown.failures[1] = 5;
      for (const config::Backend& backend : listener.backends) {
        net::BackendSnapshot& one = shown.backends.emplace_back();
        one.name = backend.name;
        one.host = backend.host;
        one.port = backend.port;
        one.health = "up";
        one.addresses = {"10.0.0.1:" + std::to_string(backend.port)};
      }
    }
    net::BackendSnapshot& down = snapshot.listeners[0].backends[1];
    down.usable = false;
    down.health = "down: cannot connect: Connection refused";
    view->version = "1.2.3";
    view->commit = "abc";
    view->started_at = now - std::chrono::hours(1);
    view->snapshot = [this] { return snapshot; };
    view->list_clients = [this](std::size_t limit, auto done) {
      asked_for = limit;
      done(clients);
    };
    view->list_slow_requests = [this](std::size_t limit, auto done) {
      asked_for = limit;
      done(slow);
    };
    view->list_hot_keys = [this](auto done) { done(hot); };
    view->list_big_keys = [this](std::size_t limit, auto done) {
      asked_for = limit;
      done(big);
    };
    view->document = [this]() -> const config::Document& { return document; };
    view->configuration = [this]() -> const ConfigurationState& { return configuration; };
    view->listening = [this] { return listening; };
    view->pause = [this](const std::string& listener, std::chrono::milliseconds duration) {
      if (listener != "shop.mail") return false;
      snapshot.listeners[1].pool.paused = true;
      paused_for = duration;
      return true;
    };
    view->resume = [this](const std::string& listener) {
      if (listener != "shop.mail") return false;
      snapshot.listeners[1].pool.paused = false;
      return true;
    };
  }

  net::SystemTime now{std::chrono::seconds(1'700'000'000)};
  config::Document document;
  ConfigurationState configuration;
  net::Snapshot snapshot;
  std::vector<net::ClientSnapshot> clients;
  std::vector<net::SlowRequest> slow;
  std::vector<net::AskedKeys> hot;
  std::vector<net::BigKey> big;
  std::size_t asked_for = 0;
  std::chrono::milliseconds paused_for{0};
  bool listening = true;
  std::shared_ptr<View> view = std::make_shared<View>();
};

}  // namespace ambassador::proxy::admin
