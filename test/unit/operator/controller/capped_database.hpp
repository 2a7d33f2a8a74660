// A database that takes so many connections and no more, and the ambassadors of all Pods of an API server,
// which want as many as they may: each opens them at once, keeps them, and closes what is too many when it
// has heard of it. Stands in for a hundred real Pods.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "test/unit/operator/kube/fake_api_server.hpp"

namespace ambassador::test {

class CappedDatabase {
 public:
  using Clock = std::chrono::steady_clock;
  /// So long a kubelet takes to show a Pod its changed annotation.
  static constexpr std::chrono::milliseconds kHears{1000};

  CappedDatabase(FakeApiServer& server, unsigned cap)
      : server_(server), cap_(cap), thread_([this](const std::stop_token& stop) {
          for (; !stop.stop_requested(); std::this_thread::sleep_for(std::chrono::milliseconds(20))) step();
        }) {}

  struct Seen {
    unsigned open_most = 0;  // connections at once
    unsigned refused = 0;    // tries, each of them 20 ms after the last
    /// A Pod had none at all: its clients wait, and are told an error when they waited too long.
    Clock::duration longest_without{0};
  };
  /// Ends it.
  Seen end() {
    thread_.request_stop();
    thread_.join();
    return seen_;
  }

 private:
  struct Ambassador {
    unsigned may = 0;
    unsigned told = 0;
    Clock::time_point hears;
    unsigned open = 0;
    Clock::time_point had_one;
    bool there = false;
  };

  void step() {
    const auto now = Clock::now();
    for (auto& [name, one] : ambassadors_) one.there = false;
    for (const auto& pod : server_.all(kube::resources::pods)) {
      const auto config = kube::annotation_of(pod, "ambassador.dev/config");
      if (!config) continue;
      const unsigned told =
          kube::Json::parse(*config)["listeners"][0]["sql"].value("maxServerConnections", 10U);
      const auto [at, is_new] = ambassadors_.try_emplace(kube::name_of(pod));
      auto& one = at->second;
      if (is_new) one = {.may = told, .told = told, .hears = now, .had_one = now};
      if (one.told != told) {
        if (one.hears <= now) one.hears = now + kHears;
        one.told = told;
      }
      if (one.hears <= now) one.may = one.told;
      one.there = true;
    }
    std::erase_if(ambassadors_, [](const auto& entry) { return !entry.second.there; });
    unsigned open = 0;
    for (auto& [name, one] : ambassadors_) open += one.open = std::min(one.open, one.may);
    for (auto& [name, one] : ambassadors_) {
      const unsigned more = std::min(one.may - one.open, cap_ - open);
      if (one.open + more < one.may) ++seen_.refused;
      one.open += more;
      open += more;
      if (one.open > 0) one.had_one = now;
      seen_.longest_without = std::max(seen_.longest_without, now - one.had_one);
    }
    seen_.open_most = std::max(seen_.open_most, open);
  }

  FakeApiServer& server_;
  const unsigned cap_;
  std::map<std::string, Ambassador> ambassadors_;
  Seen seen_;
  std::jthread thread_;
};

}  // namespace ambassador::test
