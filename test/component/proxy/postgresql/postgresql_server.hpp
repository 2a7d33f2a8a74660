// A real PostgreSQL 15: a cluster of its own in a folder of its own, on a free port of loopback, ended by its
// process id. It refuses to run as root, so that it runs as the package's user `postgres`.
#pragma once

#include <pwd.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "test/component/proxy/app/process.hpp"

class PostgresqlServer15;
struct StandbyOf {
  const PostgresqlServer15& primary;
};

class PostgresqlServer15 {
 public:
  /// `hba` is the whole pg_hba.conf; `settings` are as for -c.
  explicit PostgresqlServer15(const std::string& hba, const std::vector<std::string>& settings = {})
      : port_(free_port()) {
    const std::string data = make_data(folder_);
    Process copied({"cp", "-a", made_once() + "/.", data});
    REQUIRE(copied.wait() == 0);
    folder_.write("data/pg_hba.conf", "local all,replication admin trust\n" + hba);
    give(folder_.file("data/pg_hba.conf"));
    start(data, settings);
  }
  /// Follows by streaming replication.
  explicit PostgresqlServer15(const StandbyOf& of) : port_(free_port()) {
    const std::string data = make_data(folder_);
    Process copied(as_postgres({"pg_basebackup", "-D", data, "-R", "-N", "-c", "fast", "-h",
                                of.primary.folder_.file("data"), "-p", std::to_string(of.primary.port_), "-U",
                                "admin"}));
    REQUIRE(copied.wait(std::chrono::seconds(60)) == 0);
    start(data, {});
  }
  ~PostgresqlServer15() { stop(); }
  PostgresqlServer15(const PostgresqlServer15&) = delete;
  PostgresqlServer15& operator=(const PostgresqlServer15&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void signal(int number) const { process_->signal(number); }
  void start() {
    process_ = std::make_unique<Process>(as_postgres(arguments_));
    REQUIRE(eventually([this] { return sql("select 1"); }));
  }
  /// It takes writes from now on, on a timeline of its own.
  bool promote() { return sql("select pg_promote()"); }
  void stop() {
    process_->signal(SIGQUIT);  // its children too; SIGKILL would leave them
    (void)process_->wait(std::chrono::seconds(10));
  }
  /// Runs it as the superuser, by the Unix socket.
  bool sql(const std::string& text) { return asked(text).has_value(); }
  /// The same; what it answers, without the newline at the end. Nothing: it failed.
  std::optional<std::string> asked(const std::string& text) {
    Process psql(as_postgres({"psql", "-qXAt", "-h", folder_.file("data"), "-p", std::to_string(port_), "-U",
                              "admin", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", text}));
    if (psql.wait() != 0) return std::nullopt;
    std::string output = psql.output();
    if (output.ends_with('\n')) output.pop_back();
    return output;
  }
  /// Of itself, for localhost, should TLS be on.
  [[nodiscard]] std::string certificate() const { return folder_.file("data/server.crt"); }

 private:
  // What initdb makes, which takes longer than most tests, and a certificate should a test turn TLS on.
  static const std::string& made_once() {
    static const Folder folder;
    static const std::string data = [] {
      std::string made = make_data(folder);
      Process cluster(as_postgres(
          {"initdb", "-D", made, "-U", "admin", "-A", "trust", "-N", "--no-locale", "-E", "UTF8"}));
      REQUIRE(cluster.wait() == 0);
      Process certificate({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                           "ec_paramgen_curve:prime256v1", "-sha256", "-nodes", "-days", "2", "-subj",
                           "/CN=localhost", "-keyout", made + "/server.key", "-out", made + "/server.crt"});
      REQUIRE(certificate.wait() == 0);
      give(made + "/server.key");
      give(made + "/server.crt");
      return made;
    }();
    return data;
  }
  static std::string make_data(const Folder& folder) {
    std::string data = folder.file("data");
    std::filesystem::create_directory(data);
    std::filesystem::permissions(data, std::filesystem::perms::owner_all);
    give(data);
    give(std::filesystem::path(data).parent_path().string());
    return data;
  }
  void start(const std::string& data, const std::vector<std::string>& settings) {
    arguments_ = {"postgres",
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
    for (const std::string& setting : settings) arguments_.insert(arguments_.end(), {"-c", setting});
    start();
  }
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
  std::vector<std::string> arguments_;
  std::unique_ptr<Process> process_;
};
