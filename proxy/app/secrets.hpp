// The files of Secrets that listeners need towards their servers: who logs in (sql.credentialsFolder), and
// CA, certificate and key (serverTLS). Reads the accounts, follows all of the files, and tells what has
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
#include <utility>
#include <vector>

#include "common/config/document.hpp"
#include "common/result/result.hpp"
#include "proxy/app/file_watch.hpp"
#include "proxy/postgresql/settings.hpp"

namespace ambassador::proxy::app {

class Secrets {
 public:
  using Account = std::shared_ptr<const postgresql::Account>;
  /// What may be asked for the account of now, by any thread; null: there is none yet.
  using AccountFunction = std::function<Account()>;

  /// Called with a listener's name.
  struct Changes {
    std::function<void(const std::string&)> account;            // it has another one
    std::function<Result<void>(const std::string&)> tls_files;  // to be read again; the Error is logged
  };
  Secrets(boost::asio::io_context& control, Changes changes);

  /// Of that listener, which has a credentialsFolder. Lives as long as its copies do.
  AccountFunction account(const config::Listener& listener);

  /// From now on these listeners are followed, others no more.
  void follow(const config::Document& document);
  /// Looks whether something has changed.
  void look();

 private:
  class Source;
  struct Listener {
    std::string name;
    std::shared_ptr<Source> account;  // null: it has none
    config::ServerTls tls;
    std::string digest;  // of the files of `tls`
  };
  using Key = std::pair<std::string, std::string>;  // listener, folder

  std::shared_ptr<Source> source(const config::Listener& listener);
  void look_at_account(const Listener& listener);
  void look_at_tls(Listener& listener);

  boost::asio::io_context& control_;
  const Changes changes_;
  std::map<Key, std::weak_ptr<Source>> sources_;
  std::vector<Listener> listeners_;
  std::map<std::string, std::unique_ptr<FileWatch>> watches_;  // by folder
};

}  // namespace ambassador::proxy::app
