#include "proxy/redis/request_parser.hpp"

#include <algorithm>
#include <cassert>
#include <cctype>

#include "proxy/redis/inline_request.hpp"
#include "proxy/redis/limits.hpp"
#include "proxy/redis/number.hpp"

namespace ambassador::proxy::redis {
namespace {

constexpr std::size_t kKeptArguments = 1024;  // room for more is given back

}  // namespace

// What only unusual messages need.
void RequestParser::give_back() {
  if (rest_.capacity() > kKeptArguments) rest_ = {};
  rest_.clear();
  if (inline_) rewritten_ = {};
  inline_ = false;
}

RequestParser::Status RequestParser::parse(std::string_view input) {
  if (!inline_) base_ = input.data();
  if (status_ != Status::incomplete) return status_;
  if (count_ == 0) {
    if (input.empty()) return status_;
    if (input.front() != '*') return status_ = parse_inline(input);
    if (const std::size_t bytes =
            trusted_ ? read_short_header(input.data(), input.size(), count_) : std::size_t{0}) {
      at_ = size_ = bytes;
      first_raw_ = static_cast<std::uint32_t>(bytes);
      if (count_ == 0) return status_ = Status::nothing;
    } else {
      status_ = parse_count(input);
      if (status_ != Status::incomplete || count_ == 0) return status_;
    }
  }
  return status_ = parse_arguments(input);
}

RequestParser::Status RequestParser::parse_count(std::string_view input) {
  const Header header = read_header(input.data(), input.size());
  if (header.state == Header::State::incomplete) return Status::incomplete;
  if (header.state == Header::State::broken || header.number > kMaxArguments) {
    return fail("Protocol error: invalid multibulk length");
  }
  if (!trusted_ && header.number > kMaxStrangerArguments)
    return fail("Protocol error: unauthenticated multibulk length");
  size_ = header.bytes;
  if (header.number <= 0) return Status::nothing;
  count_ = static_cast<std::uint32_t>(header.number);
  at_ = header.bytes;
  first_raw_ = static_cast<std::uint32_t>(header.bytes);
  return Status::incomplete;
}

RequestParser::Status RequestParser::parse_arguments(std::string_view input) {
  const char* const data = input.data();
  const std::uint64_t size = input.size();
  std::uint64_t at = at_;
  std::uint64_t body_end = body_end_;
  std::uint32_t seen = seen_;
  const auto remember = [&](Status status) {
    at_ = at;
    body_end_ = body_end;
    seen_ = seen;
    return status;
  };
  for (;;) {
    if (body_end != 0) {
      if (body_end > size) return remember(Status::incomplete);
      // A body whose front is gone was somebody else's to check; Redis does not look at these two at all.
      if (keep_ && (data[body_end - 2] != '\r' || data[body_end - 1] != '\n')) {
        return fail("Protocol error: expected CRLF after an argument");
      }
      at = body_end;
      body_end = 0;
      ++seen;
    }
    if (seen == count_) break;
    if (at == size) return remember(Status::incomplete);
    if (data[at] != '$') return bad_argument(data[at]);
    std::uint32_t length = 0;
    std::uint64_t body = at + read_short_header(data + at, size - at, length);
    if (body == at) [[unlikely]] {
      const Header header = read_header(data + at, size - at);
      if (header.state == Header::State::incomplete) return remember(Status::incomplete);
      if (header.state == Header::State::broken || header.number < 0 || header.number > kMaxBulk) {
        return fail("Protocol error: invalid bulk length");
      }
      if (!trusted_ && header.number > kMaxStrangerBulk)
        return fail("Protocol error: unauthenticated bulk length");
      length = static_cast<std::uint32_t>(header.number);
      body = at + header.bytes;
    }
    if (keep_) keep(seen, body, length);
    body_end = body + length + kLineEnd;
  }
  size_ = at;
  return remember(Status::complete);
}

RequestParser::Status RequestParser::bad_argument(char type) {
  return fail("Protocol error: expected '$', got '" +
              std::string(1, std::isprint(static_cast<unsigned char>(type)) != 0 ? type : ' ') + "'");
}

RequestParser::Status RequestParser::parse_inline(std::string_view input) {
  const std::size_t end = input.find('\n', at_);
  if (end == std::string_view::npos) {
    if (input.size() > kMaxInline) return fail("Protocol error: too big inline request");
    at_ = input.size();
    return Status::incomplete;
  }
  if (end > kMaxInline) return fail("Protocol error: too big inline request");
  const auto words = split_words(input.substr(0, end > 0 && input[end - 1] == '\r' ? end - 1 : end));
  if (!words) return fail("Protocol error: unbalanced quotes in request");
  size_ = end + 1;
  if (words->empty()) return Status::nothing;

  inline_ = true;
  rewritten_ = "*";
  append_number(rewritten_, static_cast<std::int64_t>(words->size()));
  rewritten_ += "\r\n";
  first_raw_ = static_cast<std::uint32_t>(rewritten_.size());
  for (const std::string& word : *words) {
    rewritten_ += '$';
    append_number(rewritten_, static_cast<std::int64_t>(word.size()));
    rewritten_ += "\r\n";
    keep(count_++, rewritten_.size(), static_cast<std::uint32_t>(word.size()));
    rewritten_ += word;
    rewritten_ += "\r\n";
  }
  seen_ = count_;
  base_ = rewritten_.data();
  return Status::complete;
}

RequestParser::Status RequestParser::fail(std::string why) {
  error_ = std::move(why);
  return Status::broken;
}

std::string_view RequestParser::raw(std::size_t i) const {
  const std::uint64_t begin = i == 0 ? first_raw_ : slice(i - 1).offset + slice(i - 1).length + kLineEnd;
  return {base_ + begin, slice(i).offset + slice(i).length + kLineEnd - begin};
}

std::string_view RequestParser::message() const {
  return inline_ ? std::string_view(rewritten_) : std::string_view(base_, size_);
}

std::size_t RequestParser::understood(std::string_view input) const {
  return body_end_ != 0 ? input.size() : at_;
}

std::uint64_t RequestParser::missing(std::string_view input) const {
  return body_end_ != 0 ? body_end_ - input.size() : 0;
}

void RequestParser::gone(std::uint64_t bytes) {
  keep_ = false;
  if (body_end_ != 0) {
    assert(bytes <= body_end_);
    body_end_ -= bytes;
    at_ = 0;
    if (body_end_ == 0) ++seen_;
  } else {
    assert(bytes <= at_);
    at_ -= bytes;
  }
}

}  // namespace ambassador::proxy::redis
