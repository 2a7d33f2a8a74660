// One HTTP connection pool to the API server, seen as two calls: request/response, and a stream of lines (a
// watch). cpprest_transport.hpp implements it on cpprestsdk; tests give a fake one and break it as they like.
// Calls block the calling thread and may be made from any number of threads at once.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/result/result.hpp"

namespace ambassador::kube {

enum class Method { get, post, put, patch, del };
std::string_view to_string(Method method);  // "GET", ... "DELETE"

struct Request {
  Method method = Method::get;
  std::string target;        // path and query, percent-encoded: "/api/v1/pods?limit=500"
  std::string body;          // JSON; "" = none
  std::string content_type;  // of the body: "application/json", "application/merge-patch+json" ...
  std::string accept = "application/json";
  /// send(): until the whole answer is there. stream(): the longest silence before the stream counts as dead.
  std::chrono::milliseconds timeout{std::chrono::seconds(30)};
};

struct Response {
  int status = 0;
  std::string body;
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
};

/// One line of a stream, without its newline. Returns false to end the stream.
using LineHandler = std::function<bool(std::string_view line)>;

class Transport {
 public:
  virtual ~Transport() = default;
  /// Any HTTP status is a Response; an Error means that no (whole) answer came. A stop request ends it at
  /// once.
  virtual Result<Response> send(const Request& request, std::stop_token stop) = 0;
  /// A 200's body goes to `on_line` line by line, on the calling thread, and the Response's body is empty;
  /// other answers come back whole. An Error also for a line longer than kMaxLine and for silence beyond
  /// request.timeout.
  virtual Result<Response> stream(const Request& request, const LineHandler& on_line,
                                  std::stop_token stop) = 0;
};

/// The longest line of a watch that is accepted. etcd's own limit for an object is 1.5 MiB; JSON may take
/// more.
inline constexpr std::size_t kMaxLine = std::size_t{16} * 1024 * 1024;
/// The longest answer. A page of a list holds at most 500 objects.
inline constexpr std::size_t kMaxBody = std::size_t{256} * 1024 * 1024;

/// Opens a connection pool of its own: one for requests, one for each watch. Thread-safe.
using TransportFactory = std::function<std::shared_ptr<Transport>()>;

}  // namespace ambassador::kube
