// Where a client's message begins and ends and what its arguments are: multibulk and inline requests, with
// Redis' limits and error texts. Goes on where it stopped when more bytes are there: no byte is looked at
// twice, bodies are skipped by their length. Used by the session. Pure.
//
// Source: https://redis.io/docs/reference/protocol-spec/; Redis 7.0 networking.c (processMultibulkBuffer,
// processInlineBuffer).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ambassador::proxy::redis {

class RequestParser {
 public:
  enum class Status : std::uint8_t {
    incomplete,  // more bytes are needed
    complete,    // a message with at least one argument
    nothing,     // a message without arguments (an empty line, "*0"): size() bytes to drop, no reply
    broken,      // error() says why; the client must be closed
  };

  /// `input` begins where the message does and is at least as long as in the call before. Repeats its answer
  /// until next() when the message was complete.
  Status parse(std::string_view input);
  /// Whether the next message may be large: not as long as its sender is a stranger (kMaxStranger...). All
  /// are trusted at first.
  void trust(bool trusted) { trusted_ = trusted; }
  /// The message was dealt with; the next call's input begins with the next one.
  void next() {
    if (inline_ || count_ > kFirst) [[unlikely]]
      give_back();
    at_ = body_end_ = 0;
    count_ = seen_ = 0;
    size_ = 0;
    status_ = Status::incomplete;
    keep_ = true;
  }

  /// Arguments that the message has, as far as its header is there (0 before).
  [[nodiscard]] std::size_t count() const { return count_; }
  /// Of these, the ones that are wholly there.
  [[nodiscard]] std::size_t seen() const { return seen_; }
  /// Argument `i` < seen(), the name first. Valid as long as the input of the last parse.
  [[nodiscard]] std::string_view arg(std::size_t i) const {
    return {base_ + slice(i).offset, slice(i).length};
  }
  /// Argument `i` < seen() as it stands in the message: with its header and CRLF.
  [[nodiscard]] std::string_view raw(std::size_t i) const;
  /// Bytes of the input that the complete (or empty) message takes.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// A complete message as multibulk: the bytes of the input, or an inline request in that spelling.
  [[nodiscard]] std::string_view message() const;
  [[nodiscard]] bool is_inline() const { return inline_; }
  /// "Protocol error: ...", when broken.
  [[nodiscard]] std::string_view error() const { return error_; }

  // Messages that are not collected: their front is passed on or dropped before their end is there. ---------
  /// How many bytes of `input` (that of the last parse, which was incomplete) are understood: all of it
  /// inside a body, else up to the header that is not whole yet.
  [[nodiscard]] std::size_t understood(std::string_view input) const;
  /// What is missing of the body that the input ends in, its CRLF included; 0: it ends in a header.
  [[nodiscard]] std::uint64_t missing(std::string_view input) const;
  /// The message's next `bytes` (<= understood + missing) are gone: the next input begins behind them.
  /// Arguments are not kept from then on.
  void gone(std::uint64_t bytes);
  /// Every byte of the message is gone.
  [[nodiscard]] bool all_gone() const { return !keep_ && count_ > 0 && seen_ == count_; }

 private:
  struct Slice {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
  };

  /// Most commands have no more arguments than this; their places need no memory of their own.
  static constexpr std::size_t kFirst = 6;

  [[nodiscard]] const Slice& slice(std::size_t i) const { return i < kFirst ? first_[i] : rest_[i - kFirst]; }
  void keep(std::size_t i, std::uint64_t offset, std::uint32_t length) {
    const Slice slice{static_cast<std::uint32_t>(offset), length};
    if (i < kFirst) [[likely]] {
      first_[i] = slice;
    } else {
      rest_.push_back(slice);
    }
  }
  void give_back();
  Status parse_inline(std::string_view input);
  Status parse_count(std::string_view input);
  Status parse_arguments(std::string_view input);
  Status bad_argument(char type);
  Status fail(std::string why);

  const char* base_ = nullptr;  // what the slices count from
  std::uint64_t at_ = 0;        // everything before is understood
  std::uint64_t body_end_ = 0;  // of the body that at_ lies before, with its CRLF; 0: at_ is at a header
  std::uint32_t count_ = 0;
  std::uint32_t seen_ = 0;
  std::size_t size_ = 0;
  Status status_ = Status::incomplete;
  bool keep_ = true;
  bool trusted_ = true;
  bool inline_ = false;
  std::uint32_t first_raw_ = 0;  // where the first argument's header is
  std::array<Slice, kFirst> first_;
  std::vector<Slice> rest_;
  std::string rewritten_;  // an inline request as multibulk
  std::string error_;
};

}  // namespace ambassador::proxy::redis
