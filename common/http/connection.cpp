#include "common/http/connection.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>
#include <utility>

namespace ambassador::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

/// How long, and how much of, what a client still sends is read after the last response: closing with unread
/// bytes would reset the connection and lose that response (RFC 9112, section 9.6).
constexpr std::chrono::milliseconds kLingerTime{1000};
constexpr std::size_t kLingerBytes = std::size_t{16} * 1024 * 1024;
constexpr std::size_t kReadBytes = 16384;

using Plain = beast::tcp_stream;
using Secure = beast::ssl_stream<beast::tcp_stream>;

std::string peer_of(const Plain& stream) {
  error_code error;
  const auto endpoint = stream.socket().remote_endpoint(error);
  if (error) {
    return "unknown";
  }
  const std::string address = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

template <class Stream>
class StreamConnection final : public Connection,
                               public std::enable_shared_from_this<StreamConnection<Stream>> {
 public:
  template <class... Context>
  StreamConnection(asio::ip::tcp::socket socket, std::shared_ptr<Shared> shared,
                   std::shared_ptr<asio::ssl::context> context, std::function<void()> closed, Context&... tls)
      : context_(std::move(context)),
        stream_(std::move(socket), tls...),
        shared_(std::move(shared)),
        closed_(std::move(closed)),
        handler_timer_(stream_.get_executor()),
        buffer_(shared_->limits.header_bytes + kReadBytes) {
    peer_ = peer_of(lowest());
  }

  ~StreamConnection() override { finished(); }

  void start() override {
    asio::dispatch(stream_.get_executor(), [self = this->shared_from_this()] { self->handshake(); });
  }

  void close() override {
    asio::post(stream_.get_executor(), [self = this->shared_from_this()] { self->end(); });
  }

  void drain() override {
    asio::post(stream_.get_executor(), [self = this->shared_from_this()] {
      self->last_ = true;
      if (self->waiting_since() != 0) {
        self->end();
      }
    });
  }

 private:
  Plain& lowest() { return beast::get_lowest_layer(stream_); }
  const Limits& limits() const { return shared_->limits; }

  void handshake() {
    set_waiting(true);
    if constexpr (std::is_same_v<Stream, Secure>) {
      lowest().expires_after(limits().header_timeout);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code error) {
                                if (error) {
                                  ++self->shared_->handshake_failures;
                                  self->end();
                                } else {
                                  self->await_request(self->limits().header_timeout);
                                }
                              });
    } else {
      await_request(limits().header_timeout);
    }
  }

  // Waits for the first byte of a request, so that being idle and sending slowly have limits of their own.
  void await_request(std::chrono::milliseconds patience) {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits().header_bytes));
    parser_->body_limit(limits().body_bytes);
    if (buffer_.size() > 0) {
      read_header();
      return;
    }
    set_waiting(true);
    lowest().expires_after(patience);
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = this->shared_from_this()](error_code error, std::size_t bytes) {
                              self->buffer_.commit(bytes);
                              if (error || self->ended_) {
                                self->end();
                              } else {
                                self->read_header();
                              }
                            });
  }

  void read_header() {
    set_waiting(false);
    lowest().expires_after(limits().header_timeout);
    bhttp::async_read_header(stream_, buffer_, *parser_,
                             [self = this->shared_from_this()](error_code error, std::size_t) {
                               if (error) {
                                 self->refuse(error);
                               } else {
                                 self->expect_body();
                               }
                             });
  }

  void expect_body() {
    if (!beast::iequals(parser_->get()[bhttp::field::expect], "100-continue")) {
      read_body();
      return;
    }
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    lowest().expires_after(limits().write_timeout);
    asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                      [self = this->shared_from_this()](error_code error, std::size_t) {
                        if (error) {
                          self->end();
                        } else {
                          self->read_body();
                        }
                      });
  }

  void read_body() {
    lowest().expires_after(limits().body_timeout);
    bhttp::async_read(stream_, buffer_, *parser_,
                      [self = this->shared_from_this()](error_code error, std::size_t) {
                        if (error) {
                          self->refuse(error);
                        } else {
                          self->handle();
                        }
                      });
  }

  // The client sent what we do not take: tell it, then close.
  void refuse(error_code error) {
    if (error == bhttp::error::body_limit) {
      ++shared_->too_large;
      respond_last(413, "the body is larger than " + std::to_string(limits().body_bytes) + " bytes\n");
    } else if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) {
      ++shared_->too_large;
      respond_last(431, "the headers are larger than " + std::to_string(limits().header_bytes) + " bytes\n");
    } else if (error == beast::error::timeout) {
      ++shared_->too_slow;
      end();  // the stream is closed by its time-out: nothing can be written any more
    } else if (error.category() == make_error_code(bhttp::error::bad_method).category() &&
               error != bhttp::error::end_of_stream && error != bhttp::error::partial_message) {
      ++shared_->malformed;
      respond_last(400, "malformed HTTP: " + error.message() + "\n");
    } else {
      end();
    }
  }

  void respond_last(unsigned status, std::string text) {
    last_ = true;
    version_ = 11;
    head_ = false;
    lingers_ = true;
    write(Response::text(status, std::move(text)));
  }

  void handle() {
    auto message = parser_->release();
    version_ = message.version();
    head_ = message.method() == bhttp::verb::head;
    if (!message.keep_alive()) {
      last_ = true;
    }
    ++served_;
    if (limits().max_requests_per_connection != 0 && served_ >= limits().max_requests_per_connection) {
      last_ = true;
    }
    if (shared_->stopped) {
      end();
      return;
    }
    Request request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    for (const auto& field : message) {
      request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    request.body = std::move(message.body());
    request.peer = peer_;
    request.tls = std::is_same_v<Stream, Secure>;

    ++shared_->requests;
    lowest().expires_never();
    const unsigned turn = ++turn_;
    handler_timer_.expires_after(limits().handler_timeout);
    handler_timer_.async_wait([self = this->shared_from_this(), turn](error_code error) {
      if (!error) {
        self->last_ = true;
        self->reply(turn, Response::text(503, "no answer in time\n"));
      }
    });
    shared_->handler(std::move(request), Reply([self = this->shared_from_this(), turn](Response response) {
                       asio::post(self->stream_.get_executor(),
                                  [self, turn, response = std::move(response)]() mutable {
                                    self->reply(turn, std::move(response));
                                  });
                     }));
  }

  // `turn` tells an answer that comes after the time-out's from the one that is due.
  void reply(unsigned turn, Response response) {
    if (ended_ || turn != turn_) {
      return;
    }
    ++turn_;
    handler_timer_.cancel();
    write(std::move(response));
  }

  void write(Response response) {
    if (shared_->draining) {
      last_ = true;
    }
    response_ = {};
    response_.version(version_);
    response_.result(response.status);
    response_.set(bhttp::field::content_type, response.content_type);
    for (const auto& [name, value] : response.headers) {
      response_.set(name, value);
    }
    response_.keep_alive(!last_);
    response_.content_length(response.body.size());
    if (!head_) {
      response_.body() = std::move(response.body);
    }
    serializer_.emplace(response_);
    lowest().expires_after(limits().write_timeout);
    const auto written = [self = this->shared_from_this()](error_code error, std::size_t) {
      if (error) {
        self->end();
      } else if (self->last_) {
        self->finish();
      } else {
        self->await_request(self->limits().idle_timeout);
      }
    };
    if (head_) {
      bhttp::async_write_header(stream_, *serializer_, written);
    } else {
      bhttp::async_write(stream_, *serializer_, written);
    }
  }

  // The last response is out: say so, and read away what the client still sends.
  void finish() {
    lowest().expires_after(kLingerTime);
    if constexpr (std::is_same_v<Stream, Secure>) {
      if (!lingers_) {  // the peer's close_notify is not waited for longer than kLingerTime
        stream_.async_shutdown([self = this->shared_from_this()](error_code) { self->end(); });
        return;
      }
    }
    error_code ignored;
    lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    linger();
  }

  void linger() {
    buffer_.clear();
    lowest().async_read_some(buffer_.prepare(kReadBytes),
                             [self = this->shared_from_this()](error_code error, std::size_t bytes) {
                               self->lingered_ += bytes;
                               if (error || self->lingered_ > kLingerBytes) {
                                 self->end();
                               } else {
                                 self->linger();
                               }
                             });
  }

  void end() {
    if (ended_) {
      return;
    }
    ended_ = true;
    ++turn_;
    handler_timer_.cancel();
    lowest().close();
    finished();
  }

  void finished() {
    if (closed_) {
      std::exchange(closed_, {})();
    }
  }

  std::shared_ptr<asio::ssl::context> context_;  // a swapped certificate stays until its last connection ends
  Stream stream_;
  std::shared_ptr<Shared> shared_;
  std::function<void()> closed_;
  asio::steady_timer handler_timer_;
  beast::flat_buffer buffer_;
  std::optional<bhttp::request_parser<bhttp::string_body>> parser_;
  bhttp::response<bhttp::string_body> response_;
  std::optional<bhttp::response_serializer<bhttp::string_body>> serializer_;
  std::string peer_;
  std::size_t lingered_ = 0;
  unsigned version_ = 11;
  unsigned served_ = 0;
  unsigned turn_ = 0;
  bool head_ = false;
  bool last_ = false;
  bool lingers_ = false;
  bool ended_ = false;
};

}  // namespace

std::shared_ptr<Connection> make_connection(asio::ip::tcp::socket socket, std::shared_ptr<Shared> shared,
                                            const tls::Source* tls, std::function<void()> closed) {
  if (tls == nullptr) {
    return std::make_shared<StreamConnection<Plain>>(std::move(socket), std::move(shared), nullptr,
                                                     std::move(closed));
  }
  std::shared_ptr<asio::ssl::context> context = tls->current();
  asio::ssl::context& current = *context;
  return std::make_shared<StreamConnection<Secure>>(std::move(socket), std::move(shared), std::move(context),
                                                    std::move(closed), current);
}

}  // namespace ambassador::http
