#include "operator/api/policy.hpp"

#include <algorithm>

#include "operator/api/names.hpp"

namespace ambassador::api {

std::string PolicyKey::reference() const {
  return cluster() ? std::string(kClusterPolicyPrefix) + name : name;
}

std::string PolicyKey::config_name() const {
  return cluster() ? "cluster." + name : name;
}

std::string PolicyKey::listener_key(std::string_view listener) const {
  return config_name() + "." + std::string(listener);
}

std::string PolicyKey::socket_folder() const {
  return std::string(kSocketFolder) + "/" + reference();
}

std::string PolicyKey::text() const {
  return cluster() ? reference() : ns + "/" + name;
}

std::string socket_path(const PolicyKey& policy, const Listener& listener, std::uint16_t port) {
  std::string path = policy.socket_folder() + "/" + listener.name + ".sock";
  if (listener.protocol == config::Protocol::postgresql) path += "/.s.PGSQL." + std::to_string(port);
  return path;
}

std::vector<std::uint16_t> ports(const Listener& listener) {
  if (listener.sql.read_port == 0) return {listener.port};
  return {listener.port, listener.sql.read_port};
}

std::string readers_name(const Listener& listener) {
  return listener.name + "-read";
}

std::string text(const PortReference& port) {
  const auto* number = std::get_if<std::uint16_t>(&port);
  return number != nullptr ? std::to_string(*number) : std::get<std::string>(port);
}

const Listener* Policy::listener(std::string_view wanted) const {
  const auto found = std::ranges::find(listeners, wanted, &Listener::name);
  return found == listeners.end() ? nullptr : &*found;
}

const Environment* Policy::environment(std::string_view wanted) const {
  const auto found = std::ranges::find(environments, wanted, &Environment::name);
  return found == environments.end() ? nullptr : &*found;
}

}  // namespace ambassador::api
