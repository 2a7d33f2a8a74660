#include "proxy/net/transport.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace ambassador::proxy::net {
namespace {

/// Below this a piece is copied together with its neighbours: a record costs about as much as encrypting so
/// many bytes.
constexpr std::size_t kGatherBelow = 4096;

// OpenSSL's own socket BIO writes with write(2), which raises SIGPIPE; this one uses Socket.
int bio_write(BIO* bio, const char* at, int n) {
  BIO_clear_retry_flags(bio);
  const iovec piece{const_cast<char*>(at), static_cast<std::size_t>(n)};
  const std::ptrdiff_t sent = static_cast<const Socket*>(BIO_get_data(bio))->send({&piece, 1});
  if (sent == -EAGAIN) BIO_set_retry_write(bio);
  if (sent < 0) errno = static_cast<int>(-sent);
  return sent < 0 ? -1 : static_cast<int>(sent);
}

int bio_read(BIO* bio, char* at, int n) {
  BIO_clear_retry_flags(bio);
  const std::ptrdiff_t got =
      static_cast<const Socket*>(BIO_get_data(bio))->receive(at, static_cast<std::size_t>(n));
  if (got == -EAGAIN) BIO_set_retry_read(bio);
  if (got < 0) errno = static_cast<int>(-got);
  return got < 0 ? -1 : static_cast<int>(got);
}

long bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* socket_bio() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

}  // namespace

void Transport::start(Tls tls) {
  tls_ = std::move(tls);
  server_ = SSL_is_server(tls_.get()) == 1;
  up_ = false;
  BIO* const bio = BIO_new(socket_bio());
  // The socket's descriptor is what counts, and this object is not moved any more.
  BIO_set_data(bio, &socket_);
  BIO_set_init(bio, 1);
  SSL_set_bio(tls_.get(), bio, bio);
  SSL_set_mode(tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

Transport::Handshake Transport::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(tls_.get());
  if (result == 1) {
    up_ = true;
    receive_wants_writing_ = send_wants_reading_ = false;
    return Handshake::done;
  }
  const int error = SSL_get_error(tls_.get(), result);
  receive_wants_writing_ = error == SSL_ERROR_WANT_WRITE;
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return Handshake::pending;
  const int saved = errno;
  const std::ptrdiff_t ended = outcome(result, false);
  const long verified = SSL_get_verify_result(tls_.get());
  if (!server_ && verified != X509_V_OK && (SSL_get_verify_mode(tls_.get()) & SSL_VERIFY_PEER) != 0) {
    distrusted_ = true;
    why_ = std::string("the server's certificate: ") + X509_verify_cert_error_string(verified);
  } else if (why_.empty()) {
    why_ = ended == 0 || saved == 0 ? "the peer closed the connection during the TLS handshake"
                                    : std::strerror(saved);
  }
  return Handshake::failed;
}

std::ptrdiff_t Transport::outcome(int result, bool sending) {
  const int error = SSL_get_error(tls_.get(), result);
  switch (error) {
    case SSL_ERROR_WANT_READ:
      if (sending) send_wants_reading_ = true;
      return -EAGAIN;
    case SSL_ERROR_WANT_WRITE:
      if (!sending) receive_wants_writing_ = true;
      return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_SYSCALL:
      broken_ = true;
      return errno == 0 ? 0 : -errno;
    default:
      broken_ = true;
      const unsigned long code = ERR_peek_last_error();
      // Not a peaceful end, but what was received is whole messages or not: that shows there.
      if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return 0;
      const char* const text = ERR_reason_error_string(code);
      why_ = text == nullptr ? "TLS failed" : text;
      ERR_clear_error();
      return -EPROTO;
  }
}

std::ptrdiff_t Transport::receive(char* at, std::size_t n) {
  if (!tls_) return socket_.receive(at, n);
  receive_wants_writing_ = false;
  ERR_clear_error();
  errno = 0;
  std::size_t got = 0;
  const int result = SSL_read_ex(tls_.get(), at, n, &got);
  return result == 1 ? static_cast<std::ptrdiff_t>(got) : outcome(result, false);
}

std::ptrdiff_t Transport::send(std::span<const iovec> pieces) {
  if (!tls_) return socket_.send(pieces);
  send_wants_reading_ = false;
  const char* at = static_cast<const char*>(pieces[0].iov_base);
  std::size_t n = pieces[0].iov_len;
  if (n < kGatherBelow && pieces.size() > 1) {
    // After -EAGAIN the same bytes come again, and perhaps more: as OpenSSL asks for (moving buffer).
    static thread_local std::vector<char> record(kRecord);
    std::size_t filled = 0;
    for (const iovec& piece : pieces) {
      const std::size_t part = std::min(piece.iov_len, kRecord - filled);
      std::memcpy(record.data() + filled, piece.iov_base, part);
      filled += part;
      if (filled == kRecord) break;
    }
    at = record.data();
    n = filled;
  }
  ERR_clear_error();
  errno = 0;
  std::size_t sent = 0;
  const int result = SSL_write_ex(tls_.get(), at, n, &sent);
  if (result == 1) return static_cast<std::ptrdiff_t>(sent);
  const std::ptrdiff_t ended = outcome(result, true);
  return ended == 0 ? -EPIPE : ended;
}

std::string Transport::why() const {
  return why_;
}

// RFC 5929, 4.1: the hash of the certificate's signature, SHA-256 in place of MD5 and SHA-1.
std::string Transport::server_end_point() const {
  if (!tls_) return {};
  X509* const own = server_ ? SSL_get_certificate(tls_.get()) : nullptr;
  const std::unique_ptr<X509, FreeCertificate> peers(server_ ? nullptr
                                                             : SSL_get1_peer_certificate(tls_.get()));
  X509* const certificate = server_ ? own : peers.get();
  int digest = NID_undef;
  if (certificate == nullptr ||
      X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1 || digest == NID_undef) {
    return {};
  }
  if (digest == NID_md5 || digest == NID_sha1) digest = NID_sha256;
  const EVP_MD* const hash = EVP_get_digestbynid(digest);
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (hash == nullptr || X509_digest(certificate, hash, bytes, &size) != 1) return {};
  return {reinterpret_cast<const char*>(bytes), size};
}

void Transport::close() {
  // After an error OpenSSL forbids it; what can't be sent at once is not worth waiting for.
  if (tls_ && up_ && !broken_) SSL_shutdown(tls_.get());
  ERR_clear_error();
  tls_.reset();
  socket_.close();
}

}  // namespace ambassador::proxy::net
