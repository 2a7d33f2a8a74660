#include "operator/discovery/resolved.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "operator/api/document.hpp"
#include "operator/api/shorten.hpp"

namespace ambassador::discovery {
namespace {

using api::integer_at;
using api::list_at;
using api::member;
using api::port_at;
using api::text_at;
using nlohmann::json;

ResolvedBackend read_backend(const json& object) {
  ResolvedBackend backend;
  backend.name = text_at(object, "name");
  backend.host = text_at(object, "host");
  backend.port = port_at(object, "port").value_or(0);
  backend.ring_name = text_at(object, "ringName");
  if (backend.ring_name.empty()) backend.ring_name = backend.host + ":" + std::to_string(backend.port);
  backend.weight =
      static_cast<unsigned>(std::clamp<std::int64_t>(integer_at(object, "weight").value_or(1), 1, 1000));
  backend.address = text_at(object, "address");
  const json& ready = member(object, "ready");
  backend.ready = ready.is_boolean() && ready.get<bool>();
  backend.source = text_at(object, "source");
  return backend;
}

json backend_to_json(const ResolvedBackend& backend) {
  json object = {
      {"name", backend.name}, {"host", backend.host}, {"port", backend.port}, {"ready", backend.ready}};
  if (backend.ring_name != backend.host + ":" + std::to_string(backend.port))
    object["ringName"] = backend.ring_name;
  if (backend.weight != 1) object["weight"] = backend.weight;
  if (!backend.address.empty()) object["address"] = backend.address;
  if (!backend.source.empty()) object["source"] = backend.source;
  return object;
}

}  // namespace

std::vector<ResolvedListener> read_resolved(const json& policy_document) {
  std::vector<ResolvedListener> all;
  for (const auto& object : list_at(member(policy_document, "status"), "listeners")) {
    ResolvedListener listener;
    listener.name = text_at(object, "name");
    listener.environment = text_at(object, "environment");
    listener.resolved_at = text_at(object, "resolvedAt");
    listener.reason = text_at(object, "reason");
    listener.message = text_at(object, "message");
    for (const auto& one : list_at(object, "backends")) {
      ResolvedBackend backend = read_backend(one);
      if (backend.name.empty() || backend.host.empty() || backend.port == 0) continue;
      listener.backends.push_back(std::move(backend));
    }
    if (!listener.name.empty()) all.push_back(std::move(listener));
  }
  return all;
}

json to_json(const ResolvedListener& listener) {
  json backends = json::array();
  for (const auto& backend : listener.backends) backends.push_back(backend_to_json(backend));
  json object = {
      {"name", listener.name}, {"environment", listener.environment}, {"backends", std::move(backends)}};
  if (!listener.resolved_at.empty()) object["resolvedAt"] = listener.resolved_at;
  if (!listener.reason.empty()) object["reason"] = listener.reason;
  if (!listener.message.empty()) object["message"] = api::shortened(listener.message, api::kMaxMessage);
  return object;
}

const ResolvedListener* find(const std::vector<ResolvedListener>& listeners, std::string_view name,
                             std::string_view environment) {
  const auto found = std::ranges::find_if(listeners, [&](const auto& listener) {
    return listener.name == name && listener.environment == environment;
  });
  return found == listeners.end() ? nullptr : &*found;
}

}  // namespace ambassador::discovery
