// Is this replica ready to be asked? Every check must hold once, all at the same time; from then on it is
// ready until it is told to end, API server or not (latched): a replica that can answer must not be taken out
// of service because somebody else is away. This goes for lost matchConditions too: with no replica ready,
// the API server would refuse every Pod of the cluster, where a ready one lets it through.
//
// Threads: every member may be called by every thread, but add() before the rest.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "common/result/result.hpp"

namespace ambassador::admission {

class Readiness {
 public:
  /// The Error says what is missing.
  using Check = std::function<Result<void>()>;

  struct Report {
    bool ready = false;
    std::string text;  // a line per check: "[+] caches", "[-] certificate: there is none yet"
  };

  void add(std::string name, Check check);
  [[nodiscard]] Report look();
  /// Never ready again: endpoints are to forget us.
  void end() { ending_ = true; }

 private:
  std::vector<std::pair<std::string, Check>> checks_;
  std::atomic<bool> latched_{false};
  std::atomic<bool> ending_{false};
};

}  // namespace ambassador::admission
