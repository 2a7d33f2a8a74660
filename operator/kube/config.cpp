#include "operator/kube/config.hpp"

#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "operator/kube/base64.hpp"

namespace ambassador::kube {

namespace {
std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets variables
  return value == nullptr ? "" : value;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{path, "cannot be read"};
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

/// The entry of a kubeconfig's list (clusters, users, contexts) that has this name.
YAML::Node named(const YAML::Node& list, const std::string& name) {
  if (list && list.IsSequence()) {
    for (const YAML::Node& entry : list) {
      if (entry.IsMap() && entry["name"] && entry["name"].as<std::string>("") == name) return entry;
    }
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

std::string text_at(const YAML::Node& map, const char* key) {
  if (!map || !map.IsMap()) return "";
  const auto value = map[key];
  return value && value.IsScalar() ? value.as<std::string>("") : "";
}

/// `<key>-data` (base64) or `<key>` (a file name).
Result<Material> material(const YAML::Node& map, const std::string& key, const std::filesystem::path& folder,
                          const std::string& where) {
  Material out;
  if (const auto data = text_at(map, (key + "-data").c_str()); !data.empty()) {
    auto decoded = base64_decode(data);
    if (!decoded) return Error{where + "." + key + "-data", "is not base64"};
    out.data = std::move(*decoded);
  } else if (const auto file = text_at(map, key.c_str()); !file.empty()) {
    out.file = (folder / file).string();  // an absolute name replaces the folder
  }
  return out;
}

Result<Config> read_kubeconfig(const YAML::Node& root, const std::string& path, std::string context) {
  const auto folder = std::filesystem::absolute(path).parent_path();
  if (context.empty()) context = text_at(root, "current-context");
  if (context.empty()) return Error{path, "has no current-context: name one with --context"};
  const auto chosen = named(root["contexts"], context);
  if (!chosen.IsDefined()) return Error{path, "has no context \"" + context + "\""};
  const auto body = chosen["context"];
  const auto cluster_name = text_at(body, "cluster");
  const auto cluster_entry = named(root["clusters"], cluster_name);
  if (!cluster_entry.IsDefined()) {
    return Error{
        path, "context \"" + context + "\" names the cluster \"" + cluster_name + "\", which is not there"};
  }
  const auto cluster = cluster_entry["cluster"];
  Config out;
  out.context = context;
  out.name_space = text_at(body, "namespace");
  out.server = text_at(cluster, "server");
  while (!out.server.empty() && out.server.back() == '/') out.server.pop_back();
  if (out.server.empty()) return Error{path, "cluster \"" + cluster_name + "\" has no server"};
  out.tls_server_name = text_at(cluster, "tls-server-name");
  out.insecure_skip_tls_verify = text_at(cluster, "insecure-skip-tls-verify") == "true";
  const std::string cluster_place = path + ": clusters[" + cluster_name + "]";
  auto ca = material(cluster, "certificate-authority", folder, cluster_place);
  if (!ca) return ca.error();
  out.ca = *ca;

  const auto user_name = text_at(body, "user");
  if (user_name.empty()) return out;  // an open server
  const auto user_entry = named(root["users"], user_name);
  if (!user_entry.IsDefined()) {
    return Error{path, "context \"" + context + "\" names the user \"" + user_name + "\", who is not there"};
  }
  const auto user = user_entry["user"];
  const std::string user_place = path + ": users[" + user_name + "]";
  for (const char* plugin : {"exec", "auth-provider"}) {
    if (user && user.IsMap() && user[plugin]) {
      return Error{user_place, std::string(plugin) +
                                   " plug-ins are not run by the operator: use a token or a client "
                                   "certificate"};
    }
  }
  auto certificate = material(user, "client-certificate", folder, user_place);
  if (!certificate) return certificate.error();
  out.client_certificate = *certificate;
  auto key = material(user, "client-key", folder, user_place);
  if (!key) return key.error();
  out.client_key = *key;
  if (out.client_certificate.empty() != out.client_key.empty()) {
    return Error{user_place, "a client certificate needs its key, and a key its certificate"};
  }
  if (const auto file = text_at(user, "tokenFile"); !file.empty()) {
    out.token.file = (folder / file).string();
  } else {
    out.token.data = text_at(user, "token");
  }
  return out;
}
}  // namespace

Result<Config> in_cluster_config(const std::string& folder) {
  const auto host = environment("KUBERNETES_SERVICE_HOST");
  auto port = environment("KUBERNETES_SERVICE_PORT");
  if (host.empty()) {
    return Error{"KUBERNETES_SERVICE_HOST", "is not set: not in a Pod; give a kubeconfig with --kubeconfig"};
  }
  if (port.empty()) port = "443";
  Config out;
  const bool literal_v6 = host.find(':') != std::string::npos;
  out.server = "https://" + (literal_v6 ? std::string("kubernetes.default.svc") : host) + ":" + port;
  out.token.file = folder + "/token";
  out.ca.file = folder + "/ca.crt";
  out.context = "in-cluster";
  for (const auto& file : {out.token.file, out.ca.file}) {
    if (auto content = read_file(file); !content) {
      return Error{file, "cannot be read: the Pod needs a service account with automountServiceAccountToken"};
    }
  }
  if (auto name_space = read_file(folder + "/namespace")) out.name_space = trimmed(*name_space);
  return out;
}

Result<Config> kubeconfig(const std::string& path, const std::string& context) {
  auto text = read_file(path);
  if (!text) return text.error();
  try {
    const auto root = YAML::Load(*text);
    if (!root.IsMap()) return Error{path, "is no kubeconfig"};
    return read_kubeconfig(root, path, context);
  } catch (const YAML::Exception& failure) {
    return Error{path, std::string("is no kubeconfig: ") + failure.what()};
  }
}

Result<Config> find_config(const std::string& path, const std::string& context) {
  if (!path.empty()) return kubeconfig(path, context);
  if (auto named_by_variable = environment("KUBECONFIG"); !named_by_variable.empty()) {
    return kubeconfig(named_by_variable.substr(0, named_by_variable.find(':')), context);
  }
  if (context.empty() && !environment("KUBERNETES_SERVICE_HOST").empty()) return in_cluster_config();
  return kubeconfig(environment("HOME") + "/.kube/config", context);
}

}  // namespace ambassador::kube
