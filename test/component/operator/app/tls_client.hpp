// A client as the API server is one: TLS with a CA of its own choosing, one keep-alive connection, POST.
// Blocking; throws where the connection fails.
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <string>

namespace ambassador::test {

class TlsClient {
 public:
  struct Answer {
    int status = 0;
    std::string body;
    bool closes = false;  // said `Connection: close`
  };

  TlsClient(std::uint16_t port, const std::string& ca, const std::string& name)
      : context_(boost::asio::ssl::context::tls_client), stream_(io_, trusting(context_, ca)) {
    SSL_set_tlsext_host_name(stream_.native_handle(), name.c_str());
    stream_.set_verify_mode(boost::asio::ssl::verify_peer);
    stream_.set_verify_callback(boost::asio::ssl::host_name_verification(name));
    stream_.lowest_layer().connect({boost::asio::ip::address_v4::loopback(), port});
    stream_.lowest_layer().set_option(boost::asio::ip::tcp::no_delay(true));
    stream_.handshake(boost::asio::ssl::stream_base::client);
  }

  Answer post(const std::string& path, const std::string& body) {
    const std::string request = "POST " + path +
                                " HTTP/1.1\r\nHost: operator\r\nContent-Type: application/json\r\n"
                                "Content-Length: " +
                                std::to_string(body.size()) + "\r\n\r\n" + body;
    boost::asio::write(stream_, boost::asio::buffer(request));
    const auto end = boost::asio::read_until(stream_, boost::asio::dynamic_buffer(input_), "\r\n\r\n");
    const std::string head = input_.substr(0, end);
    input_.erase(0, end);
    Answer answer;
    answer.status = std::stoi(head.substr(9, 3));
    answer.closes = head.find("Connection: close") != std::string::npos;
    const auto length = head.find("Content-Length: ");
    const auto size = std::stoul(head.substr(length + 16));
    if (size > input_.size()) {
      boost::asio::read(stream_, boost::asio::dynamic_buffer(input_),
                        boost::asio::transfer_exactly(size - input_.size()));
    }
    answer.body = input_.substr(0, size);
    input_.erase(0, size);
    return answer;
  }

  /// SHA-256 of the certificate that the server showed.
  std::string fingerprint() {
    X509* shown = SSL_get1_peer_certificate(stream_.native_handle());
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    X509_digest(shown, EVP_sha256(), digest, &size);
    X509_free(shown);
    return {reinterpret_cast<const char*>(digest), size};
  }

 private:
  static boost::asio::ssl::context& trusting(boost::asio::ssl::context& context, const std::string& ca) {
    context.add_certificate_authority(boost::asio::buffer(ca));
    return context;
  }

  boost::asio::io_context io_;
  boost::asio::ssl::context context_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
  std::string input_;
};

}  // namespace ambassador::test
