// A protocol of lines, small enough to see what the relay does: each line is a request, each reply is a line.
//   get KEY ...        passed to the backend that KEY belongs to (last character modulo the number of
//   backends) all TEXT           asked of every backend, answered by all their replies joined by '|' local
//   TEXT         answered "TEXT" by the session itself put KEY N + bytes  passed with its N bytes, streamed
//   when they are not all there bye                answered "bye" and closed
//   use KIND           answered "used": from now on this client's lanes are of that kind
// What fails is answered "-FAILURE BACKEND", and with the reason if there is one.
// Connections of another kind than 0, and all those of a core that greets, begin with "hello KIND": the
// server answers "welcome", "no WHY" or "never WHY". Lines that begin with '>' are news.
#pragma once

#include <algorithm>
#include <charconv>
#include <string>

#include "proxy/net/snapshot.hpp"
#include "proxy/session/session.hpp"

namespace line {

using namespace ambassador;
using namespace ambassador::proxy;

class Session final : public proxy::Session {
 public:
  explicit Session(std::size_t backends) : backends_(backends) {}

  Verdict on_client(std::span<const char> input) override {
    const std::string_view bytes(input.data(), input.size());
    const auto newline = bytes.find('\n');
    if (newline == std::string_view::npos) return {};
    const std::string_view request = bytes.substr(0, newline);
    const std::size_t length = newline + 1;
    if (request.starts_with("get ")) {
      const auto key = request.substr(4, request.find(' ', 4) - 4);
      return {.kind = Verdict::Kind::pass, .lane = lane_, .backend = owner(key), .consumed = length};
    }
    if (request.starts_with("put ")) return put(request, length, bytes.size());
    if (request.starts_with("all ")) {
      if (asked_ == backends_) {
        asked_ = 0;
        return {.kind = Verdict::Kind::gather, .consumed = length};
      }
      text_ = "get " + std::string(request.substr(4)) + "\n";
      return {.kind = Verdict::Kind::ask,
              .lane = lane_,
              .backend = static_cast<BackendIndex>(asked_++),
              .text = text_};
    }
    if (request.starts_with("use ")) {
      lane_ = static_cast<LaneKind>(std::stoi(std::string(request.substr(4))));
      text_ = "used\n";
      return {.kind = Verdict::Kind::answer, .consumed = length, .text = text_};
    }
    text_ = std::string(request.starts_with("local ") ? request.substr(6) : request) + "\n";
    const auto kind = request == "bye" ? Verdict::Kind::close : Verdict::Kind::answer;
    return {.kind = kind, .consumed = length, .text = text_};
  }

  void merge(std::span<const Part> parts, std::string& out) override {
    for (const Part& part : parts) {
      if (&part != &parts.front()) out += '|';
      if (part.failed) {
        out += std::string("-") + net::failure_name(part.failure) + " " + std::string(part.backend_name);
      } else {
        out += part.reply.substr(0, part.reply.size() - 1);
      }
    }
    out += '\n';
  }

  bool fail(Failure failure, std::string_view backend, std::string_view reason, std::string& out) override {
    out += std::string("-") + net::failure_name(failure) + " " + std::string(backend);
    if (!reason.empty()) out += ": " + std::string(reason);
    out += '\n';
    return true;
  }

  std::size_t backends_;

 private:
  [[nodiscard]] BackendIndex owner(std::string_view key) const {
    return backends_ == 0 ? kNoBackend
                          : static_cast<BackendIndex>(static_cast<unsigned char>(key.back()) % backends_);
  }
  Verdict put(std::string_view request, std::size_t line, std::size_t available) {
    const auto space = request.rfind(' ');
    std::size_t n = 0;
    std::from_chars(request.data() + space + 1, request.data() + request.size(), n);
    const std::size_t whole = line + n;
    const auto to = owner(request.substr(4, space - 4));
    return {.kind = Verdict::Kind::pass,
            .lane = lane_,
            .backend = to,
            .consumed = std::min(whole, available),
            .more = whole > available ? whole - available : 0};
  }

  LaneKind lane_ = LaneKind::ordinary;
  std::size_t asked_ = 0;
  std::string text_;
};

/// Lines end replies; a long line is given on in the pieces it comes in. A line that begins with 0x01 breaks
/// the protocol.
class Framer final : public proxy::Framer {
 public:
  Frame next(std::span<const char> input) override {
    if (at_begin_ && input.front() == '\x01') return {.broken = true};
    const auto newline = std::find(input.begin(), input.end(), '\n');
    if (at_begin_ && input.front() == '>') {
      if (newline == input.end()) return {.news = true};
      return {.bytes = static_cast<std::size_t>(newline - input.begin()) + 1, .news = true};
    }
    at_begin_ = newline != input.end();
    if (newline == input.end()) return {.bytes = input.size()};
    return {.bytes = static_cast<std::size_t>(newline - input.begin()) + 1, .complete = true};
  }

 private:
  bool at_begin_ = true;
};

class Greeting final : public proxy::Greeting {
 public:
  explicit Greeting(LaneKind kind) : text_("hello " + std::to_string(static_cast<int>(kind)) + "\n") {}
  Greeted on_bytes(std::span<const char> input) override {
    if (input.empty()) return {.send = text_};
    const std::string_view bytes(input.data(), input.size());
    const auto newline = bytes.find('\n');
    if (newline == std::string_view::npos) return {};
    const std::string_view line = bytes.substr(0, newline);
    if (line == "welcome") return {.state = Greeted::State::ready, .consumed = newline + 1};
    why_ = line.substr(line.find(' ') + 1);
    return {.state = Greeted::State::refused, .lasting = line.starts_with("never "), .why = why_};
  }

 private:
  const std::string text_;
  std::string why_;
};

class Core final : public ProtocolCore {
 public:
  Core(std::size_t backends, const Availability& availability, bool greets = false)
      : backends_(backends), availability_(availability), greets_(greets) {}
  [[nodiscard]] bool shares_lanes() const override { return true; }
  [[nodiscard]] std::size_t max_message() const override { return 64 * 1024; }
  [[nodiscard]] std::unique_ptr<proxy::Session> new_session(KeyWatch& /*watch*/) const override {
    return std::make_unique<Session>(backends_);
  }
  [[nodiscard]] std::unique_ptr<proxy::Framer> new_framer(LaneKind /*kind*/) const override {
    return std::make_unique<Framer>();
  }
  [[nodiscard]] std::unique_ptr<proxy::Greeting> new_greeting(LaneKind kind) const override {
    if (!greets_ && kind == LaneKind::ordinary) return nullptr;
    return std::make_unique<Greeting>(kind);
  }
  void rebind(proxy::Session& session) const override {
    static_cast<Session&>(session).backends_ = backends_;
  }
  [[nodiscard]] BackendIndex choose(std::span<const std::uint32_t> /*open*/) const override {
    return kNoBackend;
  }
  [[nodiscard]] std::string_view probe_request() const override { return "get probe\n"; }
  [[nodiscard]] Health probe_reply(std::string_view bytes) const override {
    return bytes.ends_with('\n') ? Health::healthy : Health::need_more;
  }

 private:
  std::size_t backends_;
  const Availability& availability_;
  const bool greets_;
};

}  // namespace line
