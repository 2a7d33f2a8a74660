// What bites in cpprestsdk 2.10.18, and what is done about it here:
// - 40 threads unless its pool is made first -> kThreads, once.
// - Its time-out is one of inactivity, re-armed by every byte -> ours are deadlines by the clock, ended by
//   cancelling.
// - An exception in a task that nobody looks at ends the process -> every task is waited for or observed.
// - Cancelling may complete late -> all that a task touches is owned by shared pointers.
// - Credentials are fixed when a client is made -> a new client when TLS material changed.
// - Its headers use what BOOST_ASIO_NO_DEPRECATED hides, and the library is built without it.
#undef BOOST_ASIO_NO_DEPRECATED

#include "operator/kube/cpprest_transport.hpp"

#include <cpprest/http_client.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pplx/threadpool.h>

#include <boost/asio/ssl.hpp>
#include <condition_variable>
#include <mutex>

#include "operator/kube/credentials.hpp"

namespace ambassador::kube {

namespace {
using Clock = std::chrono::steady_clock;
namespace web_http = web::http;

/// They only move bytes: whoever calls waits on a thread of its own.
constexpr std::size_t kThreads = 4;
/// Above every deadline of ours, so that it is ours that count.
constexpr std::chrono::seconds kInactivity{3600};
/// A cancelled task is given this long to let go of what it holds.
constexpr std::chrono::seconds kCancelGrace{2};

/// Waits for tasks with a deadline and a stop, and cancels what it gave up on.
class Waiter {
 public:
  explicit Waiter(const std::stop_token& stop) : on_stop_(stop, Wake{this}) {}

  [[nodiscard]] pplx::cancellation_token token() const { return cancel_.get_token(); }
  [[nodiscard]] bool stopped() const { return stopped_; }

  /// True once the task is done (however it ended); false when the deadline or the stop came first: then it
  /// has been cancelled, and nothing more can be waited for.
  template <class T>
  bool wait(pplx::task<T> task, Clock::time_point deadline) {
    if (task.is_done()) return true;
    auto done = std::make_shared<Flag>();
    task.then([done, shared = shared_](pplx::task<T> ended) {
      try {
        ended.wait();  // observes the exception; whoever waits gets it from the task itself
      } catch (...) {  // NOLINT(bugprone-empty-catch)
      }
      const std::lock_guard lock(shared->mutex);
      done->set = true;
      shared->changed.notify_all();
    });
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_until(lock, deadline, [&] { return done->set || stopped_; });
    if (done->set) return true;
    lock.unlock();
    cancel_.cancel();
    lock.lock();
    shared_->changed.wait_for(lock, kCancelGrace, [&] { return done->set; });
    return false;
  }

  void cancel() { cancel_.cancel(); }

 private:
  struct Flag {
    bool set = false;
  };
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
  };
  struct Wake {
    Waiter* waiter;
    void operator()() const {
      const std::lock_guard lock(waiter->shared_->mutex);
      waiter->stopped_ = true;
      waiter->shared_->changed.notify_all();
    }
  };

  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::atomic<bool> stopped_{false};
  pplx::cancellation_token_source cancel_;
  std::stop_callback<Wake> on_stop_;
};

/// Gives the body to `sink` piece by piece until it ends (value: true), the sink says false, or time is up.
class BodyReader {
 public:
  using Sink = std::function<bool(std::string_view)>;
  BodyReader(const web_http::http_response& response, Waiter& waiter)
      : buffer_(response.body().streambuf()), waiter_(waiter) {}

  /// `idle`: the longest silence; `deadline`: the end in any case.
  Result<void> read(const Sink& sink, std::chrono::milliseconds idle, Clock::time_point deadline) {
    for (;;) {
      auto next = buffer_.getc();
      if (!waiter_.wait(next, std::min(deadline, Clock::now() + idle))) {
        return Error{"", waiter_.stopped() ? "stopped" : "no data within the time allowed"};
      }
      if (next.get() == concurrency::streams::streambuf<std::uint8_t>::traits::eof()) return {};
      const std::size_t there = std::min<std::size_t>(buffer_.in_avail(), piece_->size());
      auto copied = buffer_.getn(piece_->data(), there);
      if (!waiter_.wait(copied, std::min(deadline, Clock::now() + idle))) return Error{"", "stopped"};
      const std::string_view bytes(reinterpret_cast<const char*>(piece_->data()), copied.get());
      if (bytes.empty()) return {};
      if (!sink(bytes)) {
        waiter_.cancel();
        return {};
      }
    }
  }

 private:
  concurrency::streams::streambuf<std::uint8_t> buffer_;
  Waiter& waiter_;
  std::shared_ptr<std::vector<std::uint8_t>> piece_ =
      std::make_shared<std::vector<std::uint8_t>>(std::size_t{64} * 1024);
};

void use_material(boost::asio::ssl::context& context, const TlsMaterial& material) {
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  if (!material.ca.empty()) {
    // In place of the system's roots that cpprestsdk has put there.
    SSL_CTX_set_cert_store(context.native_handle(), X509_STORE_new());
    context.add_certificate_authority(boost::asio::buffer(material.ca));
  }
  if (!material.certificate.empty()) {
    context.use_certificate_chain(boost::asio::buffer(material.certificate));
    context.use_private_key(boost::asio::buffer(material.key), boost::asio::ssl::context::pem);
  }
}

class CpprestTransport final : public Transport {
 public:
  explicit CpprestTransport(std::shared_ptr<Credentials> credentials)
      : credentials_(std::move(credentials)) {}

  Result<Response> send(const Request& request, std::stop_token stop) override {
    auto response = attempt(request, nullptr, stop);
    if (response.ok() && response->status == 401 && !credentials_->config().token.file.empty()) {
      credentials_->token_refused();  // perhaps it has just been rotated
      return attempt(request, nullptr, std::move(stop));
    }
    return response;
  }

