#include "proxy/redis/request_parser.hpp"

#include <algorithm>
#include <cassert>
#include <cctype>

#include "proxy/redis/inline_request.hpp"
#include "proxy/redis/limits.hpp"
#include "proxy/redis/number.hpp"

namespace ambassador::proxy::redis {
namespace {

constexpr std::size_t kUsualArguments = 8;    // room for them is kept between messages
constexpr std::size_t kKeptArguments = 1024;  // room for more is given back
constexpr std::uint64_t kLineEnd = 2;         // CRLF

}  // namespace

RequestParser::RequestParser() {
  args_.reserve(kUsualArguments);
}

void RequestParser::next() {
  at_ = body_end_ = 0;
  count_ = seen_ = 0;
  size_ = 0;
  status_ = Status::incomplete;
  keep_ = true;
  if (args_.capacity() > kKeptArguments) args_ = {};
  args_.clear();
  if (inline_) rewritten_ = {};
  inline_ = false;
}

RequestParser::Status RequestParser::parse(std::string_view input) {
  if (!inline_) base_ = input.data();
  if (status_ != Status::incomplete) return status_;
  if (count_ == 0) {
    if (input.empty()) return status_;
    if (keep_ && input.front() != '*') return status_ = parse_inline(input);
    status_ = parse_count(input);
    if (status_ != Status::incomplete || count_ == 0) return status_;
  }
  return status_ = parse_arguments(input);
}

RequestParser::Status RequestParser::parse_count(std::string_view input) {
  const Header header = read_header(input.data(), input.size());
  if (header.state == Header::State::incomplete) return Status::incomplete;
  if (header.state == Header::State::broken || header.number > kMaxArguments) {
    return fail("Protocol error: invalid multibulk length");
  }
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
  for (;;) {
    if (body_end_ != 0) {
      if (body_end_ > size) return Status::incomplete;
      // A body whose front is gone was somebody else's to check; Redis does not look at these two at all.
      if (keep_ && (data[body_end_ - 2] != '\r' || data[body_end_ - 1] != '\n')) {
        return fail("Protocol error: expected CRLF after an argument");
      }
      at_ = body_end_;
      body_end_ = 0;
      ++seen_;
    }
    if (seen_ == count_) break;
    if (at_ == size) return Status::incomplete;
    if (data[at_] != '$') return bad_argument(data[at_]);
    const Header header = read_header(data + at_, size - at_);
    if (header.state == Header::State::incomplete) return Status::incomplete;
    if (header.state == Header::State::broken || header.number < 0 || header.number > kMaxBulk) {
      return fail("Protocol error: invalid bulk length");
    }
    const std::uint64_t body = at_ + header.bytes;
    if (keep_) args_.push_back({static_cast<std::uint32_t>(body), static_cast<std::uint32_t>(header.number)});
    body_end_ = body + static_cast<std::uint64_t>(header.number) + kLineEnd;
  }
  size_ = at_;
  return Status::complete;
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
    args_.push_back({static_cast<std::uint32_t>(rewritten_.size()), static_cast<std::uint32_t>(word.size())});
    rewritten_ += word;
    rewritten_ += "\r\n";
  }
  count_ = seen_ = static_cast<std::uint32_t>(words->size());
  base_ = rewritten_.data();
  return Status::complete;
}

RequestParser::Status RequestParser::fail(std::string why) {
  error_ = std::move(why);
  return Status::broken;
}

std::string_view RequestParser::raw(std::size_t i) const {
  const std::uint64_t begin = i == 0 ? first_raw_ : args_[i - 1].offset + args_[i - 1].length + kLineEnd;
  return {base_ + begin, args_[i].offset + args_[i].length + kLineEnd - begin};
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
  args_.clear();
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
