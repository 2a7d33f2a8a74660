// The proxy between PostgreSQL clients and a real server, with a Secret as the kubelet lays it into a Pod.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/app/local_http.hpp"
#include "proxy/postgresql/error_fields.hpp"
#include "proxy/postgresql/message.hpp"
#include "proxy/postgresql/write.hpp"
#include "test/component/proxy/app/proxy_process.hpp"
#include "test/component/proxy/postgresql/postgresql_server.hpp"
#include "test/unit/proxy/postgresql/toy_messages.hpp"

using Secret = std::map<std::string, std::string>;

inline const std::string kPrograms = "/usr/lib/postgresql/15/bin/";
inline const Secret kRight{{"username", "app"}, {"password", "pencil\n"}};

/// With the user app, who owns the database shop.
inline std::unique_ptr<PostgresqlServer15> shop(
    const std::string& hba = "host all all 127.0.0.1/32 scram-sha-256\n",
    const std::vector<std::string>& settings = {}) {
  auto server = std::make_unique<PostgresqlServer15>(hba, settings);
  REQUIRE(server->sql("create user app password 'pencil'"));
  REQUIRE(server->sql("create database shop owner app"));
  return server;
}

/// libpq, as the user that is given.
inline Ran psql(const std::string& host, std::uint16_t port, const std::string& user, const std::string& sql,
                const Process::Environment& environment = {}) {
  Process process({kPrograms + "psql", "-qXAtw", "-v", "ON_ERROR_STOP=1", "-h", host, "-p",
                   std::to_string(port), "-U", user, "-d", "shop", "-c", sql},
                  environment);
  const auto code = process.wait();
  REQUIRE(code);
  return {*code, process.output(), process.errors()};
}

/// A volume of the kubelet: its files are links into "..data", which links to the folder of one version.
class Volume {
 public:
  /// Replaces all files at once.
  void replace(const std::map<std::string, std::string>& files) {
    const std::string version = "..version" + std::to_string(++versions_);
    std::filesystem::create_directory(folder_.file(version));
    for (const auto& [name, text] : files) folder_.write(version + "/" + name, text);
    std::filesystem::create_symlink(version, folder_.file("..data_tmp"));
    std::filesystem::rename(folder_.file("..data_tmp"), folder_.file("..data"));
    for (const auto& entry : std::filesystem::directory_iterator(folder_.file("."))) {
      if (entry.is_symlink() && entry.path().filename() != "..data" &&
          !files.contains(entry.path().filename()))
        std::filesystem::remove(entry.path());
    }
    for (const auto& [name, text] : files) {
      if (!std::filesystem::is_symlink(folder_.file(name)))
        std::filesystem::create_symlink("..data/" + name, folder_.file(name));
    }
  }
  [[nodiscard]] std::string path() const { return folder_.file("."); }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }

 private:
  Folder folder_;
  int versions_ = 0;
};

/// One connection; every call ends within some seconds.
class SqlClient {
 public:
  explicit SqlClient(std::uint16_t port, const std::string& user = "anybody",
                     const std::string& application = "test")
      : fd_(connect_to(port)) {
    namespace pg = ambassador::proxy::postgresql;
    const std::array<pg::Parameter, 3> parameters{
        {{"user", user}, {"database", "shop"}, {"application_name", application}}};
    std::string packet;
    pg::write_startup(packet, 0, parameters);
    send(packet);
    greeting = answer();
  }
  ~SqlClient() { close(fd_); }
  SqlClient(const SqlClient&) = delete;
  SqlClient& operator=(const SqlClient&) = delete;

  /// "" when it was let in, else as query().
  std::string greeting;

  /// The first column of all rows, one a line; "<severity> <SQLSTATE> <message>" of the last error;
  /// "(closed)" when the connection ended or nothing came in time.
  std::string query(const std::string& sql) {
    std::string message;
    ambassador::proxy::postgresql::write_query(message, sql);
    send(message);
    return answer();
  }
  /// Prepares `sql` by the protocol, not by SQL; "" or an error.
  std::string prepare(const std::string& name, const std::string& sql) {
    namespace toy = ambassador::proxy::postgresql::test;
    send(toy::parse(name, sql) + toy::bare('S'));
    return answer();
  }
  /// Runs a statement of prepare() without values, as query().
  std::string execute(const std::string& name) {
    namespace toy = ambassador::proxy::postgresql::test;
    std::string bytes;
    toy::Made(bytes, 'B').string("").string(name).number16(0).number16(0).number16(0);
    send(bytes + toy::bare('E', std::string_view("\0\0\0\0\0", 5)) + toy::bare('S'));
    return answer();
  }
  [[nodiscard]] bool open() const { return greeting.empty(); }

