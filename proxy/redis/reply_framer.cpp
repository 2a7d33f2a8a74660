#include "proxy/redis/reply_framer.hpp"

#include <algorithm>

#include "proxy/redis/number.hpp"

namespace ambassador::proxy::redis {

// An aggregate of `elements` begins.
ReplyFramer::Step ReplyFramer::open(std::int64_t elements) {
  if (elements <= 0) return Step::element;  // empty, or null (-1)
  if (elements > kMaxReplyElements) return Step::broken;
  if (left_ > 0) --left_;  // it is an element itself
  left_ += static_cast<std::uint64_t>(elements);
  return Step::nested;
}

// Reads one header (or a whole line) at `at` and moves behind it.
ReplyFramer::Step ReplyFramer::header(std::string_view input, std::size_t& at) {
  const char type = input[at];
  switch (type) {
    case '$':
    case '=':  // verbatim string
    case '!':  // blob error
    case '>':  // push
    case '*':
    case '~':    // set
    case '%':    // map
    case '|': {  // attributes: a map in front of the element that they belong to
      if (type == '>' && (!pushes_ || left_ > 0)) return Step::broken;
      const Header header = read_header(input.data() + at, input.size() - at);
      if (header.state == Header::State::incomplete) return Step::more;
      if (header.state == Header::State::broken || header.number < -1) return Step::broken;
      at += header.bytes;
      if (type == '*' || type == '~' || type == '>') return open(header.number);
      if (type == '%') return open(header.number * 2);
      if (type == '|') return open(header.number * 2 + 1);
      if (header.number > kMaxReplyBulk) return Step::broken;
      if (header.number >= 0) body_left_ = static_cast<std::uint64_t>(header.number) + kLineEnd;
      return Step::element;
    }
    case '+':
    case '-':
    case ':':
    case '_':  // null
    case '#':  // boolean
    case ',':  // double
    case '(':  // big number
    {
      const std::size_t end = input.find('\n', at + std::max<std::size_t>(searched_, 1));
      if (end == std::string_view::npos) {
        searched_ = input.size() - at;
        return searched_ > kMaxLine ? Step::broken : Step::more;
      }
      searched_ = 0;
      if (input[end - 1] != '\r') return Step::broken;
      at = end + 1;
      return Step::element;
    }
    default:
      return Step::broken;
  }
}

// An element is over; true when the whole reply is.
bool ReplyFramer::element_ends_reply() {
  return left_ == 0 || --left_ == 0;
}

// What the front of `input`, where a frame begins, is on a lane that listens. unknown: not enough is there.
ReplyFramer::Begins ReplyFramer::beginning(std::string_view input) const {
  constexpr std::int64_t kLongestWord = 12;  // "punsubscribe", "sunsubscribe"
  if (input.empty()) return Begins::unknown;
  if (input.front() != (pushes_ ? '>' : '*')) return Begins::reply;
  const Begins other = pushes_ ? Begins::push : Begins::reply;
  const Header array = read_header(input.data(), input.size());
  if (array.state == Header::State::incomplete) return Begins::unknown;
  if (array.state == Header::State::broken || array.number < 1) return other;
  input.remove_prefix(array.bytes);
  if (input.empty()) return Begins::unknown;
  if (input.front() != '$') return other;
  const Header first = read_header(input.data(), input.size());
  if (first.state == Header::State::incomplete) return Begins::unknown;
  if (first.state == Header::State::broken || first.number < 0 || first.number > kLongestWord) return other;
  const auto length = static_cast<std::size_t>(first.number);
  const std::string_view word = input.substr(first.bytes, length);
  if (word.size() < length) return Begins::unknown;
  if (word == "message" || word == "pmessage" || word == "smessage") return Begins::push;
  return word.ends_with("subscribe") ? Begins::reply : other;
}

Framer::Frame ReplyFramer::next(std::span<const char> span) {
  const std::string_view input(span.data(), span.size());
  std::size_t at = 0;
  const bool begins = left_ == 0 && body_left_ == 0;
  if (begins && searched_ == 0) {
    // Most replies are one short string that is wholly there.
    std::uint32_t length = 0;
    if (!input.empty() && input.front() == '$') [[likely]] {
      const std::size_t header = read_short_header(input.data(), input.size(), length);
      const std::size_t end = header + length + kLineEnd;
      if (header != 0 && end <= input.size()) return {.bytes = end, .complete = true};
    }
    in_push_ = pushes_ && !input.empty() && input.front() == '>';
    if (listens_) [[unlikely]] {
      const Begins what = beginning(input);
      if (what == Begins::unknown) return {.news = true};  // it may be: nobody has to have asked
      in_push_ = what == Begins::push;
    }
  }
  while (at < input.size()) {
    if (body_left_ == 0) {
      const Step step = header(input, at);
      if (step == Step::more) break;
      if (step == Step::broken) return {.bytes = at, .complete = false, .broken = true, .news = in_push_};
      if (step == Step::nested) continue;
    }
    if (body_left_ > 0) {
      const std::uint64_t take = std::min<std::uint64_t>(body_left_, input.size() - at);
      at += take;
      body_left_ -= take;
      if (body_left_ > 0) break;
    }
    if (element_ends_reply()) {
      Frame whole = frame(at, true);
      if (begins && heeds_ != Heeds::nothing && input.front() == '-') [[unlikely]] {
        const Declined declined = read_decline(input, heeds_);
        whole.declined = declined.why;
        whole.to = declined.to;
      }
      return whole;
    }
  }
  return frame(at, false);
}

std::size_t reply_size(std::string_view text) {
  ReplyFramer framer;  // a push is no reply
  const Framer::Frame frame = framer.next({text.data(), text.size()});
  return frame.complete ? frame.bytes : 0;
}

}  // namespace ambassador::proxy::redis
