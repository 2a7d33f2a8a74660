// A PostgreSQL of its own for the tests of one process: initdb in a temporary folder, a free port on
// loopback, ended and removed with the process. Runs as the user postgres, as it refuses to be root.
//
// Logging in: trusty without a password; scrammy and md5y with "pencil"; clear in plain text; full may not
// connect more than once.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace real {

inline constexpr const char* kPrograms = "/usr/lib/postgresql/15/bin";

class Server {
 public:
  static Server& get() {
    static Server server;
    return server;
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// A connected, non-blocking socket.
  [[nodiscard]] int connect() const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in to = loopback(port_);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      ::close(fd);
      return -1;
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  }

  /// Runs SQL as the superuser.
  void run(const std::string& sql) const {
    const std::string file = folder_ + "/run.sql";
    std::ofstream(file) << sql;
    must_run("psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p " + std::to_string(port_) +
             " -U postgres -d postgres -f " + file);
  }

 private:
  Server() {
    std::string pattern = "/tmp/ambassador-postgresql-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    if (geteuid() == 0) must_run("chown postgres " + folder_, false);
    must_run("initdb -D " + folder_ + "/data -U postgres -A trust -N --no-locale -E UTF8");
    std::ofstream(folder_ + "/data/pg_hba.conf") << "host all scrammy 127.0.0.1/32 scram-sha-256\n"
                                                    "host all md5y 127.0.0.1/32 md5\n"
                                                    "host all clear 127.0.0.1/32 password\n"
                                                    "host all all 127.0.0.1/32 trust\n";
    port_ = free_port();
    start();
    run("CREATE USER trusty; CREATE USER scrammy PASSWORD 'pencil'; CREATE USER clear PASSWORD 'pencil';"
        "CREATE USER full CONNECTION LIMIT 1;"
        "SET password_encryption = md5; CREATE USER md5y PASSWORD 'pencil';"
        "CREATE DATABASE shop; GRANT ALL ON DATABASE shop TO PUBLIC;");
  }
  ~Server() {
    kill(pid_, SIGINT);
    waitpid(pid_, nullptr, 0);
    std::error_code ignored;  // what is left in /tmp is seen
    std::filesystem::remove_all(folder_, ignored);
  }

  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }
  static std::uint16_t free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    const bool ok = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(fd);
    if (!ok) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
  }
  static std::string as_postgres(const std::string& command) {
    const std::string whole = std::string(kPrograms) + "/" + command;
    return geteuid() == 0 ? "setpriv --reuid=postgres --regid=postgres --clear-groups " + whole : whole;
  }
  void must_run(const std::string& command, bool postgres = true) const {
    const std::string whole =
        "cd / && " + (postgres ? as_postgres(command) : command) + " >>" + folder_ + "/log 2>&1";
    if (std::system(whole.c_str()) == 0) return;
    std::ifstream log(folder_ + "/log");
    throw std::runtime_error(command + ": " + std::string(std::istreambuf_iterator<char>(log), {}));
  }
  void start() {
    const std::string command =
        "cd / && exec " +
        as_postgres("postgres -D " + folder_ + "/data -p " + std::to_string(port_) +
                    " -c listen_addresses=127.0.0.1 -c unix_socket_directories=" + folder_ +
                    " -c fsync=off -c max_connections=30 -c max_prepared_transactions=2") +
        " >>" + folder_ + "/log 2>&1";
    pid_ = fork();
    if (pid_ == 0) {
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    for (int i = 0; i < 600; ++i) {
      const std::string ready = as_postgres("pg_isready -q -h 127.0.0.1 -p " + std::to_string(port_));
      if (std::system(ready.c_str()) == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error("PostgreSQL did not start, see " + folder_ + "/log");
  }

  std::string folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace real
