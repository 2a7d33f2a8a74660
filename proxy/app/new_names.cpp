#include "proxy/app/new_names.hpp"

#include <algorithm>
#include <utility>

#include "proxy/net/resolution.hpp"

namespace ambassador::proxy::app {
namespace {

bool has_ring(const config::Listener& listener) {
  return listener.protocol == config::Protocol::redis && listener.redis.mode == config::RedisMode::sharded &&
         !listener.backends.empty();
}

}  // namespace

std::vector<std::string> new_names(const config::Document& before, const config::Document& after) {
  std::vector<std::string> names;
  if (after.shutdown) return names;
  for (const config::Listener& listener : after.listeners) {
    const auto old = std::ranges::find(before.listeners, listener.name, &config::Listener::name);
    if (old == before.listeners.end() || !has_ring(*old) || !has_ring(listener)) continue;
    for (const config::Backend& backend : listener.backends) {
      if (net::Resolution::needed(backend) &&
          std::ranges::find(old->backends, backend.host, &config::Backend::host) == old->backends.end() &&
          std::ranges::find(names, backend.host) == names.end())
        names.push_back(backend.host);
    }
  }
  return names;
}

NewNames::NewNames(boost::asio::io_context& control, net::ResolveFunction resolve)
    : timer_(control), resolve_(std::move(resolve)) {}

void NewNames::await(std::vector<std::string> names, std::function<void()> then,
                     std::chrono::milliseconds most) {
  forget();
  if (names.empty()) return then();
  awaited_ = std::make_shared<Awaited>(
      Awaited{std::move(names), std::move(then), std::chrono::steady_clock::now() + most});
  ask();
}

void NewNames::forget() {
  awaited_.reset();
  timer_.cancel();
}

void NewNames::ask() {
  awaited_->asked = awaited_->names.size();
  for (const std::string& name : awaited_->names) {
    resolve_(name, [this, name, awaited = std::weak_ptr(awaited_)](const Result<net::Resolved>& answer) {
      // Only then this is still there, too.
      if (!awaited.expired()) answered(name, static_cast<bool>(answer));
    });
  }
}

void NewNames::answered(const std::string& name, bool known) {
  if (known) std::erase(awaited_->names, name);
  if (--awaited_->asked > 0) return;
  if (awaited_->names.empty() || std::chrono::steady_clock::now() >= awaited_->until) {
    const std::function<void()> then = std::move(awaited_->then);
    forget();
    return then();
  }
  timer_.expires_after(kRetry);
  timer_.async_wait([this, awaited = std::weak_ptr(awaited_)](const boost::system::error_code& error) {
    if (!error && !awaited.expired()) ask();
  });
}

}  // namespace ambassador::proxy::app
