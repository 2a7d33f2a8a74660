// A pool and relays without sockets of their own, for tests and fuzzing: does what pooled.hpp asks of the
// real ones, and checks that sessions and servers keep their side of the contract. Who the servers are is the
// test's: see Line.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::test {

/// Fails in every build: an assert that fuzzing of release code keeps.
inline void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "contract broken: %s\n", what);
  std::abort();
}

/// A connection to a server.
class Line {
 public:
  virtual ~Line() = default;
  virtual void send(std::string_view bytes) = 0;
  /// What has come; empty: nothing now. `ended`: nothing will.
  virtual std::string receive(bool& ended) = 0;
};

struct ToyServer {
  std::unique_ptr<PooledServer> protocol;
  std::unique_ptr<Line> line;
  std::string key;
  std::string in;
  std::uint64_t skip = 0;
  bool ready = false;
  bool lent = false;
  bool failed = false;
  bool passing = false;
  bool ended = false;
  std::string why;  // it failed
  bool replica = false;
};

class ToyPool {
 public:
  ToyPool(const PooledCore& core, std::size_t most, std::function<std::unique_ptr<Line>()> connect)
      : core_(core), most_(most), connect_(std::move(connect)) {}

  /// Bytes that are shown to a session or server at once, when there are more.
  std::size_t piece = std::size_t{16} << 10;
  std::deque<std::unique_ptr<ToyServer>> servers;  // the one that was not lent for longest first
  /// Who wants a replica gets one; as many as of the others.
  std::function<std::unique_ptr<Line>()> connect_replica;

  /// One that is ready; null: none is yet.
  ToyServer* lend(std::string_view key, bool alone, Role role = Role::any) {
    const bool replica = role == Role::replica && connect_replica;
    std::erase_if(servers, [](const auto& server) { return !server->lent && server->failed; });
    const auto there = static_cast<std::size_t>(std::count_if(
        servers.begin(), servers.end(), [&](const auto& one) { return one->replica == replica; }));
    for (std::size_t i = 0; i < servers.size(); ++i) {
      ToyServer& server = *servers[i];
      if (server.lent || !server.ready || server.key != key || server.replica != replica || there < most_)
        continue;
      std::rotate(servers.begin() + static_cast<std::ptrdiff_t>(i),
                  servers.begin() + static_cast<std::ptrdiff_t>(i) + 1, servers.end());
      server.lent = true;
      return &server;
    }
    if (there >= most_) {
      const auto other = std::find_if(servers.begin(), servers.end(), [&](const auto& server) {
        return !server->lent && server->ready && server->key != key && server->replica == replica;
      });
      if (other == servers.end()) return nullptr;
      servers.erase(other);
    }
    auto server = std::make_unique<ToyServer>();
    server->key = key;
    server->protocol = core_.new_server(key, alone);
    server->replica = replica;
    server->line = replica ? connect_replica() : connect_();
    servers.push_back(std::move(server));
    ToyServer& opened = *servers.back();
    talk(opened);
    if (!opened.ready) return nullptr;
    opened.lent = true;
    return &opened;
  }

  void give_back(ToyServer& server, bool fit) {
    server.lent = false;
    server.ready = false;
    if (!fit) {
      server.failed = true;
    } else if (server.protocol->given_back()) {
      server.ready = true;
    }
    if (!server.failed) talk(server);
  }

  /// Lets idle servers, and those that prepare, hear what has come. True: something had.
  bool turn() {
    bool moved = false;
    for (const auto& server : servers) {
      if (server->lent || server->failed) continue;
      const std::string bytes = server->line->receive(server->ended);
      if (bytes.empty()) {
        if (server->ended) server->failed = server->passing = true;
        continue;
      }
      moved = true;
      for (std::size_t at = 0; at < bytes.size(); at += piece) {
        server->in += bytes.substr(at, piece);
        talk(*server);
      }
    }
    return moved;
  }

