#include "proxy/redis/failure.hpp"

#include "proxy/redis/limits.hpp"

namespace ambassador::proxy::redis {
namespace {

std::string printable_name(std::string_view name) {
  std::string out(name.substr(0, kMaxNameInError));
  for (char& c : out) {
    if (c <= ' ' || c > '~') c = '?';
  }
  return out;
}

}  // namespace

std::string failure_text(Failure failure, std::string_view backend_name, std::string_view reason) {
  if (failure == Failure::no_backend || backend_name.empty()) return "ERR no backend is available";
  const std::string backend = "ERR backend " + printable_name(backend_name);
  switch (failure) {
    case Failure::no_backend:
      break;
    case Failure::unreachable:
      return backend + " unreachable; the command was not sent";
    case Failure::lost:
      return backend + " closed the connection; the command may have been carried out";
    case Failure::timed_out:
      return backend + " did not answer in time; the command may have been carried out";
    case Failure::overloaded:
      return backend + " has too many requests waiting; the command was not sent";
    case Failure::declined:
      return backend + " can't do this for now; the command was not carried out";
    case Failure::refused:
      // What no server is to blame for is said as a server says it.
      for (const std::string_view own : {"ERR ", "NOPROTO "}) {
        if (reason.starts_with(own)) return std::string(reason);
      }
      return backend + " refused the ambassador's connection: " + std::string(reason) +
             "; the command was not sent";
  }
  return backend + " failed";
}

}  // namespace ambassador::proxy::redis
