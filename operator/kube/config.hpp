// Where the API server is and how we prove who we are: from the Pod we run in, or from a kubeconfig.
// Reads files when asked; plain values otherwise.
#pragma once

#include <string>

#include "common/result/result.hpp"

namespace ambassador::kube {

/// A secret or certificate: its PEM text, or the file to read it from (read anew whenever it changes). Both
/// empty: none.
struct Material {
  std::string data;
  std::string file;
  [[nodiscard]] bool empty() const { return data.empty() && file.empty(); }
  friend bool operator==(const Material&, const Material&) = default;
};

struct Config {
  std::string server;           // "https://10.96.0.1:443", no trailing slash
  std::string tls_server_name;  // verify the server's certificate for this name; "" = the host of `server`
  bool insecure_skip_tls_verify = false;
  Material ca;     // PEM; empty = the system's roots
  Material token;  // a bearer token
  Material client_certificate;
  Material client_key;
  std::string name_space;  // the context's, or the Pod's own; "" = not said
  std::string context;     // the kubeconfig context used, for logs; "in-cluster" in a Pod
  friend bool operator==(const Config&, const Config&) = default;
};

/// The Pod's service account: KUBERNETES_SERVICE_HOST and _PORT, and `folder`/token, ca.crt, namespace.
/// Where the host is an IPv6 literal, the server is kubernetes.default.svc: cpprestsdk cannot dial such a
/// literal.
Result<Config> in_cluster_config(const std::string& folder = "/var/run/secrets/kubernetes.io/serviceaccount");

/// A kubeconfig file; `context` empty = its current-context. Relative file names are relative to the file.
/// Users with an exec or auth-provider plug-in are refused: running those is ambassadorctl's business.
Result<Config> kubeconfig(const std::string& path, const std::string& context = "");

/// `path` if given; else $KUBECONFIG (its first entry); else in-cluster where the environment says so; else
/// ~/.kube/config.
Result<Config> find_config(const std::string& path = "", const std::string& context = "");

}  // namespace ambassador::kube
