#include "operator/admission/readiness.hpp"

#include "common/log/log.hpp"

namespace ambassador::admission {

void Readiness::add(std::string name, Check check) {
  checks_.emplace_back(std::move(name), std::move(check));
}

Readiness::Report Readiness::look() {
  Report report;
  bool all = true;
  for (const auto& [name, check] : checks_) {
    const auto held = check();
    all = all && held.ok();
    report.text += (held.ok() ? "[+] " + name : "[-] " + name + ": " + held.error().text()) + "\n";
  }
  if (all && !latched_.exchange(true)) log::info("ready");
  report.ready = latched_ && !ending_;
  if (ending_) {
    report.text += "not ready: this replica is being stopped\n";
  } else if (latched_ && !all) {
    report.text += "ready: all checks held once\n";
  }
  return report;
}

}  // namespace ambassador::admission
