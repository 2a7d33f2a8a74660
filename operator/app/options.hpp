// The operator's flags: docs/operations.md lists them. Reads arguments and the environment, no files.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/log/log.hpp"
#include "operator/certs/keeper.hpp"
#include "operator/inject/installation.hpp"

namespace ambassador::app {

struct Options {
  std::uint16_t webhook_port = 10250;
  std::uint16_t metrics_port = 8080;
  std::string name_space;  // the operator's own
  std::string pod_name;    // this replica
  std::string service = "ambassador-operator";
  std::string lease = "ambassador-operator";
  certs::Origin certificates = certs::Origin::own;
  std::string certificate_secret = "ambassador-operator-certificate";
  std::string annotated_webhook = "ambassador-operator-annotated";
  std::string selected_webhook = "ambassador-operator-selected";
  std::string policy_webhook = "ambassador-operator";
  std::chrono::seconds webhook_timeout{5};
  std::vector<std::string> watch_namespaces;
  inject::Installation installation;
  std::chrono::milliseconds drain{5000};
  unsigned workers = 8;
  log::Level log_level = log::Level::info;
  log::Form log_form = log::Form::automatic;
  std::string kubeconfig;
  std::string context;

  /// What the API server calls the webhook, the name that it verifies first.
  [[nodiscard]] std::vector<std::string> dns_names() const;
};

/// Either options, or what to print and with which exit code to end (0 after --help and --version).
struct Parsed {
  std::optional<Options> options;
  int exit_code = 0;
  std::string text;
};

inline constexpr int kWrongFlag = 2;

/// `version`: what --version prints.
Parsed parse_options(int argc, const char* const* argv, const std::string& version);

}  // namespace ambassador::app
