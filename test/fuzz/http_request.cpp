// room: common/http
// Whatever a client sends, the server answers HTTP or closes; nothing is left behind.
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/http/connection.hpp"
#include "common/http/hub.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ambassador::http;
  if (size > 64 * 1024) return 0;  // what a socket pair takes at once
  boost::asio::io_context io;
  Limits limits;
  limits.header_bytes = 2048;
  limits.body_bytes = 4096;
  std::size_t longest = 0;
  auto hub = std::make_shared<Hub>(
      io,
      [&](Request request, Reply reply) {
        longest = std::max(longest, request.body.size());
        reply(Response::text(
            200, std::string(request.path()) + request.parameter("a") + std::string(request.header("host"))));
      },
      limits, nullptr);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
  if (write(ends[0], data, size) != static_cast<ssize_t>(size)) std::abort();
  shutdown(ends[0], SHUT_WR);
  {
    const auto connection =
        make_connection(boost::asio::ip::tcp::socket(io, boost::asio::ip::tcp::v4(), ends[1]), hub);
    if (!hub->admit(connection)) std::abort();
    connection->start();
  }
  io.run();
  if (hub->open() != 0 || longest > limits.body_bytes) std::abort();
  char answer[16] = "";
  const auto got = read(ends[0], answer, sizeof answer - 1);
  if (got > 0 && !std::string_view(answer, static_cast<std::size_t>(got)).starts_with("HTTP/1.1 "))
    std::abort();
  close(ends[0]);
  return 0;
}
