// A real PostgreSQL 15: a cluster of its own in a folder of its own, on a free port of loopback, ended by its
// process id. It refuses to run as root, so that it runs as the package's user `postgres`.
#pragma once

#include <pwd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "test/component/proxy/app/process.hpp"

class PostgresqlServer15 {
 public:
  /// `hba` is the whole pg_hba.conf; `settings` are as for -c.
  explicit PostgresqlServer15(const std::string& hba, const std::vector<std::string>& settings = {})
      : port_(free_port()) {
    const std::string data = folder_.file("data");
    std::filesystem::create_directory(data);
    give(data);
    give(std::filesystem::path(data).parent_path().string());
    Process made(
        as_postgres({"initdb", "-D", data, "-U", "admin", "-A", "trust", "-N", "--no-locale", "-E", "UTF8"}));
    REQUIRE(made.wait() == 0);
    folder_.write("data/pg_hba.conf", "local all admin trust\n" + hba);
    give(folder_.file("data/pg_hba.conf"));
    // For TLS, should a test turn it on.
    Process certificate({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-sha256", "-nodes", "-days", "2", "-subj",
                         "/CN=localhost", "-keyout", data + "/server.key", "-out", data + "/server.crt"});
    REQUIRE(certificate.wait() == 0);
    give(data + "/server.key");
    give(data + "/server.crt");
    std::vector<std::string> arguments{"postgres",
                                       "-D",
                                       data,
                                       "-p",
                                       std::to_string(port_),
                                       "-c",
                                       "listen_addresses=127.0.0.1",
                                       "-c",
                                       "unix_socket_directories=" + data,
                                       "-c",
                                       "fsync=off"};
    for (const std::string& setting : settings) arguments.insert(arguments.end(), {"-c", setting});
    process_ = std::make_unique<Process>(as_postgres(arguments));
    REQUIRE(eventually([this] { return sql("select 1"); }));
  }
  ~PostgresqlServer15() {
    process_->signal(SIGQUIT);  // its children too; SIGKILL would leave them
    (void)process_->wait(std::chrono::seconds(10));
  }
  PostgresqlServer15(const PostgresqlServer15&) = delete;
  PostgresqlServer15& operator=(const PostgresqlServer15&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void signal(int number) const { process_->signal(number); }
  /// Runs it as the superuser, by the Unix socket.
  bool sql(const std::string& text) {
    Process psql(as_postgres({"psql", "-qXAt", "-h", folder_.file("data"), "-p", std::to_string(port_), "-U",
                              "admin", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", text}));
    return psql.wait() == 0;
  }

 private:
  static void give(const std::string& path) {
    if (const passwd* user = getpwnam("postgres"); user != nullptr && getuid() == 0)
      REQUIRE(chown(path.c_str(), user->pw_uid, user->pw_gid) == 0);
  }
  static std::vector<std::string> as_postgres(std::vector<std::string> arguments) {
    arguments[0] = "/usr/lib/postgresql/15/bin/" + arguments[0];
    if (getuid() == 0)
      arguments.insert(arguments.begin(),
                       {"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"});
    return arguments;
  }

  Folder folder_;
  std::uint16_t port_;
  std::unique_ptr<Process> process_;
};
