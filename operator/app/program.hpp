// The operator as a whole: makes its parts, connects them, runs until it is told to end, and ends well.
#pragma once

#include "operator/app/options.hpp"

namespace ambassador::app {

/// Returns the exit code: 0 after SIGTERM or SIGINT, 1 where it could not start.
int run(const Options& options);

/// The process holds tokens and private keys: no core dump, no ptrace by other processes of its user.
void forbid_core_dumps();

}  // namespace ambassador::app
