// A relay without sockets, for tests and fuzzing: does what session.hpp asks of the real one, keeps the order
// of one client's replies, and checks that the session keeps its side of the contract. Servers are whoever
// calls deliver() and lose().
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

#include "proxy/session/session.hpp"

namespace ambassador::proxy::test {

/// Which backends are usable, and what they are, is what the test says; the preferred one is the first
/// usable.
struct ToldAvailability : Availability {
  std::vector<bool> up;
  explicit ToldAvailability(std::size_t backends) : up(backends, true) {}
  [[nodiscard]] bool usable(BackendIndex i) const override { return up[i]; }
  [[nodiscard]] BackendIndex preferred() const override {
    for (BackendIndex i = 0; i < up.size(); ++i) {
      if (up[i]) return i;
    }
    return kNoBackend;
  }
  BackendIndex leader = kNoBackend;
  std::vector<bool> fit;  // to be read from; empty: all but the leader
  std::vector<int> away;  // microseconds
  [[nodiscard]] BackendIndex primary() const override {
    return leader < up.size() && up[leader] ? leader : kNoBackend;
  }
  [[nodiscard]] bool follows(BackendIndex i, std::chrono::milliseconds /*behind*/) const override {
    return i != leader && up[i] && (fit.empty() || fit[i]);
  }
  [[nodiscard]] std::chrono::microseconds distance(BackendIndex i) const override {
    return std::chrono::microseconds(i < away.size() ? away[i] : 0);
  }
};

/// Fails in every build: an assert that fuzzing of release code keeps.
inline void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "contract broken: %s\n", what);
  std::abort();
}

/// Looks at every command, and keeps what it is told.
struct ToldKeys final : KeyWatch {
  std::vector<std::string> keys;
  ToldKeys() { look_at(1); }
  void saw(std::string_view key) override { keys.emplace_back(key); }

 private:
  std::uint32_t next() override { return 1; }
};

class ToyRelay {
 public:
  ToyRelay(const ProtocolCore& core, std::size_t backends)
      : core_(core),
        session_(core.new_session(told)),
        lanes_(backends),
        leases_(backends),
        keepers_(backends) {
    for (std::size_t i = 0; i < backends; ++i) connect_anew(i);
  }

  /// The client sends `bytes`.
  void receive(std::string_view bytes) {
    if (closed_) return;
    const std::size_t streamed = static_cast<std::size_t>(std::min<std::uint64_t>(more_, bytes.size()));
    if (more_ > 0) {
      current_request() += bytes.substr(0, streamed);
      if (copying_) partial_.text += bytes.substr(0, streamed);
      more_ -= streamed;
      bytes.remove_prefix(streamed);
      if (more_ == 0) end_of_streamed_bytes();
    }
    input_ += bytes;
    if (more_ == 0 && !settling) go_on();
  }
  /// Asks the session again, as the relay does while the session waits for a backend.
  void go_on() {
    if (settling && !exchanges_.empty()) return;
    while (!closed_ && more_ == 0) {
      if (core_.keeps_replies()) session_->stands(exchanges_.empty() && group_.parts.empty(), now);
      const Verdict verdict = session_->on_client(input_);
      must(verdict.consumed <= input_.size(), "consumed <= input");
      log(verdict);
      waiting = verdict.kind == Verdict::Kind::wait;
      if (verdict.kind == Verdict::Kind::settle) flush();
      settling = verdict.kind == Verdict::Kind::settle && !exchanges_.empty();
      if (!obey(verdict) || settling) break;
    }
    must(input_.size() <= core_.max_message() || closed_ || settling,
         "the session holds no more than max_message");
    flush();
  }
  void give_up() {
    session_->give_up();
    go_on();
  }
  Session& session() { return *session_; }

