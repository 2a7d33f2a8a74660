#include <algorithm>

#include "common/config/ip_literal.hpp"
#include "operator/api/parse_parts.hpp"

namespace ambassador::api {
namespace {

constexpr std::size_t kMaxUpstreams = 8;
constexpr std::size_t kMaxHosts = 64;

PortReference read_port(Fields& fields) {
  const auto* value = fields.get("port");
  if (value == nullptr) {
    fields.required("port", "a port's number, or its name in the Service");
    return std::uint16_t{0};
  }
  if (!value->is_string()) return fields.port("port").value_or(0);
  const auto name = fields.string("port").value_or("");
  if (!is_port_name(name)) {
    fields.problems().invalid(fields.path("port"),
                              shown(*value) +
                                  " is no port name: give the Service's port name (at most 15 of "
                                  "a-z, 0-9 and '-'), or the number without quotes");
  }
  return name;
}

/// `name`, `namespace` and `port` of a StatefulSet or Service.
template <class Reference>
Reference read_reference(Fields& upstream, std::string_view key, const Policy& policy) {
  Fields fields(*upstream.object(key), upstream.path(key), upstream.problems());
  Reference reference;
  fields.required("name", "its name");
  reference.name = fields.string("name").value_or("");
  if (!reference.name.empty() && !is_dns_name(reference.name)) {
    fields.problems().invalid(fields.path("name"), shown(reference.name) + " is no name of an object");
  }
  reference.ns = fields.string("namespace").value_or("");
  if (!reference.ns.empty() && !is_dns_label(reference.ns)) {
    fields.problems().invalid(fields.path("namespace"), shown(reference.ns) + " is no name of a namespace");
  }
  if (policy.key.cluster() && reference.ns.empty()) {
    fields.problems().invalid(
        fields.path("namespace"),
        "is missing: a ClusterAmbassadorPolicy has no namespace of its own, so name one");
  }
  reference.port = read_port(fields);
  fields.finish();
  return reference;
}

bool loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

Host read_host(Fields& fields, const std::vector<std::uint16_t>& own_ports) {
  Host host;
  fields.required("host", "a DNS name or an IP address");
  host.host = fields.string("host").value_or("");
  if (!host.host.empty() && !is_dns_name(host.host) && !config::is_ip_literal(host.host)) {
    fields.problems().invalid(fields.path("host"),
                              shown(host.host) +
                                  " is no DNS name and no IP address: give it without scheme, "
                                  "port, brackets or capitals");
  }
  fields.required("port", "1 to 65535");
  host.port = fields.port("port").value_or(0);
  host.name = fields.string("name").value_or("");
  if (!std::ranges::all_of(host.name, [](char c) { return c > ' ' && c < 0x7f; })) {
    fields.problems().invalid(fields.path("name"),
                              shown(host.name) + " holds spaces or other than ASCII: remove them");
  }
  host.weight = static_cast<unsigned>(fields.integer("weight", 1, 1000).value_or(1));
  fields.not_yet("role", "remove it");
  if (loopback(host.host) && host.port != 0 && std::ranges::find(own_ports, host.port) != own_ports.end()) {
    fields.problems().invalid(
        fields.path("port"),
        std::to_string(host.port) + " on loopback is this very listener: name the server behind it");
  }
  fields.finish();
  return host;
}

std::vector<Host> read_hosts(Fields& upstream, const std::vector<std::uint16_t>& own_ports) {
  std::vector<Host> all;
  const auto* list = upstream.array("hosts", kMaxHosts);
  if (list == nullptr) return all;
  if (list->empty())
    upstream.problems().invalid(upstream.path("hosts"), "is empty: give at least one host and port");
  for (std::size_t i = 0; i < list->size(); ++i) {
    Fields fields((*list)[i], upstream.path("hosts") + "[" + std::to_string(i) + "]", upstream.problems());
    Host host = read_host(fields, own_ports);
    const auto ring_name = [](const Host& one) {
      return one.name.empty() ? one.host + ":" + std::to_string(one.port) : one.name;
    };
    if (std::ranges::any_of(all, [&](const Host& other) { return ring_name(other) == ring_name(host); })) {
      fields.problems().invalid(
          fields.path(), "\"" + ring_name(host) + "\" is there already: remove it, or give it another name");
    }
    all.push_back(std::move(host));
  }
  return all;
}

void check_environments(Fields& fields, const std::vector<std::string>& names, const Policy& policy) {
  for (const auto& name : names) {
    if (policy.environment(name) != nullptr) continue;
    std::string declared;
    for (const auto& environment : policy.environments)
      declared += (declared.empty() ? "" : ", ") + environment.name;
    fields.problems().invalid(fields.path("environments"),
                              "\"" + name + "\" is not under spec.environments" +
                                  (declared.empty() ? " (there are none)" : " (" + declared + ")") +
                                  ": add it there");
  }
}

Upstream read_upstream(Fields& fields, const Policy& policy, const std::vector<std::uint16_t>& own_ports) {
  Upstream upstream;
  upstream.environments = fields.strings("environments", 16);
  check_environments(fields, upstream.environments, policy);
  const bool set = fields.object("statefulSet") != nullptr;
  const bool service = fields.object("service") != nullptr;
  const bool hosts = fields.get("hosts") != nullptr;
  if (set + service + hosts != 1) {
    fields.problems().invalid(fields.path(),
                              std::string(set + service + hosts == 0 ? "names none" : "names several") +
                                  " of statefulSet, service and hosts: give exactly one");
    fields.finish();
    return upstream;
  }
  if (set) upstream.target = read_reference<StatefulSetReference>(fields, "statefulSet", policy);
  if (service) upstream.target = read_reference<ServiceReference>(fields, "service", policy);
  if (hosts) upstream.target = read_hosts(fields, own_ports);
  fields.finish();
  return upstream;
}

}  // namespace

std::vector<Upstream> read_upstreams(Fields& listener, const Policy& policy,
                                     const std::vector<std::uint16_t>& own_ports) {
  std::vector<Upstream> all;
  const auto* list = listener.array("upstreams", kMaxUpstreams);
  if (list == nullptr || list->empty()) {
    listener.problems().invalid(listener.path("upstreams"),
                                "is empty: give at least one upstream with statefulSet, service or hosts");
    return all;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    Fields fields((*list)[i], listener.path("upstreams") + "[" + std::to_string(i) + "]",
                  listener.problems());
    all.push_back(read_upstream(fields, policy, own_ports));
  }
  return all;
}

}  // namespace ambassador::api
