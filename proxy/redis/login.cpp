#include "proxy/redis/login.hpp"

#include <string.h>  // NOLINT(modernize-deprecated-headers): explicit_bzero is not in <cstring>

#include <algorithm>
#include <array>

#include "proxy/redis/client_info.hpp"
#include "proxy/redis/limits.hpp"
#include "proxy/redis/number.hpp"
#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {
namespace {

constexpr std::size_t kMaxWhy = 200;  // of a server's error; Redis' own are shorter

// Errors that tell what is wrong and repeat nothing of the request. Others may: an old server that does not
// know HELLO quotes its arguments, and the password is one of them.
constexpr std::array<std::string_view, 12> kTold{
    "WRONGPASS ",
    "NOAUTH ",
    "NOPERM ",
    "NOPROTO ",
    "LOADING ",
    "MASTERDOWN ",
    "DENIED ",
    "ERR DB index is out of range",
    "ERR invalid DB index",
    "ERR max number of clients",
    "ERR invalid password",
    "ERR AUTH <password> called without any password",
};

std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxWhy));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

constexpr std::string_view kTrack = "*3\r\n$6\r\nCLIENT\r\n$8\r\nTRACKING\r\n$2\r\nON\r\n";

// The first number of the version that the reply to HELLO tells; nothing: it tells none.
std::optional<std::int64_t> major_version(std::string_view about) {
  constexpr std::string_view kName = "\r\nversion\r\n$";
  const std::size_t name = about.find(kName);
  if (name == std::string_view::npos) return std::nullopt;
  std::string_view version = about.substr(name + kName.size());
  const std::size_t length = version.find('\n');
  if (length == std::string_view::npos) return std::nullopt;
  version.remove_prefix(length + 1);
  return whole_number(version.substr(0, version.find('.')));
}

}  // namespace

Login::Login(LaneKind kind, const Account* account, bool tracked)
    : tracked_(tracked && resp_of(kind) == Resp::three) {
  std::vector<std::string_view> words;
  const auto add = [&](Step step) {
    append_array(request_, words.size());
    for (const std::string_view word : words) append_bulk(request_, word);
    words.clear();
    steps_.push_back(step);
  };
  std::size_t secrets = 0;
  if (account != nullptr) secrets = account->user.size() + account->password.size();
  constexpr std::size_t kRoomForRest = 160;  // so that nothing is left behind when the text would grow
  request_.reserve(secrets + kRoomForRest);
  if (resp_of(kind) == Resp::three) {
    words = {"HELLO", "3"};
    if (account != nullptr) words.insert(words.end(), {"AUTH", account->user, account->password});
    add(Step::hello);
  } else if (account != nullptr) {
    words = {"AUTH"};
    // Servers before Redis 6 know one user, and no name for it.
    if (account->user != kDefaultUser) words.emplace_back(account->user);
    words.emplace_back(account->password);
    add(Step::auth);
  }
  if (const std::string database = std::to_string(database_of(kind)); database != "0") {
    words = {"SELECT", database};
    add(Step::select);
  }
  if (from_replica(kind)) {
    words = {"READONLY"};
    add(Step::readonly);
  }
}

Login::~Login() {
  ::explicit_bzero(request_.data(), request_.size());
}

Greeted Login::on_bytes(std::span<const char> span) {
  if (!std::exchange(begun_, true)) {
    if (steps_.empty()) return {.state = Greeted::State::ready};
    return {.send = request_};
  }
  const std::string_view input(span.data(), span.size());
  std::size_t at = 0;
  while (at < input.size()) {
    const std::string_view rest = input.substr(at);
    const Framer::Frame frame = framer_.next({rest.data(), rest.size()});
    if (frame.broken)
      return {.state = Greeted::State::refused, .why = "it does not speak the Redis protocol"};
    if (frame.bytes == 0) break;
    at += frame.bytes;
    if (frame.news) continue;
    if (tracked_ && steps_[done_] == Step::hello) about_.append(rest.substr(0, frame.bytes));
    if (!within_ && frame.complete && rest.front() == '-')
      return refused(rest.substr(1, frame.bytes - kLineEnd - 1), at);
    within_ = !frame.complete;
    if (frame.complete && ++done_ == steps_.size()) {
      Greeted greeted = done();
      greeted.consumed = at;
      return greeted;
    }
  }
  return {.consumed = at};
}

// All steps so far are.
Greeted Login::done() {
  if (steps_.back() == Step::track) return {.state = Greeted::State::ready, .tells = true};
  if (!tracked_) return {.state = Greeted::State::ready};
  const auto version = major_version(about_);
  if (!version || *version < kTracksWell) return untracked("the server is older than Redis 7");
  steps_.push_back(Step::track);
  return {.send = kTrack};
}

Greeted Login::untracked(std::string_view why) {
  why_ = "clientCache keeps nothing of its replies: " + std::string(why);
  return {.state = Greeted::State::ready, .why = why_};
}

Greeted Login::refused(std::string_view error, std::size_t consumed) {
  constexpr std::array<std::string_view, 5> kNames{"HELLO", "AUTH", "SELECT", "READONLY", "CLIENT TRACKING"};
  const Step step = steps_[done_];
  const bool told =
      std::ranges::any_of(kTold, [&](std::string_view start) { return error.starts_with(start); });
  const bool passing = error.starts_with("LOADING ") || error.starts_with("MASTERDOWN ");
  // Who asked for the database or for RESP3 will not get it by asking again; a login may be put right.
  const bool lasting = !passing && (step == Step::select || error.starts_with("NOPROTO "));
  if (told) {
    why_ = printable(error);
  } else {
    why_ = "the server refused " + std::string(kNames[static_cast<std::size_t>(step)]);
  }
  if (step == Step::track) {
    Greeted greeted = untracked(std::string(why_));
    greeted.consumed = consumed;
    return greeted;
  }
  return {.state = Greeted::State::refused, .lasting = lasting, .why = why_};
}

std::unique_ptr<Greeting> new_login(LaneKind kind, const AccountFunction& account, bool tracked) {
  if (!account) return kind == LaneKind::ordinary ? nullptr : std::make_unique<Login>(kind, nullptr, tracked);
  if (const auto known = account()) return std::make_unique<Login>(kind, known.get(), tracked);
  return std::make_unique<NoAccount>();
}

Greeted NoAccount::on_bytes(std::span<const char> /*input*/) {
  return {.state = Greeted::State::refused, .why = "the ambassador has no credentials for it yet"};
}

}  // namespace ambassador::proxy::redis
