#include "proxy/net/resolution.hpp"

#include <algorithm>

namespace ambassador::proxy::net {
namespace {

std::vector<std::string> texts(const Addresses& addresses) {
  std::vector<std::string> sorted;
  for (const Address& address : addresses) sorted.push_back(address.text());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace

Resolution::Resolution(boost::asio::io_context& control, ResolveFunction resolve,
                       std::shared_ptr<Upstream> upstream, std::function<void()> changed)
    : timer_(control),
      resolve_(std::move(resolve)),
      upstream_(std::move(upstream)),
      changed_(std::move(changed)) {}

bool Resolution::needed(const config::Backend& backend) {
  return !backend.host.starts_with('/') && !Address::ip(backend.host, backend.port);
}

void Resolution::ask() {
  if (asking_ || stopped_) return;
  asking_ = true;
  soon_ = false;
  asked_at_ = std::chrono::steady_clock::now();
  resolve_(upstream_->backend().host, [self = shared_from_this()](Result<Resolved> answer) {
    self->asking_ = false;
    if (!self->stopped_) self->answered(std::move(answer));
  });
}

void Resolution::ask_in(std::chrono::milliseconds wait) {
  timer_.expires_after(wait);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->ask();
  });
}

void Resolution::answered(Result<Resolved> answer) {
  if (!answer) {
    upstream_->resolve_failed(answer.error().text());
    return ask_in(kRetry);
  }
  const auto before = texts(*upstream_->addresses());
  upstream_->resolved(std::move(answer->addresses), std::chrono::system_clock::now());
  ask_in(std::clamp(answer->ttl, kLeastTtl, kMostTtl));
  if (texts(*upstream_->addresses()) != before) changed_();
}

void Resolution::again() {
  if (asking_ || soon_ || stopped_) return;
  soon_ = true;
  const auto since = std::chrono::steady_clock::now() - asked_at_;
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(kApart - since);
  ask_in(std::max(wait, std::chrono::milliseconds(0)));
}

void Resolution::stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace ambassador::proxy::net
