#include "common/config/consistency.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "common/config/ip_literal.hpp"

namespace ambassador::config {
namespace {

/// The line of `key` in `node`, or of `node` itself where the key is not given.
std::size_t line_of(const TreeNode& node, std::string_view key) {
  const TreeNode* field = node.find(key);
  return field == nullptr ? node.line : field->line;
}

bool is_wildcard(const std::string& address) {
  return address == "0.0.0.0" || address == "::";
}

/// Whether two listeners on one port get in each other's way. No addresses = both loopbacks.
bool overlap(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  if (a.empty() && b.empty()) return true;
  if (a.empty()) return overlap(b, {"127.0.0.1", "::1"});
  if (b.empty()) return overlap(a, {"127.0.0.1", "::1"});
  for (const std::string& one : a) {
    for (const std::string& other : b) {
      if (one == other || is_wildcard(one) || is_wildcard(other)) return true;
    }
  }
  return false;
}

class Checks {
 public:
  Checks(const Document& document, const TreeNode& root, Findings& findings)
      : document_(document), root_(root), findings_(findings) {}

  void run() {
    own_ports();
    const TreeNode* nodes = root_.find("listeners");
    for (std::size_t i = 0; i < document_.listeners.size(); ++i) {
      const Listener& listener = document_.listeners[i];
      const std::string path = path_to("listeners", i);
      const TreeNode& node = nodes->items[i];
      place(listener, path, node);
      names_and_places_are_its_own(listener, i, path, node);
      backends(listener, path, node);
      only_for(Protocol::redis, "redis", listener, path, node);
      only_for(Protocol::postgresql, "sql", listener, path, node);
      if (listener.protocol != Protocol::redis) {
        only_for(Protocol::postgresql, "serverTLS", listener, path, node);
        only_for(Protocol::postgresql, "listenerTLS", listener, path, node);
      }
      if (listener.protocol == Protocol::postgresql) {
        login(listener.sql, path, node);
        replicas(listener.sql, path, node);
      }
      if (listener.protocol == Protocol::redis) {
        reads(listener.redis, path + ".redis", node);
        sentinel(listener.redis, path + ".redis", node);
        client_cache(listener.redis, path + ".redis", node);
        mirror(listener, path + ".redis.mirror", node);
      }
      if (listener.protocol != Protocol::tcp) server_tls(listener.server_tls, path + ".serverTLS", node);
    }
  }

 private:
  void own_ports() {
    if (document_.admin_port != 0 && document_.admin_port == document_.health_port &&
        overlap({document_.health_address}, {})) {
      const TreeNode* admin = root_.find("admin");
      findings_.add("admin.port",
                    std::to_string(document_.admin_port) + " is the health port too; give another",
                    admin == nullptr ? root_.line : line_of(*admin, "port"));
    }
  }

  void place(const Listener& listener, const std::string& path, const TreeNode& node) {
    if (listener.port == 0 && listener.unix_socket.empty()) {
      findings_.add(path, "listens nowhere; give a port (1 to 65535), a unixSocket, or both", node.line);
    }
    std::set<std::string_view> addresses;
    for (std::size_t i = 0; i < listener.addresses.size(); ++i) {
      if (addresses.insert(listener.addresses[i]).second) continue;
      findings_.add(path_to(path + ".addresses", i),
                    "'" + listener.addresses[i] + "' is given twice; leave one out",
                    line_of(node, "addresses"));
    }
    if (listener.port == 0) return;
    const auto port = std::to_string(listener.port);
    if (listener.port == document_.health_port && overlap(listener.addresses, {document_.health_address})) {
      findings_.add(path + ".port", port + " is the health port; give another, or change health.port",
                    line_of(node, "port"));
    }
    if (listener.port == document_.admin_port && overlap(listener.addresses, {})) {
      findings_.add(path + ".port", port + " is the admin port; give another, or change admin.port",
                    line_of(node, "port"));
    }
  }

  void names_and_places_are_its_own(const Listener& listener, std::size_t index, const std::string& path,
                                    const TreeNode& node) {
    for (std::size_t i = 0; i < index; ++i) {
      const Listener& other = document_.listeners[i];
      const std::string taken =
          " is taken by listeners[" + std::to_string(i) + "] (" + other.name + "); give another";
      if (other.name == listener.name) {
        findings_.add(path + ".name", "'" + listener.name + "'" + taken, line_of(node, "name"));
      }
      if (listener.port != 0 && other.port == listener.port && overlap(other.addresses, listener.addresses)) {
        findings_.add(path + ".port", std::to_string(listener.port) + taken, line_of(node, "port"));
      }
      if (!listener.unix_socket.empty() && other.unix_socket == listener.unix_socket) {
        findings_.add(path + ".unixSocket", "'" + listener.unix_socket + "'" + taken,
                      line_of(node, "unixSocket"));
      }
    }
  }