  /// The oldest request that `backend` owes a reply to; null when there is none.
  [[nodiscard]] const std::string* owed(std::size_t backend) const {
    return lanes_[backend].empty() ? nullptr : &lanes_[backend].front().request;
  }
  /// Likewise, if all of it was passed on.
  [[nodiscard]] const std::string* owed_whole(std::size_t backend) const {
    const bool passing = streaming_ && streaming_backend_ == backend && lanes_[backend].size() == 1;
    return passing ? nullptr : owed(backend);
  }
  /// `backend` answers its oldest request.
  void deliver(std::size_t backend, std::string_view reply) {
    if (keepers_[backend]) {
      keepers_[backend]->heard(now);
      if (lanes_[backend].front().keeps) keepers_[backend]->replied(lanes_[backend].front().request, reply);
    }
    finish(backend, {.reply = std::string(reply)});
  }
  /// `backend` will not answer its oldest request.
  void lose(std::size_t backend, Failure failure, std::string_view reason = {}) {
    finish(backend, {.failed = true, .failure = failure, .reason = std::string(reason)});
  }
  /// Of a core that keeps replies: the shared connection to `backend` is another one...
  void connect_anew(std::size_t backend) {
    keepers_[backend].reset();
    keepers_[backend] = core_.new_keeper(static_cast<BackendIndex>(backend));
    if (keepers_[backend]) keepers_[backend]->heard(now);
  }
  /// ...or its server tells something that nobody asked for.
  void tell(std::size_t backend, std::string_view news) {
    if (!keepers_[backend]) return;
    keepers_[backend]->heard(now);
    keepers_[backend]->told(news);
  }
  /// The kind of connection that the oldest request to `backend` needs.
  [[nodiscard]] LaneKind kind(std::size_t backend) const { return lanes_[backend].front().kind; }

  // The same of the lane that the client has leased to `backend`.
  [[nodiscard]] bool leased(std::size_t backend) const { return leases_[backend].held; }
  [[nodiscard]] const std::string* leased_owed(std::size_t backend) const {
    const auto& owed = leases_[backend].owed;
    return owed.empty() ? nullptr : &owed.front().request;
  }
  /// How many replies its oldest request has, and whether the server may take its time.
  [[nodiscard]] std::uint32_t leased_replies(std::size_t backend) const {
    return leases_[backend].owed.front().replies;
  }
  [[nodiscard]] bool leased_patient(std::size_t backend) const {
    return leases_[backend].owed.front().patient;
  }
  [[nodiscard]] bool listens(std::size_t backend) const { return leases_[backend].listens; }
  [[nodiscard]] std::uint32_t owed_replies(std::size_t backend) const {
    return lanes_[backend].front().replies;
  }
  /// Its oldest request may be asked more often than once.
  [[nodiscard]] bool owed_reads(std::size_t backend) const { return lanes_[backend].front().reads; }
  void deliver_leased(std::size_t backend, std::string_view reply) {
    LeasedLane& lease = leases_[backend];
    Owed owed = std::move(lease.owed.front());
    lease.owed.pop_front();
    if (lease.owed.empty() && lease.ends) lease = {};
    finish(std::move(owed), {.reply = std::string(reply)});
  }
  /// The leased connection ends.
  void lose_lease(std::size_t backend, Failure failure = Failure::lost) {
    LeasedLane lease = std::exchange(leases_[backend], {});
    const bool goes_on = session_->lease_lost(static_cast<BackendIndex>(backend));
    for (Owed& owed : lease.owed) finish(std::move(owed), {.failed = true, .failure = failure});
    if (!goes_on) closed_ = true;
  }
  /// The relay looks whether what is held still has a use.
  void check_leases() {
    if (!session_->leases_stand()) closed_ = true;
  }

