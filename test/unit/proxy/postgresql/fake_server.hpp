// A PostgreSQL server of few words, for tests and fuzzing: logs everybody in, knows prepared statements,
// transactions and two parameters, and skips to Sync after an error as the real one does. SQL it answers by
// its first word; "fail" fails, "COPYIN" reads CopyData, "die" ends the connection with a FATAL. A replica
// fails as one does by "SELECT conflict", "SELECT writes" and whatever is no SELECT, and ends by "SELECT
// last", and by "SELECT crash" as when another process of the server has crashed.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/postgresql/body_reader.hpp"
#include "proxy/postgresql/message.hpp"
#include "proxy/postgresql/write.hpp"
#include "test/unit/proxy/postgresql/toy_messages.hpp"
#include "test/unit/proxy/postgresql/toy_pool.hpp"

namespace ambassador::proxy::postgresql::test {

class FakeServer final : public proxy::test::Line {
 public:
  struct Traits {
    bool replica = false;
    /// Besides what it reports always.
    std::vector<std::pair<std::string, std::string>> reports{};
    /// So many more servers that are none end by "SELECT last" too; null: none.
    unsigned* last_ones = nullptr;
    /// SQL that is run, and the transaction's status before.
    std::function<void(std::string_view sql, char status)> on_sql{};
  };
  explicit FakeServer(std::uint32_t pid, std::vector<std::string>* log = nullptr)
      : FakeServer(pid, log, Traits()) {}
  FakeServer(std::uint32_t pid, std::vector<std::string>* log, Traits traits)
      : pid_(pid), log_(log), traits_(std::move(traits)) {}

  void send(std::string_view bytes) override {
    in_ += bytes;
    while (!ended_ && (started_ ? message() : startup())) {
    }
  }
  std::string receive(bool& ended) override {
    ended = ended_;
    return std::exchange(out_, {});
  }
  /// As if it had said that by itself.
  void say(std::string_view bytes) { out_ += bytes; }

