// Requests and responses of the small HTTP server as plain values, and the way a handler answers. No Beast
// here, so that handlers compile quickly and can be tested without a socket.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ambassador::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET", as sent
  std::string target;  // as sent, "/top?limit=5"
  Headers headers;     // in their order
  std::string body;
  std::string peer;  // "127.0.0.1:53112"
  bool tls = false;

  /// The target up to '?'. Not decoded.
  [[nodiscard]] std::string_view path() const;
  /// What follows '?' in the target; empty without.
  [[nodiscard]] std::string_view query() const;
  /// The value of `name` in the query, percent-decoded ("limit" of "?limit=5"); `otherwise` when absent.
  [[nodiscard]] std::string parameter(std::string_view name, std::string otherwise = {}) const;
  /// The first header of this name, whatever its case; empty when absent.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  Headers headers;  // further ones; Content-Type, Content-Length, Date, Connection are the server's

  static Response text(unsigned status, std::string body) {
    return {status, "text/plain; charset=utf-8", std::move(body), {}};
  }
  static Response json(std::string body, unsigned status = 200) {
    return {status, "application/json", std::move(body), {}};
  }
};

/// Answers one request: call it once, from any thread, now or later (later calls do nothing). When the last
/// copy goes without having been called the client gets 500, so that no connection hangs on a forgotten path.
class Reply {
 public:
  explicit Reply(std::function<void(Response)> send);
  void operator()(Response response) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Called on one of the io_context's threads, once per request; must not block.
using Handler = std::function<void(Request request, Reply reply)>;

}  // namespace ambassador::http