  Result<Response> stream(const Request& request, const LineHandler& on_line, std::stop_token stop) override {
    auto response = attempt(request, &on_line, std::move(stop));
    if (response.ok() && response->status == 401) credentials_->token_refused();
    return response;
  }

 private:
  Result<Response> attempt(const Request& request, const LineHandler* on_line, std::stop_token stop) {
    const std::string& server = credentials_->config().server;
    try {
      return exchange(request, on_line, stop);
    } catch (const pplx::task_canceled&) {
      return Error{server, "the call was cancelled"};
    } catch (const std::exception& failure) {  // http_exception, uri_exception, system_error
      return Error{server, failure.what()};
    }
  }

  Result<Response> exchange(const Request& request, const LineHandler* on_line, const std::stop_token& stop);
  std::shared_ptr<web_http::client::http_client> client();

  std::shared_ptr<Credentials> credentials_;
  std::mutex mutex_;
  std::shared_ptr<web_http::client::http_client> client_;
  TlsMaterial material_;
};

std::shared_ptr<web_http::client::http_client> CpprestTransport::client() {
  auto material = credentials_->tls();
  const std::lock_guard lock(mutex_);
  if (client_ && material == material_) return client_;
  const Config& config = credentials_->config();
  web_http::client::http_client_config options;
  options.set_timeout(kInactivity);
  options.set_validate_certificates(!config.insecure_skip_tls_verify);
  options.set_ssl_context_callback(
      [material](boost::asio::ssl::context& context) { use_material(context, material); });
  client_ = std::make_shared<web_http::client::http_client>(config.server, options);
  material_ = std::move(material);
  return client_;
}

std::optional<std::chrono::seconds> retry_after(const web_http::http_response& response) {
  const auto header = response.headers().find("Retry-After");
  if (header == response.headers().end() || header->second.empty() || header->second.size() > 6) {
    return std::nullopt;
  }
  long seconds = 0;
  for (const char digit : header->second) {
    if (digit < '0' || digit > '9') return std::nullopt;  // an HTTP date: the API server sends seconds
    seconds = seconds * 10 + (digit - '0');
  }
  return std::chrono::seconds(seconds);
}

/// Cuts a stream into lines, with a cap on each.
class LineCutter {
 public:
  explicit LineCutter(const LineHandler& handler) : handler_(handler) {}
  bool operator()(std::string_view bytes) {
    for (;;) {
      const auto newline = bytes.find('\n');
      if (newline == std::string_view::npos) {
        if (line_.size() + bytes.size() > kMaxLine) {
          too_long_ = true;
          return false;
        }
        line_ += bytes;
        return true;
      }
      const auto rest = bytes.substr(0, newline);
      bytes.remove_prefix(newline + 1);
      bool more = false;
      if (line_.empty()) {
        more = handler_(rest);
      } else {
        line_ += rest;
        more = handler_(line_);
        line_.clear();
      }
      if (!more) return false;
    }
  }
  [[nodiscard]] bool too_long() const { return too_long_; }

 private:
  const LineHandler& handler_;
  std::string line_;
  bool too_long_ = false;
};

Result<Response> CpprestTransport::exchange(const Request& request, const LineHandler* on_line,
                                            const std::stop_token& stop) {
  const std::string& server = credentials_->config().server;
  web_http::http_request message(std::string(to_string(request.method)));
  message.set_request_uri(request.target);
  message.headers().add("Accept", request.accept);
  message.headers().add("User-Agent", "ambassador-operator");
  if (const auto token = credentials_->token(); !token.empty()) {
    message.headers().add("Authorization", "Bearer " + token);
  }
  if (!credentials_->config().tls_server_name.empty()) {
    message.headers().add("Host", credentials_->config().tls_server_name);  // sets SNI and the name verified
  }
  if (!request.body.empty()) message.set_body(request.body, request.content_type);

  Waiter waiter(stop);
  const auto deadline = Clock::now() + request.timeout;
  auto answered = client()->request(message, waiter.token());
  if (!waiter.wait(answered, deadline)) {
    return Error{server, waiter.stopped() ? "stopped" : "no answer within the time allowed"};
  }
  const web_http::http_response answer = answered.get();
  Response response{.status = answer.status_code(), .body = "", .retry_after = retry_after(answer)};
  BodyReader reader(answer, waiter);
  if (on_line != nullptr && response.status == 200) {
    LineCutter cutter(*on_line);
    auto read = reader.read([&](std::string_view bytes) { return cutter(bytes); }, request.timeout,
                            Clock::time_point::max());
    if (cutter.too_long()) {
      return Error{server, "a line of the watch is longer than " + std::to_string(kMaxLine) + " bytes"};
    }
    if (!read) return Error{server, read.error().what};
    return response;
  }
  bool too_large = false;
  auto read = reader.read(
      [&](std::string_view bytes) {
        too_large = response.body.size() + bytes.size() > kMaxBody;
        if (!too_large) response.body += bytes;
        return !too_large;
      },
      request.timeout, deadline);
  if (too_large) return Error{server, "the answer is larger than " + std::to_string(kMaxBody) + " bytes"};
  if (!read) return Error{server, read.error().what};
  return response;
}
}  // namespace

TransportFactory cpprest_transport(Config config) {
  static std::once_flag once;
  std::call_once(once, [] { crossplat::threadpool::initialize_with_threads(kThreads); });
  auto credentials = std::make_shared<Credentials>(std::move(config));
  return [credentials]() -> std::shared_ptr<Transport> {
    return std::make_shared<CpprestTransport>(credentials);
  };
}

}  // namespace ambassador::kube
