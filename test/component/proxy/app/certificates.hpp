// Certificates for a test, made by openssl.
#pragma once

#include <cstdlib>

#include "test/component/proxy/app/process.hpp"

/// A CA, a server's certificate by it for 127.0.0.1, and a stranger's, each as NAME.crt and NAME.key: "ca",
/// "server", "stranger".
class Certificates {
 public:
  Certificates() {
    make("ca", "");
    make("stranger", "");
    make("server",
         "-CA " + path("ca.crt") + " -CAkey " + path("ca.key") + " -addext subjectAltName=IP:127.0.0.1");
  }
  [[nodiscard]] std::string path(const std::string& file) const { return folder_.file(file); }

 private:
  void make(const std::string& name, const std::string& more) const {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
        " -keyout " + path(name + ".key") + " -out " + path(name + ".crt") + " " + more + " 2>/dev/null";
    REQUIRE(std::system(command.c_str()) == 0);
  }
  Folder folder_;
};
