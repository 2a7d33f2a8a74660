// Listeners whose servers are found while the proxy runs (config::Listener::finds_servers). Their declared
// document names seeds only; from what the seeds say this makes the effective one, the same but for its
// backends, and tells when that has changed. proxy/app gives the effective document to net::Proxy, and has
// health checking ask the seeds (targets()).
//
// Threads: the control thread, the one that runs `control`, except where a line says otherwise.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/config/document.hpp"
#include "proxy/discovery/search.hpp"
#include "proxy/net/event.hpp"
#include "proxy/net/proxy.hpp"
#include "proxy/net/snapshot.hpp"
#include "proxy/session/seed.hpp"

namespace ambassador::proxy::discovery {

class Membership {
 public:
  struct Outside {
    net::ResolveFunction resolve;
    net::EventSink events;
    /// What the seeds of that listener are asked; never null.
    std::function<std::shared_ptr<const SeedQuestion>(const config::Listener& listener)> question;
    /// The servers of some listener are others: effective() is to be taken. False: it could not be, and this
    /// is called again.
    std::function<bool()> servers_changed;
    /// targets() are others.
    std::function<void()> seeds_changed;
  };
  Membership(boost::asio::io_context& control, Outside outside);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  /// `declared`, with the servers that were found as backends of listeners that find them: none where none
  /// were. What was found stays with a listener as long as it looks for the same servers, with the help of at
  /// least one seed that it had before, or of none for now (their StatefulSet was scaled to 0).
  [[nodiscard]] config::Document effective(config::Document declared) const;
  /// This document is what runs now: its seeds are followed. targets() are others then.
  void follow(const config::Document& declared);

  /// The seeds, each address of each by itself. `tls` is net::Proxy::tls: they are spoken to as servers are.
  [[nodiscard]] std::vector<net::ProbeTarget> targets(
      const std::function<std::shared_ptr<const net::TlsClient>(const std::string& listener)>& tls) const;
  /// Fills in ListenerSnapshot::seeds.
  void describe(net::Snapshot& snapshot) const;
  /// What clients of that listener are told as long as it has no servers. The function may be called by every
  /// thread, and outlive this.
  [[nodiscard]] NobodyFunction nobody(const std::string& listener);

 private:
  class Text;
  const std::shared_ptr<Text>& text(const std::string& listener);
  void heard(const Search& search, bool others);
  [[nodiscard]] const Search* serving(const config::Listener& listener) const;

  boost::asio::io_context& control_;
  const Outside outside_;
  std::vector<std::shared_ptr<Search>> searches_;
  std::map<std::string, std::shared_ptr<Text>> texts_;  // by listener
  bool changed_ = false;                                // since servers_changed was called with success
  bool telling_ = false;                                // it is about to be called
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ambassador::proxy::discovery