 private:
  void talk(ToyServer& server) {
    while (!server.failed) {
      if (server.skip > 0) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(server.skip, server.in.size()));
        if (n == 0) return;
        server.in.erase(0, n);
        server.skip -= n;
        continue;
      }
      if (server.ready && server.in.empty()) return;
      const std::string shown = server.in;  // of that size: reading behind it is seen
      const Step step = server.protocol->on_bytes(shown);
      must(step.consumed <= server.in.size(), "consumed <= input");
      must(step.more == 0 || step.consumed == server.in.size(), "more means that all is consumed");
      server.in.erase(0, step.consumed);
      switch (step.kind) {
        case Step::Kind::need_more:
          must(server.in.size() <= core_.max_head() + piece, "a server holds no more than max_head");
          return;
        case Step::Kind::skip:
          must(step.consumed + step.more > 0, "a skip skips something");
          server.skip = step.more;
          break;
        case Step::Kind::send:
          must(step.to == Side::server, "a server has nobody else to send to");
          server.line->send(step.text);
          break;
        case Step::Kind::start_tls:
          must(server.in.empty(), "all is consumed before TLS");
          server.protocol->tls_started({});
          break;
        case Step::Kind::ready:
          server.ready = true;
          break;
        case Step::Kind::failed:
          server.failed = true;
          server.ready = false;
          server.passing = step.passing;
          server.why = step.text;
          return;
        default:
          must(false, "a step that is a session's alone");
      }
    }
  }

  const PooledCore& core_;
  const std::size_t most_;
  const std::function<std::unique_ptr<Line>()> connect_;
};

class ToyClient {
 public:
  ToyClient(const PooledCore& core, ToyPool& pool, const PooledCore::Client& who)
      : core_(core), pool_(pool), session_(core.new_session(who)) {}
  ~ToyClient() { leave(); }

  std::string out;  // what the client was sent
  std::vector<std::string> cancels;
  std::uint64_t began = 0, ended = 0, borrowed = 0, steps = 0, again = 0;
  std::uint64_t wrote = 0;  // servers that were given back so
  bool closed = false;

  PooledSession& session() { return *session_; }
  ToyServer* server() { return server_; }
  [[nodiscard]] bool waits() const { return borrowing_; }

