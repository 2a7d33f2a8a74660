// DNS as a map, for tests: names are set and taken away while it runs. Thread-safe.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "operator/controller/name_watch.hpp"

namespace ambassador::test {

class FakeNames {
 public:
  void set(const std::string& name, std::vector<std::string> addresses) {
    const std::lock_guard lock(mutex_);
    addresses_[name] = std::move(addresses);
  }
  void remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    addresses_.erase(name);
  }
  /// Every answer is "unavailable" from now on, or no longer.
  void set_broken(bool broken) {
    const std::lock_guard lock(mutex_);
    broken_ = broken;
  }
  /// Questions are never answered from now on.
  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  std::size_t questions(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = questions_.find(name);
    return found == questions_.end() ? 0 : found->second;
  }

  controller::LookupFactory lookup() {
    return [this](boost::asio::io_context& io) -> controller::AddressLookup {
      return [this, &io](const std::string& name, std::function<void(dns::AddressAnswer)> done) {
        auto answer = this->answer(name);
        if (answer) boost::asio::post(io, [done = std::move(done), answer = *answer] { done(answer); });
      };
    };
  }

 private:
  std::optional<dns::AddressAnswer> answer(const std::string& name) {
    const std::lock_guard lock(mutex_);
    ++questions_[name];
    if (held_) return std::nullopt;
    if (broken_) return dns::AddressAnswer{dns::Outcome::unavailable, {}, {}, {name, "SERVFAIL"}};
    const auto found = addresses_.find(name);
    if (found == addresses_.end())
      return dns::AddressAnswer{dns::Outcome::not_found, {}, {}, {name, "NXDOMAIN"}};
    dns::AddressAnswer out{dns::Outcome::found, {}, std::chrono::seconds(5), {}};
    for (const auto& text : found->second) out.addresses.push_back(boost::asio::ip::make_address(text));
    return out;
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> addresses_;
  std::map<std::string, std::size_t> questions_;
  bool broken_ = false;
  bool held_ = false;
};

}  // namespace ambassador::test
