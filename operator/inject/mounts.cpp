#include "operator/inject/mounts.hpp"

#include <algorithm>
#include <set>

#include "operator/api/names.hpp"

namespace ambassador::inject {
namespace {

using config::Authentication;
using config::TlsMode;

/// Neither '=' nor ',' can be in a listener's name, a Secret's or a key.
std::string entry_of(const SecretFile& file) {
  return file.path + "=" + file.secret + "/" + file.key;
}

}  // namespace

std::string secret_folder(const std::string& name) {
  return std::string(api::kSecretFolder) + "/" + name;
}

bool shows_certificate(const api::Listener& listener) {
  return !listener.credentials.empty() && listener.tls.mode != TlsMode::disabled;
}

std::vector<SecretFile> secret_files(const std::string& name, const api::Listener& listener) {
  std::vector<SecretFile> files;
  const auto add = [&](const std::string& secret, std::string_view key, const std::string& folder,
                       bool optional) {
    files.push_back({name + "/" + folder + std::string(key), secret, std::string(key), optional});
  };
  const bool redis = listener.protocol == config::Protocol::redis;
  const auto add_account = [&](const std::string& secret, const std::string& folder) {
    if (secret.empty()) return;
    if (!redis) add(secret, api::kUsernameKey, folder, false);
    add(secret, api::kPasswordKey, folder, false);
    if (redis) add(secret, api::kUsernameKey, folder, true);  // the default user need not be named
  };
  const auto& credentials = listener.credentials;
  if (redis || listener.sql.authentication == Authentication::proxy) add_account(credentials, "");
  if (shows_certificate(listener)) {
    add(credentials, api::kCertificateKey, "", true);
    add(credentials, api::kPrivateKeyKey, "", true);
  }
  if (const auto& ca = listener.tls.ca)
    files.push_back({name + "/" + std::string(api::kCaFile), ca->secret, ca->key, false});
  const std::string for_clients = std::string(api::kClientsFolder) + "/";
  add_account(listener.client_credentials, for_clients);
  if (!listener.own_tls.empty()) {
    add(listener.own_tls, api::kCertificateKey, for_clients, false);
    add(listener.own_tls, api::kPrivateKeyKey, for_clients, false);
  }
  return files;
}

Mounts mounts_of(const std::vector<KnownPolicyPtr>& policies) {
  Mounts mounts;
  for (const auto& policy : policies) {
    for (const auto& listener : policy->spec().listeners) {
      mounts.sockets = mounts.sockets || listener.unix_socket;
      const auto files = secret_files(policy->parsed.key.listener_key(listener.name), listener);
      mounts.secrets.insert(mounts.secrets.end(), files.begin(), files.end());
    }
  }
  return mounts;
}

std::string text_of(std::vector<SecretFile> files) {
  std::ranges::sort(files, {}, &SecretFile::path);
  std::string text;
  for (const auto& file : files) text += (text.empty() ? "" : ",") + entry_of(file);
  return text;
}

bool all_mounted(const std::vector<SecretFile>& files, std::string_view recorded) {
  std::set<std::string_view> entries;
  while (!recorded.empty()) {
    const auto comma = recorded.find(',');
    entries.insert(recorded.substr(0, comma));
    recorded.remove_prefix(comma == std::string_view::npos ? recorded.size() : comma + 1);
  }
  return std::ranges::all_of(files, [&](const auto& file) { return entries.contains(entry_of(file)); });
}

}  // namespace ambassador::inject
