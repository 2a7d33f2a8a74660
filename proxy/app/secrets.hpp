// The files of Secrets that listeners need: who logs in at servers (credentialsFolder of sql or redis), as
// whom clients log in (their clientCredentialsFolder), CA, certificate and key towards servers (serverTLS)
// and towards clients (listenerTLS). Reads the accounts, follows all of the files, and tells what has
// changed; a file that is wrong is told in the log, once, and what was there before goes on.
//
// Threads: the control thread, except where a line says otherwise.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/config/document.hpp"
#include "common/result/result.hpp"
#include "common/tls/source.hpp"
#include "proxy/app/file_watch.hpp"
#include "proxy/session/account.hpp"

namespace ambassador::proxy::app {

class Secrets {
 public:
  /// Called with a listener's name.
  struct Changes {
    std::function<void(const std::string&)> account;  // another one logs in at its servers
    std::function<Result<void>(const std::string&)>
        tls_files;  // serverTLS: to be read again; the Error is logged
  };
  Secrets(boost::asio::io_context& control, Changes changes);

  /// Of that listener's credentialsFolder; empty: it has none. Lives as long as its copies do.
  AccountFunction account(const config::Listener& listener);
  /// Likewise, of its clientCredentialsFolder.
  AccountFunction client_account(const config::Listener& listener);
  /// What that listener shows to clients; null: it has no listenerTLS. An Error names the file that can't be
  /// used.
  Result<std::shared_ptr<const tls::Source>> certificate(const config::Listener& listener);

  /// From now on these listeners are followed, others no more.
  void follow(const config::Document& document);
  /// Looks whether something has changed.
  void look();

 private:
  class Source;
  struct Listener {
    std::string name;
    std::shared_ptr<Source> account;         // null: it has none
    std::shared_ptr<Source> client_account;  // likewise
    config::ServerTls server_tls;
    std::string server_digest;  // of the files of `server_tls`
    config::ListenerTls own_tls;
    std::shared_ptr<tls::Source> certificate;  // of `own_tls`; null: it has none
    std::string own_digest;
  };
  using Key = std::pair<std::string, std::string>;                    // listener, folder
  using PairKey = std::tuple<std::string, std::string, std::string>;  // listener, certificate, key

  AccountFunction account_in(const std::string& folder, const config::Listener& listener);
  std::shared_ptr<Source> source(const std::string& folder, const config::Listener& listener);
  Result<std::shared_ptr<tls::Source>> own_certificate(const config::Listener& listener);
  /// True: it is another one now.
  static bool look_at_account(const Listener& listener, Source& source, const char* whose);

  boost::asio::io_context& control_;
  const Changes changes_;
  std::map<Key, std::weak_ptr<Source>> sources_;
  std::map<PairKey, std::weak_ptr<tls::Source>> certificates_;
  std::vector<Listener> listeners_;
  std::map<std::string, std::unique_ptr<FileWatch>> watches_;  // by folder
};

}  // namespace ambassador::proxy::app
