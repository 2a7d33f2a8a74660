#include "operator/kube/credentials.hpp"

#include <fstream>
#include <sstream>

namespace ambassador::kube {

namespace {
// The kubelet rotates tokens long before they end (at 80 % of their life), so a minute would do; files are
// small.
constexpr std::chrono::seconds kInterval{5};
}  // namespace

std::string WatchedMaterial::read(std::chrono::milliseconds interval) {
  if (material_.file.empty()) return material_.data;
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (read_at_ != std::chrono::steady_clock::time_point{} && now - read_at_ < interval) return text_;
  read_at_ = now;
  std::ifstream file(material_.file, std::ios::binary);
  std::ostringstream content;
  if (file) content << file.rdbuf();
  if (auto text = content.str(); file && !text.empty()) text_ = std::move(text);
  return text_;
}

void WatchedMaterial::forget() {
  const std::lock_guard lock(mutex_);
  read_at_ = {};
}

Credentials::Credentials(Config config)
    : config_(std::move(config)),
      token_(config_.token),
      ca_(config_.ca),
      certificate_(config_.client_certificate),
      key_(config_.client_key) {}

std::string Credentials::token() {
  auto text = token_.read(kInterval);
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

TlsMaterial Credentials::tls() {
  return {ca_.read(kInterval), certificate_.read(kInterval), key_.read(kInterval)};
}

}  // namespace ambassador::kube
