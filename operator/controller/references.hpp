// Which policies have to be looked at when a StatefulSet or Service changes. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "operator/discovery/resolve.hpp"

namespace ambassador::controller {

class References {
 public:
  /// What the policy depends on from now on; an empty set forgets it.
  void set(const std::string& policy, std::set<discovery::ObjectReference> references);
  [[nodiscard]] std::vector<std::string> policies_of(const discovery::ObjectReference& reference) const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::set<discovery::ObjectReference>> by_policy_;
  std::map<discovery::ObjectReference, std::set<std::string>> by_reference_;
};

}  // namespace ambassador::controller
