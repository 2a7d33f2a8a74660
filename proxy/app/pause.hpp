// The subcommands pause and resume: tell a running proxy, and wait until it has let go of its servers.
#pragma once

#include "common/result/result.hpp"
#include "proxy/app/options.hpp"

namespace ambassador::proxy::app {

/// Exit code 0 when no server is in use any more. An Error says what is still in use, or what went wrong;
/// the pause goes on then.
Result<void> pause(const Options& options);
Result<void> resume(const Options& options);

}  // namespace ambassador::proxy::app