  void backends(const Listener& listener, const std::string& path, const TreeNode& node) {
    const TreeNode* nodes = node.find("backends");
    std::map<std::string_view, std::size_t> names;
    for (std::size_t i = 0; i < listener.backends.size(); ++i) {
      const Backend& backend = listener.backends[i];
      const std::string at = path_to(path + ".backends", i);
      const TreeNode& item = nodes->items[i];
      const bool is_path = backend.host.starts_with('/');
      if (!is_path && backend.port == 0) {
        findings_.add(at + ".port", "missing or 0; give the port of " + backend.host + ", 1 to 65535",
                      line_of(item, "port"));
      }
      if (is_path && backend.port != 0) {
        findings_.add(at + ".port", "a Unix socket has no port; leave it out", line_of(item, "port"));
      }
      const auto [first, is_new] = names.emplace(backend.name, i);
      if (!is_new) {
        findings_.add(at + (item.find("name") == nullptr ? "" : ".name"),
                      "'" + backend.name + "' is the name of backends[" + std::to_string(first->second) +
                          "] already; give another name",
                      line_of(item, "name"));
      }
    }
  }

  void only_for(Protocol protocol, const char* block, const Listener& listener, const std::string& path,
                const TreeNode& node) {
    if (listener.protocol == protocol || node.find(block) == nullptr) return;
    findings_.add(
        path + "." + block,
        "means nothing with protocol " + std::string(spell(kProtocols, listener.protocol)) + "; leave it out",
        line_of(node, block));
  }

  void login(const Sql& sql, const std::string& path, const TreeNode& node) {
    const TreeNode* block = node.find("sql");
    const TreeNode& at = block == nullptr ? node : *block;
    const bool passthrough = sql.authentication == Authentication::passthrough;
    if (!passthrough && sql.credentials_folder.empty()) {
      findings_.add(path + ".sql.credentialsFolder",
                    "missing; authentication Proxy logs in with what is there: give it, or authentication "
                    "Passthrough",
                    line_of(at, "credentialsFolder"));
    }
    const auto only_proxy = [&](const char* field, const std::string& folder) {
      if (!passthrough || folder.empty()) return;
      findings_.add(path + ".sql." + field, "means nothing with authentication Passthrough; leave it out",
                    line_of(at, field));
    };
    only_proxy("credentialsFolder", sql.credentials_folder);
    only_proxy("clientCredentialsFolder", sql.client_credentials_folder);
    if (passthrough && sql.pooling == Pooling::transaction) {
      findings_.add(path + ".sql.pooling",
                    "Transaction lends one login to many clients, which authentication Passthrough can't; "
                    "give Session, or authentication Proxy",
                    line_of(at, "pooling"));
    }
  }

  void replicas(const Sql& sql, const std::string& path, const TreeNode& node) {
    const TreeNode* block = node.find("sql");
    if (block == nullptr) return;
    const bool splits = sql.read_write_split != ReadWriteSplit::disabled;
    const bool lends = sql.pooling == Pooling::transaction && sql.authentication == Authentication::proxy;
    const auto servers = std::string(spell(kServers, sql.servers));
    const auto split = std::string(spell(kReadWriteSplits, sql.read_write_split));
    const auto add = [&](const char* field, const std::string& what) {
      findings_.add(path + ".sql." + field, what, line_of(*block, field));
    };
    const std::string wants = " needs authentication Proxy and pooling Transaction; give both, or ";
    if (sql.servers == Servers::replicas && splits) {
      add("readWriteSplit", split + " means nothing with servers Replicas; leave it out");
    } else if (splits && !lends) {
      add("readWriteSplit", split + wants + "readWriteSplit Disabled");
    } else if (sql.servers == Servers::replicas && !lends) {
      add("servers", servers + wants + "servers Primary");
    }
    if (block->find("maxLag") != nullptr && !sql.uses_replicas()) {
      add("maxLag",
          "means nothing without replicas; leave it out, or give readWriteSplit or servers Replicas");
    }
    if (block->find("causalReads") != nullptr && !splits) {
      add("causalReads", "means nothing with readWriteSplit Disabled; leave it out");
    }
  }