 private:
  bool startup() {
    if (in_.size() < 4) return false;
    const std::size_t size = big_endian32(in_.data());
    if (in_.size() < size) return false;
    in_.erase(0, size);
    started_ = true;
    write_authentication_ok(out_);
    write_parameter_status(out_, "server_version", "15.0");
    write_parameter_status(out_, "TimeZone", "UTC");
    write_parameter_status(out_, "application_name", "");
    write_parameter_status(out_, "in_hot_standby", traits_.replica ? "on" : "off");
    for (const auto& [name, value] : traits_.reports) set(name, value);
    write_backend_key(out_, pid_, "key!");
    write_ready(out_, status_);
    return true;
  }
  bool message() {
    const Header front = read_header(in_);
    if (front.found == Found::broken) return fatal("08P01"), false;
    if (front.found == Found::incomplete || in_.size() < front.size()) return false;
    const std::string whole = in_.substr(0, static_cast<std::size_t>(front.size()));
    in_.erase(0, whole.size());
    answer(front.type, std::string_view(whole).substr(kHeader));
    return true;
  }
  void answer(char type, std::string_view body) {
    if (log_ != nullptr) log_->push_back(std::to_string(pid_) + type);
    if (copies_ && type != 'd' && type != 'c' && type != 'f') {
      if (type == 'S' || type == 'H') return;
      error("08P01");
      return fatal("08P01");  // it does not know where the next message begins
    }
    if (skips_ && type != 'S' && type != 'X') return;
    BodyReader fields(body);
    switch (type) {
      case 'Q':
        statements_.erase("");
        extended_copy_ = false;
        if (run(std::string(fields.string()))) ready();
        return;
      case 'S':
        return ready();
      case 'P': {
        const std::string name(fields.string());
        if (!name.empty() && statements_.contains(name)) return error("42P05");
        const std::string sql(fields.string());
        if (!fields.ok()) return fatal("08P01");
        if (sql.starts_with("fail parse")) return error("42601");
        if (is_passed_over(sql)) return error("25P02");
        statements_[name] = sql;
        return write_parse_complete(out_);
      }
      case 'B': {
        const std::string portal(fields.string());
        const auto found = statements_.find(std::string(fields.string()));
        if (found == statements_.end()) return error("26000");
        portals_[portal] = found->second;
        out_ += bare('2');
        return;
      }
      case 'D': {
        const char what = fields.byte();
        const std::string name(fields.string());
        if (what == 'S' ? !statements_.contains(name) : !portals_.contains(name)) return error("26000");
        if (what == 'S') Made(out_, 't').number16(0);
        out_ += bare('n');
        return;
      }
      case 'E': {
        const auto found = portals_.find(std::string(fields.string()));
        if (found == portals_.end()) return error("34000");
        extended_copy_ = true;
        run(std::string(found->second));
        return;
      }
      case 'C':
        if (fields.byte() == 'S') statements_.erase(std::string(fields.string()));
        return write_close_complete(out_);
      case 'F':
        Made(out_, 'V').number32(0);
        return ready();
      case 'c':
      case 'f':
        if (!std::exchange(copies_, false)) return;
        if (type == 'f') {
          error("57014");
        } else {
          Made(out_, 'C').string("COPY 1");
        }
        if (!extended_copy_) ready();
        return;
      case 'd':
      case 'H':
        return;
      case 'X':
        ended_ = true;
        return;
      default:
        return fatal("08P01");
    }
  }
  // False: no ReadyForQuery yet.
  bool run(const std::string& sql) {
    if (traits_.on_sql) traits_.on_sql(sql, status_);
    if (is_passed_over(sql)) return error("25P02"), true;
    if (traits_.replica && sql.starts_with("SELECT conflict")) return error("40001"), true;
    if (traits_.replica && sql.starts_with("SELECT writes")) return error("25006"), true;
    if (sql.starts_with("SELECT last") && (traits_.replica || is_last_one())) return fatal("57P01"), false;
    if (traits_.replica && sql.starts_with("SELECT crash")) return crash(), false;
    if (traits_.replica && sql.starts_with("INSERT")) return error("25006"), true;
    if (sql.starts_with("fail")) return error("22012"), true;
    if (sql.starts_with("die")) return fatal("57P01"), false;
    if (sql.empty()) return out_ += bare('I'), true;
    if (sql.starts_with("COPYIN")) {
      copies_ = true;
      Made(out_, 'G').byte('\0').number16(0);
      return false;
    }
    if (sql.starts_with("BEGIN")) status_ = 'T';
    if (sql.starts_with("COMMIT") || sql.starts_with("ROLLBACK")) status_ = 'I';
    if (sql.starts_with("DISCARD ALL")) {
      statements_.clear();
      set("TimeZone", "UTC");
      set("application_name", "");
    }
    for (const auto& [name, value] : std::map(values_)) {
      const std::size_t at = sql.find("set_config('" + name + "', E'");
      if (at == std::string::npos) continue;
      const std::size_t from = sql.find("E'", at) + 2;
      set(name, sql.substr(from, sql.find('\'', from) - from));
    }
    if (sql.starts_with("SET ")) {
      const std::string name = sql.substr(4, sql.find(' ', 4) - 4);
      if (values_.contains(name)) set(name, sql.substr(sql.rfind(' ') + 1));
    }
    if (sql.starts_with("SHOW ")) Made(out_, 'D').number16(1).bytes(values_[sql.substr(5)]);
    if (sql.starts_with("SELECT")) Made(out_, 'D').number16(1).bytes(sql);
    const std::string tag = sql.starts_with("DISCARD ALL") ? "DISCARD ALL" : sql.substr(0, sql.find(' '));
    Made(out_, 'C').string(tag);
    return true;
  }
  // In an aborted transaction all is but what ends it.
  [[nodiscard]] bool is_passed_over(std::string_view sql) const {
    return status_ == 'E' && !sql.starts_with("COMMIT") && !sql.starts_with("ROLLBACK");
  }
  void set(const std::string& name, const std::string& value) {
    if (std::exchange(values_[name], value) != value) write_parameter_status(out_, name, value);
  }
  void ready() {
    skips_ = false;
    if (status_ == 'I') portals_.clear();  // they end with their transaction
    write_ready(out_, status_);
  }
  void error(std::string_view code) {
    write_error(out_, {.code = code, .message = "failed"});
    skips_ = true;
    if (status_ == 'T') status_ = 'E';
  }
  void fatal(std::string_view code) {
    write_error(out_, {.severity = "FATAL", .code = code, .message = "ended"});
    ended_ = true;
  }
  // WARNING_CLIENT_ONLY, and no more.
  void crash() {
    std::string notice;
    write_error(notice, {.severity = "WARNING", .code = "57P02", .message = "crashed"});
    notice.front() = 'N';
    out_ += notice;
    ended_ = true;
  }
  [[nodiscard]] bool is_last_one() const {
    if (traits_.last_ones == nullptr || *traits_.last_ones == 0) return false;
    --*traits_.last_ones;
    return true;
  }

  const std::uint32_t pid_;
  std::vector<std::string>* const log_;
  const Traits traits_;
  std::string in_, out_;
  bool started_ = false, ended_ = false, skips_ = false, copies_ = false, extended_copy_ = false;
  char status_ = 'I';
  std::map<std::string, std::string> statements_, portals_;
  std::map<std::string, std::string> values_{{"TimeZone", "UTC"}, {"application_name", ""}};
};

}  // namespace ambassador::proxy::postgresql::test
