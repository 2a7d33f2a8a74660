#include "proxy/app/secrets.hpp"

#include <openssl/evp.h>

#include <array>
#include <filesystem>
#include <set>

#include "common/log/log.hpp"
#include "proxy/app/account_file.hpp"
#include "proxy/app/source.hpp"

namespace ambassador::proxy::app {
namespace {

bool same(const Account& a, const Account& b) {
  return a.user == b.user && a.password == b.password;
}

// Redis has a user who need not be named, at servers and by clients.
std::string_view usual_user(const config::Listener& listener) {
  return listener.protocol == config::Protocol::redis ? "default" : "";
}

using Files = std::vector<std::string>;

Files files_of(const config::ServerTls& tls) {
  Files files;
  if (tls.mode == config::TlsMode::disabled) return files;
  for (const std::string* path : {&tls.ca_file, &tls.certificate_file, &tls.key_file}) {
    if (!path->empty()) files.push_back(*path);
  }
  return files;
}

Files files_of(const config::ListenerTls& tls) {
  return tls.certificate_file.empty() ? Files() : Files{tls.certificate_file, tls.key_file};
}

// Tells whether they have changed without keeping a key in memory.
std::string digest_of(const Files& files) {
  std::string digests;
  for (const std::string& path : files) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (Result<std::string> text = read_file(path)) {
      if (EVP_Digest(text->data(), text->size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) size = 0;
      OPENSSL_cleanse(text->data(), text->size());
    }
    digests.append(digest.begin(), digest.begin() + size).push_back('.');
  }
  return digests;
}

// True: they are not those of `digest` any more, which is theirs now.
bool renewed(const Files& files, std::string& digest) {
  std::string now = digest_of(files);
  if (now == digest) return false;
  digest = std::move(now);
  return true;
}

void say_of_tls(const std::string& listener, const char* block, const Result<void>& taken) {
  if (taken) {
    log::info("TLS files taken", {{"listener", listener}, {"of", block}});
  } else {
    log::error("TLS files refused, those before go on",
               {{"listener", listener}, {"of", block}, {"error", taken.error().text()}});
  }
}

}  // namespace

// The account in one folder, for one listener.
class Secrets::Source {
 public:
  Source(std::string folder, std::string_view usual_user)
      : folder_(std::move(folder)), usual_user_(usual_user) {}

  [[nodiscard]] std::shared_ptr<const Account> now() const {  // any thread
    const std::lock_guard lock(mutex_);
    return account_;
  }
  /// True: it is another one now. What is wrong with the files is in problem().
  bool read() {
    auto account = read_account(folder_, usual_user_);
    problem_ = account ? std::string() : account.error().text();
    if (!account || (account_ && same(**account, *account_))) return false;
    const std::lock_guard lock(mutex_);
    account_ = std::move(*account);
    return true;
  }
  [[nodiscard]] const std::string& problem() const { return problem_; }
  std::string said;  // the problem that was logged last

