// A pooled protocol for the edge's tests, of lines. The client: "TLS", "LOGIN <key>
// [primary|replica|split|alone]" (split: "Q read ..." goes to replicas that have what the client wrote by
// anything else), "CANCEL <number> <secret>", then "Q <words>", "P <n>" with n bytes behind it, "BYE". The
// server ends each answer with "Z I" (between units of work) or "Z T" (within one); before it come lines, and
// "D <n>" with n bytes behind it. "Q dirty ..." makes the server need a reset before it is lent again.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/session/pooled.hpp"

namespace toy {

using namespace ambassador::proxy;

/// The first line of `input` without its end; npos: there is none yet.
inline std::size_t line_of(std::span<const char> input, std::string_view& line) {
  const std::string_view all(input.data(), input.size());
  const auto end = all.find('\n');
  if (end == std::string_view::npos) return end;
  line = all.substr(0, end);
  return end + 1;
}

inline Step need_more() {
  return {};
}
inline Step send_text(Side to, std::string_view text, std::size_t consumed = 0) {
  Step step;
  step.kind = Step::Kind::send;
  step.to = to;
  step.consumed = consumed;
  step.text = text;
  return step;
}
inline Step step_of(Step::Kind kind, std::size_t consumed = 0) {
  Step step;
  step.kind = kind;
  step.consumed = consumed;
  return step;
}

class Server final : public PooledServer {
 public:
  Server(std::string key, bool tls, bool alone) : key_(std::move(key)), tls_(tls), alone_(alone) {}

  bool dirty = false;

  Step on_bytes(std::span<const char> input) override {
    if (state_ == State::start && alone_) {
      state_ = State::ready;
      return step_of(Step::Kind::ready);
    }
    if (state_ == State::start && tls_) return state_ = State::asked_tls, send_text(Side::server, "TLS\n");
    if (state_ == State::start || state_ == State::encrypted) {
      state_ = State::login;
      text_ = "LOGIN " + key_ + "\n";
      return send_text(Side::server, text_);
    }
    if (state_ == State::to_ask) return state_ = State::asking, send_text(Side::server, "STANDING\n");
    if (state_ == State::to_reset) return state_ = State::resetting, send_text(Side::server, "RESET\n");
    std::string_view line;
    const std::size_t n = line_of(input, line);
    if (n == std::string_view::npos) return need_more();
    if (line.starts_with("ROLE ")) {
      standing_.role = line.starts_with("ROLE replica") ? Role::replica : Role::primary;
      const auto at = std::min(line.find(" at "), line.size());
      standing_.position = at < line.size() ? std::stoull(std::string(line.substr(at + 4))) : 0;
      const std::string_view role = line.substr(0, at);
      const auto term = role.rfind(' ') + 1;
      standing_.term = term > 5 ? std::stoull(std::string(role.substr(term))) : 0;
      if (state_ == State::asking) {
        state_ = State::ready;
        return step_of(Step::Kind::ready, n);
      }
      return step_of(Step::Kind::skip, n);
    }
    if (state_ == State::asked_tls && line == "OK") return step_of(Step::Kind::start_tls, n);
    if (line.starts_with("ERR ")) {
      Step step = step_of(Step::Kind::failed, n);
      step.passing = line.starts_with("ERR passing");
      text_ = std::string(line) + "\n";
      step.text = text_;
      return step;
    }
    if (line.starts_with("OK ") && state_ == State::login) {
      interruption_ = "CANCEL " + std::string(line.substr(3)) + "\n";
      state_ = State::ready;
      return step_of(Step::Kind::ready, n);
    }
    if (state_ == State::resetting && line == "RESET OK") {
      state_ = State::ready;
      return step_of(Step::Kind::ready, n);
    }
    return step_of(Step::Kind::skip, n);
  }
  void tls_started(const TlsPeer& peer) override {
    state_ = State::encrypted;
    if (peer.server_end_point.empty()) key_ += " no-end-point";
  }
  bool given_back() override {
    if (!std::exchange(dirty, false)) return true;
    state_ = State::to_reset;
    return false;
  }
  [[nodiscard]] Standing standing() const override { return standing_; }
  void ask() override { state_ = State::to_ask; }
  [[nodiscard]] std::string_view interruption() const override { return interruption_; }
  [[nodiscard]] std::string_view farewell() const override { return "QUIT\n"; }

 private:
  enum class State { start, asked_tls, encrypted, login, ready, to_ask, asking, to_reset, resetting };
  std::string key_;
  const bool tls_, alone_;
  State state_ = State::start;
  Standing standing_;
  std::string interruption_, text_;
};

class Session final : public PooledSession {
 public:
  Session(PooledCore::Client who, std::string greeting) : who_(who), greeting_(std::move(greeting)) {}

  Step on_bytes(Side from, std::span<const char> input) override {
    return from == Side::client ? on_client(input) : on_server(input);
  }
  void tls_started(const TlsPeer& /*peer*/) override {}
  [[nodiscard]] Want want() const override {
    return {.key = key_, .role = role_, .causal = split_ && role_ == Role::replica, .alone = alone_};
  }
  void server_lent(PooledServer& server) override { server_ = static_cast<Server*>(&server); }
  void borrow_failed(Failure failure, std::string_view text) override {
    reply_ = text.empty() ? "! failed " + std::to_string(static_cast<int>(failure)) + "\n"
                          : "! " + std::string(text);
    failed_ = true;
  }
  void server_lost() override {
    server_ = nullptr;
    if (outstanding_ > 0) reply_ = "! lost\n";
    ended_ = static_cast<std::uint8_t>(outstanding_);
    outstanding_ = 0;
    in_unit_ = false;
  }
  bool client_left() override { return outstanding_ == 0 && !in_unit_; }
  [[nodiscard]] bool may_cancel(std::string_view text) const override {
    return (server_ == nullptr || outstanding_ > 0) && text == name();
  }
  void borrow_cancelled() override {
    reply_ = "! cancelled\n";
    failed_ = true;
  }
  [[nodiscard]] bool logging_in() const override { return !logged_in_; }
  [[nodiscard]] bool at_rest() const override { return logged_in_ && server_ == nullptr && reply_.empty(); }
  [[nodiscard]] std::string_view farewell() const override { return "farewell\n"; }
  void set_greeting(std::string greeting) { greeting_ = std::move(greeting); }