  std::string out;          // what the client was sent
  std::size_t replies = 0;  // exchanges that were answered
  std::size_t opened = 0;   // exchanges that were opened
  /// "pass 1", "ask 0 <text>", "answer <text>", ...; "pass 1/5": on a lane of kind 5.
  std::vector<std::string> verdicts;
  /// What a mirror would get.
  struct Copy {
    LaneKind kind = LaneKind::ordinary;
    std::string text;
    friend bool operator==(const Copy&, const Copy&) = default;
  };
  std::vector<Copy> copies;
  bool waiting = false;
  bool settling = false;  // for what is open
  bool log_texts = true;
  std::chrono::steady_clock::time_point now{std::chrono::hours(1)};
  ToldKeys told;
  /// Called with the requests of a group and the one reply that the session made of their replies.
  std::function<void(const std::vector<std::string>& asked, std::string_view merged)> on_merged;
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] bool streaming() const { return streaming_; }
  [[nodiscard]] std::size_t held() const { return input_.size(); }

 private:
  struct Outcome {
    bool failed = false;
    Failure failure = Failure::lost;
    std::string reason{};
    std::string reply{};
    bool there = false;
  };
  struct Exchange {
    enum class Kind { one, group, ready } kind = Kind::one;
    std::vector<Outcome> parts{};
    std::vector<BackendIndex> backends{};
    std::vector<std::string> asked{};
    std::string ready{};
  };
  struct Owed {
    std::uint64_t exchange = 0;  // number of the exchange since the beginning
    std::size_t part = 0;
    std::string request;
    LaneKind kind = LaneKind::ordinary;
    std::uint32_t replies = 1;
    bool patient = false;
    bool reads = false;
    bool keeps = false;
  };
  struct LeasedLane {
    std::deque<Owed> owed{};
    bool held = false;
    bool ends = false;  // when nothing is owed
    bool listens = false;
  };

  std::string& current_request() { return lanes_[streaming_backend_].back().request; }
  void end_of_streamed_bytes() {
    if (unfinished_) return;
    streaming_ = false;
    finish_copy();
  }
  Exchange& open(Exchange::Kind kind) {
    ++opened;
    exchanges_.emplace_back().kind = kind;
    return exchanges_.back();
  }
  std::uint64_t last_exchange() const { return first_ + exchanges_.size() - 1; }

  void request(std::uint64_t exchange, std::size_t part, const Verdict& verdict, std::string_view text) {
    const BackendIndex backend = verdict.backend;
    must(backend < lanes_.size(), "backend exists");
    must(verdict.replies > 0 && (verdict.replies == 1 || verdict.kind == Verdict::Kind::ask),
         "only asks have several replies");
    Owed owed{exchange,        part,          std::string(text), verdict.lane, verdict.replies,
              verdict.patient, verdict.reads, verdict.keeps};
    if (verdict.lease == Lease::none) {
      must(!verdict.patient && !verdict.listens, "what is shared neither waits nor listens");
      must(!verdict.keeps || (verdict.reads && core_.keeps_replies()), "what is kept was read");
      lanes_[backend].push_back(std::move(owed));
      return;
    }
    must(!verdict.streams(), "a large message has a lane of its own anyway");
    must(!verdict.keeps, "nobody tells the others of a lane of a client's own");
    LeasedLane& lease = leases_[backend];
    must(lease.owed.empty() || lease.owed.back().kind == verdict.lane, "a lease is of one kind");
    must(!lease.ends || verdict.lease == Lease::last, "a lane that was left is not kept");
    lease.held = true;
    lease.ends = verdict.lease != Lease::keep;
    lease.listens = lease.listens || verdict.listens;
    lease.owed.push_back(std::move(owed));
  }

  // False: the session is not to be asked again before something happens.
  bool obey(const Verdict& verdict) {
    using Kind = Verdict::Kind;
    const std::string_view front = std::string_view(input_).substr(0, verdict.consumed);
    must(!streaming_ || verdict.kind == Kind::need_more || verdict.kind == Kind::pass ||
             verdict.kind == Kind::close,
         "an unfinished pass is continued");
    must(group_.parts.empty() || verdict.kind == Kind::ask || verdict.kind == Kind::gather ||
             verdict.kind == Kind::need_more,
         "an open group is closed first");
    must(!verdict.secret || verdict.kind == Kind::answer, "passwords are not passed on");
    if (verdict.kind != Kind::settle) settled_in_a_row_ = 0;
    copy(verdict, front);
    switch (verdict.kind) {
      case Kind::need_more:
        input_.erase(0, verdict.consumed);
        return false;
      case Kind::wait:
        must(verdict.consumed == 0, "wait consumes nothing");
        return false;
      case Kind::settle:
        must(verdict.consumed == 0, "settle consumes nothing");
        must(++settled_in_a_row_ < 4, "a session that is settled goes on");
        return true;
      case Kind::pass:
      case Kind::send:
        if (streaming_) {
          current_request() += front;
        } else {
          open(Exchange::Kind::one);
          exchanges_.back().parts.resize(1);
          request(last_exchange(), 0, verdict, verdict.kind == Kind::send ? verdict.text : front);
          streaming_backend_ = verdict.backend;
        }
        must(verdict.more == 0 || verdict.consumed == input_.size(), "more means that all is consumed");
        must(verdict.consumed + verdict.more > 0, "a pass passes something");
        streaming_ = verdict.streams();
        unfinished_ = verdict.unfinished;
        more_ = verdict.more;
        if (!streaming_) finish_copy();
        break;
      case Kind::ask:
        request(first_ + exchanges_.size(), group_.parts.size(), verdict, verdict.text);
        group_.parts.emplace_back();
        group_.backends.push_back(verdict.backend);
        group_.asked.emplace_back(verdict.text);
        break;
      case Kind::gather:
        ++opened;
        exchanges_.push_back(std::exchange(group_, {}));
        exchanges_.back().kind = Exchange::Kind::group;
        break;
      case Kind::answer:
        must(!verdict.text.empty(), "an answer has text");
        if (verdict.lease == Lease::drop) {
          for (LeasedLane& lease : leases_) {
            must(lease.owed.empty(), "a lane is dropped when it owes nothing");
            lease = {};
          }
        }
        open(Exchange::Kind::ready).ready = verdict.text;
        break;
      case Kind::close:
        if (!streaming_) open(Exchange::Kind::ready).ready = verdict.text;
        closed_ = true;
        return false;
    }
    input_.erase(0, verdict.consumed);
    return true;
  }

  void copy(const Verdict& verdict, std::string_view front) {
    using Kind = Verdict::Kind;
    const bool passes = verdict.kind == Kind::pass;
    must(!verdict.mirrored || passes || verdict.kind == Kind::send || verdict.kind == Kind::gather,
         "there are copies of what is asked");
    if (streaming_) {
      if (copying_ && passes) partial_.text += front;
    } else if (verdict.mirrored) {
      partial_ = {.kind = verdict.lane, .text = std::string(passes ? front : verdict.text)};
      copying_ = true;
      if (!verdict.streams()) finish_copy();
    }
  }
  void finish_copy() {
    if (std::exchange(copying_, false)) copies.push_back(std::move(partial_));
  }

  void finish(std::size_t backend, Outcome outcome) {
    Owed owed = std::move(lanes_[backend].front());
    lanes_[backend].pop_front();
    finish(std::move(owed), std::move(outcome));
  }
  void finish(Owed owed, Outcome outcome) {
    outcome.there = true;
    exchanges_[owed.exchange - first_].parts[owed.part] = std::move(outcome);
    flush();
    if (!settling || !exchanges_.empty()) return;
    settling = false;
    go_on();
  }

  void flush() {
    while (!exchanges_.empty()) {
      Exchange& exchange = exchanges_.front();
      for (const Outcome& part : exchange.parts) {
        if (!part.there) return;
      }
      if (streaming_ && exchanges_.size() == 1) return;
      if (exchange.kind == Exchange::Kind::ready) {
        out += exchange.ready;
      } else if (exchange.kind == Exchange::Kind::group) {
        std::vector<Part> parts;
        for (std::size_t i = 0; i < exchange.parts.size(); ++i) {
          const Outcome& part = exchange.parts[i];
          parts.push_back({exchange.backends[i], name(exchange.backends[i]), part.failed, part.failure,
                           part.reply, part.reason});
        }
        const std::size_t before = out.size();
        session_->merge(parts, out);
        if (on_merged) on_merged(exchange.asked, std::string_view(out).substr(before));
      } else if (exchange.parts[0].failed) {
        const Outcome& part = exchange.parts[0];
        must(session_->fail(part.failure, "some-backend:1", part.reason, out), "Redis has error replies");
      } else {
        out += exchange.parts[0].reply;
      }
      ++replies;
      exchanges_.pop_front();
      ++first_;
    }
  }

  static std::string_view name(BackendIndex backend) {
    static const std::string_view names[] = {"redis-0:1", "redis-1:1", "redis-2:1", "redis-3:1"};
    return names[backend % 4];
  }

  void log(const Verdict& verdict) {
    if (!log_texts) return;
    static const char* const kinds[] = {"need_more", "pass",  "send", "ask",   "gather",
                                        "answer",    "close", "wait", "settle"};
    std::string line = kinds[static_cast<int>(verdict.kind)];
    const bool has_backend = verdict.kind == Verdict::Kind::pass || verdict.kind == Verdict::Kind::send ||
                             verdict.kind == Verdict::Kind::ask;
    if (has_backend && !streaming_) line += " " + std::to_string(verdict.backend);
    if (has_backend && !streaming_ && verdict.lane != LaneKind::ordinary)
      line += "/" + std::to_string(static_cast<int>(verdict.lane));
    static const char* const leases[] = {"", " keep", " last", " drop"};
    line += leases[static_cast<int>(verdict.lease)];
    if (!verdict.text.empty()) line += " " + std::string(verdict.text);
    verdicts.push_back(line);
  }

  const ProtocolCore& core_;
  std::unique_ptr<Session> session_;
  std::string input_;
  std::vector<std::deque<Owed>> lanes_;
  std::vector<LeasedLane> leases_;
  std::vector<std::unique_ptr<Keeper>> keepers_;
  int settled_in_a_row_ = 0;
  std::deque<Exchange> exchanges_;
  std::uint64_t first_ = 0;  // number of exchanges_.front()
  Exchange group_;
  bool streaming_ = false;
  bool unfinished_ = false;
  bool copying_ = false;  // what streams
  Copy partial_;
  std::uint64_t more_ = 0;
  std::size_t streaming_backend_ = 0;
  bool closed_ = false;
};

}  // namespace ambassador::proxy::test
