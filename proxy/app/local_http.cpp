#include "proxy/app/local_http.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "proxy/admin/routes.hpp"

namespace ambassador::proxy::app {
namespace {

namespace asio = boost::asio;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

/// A status with the most listeners and backends that a configuration may hold stays below it.
constexpr std::uint64_t kMaxBody = std::uint64_t{64} * 1024 * 1024;

Result<HttpAnswer> ask(bhttp::request<bhttp::empty_body> request, std::uint16_t port,
                       std::chrono::milliseconds timeout) {
  asio::io_context io;
  boost::beast::tcp_stream stream(io);
  boost::beast::flat_buffer buffer;
  request.set(bhttp::field::host, "127.0.0.1:" + std::to_string(port));
  request.keep_alive(false);
  bhttp::response_parser<bhttp::string_body> parser;
  parser.body_limit(kMaxBody);

  error_code result = asio::error::would_block;
  stream.expires_after(timeout);
  stream.async_connect({asio::ip::address_v4::loopback(), port}, [&](error_code error) {
    result = error;
    if (error) return;
    bhttp::async_write(stream, request, [&](error_code write_error, std::size_t) {
      result = write_error;
      if (write_error) return;
      bhttp::async_read(stream, buffer, parser,
                        [&](error_code read_error, std::size_t) { result = read_error; });
    });
  });
  io.run();
  if (result) {
    return Error{"127.0.0.1:" + std::to_string(port), "no answer: " + result.message()};
  }
  return HttpAnswer{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace

Result<HttpAnswer> http_get(std::uint16_t port, const std::string& path, std::chrono::milliseconds timeout) {
  return ask({bhttp::verb::get, path, 11}, port, timeout);
}

Result<HttpAnswer> http_post(std::uint16_t port, const std::string& path, std::chrono::milliseconds timeout) {
  bhttp::request<bhttp::empty_body> request(bhttp::verb::post, path, 11);
  request.set(admin::kChangeHeader, "1");
  request.prepare_payload();
  return ask(std::move(request), port, timeout);
}

}  // namespace ambassador::proxy::app