 private:
  const std::string folder_;
  const std::string usual_user_;
  std::string problem_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Account> account_;
};

Secrets::Secrets(boost::asio::io_context& control, Changes changes)
    : control_(control), changes_(std::move(changes)) {}

std::shared_ptr<Secrets::Source> Secrets::source(const std::string& folder,
                                                 const config::Listener& listener) {
  std::erase_if(sources_, [](const auto& one) { return one.second.expired(); });
  std::weak_ptr<Source>& known = sources_[{listener.name, folder}];
  if (auto found = known.lock()) return found;
  auto made = std::make_shared<Source>(folder, usual_user(listener));
  (void)made->read();
  known = made;
  return made;
}

AccountFunction Secrets::account(const config::Listener& listener) {
  return account_in(listener.credentials_folder(), listener);
}

AccountFunction Secrets::client_account(const config::Listener& listener) {
  return account_in(listener.client_credentials_folder(), listener);
}

AccountFunction Secrets::account_in(const std::string& folder, const config::Listener& listener) {
  if (folder.empty()) return {};
  return [source = source(folder, listener)] { return source->now(); };
}

Result<std::shared_ptr<tls::Source>> Secrets::own_certificate(const config::Listener& listener) {
  const auto& [certificate, key] = listener.listener_tls;
  if (certificate.empty()) return std::shared_ptr<tls::Source>();
  std::erase_if(certificates_, [](const auto& one) { return one.second.expired(); });
  std::weak_ptr<tls::Source>& known = certificates_[{listener.name, certificate, key}];
  if (auto found = known.lock()) return found;
  auto made = tls::Source::from_files(certificate, key);
  if (!made) return Error{"listeners." + listener.name + ".listenerTLS", made.error().text()};
  known = *made;
  return std::move(*made);
}

Result<std::shared_ptr<const tls::Source>> Secrets::certificate(const config::Listener& listener) {
  auto found = own_certificate(listener);
  if (!found) return found.error();
  return std::shared_ptr<const tls::Source>(std::move(*found));
}

void Secrets::follow(const config::Document& document) {
  std::vector<Listener> listeners;
  std::set<std::string> folders;
  for (const config::Listener& configured : document.listeners) {
    const auto own = own_certificate(configured);  // an Error would have refused the document
    Listener listener{.name = configured.name,
                      .account = nullptr,
                      .client_account = nullptr,
                      .server_tls = configured.server_tls,
                      .server_digest = {},
                      .own_tls = configured.listener_tls,
                      .certificate = own ? *own : nullptr,
                      .own_digest = {}};
    const auto followed = [&](const std::string& folder) {
      if (folder.empty()) return std::shared_ptr<Source>();
      folders.insert(folder);
      return source(folder, configured);
    };
    listener.account = followed(configured.credentials_folder());
    listener.client_account = followed(configured.client_credentials_folder());
    for (const Files& files : {files_of(configured.server_tls), files_of(configured.listener_tls)}) {
      for (const std::string& file : files)
        folders.insert(std::filesystem::path(file).parent_path().string());
    }
    // A new one takes its files once more than it must: they may have changed since it was made.
    for (const Listener& old : listeners_) {
      if (old.name != listener.name) continue;
      if (old.server_tls == listener.server_tls) listener.server_digest = old.server_digest;
      if (old.own_tls == listener.own_tls) listener.own_digest = old.own_digest;
    }
    listeners.push_back(std::move(listener));
  }
  listeners_ = std::move(listeners);
  std::erase_if(watches_, [&](const auto& watch) { return !folders.contains(watch.first); });
  for (const std::string& folder : folders) {
    auto& watch = watches_[folder];
    if (!watch) watch = std::make_unique<FileWatch>(control_, folder + "/any", [this] { look(); });
  }
  look();
}

void Secrets::look() {
  for (Listener& listener : listeners_) {
    if (listener.account && look_at_account(listener, *listener.account, "")) changes_.account(listener.name);
    if (listener.client_account) (void)look_at_account(listener, *listener.client_account, "client ");
    if (renewed(files_of(listener.server_tls), listener.server_digest))
      say_of_tls(listener.name, "serverTLS", changes_.tls_files(listener.name));
    const auto& [certificate, key] = listener.own_tls;
    if (listener.certificate && renewed(files_of(listener.own_tls), listener.own_digest))
      say_of_tls(listener.name, "listenerTLS", listener.certificate->replace_files(certificate, key));
  }
}

bool Secrets::look_at_account(const Listener& listener, Source& source, const char* whose) {
  const bool had_one = source.now() != nullptr;
  const bool changed = source.read();
  const std::string& problem = source.problem();
  const std::string what = std::string(whose) + "credentials";
  if (!problem.empty() && problem != source.said) {
    log::error(had_one ? what + " refused, those before go on" : "no " + what + ", clients get errors",
               {{"listener", listener.name}, {"error", problem}});
  } else if (problem.empty() && (changed || !source.said.empty())) {
    log::info(what + " taken", {{"listener", listener.name}});
  }
  source.said = problem;
  return changed;
}

}  // namespace ambassador::proxy::app
