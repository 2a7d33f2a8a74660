// The environment variables that tell an application where its listeners are. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "operator/inject/known_policy.hpp"
#include "operator/inject/patch.hpp"

namespace ambassador::inject {

struct Variable {
  std::string name;
  std::string value;
  std::string listener;  // "shop-data.cache", for messages
  friend bool operator==(const Variable&, const Variable&) = default;
};

/// URLs carry no user and no password: "redis://127.0.0.1:6380",
/// "postgresql://127.0.0.1:5432/shop?sslmode=disable". Of two policies that set one name the first
/// wins, with a warning.
std::vector<Variable> variables_of(const std::vector<KnownPolicyPtr>& policies,
                                   std::vector<std::string>& warnings);

/// Puts the variables first in a container's `env`, so that its own may refer to them as $(REDIS_URL). One
/// that the container sets itself stays, with a warning unless the value is the same.
/// @param container where it is: "/spec/containers/0"
void add_variables(Patch& patch, const nlohmann::json::json_pointer& container,
                   const std::vector<Variable>& variables, std::vector<std::string>& warnings);

}  // namespace ambassador::inject
