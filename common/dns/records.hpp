// c-ares' answers as values. Inside of common/dns.
#pragma once

#include <ares.h>

#include <chrono>
#include <span>
#include <string>

#include "common/dns/resolver.hpp"

namespace ambassador::dns {

Outcome outcome_of(int status);
/// "no such name", "time-out", ...
std::string reason_of(int status);

/// From ares_getaddrinfo; `result` may be null.
AddressAnswer address_answer(const std::string& name, int status, const ares_addrinfo* result);
/// From ares_query for SRV: the message's bytes, not trusted.
ServiceAnswer service_answer(const std::string& name, int status, std::span<const unsigned char> message);

std::chrono::seconds bounded_ttl(long seconds);

}  // namespace ambassador::dns
