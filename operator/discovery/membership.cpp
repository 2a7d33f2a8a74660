#include "operator/discovery/membership.hpp"

namespace ambassador::discovery {

std::set<int> next_members(const std::set<int>& members, int start, int replicas,
                           const std::set<int>& ready) {
  std::set<int> next;
  for (int ordinal = start; ordinal < start + replicas; ++ordinal) {
    if (members.empty() || members.contains(ordinal) || ready.contains(ordinal)) next.insert(ordinal);
  }
  return next;
}

}  // namespace ambassador::discovery
