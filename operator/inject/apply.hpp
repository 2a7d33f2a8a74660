// Writes a planned ambassador into a Pod document: containers, volumes, variables, annotations. Pure.
#pragma once

#include <string>
#include <vector>

#include "operator/inject/installation.hpp"
#include "operator/inject/mounts.hpp"
#include "operator/inject/patch.hpp"
#include "operator/inject/settings.hpp"
#include "operator/inject/variables.hpp"

namespace ambassador::inject {

struct Injection {
  const Settings& settings;
  const Installation& installation;
  const std::vector<Variable>& variables;
  const Mounts& mounts;
  std::string config;  // value of ambassador.dev/config
  std::string record;  // value of ambassador.dev/status
};

/// Is there a container of ours already (a second pass, or a copy of an injected Pod)?
bool injected_already(const nlohmann::json& pod);

/// Changes only what is not yet so: applied to its own result it adds no operation.
void apply(Patch& patch, const Injection& injection, std::vector<std::string>& warnings);

/// Removes what only the operator may write.
void strip(Patch& patch);

}  // namespace ambassador::inject
