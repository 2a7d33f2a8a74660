// ambassador-proxy as a function: options, then one command.
#pragma once

#include "proxy/app/runner.hpp"

namespace ambassador::proxy::app {

/// Exit codes: 0 done, 1 it could not be done (the reason is on standard error), 2 a wrong call.
int command_line(int argc, const char* const* argv, const Build& build);

}  // namespace ambassador::proxy::app