 private:
  [[nodiscard]] std::string name() const {
    std::string secret;
    for (const char c : who_.secret) secret += std::to_string(static_cast<unsigned char>(c)) + ".";
    return std::to_string(who_.number) + " " + secret;
  }

  Step on_client(std::span<const char> input) {
    if (!reply_.empty()) {
      text_ = std::exchange(reply_, "");
      Step step = send_text(Side::client, text_);
      step.ended = std::exchange(ended_, 0);
      if (std::exchange(failed_, false)) {
        std::string_view line;
        step.consumed = line_of(input, line);  // the request that is not to be
      }
      return step;
    }
    std::string_view line;
    const std::size_t n = line_of(input, line);
    if (n == std::string_view::npos) return need_more();
    if (line == "TLS") {
      if (!who_.can_tls) return send_text(Side::client, "NO\n", n);
      if (!std::exchange(tls_, true)) return send_text(Side::client, "OK\n");
      return step_of(Step::Kind::start_tls, n);
    }
    if (line.starts_with("CANCEL ")) {
      if (std::exchange(cancelled_, true)) return step_of(Step::Kind::close, n);
      Step step = step_of(Step::Kind::cancel);
      step.text = line.substr(7);
      return step;
    }
    if (line.starts_with("LOGIN ")) {
      key_ = line.substr(6);
      alone_ = key_.ends_with(" alone");
      if (key_.ends_with(" primary")) role_ = Role::primary;
      if (key_.ends_with(" replica")) role_ = Role::replica;
      split_ = key_.ends_with(" split");
      key_ = key_.substr(0, key_.find(' '));
      logged_in_ = true;
      text_ = greeting_ + " " + name() + "\n";
      return send_text(Side::client, text_, n);
    }
    if (line == "BYE") {
      Step step = step_of(Step::Kind::close, n);
      step.text = "bye\n";
      return step;
    }
    if (server_ == nullptr) {
      if (split_) role_ = line.starts_with("Q read") ? Role::replica : Role::primary;
      return step_of(Step::Kind::borrow);
    }
    Step step = step_of(Step::Kind::forward, n);
    step.began = 1;
    ++outstanding_;
    if (line.starts_with("Q dirty")) server_->dirty = true;
    if (line.starts_with("P ")) {
      const auto bytes = std::stoull(std::string(line.substr(2)));
      const auto here = std::min<std::uint64_t>(bytes, input.size() - n);
      step.consumed += here;
      step.more = bytes - here;
    }
    return step;
  }

  Step on_server(std::span<const char> input) {
    if (outstanding_ == 0 && !in_unit_) {
      server_ = nullptr;
      Step step = step_of(Step::Kind::give_back);
      step.wrote = role_ != Role::replica;
      return step;
    }
    std::string_view line;
    const std::size_t n = line_of(input, line);
    if (n == std::string_view::npos) return need_more();
    Step step = step_of(Step::Kind::forward, n);
    if (line.starts_with("D ")) {
      const auto bytes = std::stoull(std::string(line.substr(2)));
      const auto here = std::min<std::uint64_t>(bytes, input.size() - n);
      step.consumed += here;
      step.more = bytes - here;
    }
    if (line.starts_with("Z ")) {
      step.ended = 1;
      --outstanding_;
      in_unit_ = line == "Z T";
    }
    return step;
  }

  const PooledCore::Client who_;
  std::string greeting_;
  Server* server_ = nullptr;
  std::string key_, text_, reply_;
  Role role_ = Role::any;
  bool alone_ = false, split_ = false, logged_in_ = false, in_unit_ = false, tls_ = false, cancelled_ = false,
       failed_ = false;
  std::size_t outstanding_ = 0;
  std::uint8_t ended_ = 0;
};

class Core final : public PooledCore {
 public:
  Core(std::string greeting, bool tls, std::string watch_key = {})
      : greeting_(std::move(greeting)), tls_(tls), watch_key_(std::move(watch_key)) {}
  [[nodiscard]] std::size_t max_head() const override { return 4096; }
  [[nodiscard]] std::unique_ptr<PooledSession> new_session(const Client& client) const override {
    return std::make_unique<Session>(client, greeting_);
  }
  [[nodiscard]] std::unique_ptr<PooledServer> new_server(std::string_view key, bool alone) const override {
    return std::make_unique<Server>(std::string(key), tls_, alone);
  }
  [[nodiscard]] bool can_watch() const override { return !watch_key_.empty(); }
  [[nodiscard]] std::string watch_key() const override { return watch_key_; }
  void rebind(PooledSession& session) const override {
    static_cast<Session&>(session).set_greeting(greeting_);
  }

 private:
  const std::string greeting_;
  const bool tls_;
  const std::string watch_key_;
};

}  // namespace toy
