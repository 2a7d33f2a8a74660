// The edge's events as log lines, and the configuration's log level as the log's.
#pragma once

#include "common/config/document.hpp"
#include "common/log/log.hpp"
#include "proxy/net/event.hpp"

namespace ambassador::proxy::app {

log::Level log_level(config::LogLevel level);

/// net::EventSink: any thread.
void log_event(const net::Event& event);

}  // namespace ambassador::proxy::app
