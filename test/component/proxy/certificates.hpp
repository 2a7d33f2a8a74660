// Certificates for a test, made by openssl.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

/// A CA, a server's certificate by it, and a stranger's, each as NAME.crt and NAME.key: "ca", "server",
/// "stranger".
class Certificates {
 public:
  /// @param server as subjectAltName has it: "DNS:db.example", "IP:127.0.0.1"
  explicit Certificates(const std::string& server) {
    std::string pattern = (std::filesystem::temp_directory_path() / "certificates-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    make("ca", "");
    make("stranger", "");
    make("server",
         "-CA " + path("ca.crt") + " -CAkey " + path("ca.key") + " -addext subjectAltName=" + server);
  }
  ~Certificates() { std::filesystem::remove_all(folder_); }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  [[nodiscard]] std::string path(const std::string& file) const { return folder_ + "/" + file; }

 private:
  void make(const std::string& name, const std::string& more) const {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
        " -keyout " + path(name + ".key") + " -out " + path(name + ".crt") + " " + more + " 2>/dev/null";
    if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
  }
  std::string folder_;
};
