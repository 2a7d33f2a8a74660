// What /metrics says about the operator itself at the moment it is asked: certificate, readiness, webhook
// configurations, informers, the webhook's connections.
#pragma once

#include <string>
#include <vector>

#include "common/metrics/metrics.hpp"
#include "operator/admission/cluster_view.hpp"
#include "operator/admission/listener.hpp"
#include "operator/admission/reachability.hpp"
#include "operator/admission/readiness.hpp"
#include "operator/certs/keeper.hpp"
#include "operator/certs/publisher.hpp"

namespace ambassador::app {

/// All of them outlive the Metrics' last scrape.
struct Observed {
  admission::ClusterView& view;
  const admission::Listener& listener;
  const admission::Reachability& reachability;
  admission::Readiness& readiness;
  const certs::Keeper& keeper;
  const certs::Publisher& publisher;
};

void fill(metrics::Sheet& sheet, const Observed& observed);

}  // namespace ambassador::app