  // Both halves of a query().
  void send(const std::string& bytes) {
    if (::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
      ended_ = true;
  }
  std::string answer() {
    namespace pg = ambassador::proxy::postgresql;
    std::string rows;
    std::string error;
    for (;;) {
      const pg::Message message = pg::read_message(input_, 1U << 20);
      if (message.found == pg::Found::incomplete) {
        char bytes[8192];
        const auto got = ended_ ? 0 : recv(fd_, bytes, sizeof bytes, 0);
        if (got <= 0) return error.empty() ? "(closed)" : error;
        input_.append(bytes, static_cast<std::size_t>(got));
        continue;
      }
      if (message.found == pg::Found::broken) return "(broken)";
      const char type = message.type;
      if (type == 'E') {
        const auto fields = pg::read_error_fields(message.body).value();
        error =
            std::string(fields.severity) + " " + std::string(fields.code) + " " + std::string(fields.message);
      }
      if (type == 'D') rows += (rows.empty() ? "" : "\n") + first_column(message.body);
      input_.erase(0, message.size());
      if (type == 'Z') return error.empty() ? rows : error;
    }
  }

 private:
  static std::string first_column(std::string_view row) {
    if (row.size() < 6) return "";
    std::uint32_t size = 0;
    for (int i = 0; i < 4; ++i)
      size = size << 8 | static_cast<unsigned char>(row[2 + static_cast<std::size_t>(i)]);
    return size == ~0U ? "(null)" : std::string(row.substr(6, size));
  }

  int fd_;
  bool ended_ = false;
  std::string input_;
};

/// A running proxy with one PostgreSQL listener before `server`, which has the user app.
class PostgresqlProxy {
 public:
  /// What differs between listeners.
  struct Listener {
    std::string pooling = "Transaction";
    std::string authentication = "Proxy";
    std::string server_tls{};  // a YAML value; empty: none
    std::string own_tls{};     // likewise: listenerTLS
    unsigned connections = 4;
    std::string more{};  // of `sql`: YAML, behind a comma
  };

  PostgresqlProxy(const PostgresqlServer15& server, const Listener& listener, unsigned threads = 2)
      : PostgresqlProxy(std::vector{server.port()}, listener, threads) {}
  /// Before several.
  PostgresqlProxy(std::vector<std::uint16_t> servers, const Listener& listener, unsigned threads = 2)
      : servers_(std::move(servers)), threads_(threads) {
    configure(listener);
  }

  void configure(const Listener& listener) const {
    const bool ours = listener.authentication == "Proxy";
    std::string text =
        "version: 1\nhealth: {address: 127.0.0.1, port: " + std::to_string(health) +
        "}\nadmin: {port: " + std::to_string(admin) +
        "}\nlisteners:\n- name: test.db\n  protocol: PostgreSQL\n  addresses: [127.0.0.1]\n  port: " +
        std::to_string(port) + "\n  unixSocket: " + socket_folder() + "/.s.PGSQL." + std::to_string(port) +
        "\n  timeouts: {connect: 1s, queue: 2s}\n  sql: {pooling: " + listener.pooling +
        ", authentication: " + listener.authentication +
        ", maxServerConnections: " + std::to_string(listener.connections) +
        (ours ? ", credentialsFolder: " + secret.path() : "") + listener.more + "}\n";
    if (!listener.server_tls.empty()) text += "  serverTLS: " + listener.server_tls + "\n";
    if (!listener.own_tls.empty()) text += "  listenerTLS: " + listener.own_tls + "\n";
    text += "  backends:\n";
    for (const std::uint16_t server : servers_)
      text += "  - {host: localhost, port: " + std::to_string(server) + "}\n";
    folder.write("config.yaml", text);
  }
  void start() {
    process = std::make_unique<Process>(std::vector<std::string>{
        kProgram, "--config", folder.file("config.yaml"), "--threads", std::to_string(threads_)});
    REQUIRE(eventually([this] { return run({"probe", "--port", std::to_string(health)}).code == 0; }));
  }
  [[nodiscard]] std::string socket_folder() const { return folder.file("sockets"); }

  [[nodiscard]] std::string status() const { return run({"status", "--port", std::to_string(admin)}).output; }
  [[nodiscard]] nlohmann::json listener() const {
    const auto status =
        nlohmann::json::parse(run({"status", "-o", "json", "--port", std::to_string(admin)}).output);
    return status["listeners"][0];
  }
  [[nodiscard]] nlohmann::json pool() const { return listener()["pool"]; }
  [[nodiscard]] std::string metrics() const {
    const auto answer = ambassador::proxy::app::http_get(health, "/metrics", std::chrono::seconds(3));
    return answer ? answer->body : answer.error().text();
  }
  /// Waits until the log says so.
  [[nodiscard]] bool says(const std::string& text) const {
    return eventually([&] { return process->errors().find(text) != std::string::npos; });
  }
  [[nodiscard]] SqlClient client(const std::string& user = "anybody") const { return SqlClient(port, user); }

  Folder folder;
  Volume secret;
  std::uint16_t port = free_port();
  std::uint16_t health = free_port();
  std::uint16_t admin = free_port();
  std::unique_ptr<Process> process;

 private:
  const std::vector<std::uint16_t> servers_;
  const unsigned threads_;
};
