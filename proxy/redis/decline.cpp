#include "proxy/redis/decline.hpp"

#include <algorithm>

#include "proxy/redis/number.hpp"
#include "proxy/redis/slots.hpp"

namespace ambassador::proxy::redis {
namespace {

// "3999 127.0.0.1:6381"
Declined redirected(Decline why, std::string_view rest) {
  const std::size_t blank = rest.find(' ');
  if (blank == std::string_view::npos) return {};
  const auto slot = whole_number<std::uint16_t>(rest.substr(0, blank));
  const std::string_view to = rest.substr(blank + 1);
  if (!slot || *slot >= kSlots || to.find(':') == std::string_view::npos) return {};
  return {.why = why, .to = to};
}

}  // namespace

Declined read_decline(std::string_view reply, Heeds heeds) {
  if (heeds == Heeds::nothing || !reply.starts_with('-')) return {};
  const std::string_view error = reply.substr(1, std::min(reply.find('\r'), reply.size()) - 1);
  const auto begins = [&](std::string_view word) { return error.starts_with(word); };
  // It follows another server, has not loaded its data yet, has no link to the one that it follows, or became
  // such a server while the client was blocked.
  if (begins("READONLY ") || begins("LOADING ") || begins("MASTERDOWN ") || begins("UNBLOCKED force "))
    return {.why = Decline::not_it};
  if (heeds != Heeds::slots) return {};
  constexpr std::string_view kMoved = "MOVED ", kAsk = "ASK ";
  if (begins(kMoved)) return redirected(Decline::moved, error.substr(kMoved.size()));
  if (begins(kAsk)) return redirected(Decline::once, error.substr(kAsk.size()));
  // Some of its keys are on their way to another server; their slot is nobody's.
  if (begins("TRYAGAIN ") || begins("CLUSTERDOWN Hash slot not served")) return {.why = Decline::later};
  if (begins("CLUSTERDOWN ")) return {.why = Decline::not_it};
  return {};
}

}  // namespace ambassador::proxy::redis
