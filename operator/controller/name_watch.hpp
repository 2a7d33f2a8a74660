// Keeps asking DNS about the names that policies' backends have, on a thread of its own, and tells whom it
// concerns when an answer changes. The last answer is read at any time without waiting. Threads: every member
// may be called by every thread, but start() and stop() by one at a time.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/dns/resolver.hpp"

namespace ambassador::controller {

/// Asks once; `done` is called exactly once, on the io_context's thread. What dns::Resolver does; tests give
/// their own.
using AddressLookup =
    std::function<void(const std::string& name, std::function<void(dns::AddressAnswer)> done)>;
using LookupFactory = std::function<AddressLookup(boost::asio::io_context&)>;
LookupFactory resolver_lookup(dns::Options options);

/// What DNS last said about a name.
struct NameAnswer {
  dns::Outcome outcome = dns::Outcome::unavailable;
  std::vector<std::string> addresses;  // sorted; empty unless found
  friend bool operator==(const NameAnswer&, const NameAnswer&) = default;
};

struct NameWatchStatistics {
  std::uint64_t found = 0;
  std::uint64_t not_found = 0;
  std::uint64_t unavailable = 0;
  std::size_t names = 0;
};

class NameWatch {
 public:
  /// `changed` is called on the watch's thread with the owners of a name whose answer differs from the one
  /// before.
  NameWatch(LookupFactory lookup, std::function<void(const std::string& owner)> changed);
  ~NameWatch();  // stops
  NameWatch(const NameWatch&) = delete;
  NameWatch& operator=(const NameWatch&) = delete;

  void start();
  void stop();

  /// These are the names that `owner` wants from now on; new ones are asked about at once.
  void want(const std::string& owner, const std::set<std::string>& names);
  /// Something happened to what its names mean (an EndpointSlice changed): ask now.
  void ask_again(const std::string& owner);
  /// Nobody wants anything any more.
  void forget();
  /// The answers there are; a name that was not answered yet is left out.
  [[nodiscard]] std::map<std::string, NameAnswer> known(const std::set<std::string>& names) const;
  [[nodiscard]] NameWatchStatistics statistics() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ambassador::controller