  /// readPreference Primary is what every mode does.
  void reads(const Redis& redis, const std::string& path, const TreeNode& node) {
    const TreeNode* block = node.find("redis");
    if (block == nullptr) return;
    const auto meaningless = [&](const char* field, const char* with, std::string_view value,
                                 const char* instead) {
      findings_.add(path + "." + field,
                    std::string("means nothing with ") + with + " " + std::string(value) +
                        "; leave it out, or give " + instead,
                    line_of(*block, field));
    };
    const bool primary = redis.read_preference == ReadPreference::primary;
    const bool lag = block->find("maxLag") != nullptr;
    const auto mode = spell(kRedisModes, redis.mode);
    if (!redis.has_replicas() && !primary)
      meaningless("readPreference", "mode", mode, "mode Replicated, Sentinel or Cluster");
    if (!redis.follows_primary()) {
      if (lag) meaningless("maxLag", "mode", mode, "mode Replicated or Sentinel");
    } else if (lag && primary) {
      meaningless("maxLag", "readPreference", "Primary", "another readPreference");
    }
  }

  void sentinel(const Redis& redis, const std::string& path, const TreeNode& node) {
    const TreeNode* block = node.find("redis");
    const bool asks = redis.mode == RedisMode::sentinel;
    if (block == nullptr || asks == (block->find("sentinel") != nullptr)) return;
    const std::string mode(spell(kRedisModes, redis.mode));
    findings_.add(path + ".sentinel",
                  asks ? "missing; mode Sentinel asks for a master by its name: give {masterName: mymaster}, "
                         "or another mode"
                       : "means nothing with mode " + mode + "; leave it out, or give mode Sentinel",
                  line_of(*block, "sentinel"));
  }

  void client_cache(const Redis& redis, const std::string& path, const TreeNode& node) {
    if (!redis.client_cache || redis.can_keep_replies()) return;
    const bool cluster = redis.mode == RedisMode::cluster;
    findings_.add(
        path + ".clientCache",
        "can't be with " +
            (cluster ? "mode Cluster, whose keys move from server to server"
                     : "readPreference " + std::string(spell(kReadPreferences, redis.read_preference)) +
                           ", as replicas do not see all at once") +
            "; leave it out, or give another " + (cluster ? "mode" : "readPreference"),
        line_of(*node.find("redis"), "clientCache"));
  }

  void mirror(const Listener& listener, const std::string& path, const TreeNode& node) {
    if (!listener.redis.mirror) return;
    const std::string& name = listener.redis.mirror->listener;
    const auto& all = document_.listeners;
    const auto found = std::ranges::find(all, name, &Listener::name);
    std::string why;
    if (found == all.end()) {
      why = "is no listener of this document";
    } else if (found->name == listener.name) {
      why = "is this very listener";
    } else if (found->protocol != Protocol::redis) {
      why = "has another protocol";
    } else if (found->redis.mirror) {
      why = "has a mirror itself, and copies are not copied again";
    } else if (!found->redis.client_credentials_folder.empty()) {
      why = "asks its clients to log in, which copies do not";
    }
    if (why.empty()) return;
    const TreeNode* block = node.find("redis")->find("mirror");
    findings_.add(path + ".listener", "'" + name + "' " + why + "; give another one, or leave mirror out",
                  line_of(*block, "listener"));
  }

  void server_tls(const ServerTls& tls, const std::string& path, const TreeNode& node) {
    const TreeNode* block = node.find("serverTLS");
    if (block == nullptr) return;
    const bool verifies = tls.mode == TlsMode::verify_ca || tls.mode == TlsMode::verify_full;
    const std::string mode = "means nothing with mode " + std::string(spell(kTlsModes, tls.mode));
    if (!tls.ca_file.empty() && !verifies) {
      findings_.add(path + ".caFile", mode + "; leave it out, or give mode VerifyFull",
                    line_of(*block, "caFile"));
    }
    if (tls.certificate_file.empty() != tls.key_file.empty()) {
      const bool no_key = tls.key_file.empty();
      findings_.add(path + (no_key ? ".keyFile" : ".certificateFile"),
                    std::string("missing; a certificate and its key belong together: give it, or leave ") +
                        (no_key ? "certificateFile" : "keyFile") + " out",
                    block->line);
    } else if (!tls.certificate_file.empty() && tls.mode == TlsMode::disabled) {
      findings_.add(path + ".certificateFile", mode + "; leave it out, or give another mode",
                    line_of(*block, "certificateFile"));
    }
  }

  const Document& document_;
  const TreeNode& root_;
  Findings& findings_;
};

}  // namespace

void check_consistency(const Document& document, const TreeNode& root, Findings& findings) {
  Checks(document, root, findings).run();
}

}  // namespace ambassador::config
