// One connection: wait for a request, read it within its limits, hand it to the handler, write the answer,
// again. Everything runs on the socket's strand; one lazy timer keeps the deadline of whatever is under way.
#include "common/http/connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <string>

namespace ambassador::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using boost::system::error_code;
using Parser = beast::http::request_parser<beast::http::string_body>;

constexpr std::size_t kReadAheadBytes = std::size_t{64} * 1024;  // what Beast reads at once from a body
/// After an error answer the client may still be sending: without reading that, the kernel would send RST and
/// the answer would be lost on its way.
constexpr std::chrono::milliseconds kLingerTime{1000};
constexpr std::size_t kLingerBytes = std::size_t{256} * 1024;

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

/// What a failed read is answered with; nothing when the client is gone.
std::optional<Response> answer_to(error_code problem) {
  using beast::http::error;
  if (problem == error::end_of_stream || problem == error::partial_message) return std::nullopt;
  if (problem == error::header_limit || problem == error::buffer_overflow) {
    return Response::text(431, "the request's headers are too large\n");
  }
  if (problem == error::body_limit) return Response::text(413, "the request's body is too large\n");
  if (problem.category() == beast::http::make_error_code(error::bad_method).category()) {
    return Response::text(400, "malformed request: " + problem.message() + "\n");
  }
  return std::nullopt;
}

tcp::socket& socket_of(tcp::socket& stream) {
  return stream;
}
tcp::socket& socket_of(beast::ssl_stream<tcp::socket>& stream) {
  return stream.next_layer();
}

