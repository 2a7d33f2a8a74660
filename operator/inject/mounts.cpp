#include "operator/inject/mounts.hpp"

#include <algorithm>
#include <initializer_list>
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
  const auto add = [&](const std::string& secret, std::string_view key, std::string_view file,
                       bool optional) {
    files.push_back({name + "/" + std::string(file), secret, std::string(key), optional});
  };
  const auto& sql = listener.sql;
  const auto& credentials = listener.credentials;
  if (listener.protocol == config::Protocol::redis) {
    if (!credentials.empty()) {
      add(credentials, api::kPasswordKey, api::kPasswordKey, false);
      add(credentials, api::kUsernameKey, api::kUsernameKey, true);
    }
  } else if (sql.authentication == Authentication::proxy) {
    add(credentials, api::kUsernameKey, api::kUsernameKey, false);
    add(credentials, api::kPasswordKey, api::kPasswordKey, false);
  }
  if (shows_certificate(listener)) {
    add(credentials, api::kCertificateKey, api::kCertificateKey, true);
    add(credentials, api::kPrivateKeyKey, api::kPrivateKeyKey, true);
  }
  if (const auto& ca = listener.tls.ca) add(ca->secret, ca->key, api::kCaFile, false);
  const auto add_for_clients = [&](const std::string& secret, std::initializer_list<std::string_view> keys) {
    if (secret.empty()) return;
    for (const auto key : keys)
      add(secret, key, std::string(api::kClientsFolder) + "/" + std::string(key), false);
  };
  add_for_clients(sql.client_credentials, {api::kUsernameKey, api::kPasswordKey});
  add_for_clients(listener.own_tls, {api::kCertificateKey, api::kPrivateKeyKey});
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
