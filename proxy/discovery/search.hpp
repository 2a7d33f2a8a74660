// The search for the servers of one listener: who its seeds are, at which addresses, what each said when it
// was asked last, and what they agree on. Membership has one for each listener whose servers are found.
// Control thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/document.hpp"
#include "proxy/net/event.hpp"
#include "proxy/net/proxy.hpp"
#include "proxy/net/resolution.hpp"
#include "proxy/net/snapshot.hpp"
#include "proxy/net/upstream.hpp"
#include "proxy/session/seed.hpp"

namespace ambassador::proxy::discovery {

/// When a primary dies, the ambassadors of a whole fleet want to know at once: each asks a seed at most this
/// often.
inline constexpr std::chrono::milliseconds kSeedsApart{250};
/// Of the servers that were found so many are asked: all of a small cluster, and of a large one those who are
/// the most likely to be there, so that a fleet of ambassadors does not keep it busy.
inline constexpr std::size_t kServersAsked = 9;

class Search : public std::enable_shared_from_this<Search> {
 public:
  struct Outside {
    net::ResolveFunction resolve;
    net::EventSink events;
    /// A seed has answered, or has not. `others`: servers() are others now.
    std::function<void(const Search&, bool others)> heard;
    std::function<void()> seeds_changed;  // what add_targets() adds is something else now
  };
  Search(boost::asio::io_context& control, Outside outside, std::unique_ptr<Consensus> consensus);
  ~Search();
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  /// The seeds are the backends of `listener`, and asked that `question`. Those that were there before are
  /// kept.
  void follow(const config::Listener& listener, std::shared_ptr<const SeedQuestion> question);
  /// What it finds is what `listener` looks for.
  [[nodiscard]] bool serves(const config::Listener& listener) const;

  [[nodiscard]] const config::Listener& listener() const { return listener_; }
  [[nodiscard]] bool found() const { return consensus_->members().has_value(); }
  /// Those that were found, as many as a listener may have...
  [[nodiscard]] std::vector<config::Backend> servers() const;
  /// ...and what they have, by their positions there.
  [[nodiscard]] std::vector<config::SlotRange> slots() const;
  /// As of now, for clients: SeedQuestion::nobody.
  [[nodiscard]] std::string nobody() const;
  [[nodiscard]] net::SeedsSnapshot snapshot() const;
  void add_targets(const std::shared_ptr<const net::TlsClient>& tls, std::vector<net::ProbeTarget>& targets);

 private:
  struct Asked {  // one address of a seed
    std::shared_ptr<net::Upstream> upstream;
    SeedAnswer heard{};
    bool told = false;  // it has been asked
  };
  struct Seed {
    std::shared_ptr<net::Upstream> upstream;      // as it is named
    std::shared_ptr<net::Resolution> resolution;  // null: it is named by its address
    std::vector<std::shared_ptr<Asked>> asked;
  };
  std::unique_ptr<Seed> new_seed(const config::Backend& backend);
  using Seeds = std::vector<std::unique_ptr<Seed>>;
  void replace(Seeds& seeds, const std::vector<config::Backend>& backends);
  void ask_found();
  template <class Visit>
  void for_each_asked(Visit visit) const;
  static void take_addresses(Seed& seed);
  static void stop(Seed& seed);
  void heard(Asked& asked, std::optional<std::string_view> reply);
  void tell_silence();
  [[nodiscard]] std::vector<SeedAnswer> all_heard() const;
  void say(config::LogLevel level, const char* what, std::string_view key, std::string value) const;

  boost::asio::io_context& control_;
  const Outside outside_;
  config::Listener listener_;
  std::shared_ptr<const SeedQuestion> question_;
  std::vector<config::Backend> named_;  // by the listener, when it named any
  Seeds seeds_;                         // as the listener names them...
  Seeds found_;                         // ...and servers that were found
  std::unique_ptr<Consensus> consensus_;
  bool silent_ = false;  // all were asked, none answers, and the log says so
};

}  // namespace ambassador::proxy::discovery
