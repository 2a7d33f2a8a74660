// Snapshots as Prometheus samples: what /metrics of the proxy answers. Names begin with ambassador_proxy_,
// durations are seconds. docs/operations.md lists them.
#pragma once

#include "common/metrics/metrics.hpp"
#include "proxy/admin/view.hpp"

namespace ambassador::proxy::admin {

/// The most series one Pod shows: per listener and backend, never per command, key or client.
inline constexpr std::size_t kMaxSeries = 500;

/// Adds everything that the view tells to `sheet`; listeners before backends, so that what a full sheet loses
/// is the detail.
void add_samples(const View& view, metrics::Sheet& sheet);

}  // namespace ambassador::proxy::admin
