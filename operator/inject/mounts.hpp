// What an injected Pod mounts beside its configuration: the folder of Unix sockets, and the keys of Secrets
// that listeners need. Secrets are shown to the ambassador alone, by the kubelet; the operator never reads
// them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "operator/api/policy.hpp"
#include "operator/inject/known_policy.hpp"

namespace ambassador::inject {

/// One key of a Secret as a file of the ambassador.
struct SecretFile {
  std::string path;  // below kSecretFolder: "shop-data.db/password"
  std::string secret;
  std::string key;
  bool optional = false;  // the Secret need not have it
  friend bool operator==(const SecretFile&, const SecretFile&) = default;
};

struct Mounts {
  bool sockets = false;
  std::vector<SecretFile> secrets;  // by listener, in the policies' order
};

/// Of all listeners of these policies.
Mounts mounts_of(const std::vector<KnownPolicyPtr>& policies);

/// What one listener needs. A file that is not optional keeps the Pod from starting until Secret and key
/// exist: the kubelet mounts nothing before, and its Event says which of them lacks.
/// @param name "shop-data.db"
std::vector<SecretFile> secret_files(const std::string& name, const api::Listener& listener);

/// Does the proxy look for a client certificate among them? The Secret need not have one.
bool shows_certificate(const api::Listener& listener);

/// "/etc/ambassador-secrets/shop-data.db", where secret_files() of that listener are.
std::string secret_folder(const std::string& name);

/// For PodRecord::shape, in one order whatever the policies' is:
/// "shop-data.db/password=shop-db/password,...".
std::string text_of(std::vector<SecretFile> files);

/// Are all of these files among those that `recorded`, a text_of(), names?
bool all_mounted(const std::vector<SecretFile>& files, std::string_view recorded);

}  // namespace ambassador::inject
