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

bool same(const postgresql::Account& a, const postgresql::Account& b) {
  return a.user == b.user && a.password == b.password;
}

std::vector<std::string> files_of(const config::ServerTls& tls) {
  std::vector<std::string> files;
  if (tls.mode == config::TlsMode::disabled) return files;
  for (const std::string* path : {&tls.ca_file, &tls.certificate_file, &tls.key_file}) {
    if (!path->empty()) files.push_back(*path);
  }
  return files;
}

// Tells whether they have changed without keeping a key in memory.
std::string digest_of(const config::ServerTls& tls) {
  std::string digests;
  for (const std::string& path : files_of(tls)) {
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

}  // namespace

// The account in one folder, for one listener.
class Secrets::Source {
 public:
  explicit Source(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] Account now() const {  // any thread
    const std::lock_guard lock(mutex_);
    return account_;
  }
  /// True: it is another one now. What is wrong with the files is in problem().
  bool read() {
    auto account = read_account(folder_);
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
  std::string problem_;
  mutable std::mutex mutex_;
  Account account_;
};

Secrets::Secrets(boost::asio::io_context& control, Changes changes)
    : control_(control), changes_(std::move(changes)) {}

std::shared_ptr<Secrets::Source> Secrets::source(const config::Listener& listener) {
  std::erase_if(sources_, [](const auto& one) { return one.second.expired(); });
  std::weak_ptr<Source>& known = sources_[{listener.name, listener.sql.credentials_folder}];
  if (auto found = known.lock()) return found;
  auto made = std::make_shared<Source>(listener.sql.credentials_folder);
  (void)made->read();
  known = made;
  return made;
}

Secrets::AccountFunction Secrets::account(const config::Listener& listener) {
  return [source = source(listener)] { return source->now(); };
}

void Secrets::follow(const config::Document& document) {
  std::vector<Listener> listeners;
  std::set<std::string> folders;
  for (const config::Listener& configured : document.listeners) {
    Listener listener{configured.name, nullptr, configured.server_tls, {}};
    if (!configured.sql.credentials_folder.empty()) {
      listener.account = source(configured);
      folders.insert(configured.sql.credentials_folder);
    }
    for (const std::string& file : files_of(configured.server_tls)) {
      folders.insert(std::filesystem::path(file).parent_path().string());
    }
    // A new one takes its files once more than it must: they may have changed since it was made.
    for (const Listener& old : listeners_) {
      if (old.name == listener.name && old.tls == listener.tls) listener.digest = old.digest;
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
    if (listener.account) look_at_account(listener);
    look_at_tls(listener);
  }
}

void Secrets::look_at_account(const Listener& listener) {
  Source& source = *listener.account;
  const bool had_one = source.now() != nullptr;
  const bool changed = source.read();
  const std::string& problem = source.problem();
  if (!problem.empty() && problem != source.said) {
    log::error(had_one ? "credentials refused, those before go on" : "no credentials, clients get errors",
               {{"listener", listener.name}, {"error", problem}});
  } else if (problem.empty() && (changed || !source.said.empty())) {
    log::info("credentials taken", {{"listener", listener.name}});
  }
  source.said = problem;
  if (changed) changes_.account(listener.name);
}

void Secrets::look_at_tls(Listener& listener) {
  std::string digest = digest_of(listener.tls);
  if (digest == listener.digest) return;
  listener.digest = std::move(digest);
  if (const Result<void> taken = changes_.tls_files(listener.name); !taken) {
    log::error("TLS files refused, those before go on",
               {{"listener", listener.name}, {"error", taken.error().text()}});
  } else {
    log::info("TLS files taken", {{"listener", listener.name}});
  }
}

}  // namespace ambassador::proxy::app