  /// The client sends `bytes`.
  void say(std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += pool_.piece) {
      in_ += bytes.substr(at, pool_.piece);
      ask();
    }
  }
  /// What can be done without the client. True: something was.
  bool turn() {
    bool moved = false;
    if (borrowing_) moved = try_to_borrow();
    if (server_ == nullptr || closed) return moved;
    bool end = false;
    const std::string bytes = server_->line->receive(end);
    for (std::size_t at = 0; at < bytes.size() && server_ != nullptr; at += pool_.piece) {
      server_->in += bytes.substr(at, pool_.piece);
      held_ = false;
      hear();
    }
    if (end && server_ != nullptr) {
      lose_server();
      return true;
    }
    return moved || !bytes.empty();
  }
  void not_lent(Failure failure, std::string_view why) {
    borrowing_ = false;
    session_->borrow_failed(failure, why);
    must_ask_ = true;
    ask();
  }
  void cancel_wait() {
    borrowing_ = false;
    session_->borrow_cancelled();
    must_ask_ = true;
    ask();
  }
  void lose_server() {
    ToyServer& server = *std::exchange(server_, nullptr);
    server.lent = false;
    server.failed = true;
    held_ = false;
    rest_[1] = {};
    rest_[0].forward = false;
    if (rest_[0].bytes > 0 && !in_.empty()) take_rest(Side::client);
    session_->server_lost();
    must_ask_ = true;
    ask();
  }
  void leave() {
    if (server_ == nullptr) return;
    const bool whole = rest_[0].bytes == 0 && rest_[1].bytes == 0;
    const bool fit = session_->client_left() && whole;
    pool_.give_back(*std::exchange(server_, nullptr), fit);
    closed = true;
  }

 private:
  struct Rest {
    std::uint64_t bytes = 0;
    bool forward = false;
  };
  std::string& input(Side side) { return side == Side::client ? in_ : server_->in; }
  Rest& rest(Side side) { return rest_[side == Side::client ? 0 : 1]; }

  void ask() {
    if (std::exchange(asking_, true)) return;
    while (!closed && !borrowing_ && !held_) {
      if (rest_[0].bytes > 0 && !must_ask_) {
        if (in_.empty()) break;
        take_rest(Side::client);
        continue;
      }
      const std::string shown = in_;
      if (carry_out(Side::client, session_->on_bytes(Side::client, shown))) continue;
      must_ask_ = false;
      break;
    }
    asking_ = false;
  }

  void hear() {
    while (server_ != nullptr && !closed) {
      if (rest_[1].bytes > 0) {
        if (server_->in.empty()) break;
        take_rest(Side::server);
        continue;
      }
      const std::string shown = server_->in;
      if (!carry_out(Side::server, session_->on_bytes(Side::server, shown))) break;
    }
    if (!closed && (!in_.empty() || must_borrow_)) ask();
  }

  void take_rest(Side from) {
    std::string& in = input(from);
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(rest(from).bytes, in.size()));
    rest(from).bytes -= n;
    const std::string bytes = in.substr(0, n);
    in.erase(0, n);
    if (rest(from).forward) forward(from, bytes);
  }

  void forward(Side from, std::string_view bytes) {
    if (from == Side::server) {
      out += bytes;
    } else if (server_ != nullptr) {
      server_->line->send(bytes);
    }
  }

  bool carry_out(Side from, const Step& step) {
    ++steps;
    must(step.consumed <= input(from).size(), "consumed <= input");
    must(step.more == 0 || step.consumed == input(from).size(), "more means that all is consumed");
    const std::string bytes = input(from).substr(0, step.consumed);
    input(from).erase(0, step.consumed);
    must(!must_borrow_ || from != Side::client || (step.kind == Step::Kind::borrow && step.again),
         "who gives a server back to go on with another borrows that next");
    began += step.began;
    ended += step.ended;
    must(ended <= began, "no request ends before it began");
    switch (step.kind) {
      case Step::Kind::need_more:
        must(input(from).size() <= core_.max_head() + pool_.piece, "a session holds no more than max_head");
        return false;
      case Step::Kind::skip:
      case Step::Kind::forward:
        must(step.consumed + step.more > 0, "a step goes on");
        rest(from) = {step.more, step.kind == Step::Kind::forward};
        if (step.kind == Step::Kind::forward) {
          must(server_ != nullptr, "bytes are forwarded to somebody");
          forward(from, bytes);
        }
        return true;
      case Step::Kind::send:
        must(!step.text.empty(), "something is sent");
        must(step.to == Side::client || server_ != nullptr, "there is a server to send to");
        if (step.to == Side::client) {
          out += step.text;
        } else {
          server_->line->send(step.text);
        }
        return true;
      case Step::Kind::start_tls:
        must(in_.empty(), "all is consumed before TLS");
        session_->tls_started({});
        return true;
      case Step::Kind::borrow:
        must(server_ == nullptr, "one server at a time");
        must_borrow_ = false;
        if (step.again) ++again;
        borrowing_ = true;
        try_to_borrow();
        return !borrowing_;
      case Step::Kind::give_back:
        must(server_ != nullptr, "there is one to give back");
        must(rest_[1].bytes == 0, "nothing of the server's is on its way");
        must(session_->at_rest() != step.again, "who needs no server is at rest");
        must(!step.wrote || session_->want().role != Role::replica, "nobody writes by a replica");
        must_borrow_ = step.again;
        held_ = false;
        if (step.wrote) ++wrote;
        pool_.give_back(*std::exchange(server_, nullptr), true);
        return true;
      case Step::Kind::hold:
        must(from == Side::client && server_ != nullptr, "a client waits for its server");
        held_ = true;
        return false;
      case Step::Kind::cancel:
        cancels.emplace_back(step.text);
        return true;
      case Step::Kind::close:
        out += step.text;
        leave();
        closed = true;
        return false;
      default:
        must(false, "a step that is a server's alone");
        return false;
    }
  }

  bool try_to_borrow() {
    const PooledSession::Want want = session_->want();
    ToyServer* const server = pool_.lend(want.key, want.alone, want.role);
    if (server == nullptr) return false;
    borrowing_ = false;
    server_ = server;
    ++borrowed;
    rest_[1] = {};
    session_->server_lent(*server->protocol);
    must_ask_ = true;
    ask();
    return true;
  }

  const PooledCore& core_;
  ToyPool& pool_;
  const std::unique_ptr<PooledSession> session_;
  std::string in_;
  ToyServer* server_ = nullptr;
  Rest rest_[2];
  bool borrowing_ = false;
  bool asking_ = false;
  bool must_ask_ = false;
  bool held_ = false;         // until the server has said something
  bool must_borrow_ = false;  // as its next step
};

}  // namespace ambassador::proxy::test