template <class Stream>
class StreamConnection final : public Connection,
                               public std::enable_shared_from_this<StreamConnection<Stream>> {
 public:
  static constexpr bool kTls = !std::is_same_v<Stream, tcp::socket>;
  using Self = std::shared_ptr<StreamConnection>;

  template <class... Args>
  StreamConnection(std::shared_ptr<Hub> hub, std::shared_ptr<asio::ssl::context> context, tcp::socket socket,
                   Args&&... args)
      : hub_(std::move(hub)),
        context_(std::move(context)),
        stream_(std::move(socket), std::forward<Args>(args)...),
        timer_(socket_of(stream_).get_executor()),
        buffer_(hub_->limits.header_bytes + kReadAheadBytes) {}
  ~StreamConnection() override {
    if (!closed_) hub_->gone(*this);
  }

  void start() override {
    asio::post(strand(), [self = this->shared_from_this()] { self->begin(); });
  }

  void close() override {
    asio::post(strand(), [weak = this->weak_from_this()] {
      if (const auto self = weak.lock()) self->end();
    });
  }

 private:
  auto strand() { return socket_of(stream_).get_executor(); }

  void begin() {
    if (closed_) return;
    error_code ignored;
    const auto peer = socket_of(stream_).remote_endpoint(ignored);
    peer_ = ignored ? ""
                    : (peer.address().is_v6() ? "[" + peer.address().to_string() + "]"
                                              : peer.address().to_string()) +
                          ":" + std::to_string(peer.port());
    socket_of(stream_).set_option(tcp::no_delay(true), ignored);
    hub_->waits(*this, false);
    if constexpr (kTls) {
      due_in(hub_->limits.header_timeout);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code error) {
                                if (error) {
                                  ++self->hub_->counters.handshake_failures;
                                  return self->end();
                                }
                                self->wait_for_request(self->hub_->limits.header_timeout);
                              });
    } else {
      wait_for_request(hub_->limits.header_timeout);
    }
  }

  // Deadlines ---------------------------------------------------------------------------------------------

  /// What is under way must be done within `time`; else it is cancelled and timed_out_ set.
  void due_in(std::chrono::milliseconds time) {
    timed_out_ = false;
    due_ = Clock::now() + time;
    if (!timer_runs_ || timer_.expiry() > due_) keep_time();
  }
  void not_due() { due_ = Clock::time_point::max(); }
  void keep_time() {
    timer_runs_ = true;
    timer_.expires_at(due_);
    timer_.async_wait([self = this->shared_from_this(), round = ++timer_round_](error_code) {
      if (round != self->timer_round_) return;
      self->timer_runs_ = false;
      if (self->closed_ || self->due_ == Clock::time_point::max()) return;
      if (Clock::now() < self->due_) return self->keep_time();
      self->overdue();
    });
  }
  void overdue() {
    not_due();
    timed_out_ = true;
    if (handling_) return send(Response::text(503, "no answer in time\n"), handling_, true);
    error_code ignored;
    socket_of(stream_).cancel(ignored);
  }

  // Reading -----------------------------------------------------------------------------------------------

  void wait_for_request(std::chrono::milliseconds patience) {
    if (closed_) return;
    hub_->waits(*this, false);
    if (buffer_.size() > 0) return read_header();
    buffer_.shrink_to_fit();
    due_in(patience);
    stream_.async_read_some(buffer_.prepare(4096),
                            [self = this->shared_from_this()](error_code error, std::size_t bytes) {
                              if (error || self->closed_) return self->end();
                              self->buffer_.commit(bytes);
                              self->read_header();
                            });
  }

  void read_header() {
    hub_->works(*this);
    hub_->waits(*this, true);
    due_in(hub_->limits.header_timeout);
    parser_ = std::make_unique<Parser>();
    parser_->header_limit(static_cast<std::uint32_t>(hub_->limits.header_bytes));
    parser_->body_limit(hub_->limits.body_bytes);
    beast::http::async_read_header(stream_, buffer_, *parser_,
                                   [self = this->shared_from_this()](error_code error, std::size_t) {
                                     if (error) return self->refuse(error);
                                     self->header_is_there();
                                   });
  }

  void header_is_there() {
    if (closed_) return;
    const bool expects = beast::iequals(parser_->get()[beast::http::field::expect], "100-continue");
    if (!expects || parser_->is_done()) return read_body();
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    due_in(hub_->limits.write_timeout);
    asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                      [self = this->shared_from_this()](error_code error, std::size_t) {
                        if (error) return self->end();
                        self->read_body();
                      });
  }

  void read_body() {
    if (parser_->is_done()) return handle();
    due_in(hub_->limits.body_timeout);
    beast::http::async_read(stream_, buffer_, *parser_,
                            [self = this->shared_from_this()](error_code error, std::size_t) {
                              if (error) return self->refuse(error);
                              self->handle();
                            });
  }

  void refuse(error_code error) {
    if (closed_) return;
    hub_->works(*this);
    std::optional<Response> answer =
        timed_out_ ? Response::text(408, "the request came too slowly\n") : answer_to(error);
    if (!answer) return end();
    auto& counters = hub_->counters;
    ++(timed_out_ ? counters.too_slow : answer->status == 400 ? counters.malformed : counters.too_large);
    keep_alive_ = false;
    head_ = false;
    send(std::move(*answer), ++request_, true);
  }

  // Handling and writing ----------------------------------------------------------------------------------

  void handle() {
    if (closed_ || hub_->closed) return end();
    hub_->works(*this);
    ++hub_->counters.requests;
    auto message = parser_->release();
    parser_.reset();
    keep_alive_ = message.keep_alive();
    head_ = message.method() == beast::http::verb::head;
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    request.tls = kTls;
    request.peer = peer_;
    for (const auto& field : message) {
      request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    request.body = std::move(message.body());
    const std::uint64_t number = handling_ = ++request_;
    due_in(hub_->limits.handler_timeout);
    // The timer keeps this connection while the handler works; a forgotten Reply must not.
    hub_->handle(std::move(request), Reply([weak = this->weak_from_this(), number](Response response) {
                   const auto self = weak.lock();
                   if (!self) return;
                   asio::post(self->strand(), [self, number, r = std::move(response)]() mutable {
                     if (self->handling_ == number) self->send(std::move(r), number, false);
                   });
                 }));
  }

  /// `after_error`: the client may still be sending.
  void send(Response response, std::uint64_t number, bool after_error) {
    if (closed_ || number != request_) return;
    handling_ = 0;
    const unsigned most = hub_->limits.max_requests_per_connection;
    const bool last = after_error || hub_->draining || !keep_alive_ || (most > 0 && request_ >= most);
    auto& out = response_.emplace();
    out.version(11);
    out.result(response.status);
    if (!response.content_type.empty()) out.set(beast::http::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) out.insert(name, value);
    out.set(beast::http::field::date, http_date());
    out.keep_alive(!last);
    out.body() = std::move(response.body);
    out.prepare_payload();
    if (head_) out.body().clear();  // Content-Length stays
    due_in(hub_->limits.write_timeout);
    beast::http::async_write(
        stream_, out, [self = this->shared_from_this(), last, after_error](error_code error, std::size_t) {
          self->response_.reset();
          if (error || self->closed_) return self->end();
          if (!last) return self->wait_for_request(self->hub_->limits.idle_timeout);
          if (after_error) return self->linger();
          self->say_goodbye();
        });
  }

  // Closing -----------------------------------------------------------------------------------------------

  void say_goodbye() {
    if constexpr (kTls) {
      due_in(kLingerTime);
      stream_.async_shutdown([self = this->shared_from_this()](error_code) { self->end(); });
    } else {
      linger();
    }
  }

  void linger() {
    error_code ignored;
    socket_of(stream_).shutdown(tcp::socket::shutdown_send, ignored);
    due_in(kLingerTime);
    discard(0);
  }
  void discard(std::size_t so_far) {
    if (closed_ || so_far > kLingerBytes) return end();
    buffer_.clear();
    socket_of(stream_).async_read_some(buffer_.prepare(4096), [self = this->shared_from_this(), so_far](
                                                                  error_code error, std::size_t bytes) {
      if (error) return self->end();
      self->discard(so_far + bytes);
    });
  }

  void end() {
    if (closed_) return;
    closed_ = true;
    handling_ = 0;
    timer_.cancel();
    error_code ignored;
    socket_of(stream_).close(ignored);
    hub_->gone(*this);
  }

  const std::shared_ptr<Hub> hub_;
  const std::shared_ptr<asio::ssl::context> context_;  // what stream_ was made of
  Stream stream_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  std::unique_ptr<Parser> parser_;  // of the request that is being read
  std::optional<beast::http::response<beast::http::string_body>> response_;
  std::string peer_;
  Clock::time_point due_ = Clock::time_point::max();
  std::uint64_t timer_round_ = 0;
  std::uint64_t request_ = 0;   // number of the request that was read last
  std::uint64_t handling_ = 0;  // number of the request that the handler has; 0 = none
  bool timer_runs_ = false;
  bool timed_out_ = false;
  bool keep_alive_ = false;
  bool head_ = false;
  bool closed_ = false;
};

}  // namespace

std::shared_ptr<Connection> make_connection(tcp::socket socket, std::shared_ptr<Hub> hub) {
  if (!hub->tls)
    return std::make_shared<StreamConnection<tcp::socket>>(std::move(hub), nullptr, std::move(socket));
  auto context = hub->tls->current();
  auto& reference = *context;
  return std::make_shared<StreamConnection<beast::ssl_stream<tcp::socket>>>(
      std::move(hub), std::move(context), std::move(socket), reference);
}

}  // namespace ambassador::http
