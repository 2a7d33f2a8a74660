#include "proxy/postgresql/pin_scan.hpp"

#include <cstring>

namespace ambassador::proxy::postgresql {
namespace {

// Letters as small ones; 1: other bytes of a word; 0: none.
constexpr std::array<char, 256> kWordBytes = [] {
  std::array<char, 256> table{};
  for (unsigned c = 0; c < 256; ++c) {
    if (c >= 'a' && c <= 'z') table[c] = static_cast<char>(c);
    if (c >= 'A' && c <= 'Z') table[c] = static_cast<char>(c - 'A' + 'a');
    if ((c >= '0' && c <= '9') || c == '_' || c == '$') table[c] = static_cast<char>(c);
    if (c >= 0x80) table[c] = 1;
  }
  return table;
}();

char word_byte(char c) {
  return kWordBytes[static_cast<unsigned char>(c)];
}

bool starts_word(char c) {
  return word_byte(c) != 0 && c != '$' && !(c >= '0' && c <= '9');
}

}  // namespace

void PinScan::begin(TrackedSet known) {
  in_ = In::plain;
  statement_ = Statement::begins;
  unlistens_all_ = false;
  before_ = 0;
  known_ = known;
  pins_ = 0;
}

PinSet PinScan::end() {
  if (in_ == In::word) end_word();
  return pins_;
}

void PinScan::feed(std::string_view piece) {
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const char c = piece[i];
    switch (in_) {
      case In::plain:
        plain(c);
        break;
      case In::word: {
        const char small = word_byte(c);
        if (small != 0) {
          if (word_size_ < kMaxWord) {
            word_[word_size_++] = small;
          } else {
            word_size_ = kMaxWord + 1;
          }
          break;
        }
        escapes_ = c == '\'' && word_size_ == 1 && word_[0] == 'e';
        const bool keeps_escapes = escapes_;
        end_word();
        in_ = In::plain;
        plain(c);
        escapes_ = keeps_escapes;
        break;
      }
      case In::string: {
        if (escapes_) {
          if (before_ == '\\') {
            before_ = 0;
          } else if (c == '\'') {
            in_ = In::string_quote;
          } else {
            before_ = c;
          }
          break;
        }
        const void* quote = std::memchr(piece.data() + i, '\'', piece.size() - i);
        if (quote == nullptr) return;
        i = static_cast<std::size_t>(static_cast<const char*>(quote) - piece.data());
        in_ = In::string_quote;
        break;
      }
      case In::string_quote:
        if (c == '\'') {
          in_ = In::string;
          before_ = 0;
        } else {
          in_ = In::plain;
          plain(c);
        }
        break;
      case In::name:
        if (c == '"') {
          end_word();
          in_ = In::plain;
        } else if (word_size_ < kMaxWord) {
          word_[word_size_++] = word_byte(c) == 0 ? c : word_byte(c);
        } else {
          word_size_ = kMaxWord + 1;
        }
        break;
      case In::dash:
        in_ = c == '-' ? In::line : In::plain;
        if (in_ == In::plain) plain(c);
        break;
      case In::line:
        if (c == '\n' || c == '\r') in_ = In::plain;
        break;
      case In::slash:
        if (c == '*') {
          in_ = In::block;
          depth_ = 1;
          before_ = 0;
        } else {
          in_ = In::plain;
          plain(c);
        }
        break;
      case In::block:
        if (before_ == '*' && c == '/') {
          before_ = 0;
          if (--depth_ == 0) in_ = In::plain;
        } else if (before_ == '/' && c == '*') {
          before_ = 0;
          ++depth_;
        } else {
          before_ = c;
        }
        break;
      case In::dollar:
        if (c == '$') {
          tag_[tag_size_++] = c;
          in_ = In::quoted;
          matched_ = 0;
        } else if ((tag_size_ == 1 ? starts_word(c) : word_byte(c) != 0) && tag_size_ <= kMaxTag) {
          tag_[tag_size_++] = c;
        } else {
          in_ = In::plain;  // a parameter
          plain(c);
        }
        break;
      case In::quoted:
        if (c == tag_[matched_]) {
          if (++matched_ == tag_size_) in_ = In::plain;
        } else {
          matched_ = c == '$' ? 1 : 0;
        }
        break;
    }
  }
}

void PinScan::plain(char c) {
  if (starts_word(c)) return start_word(c);
  switch (c) {
    case '\'':
      in_ = In::string;
      escapes_ = false;
      before_ = 0;
      break;
    case '"':
      in_ = In::name;
      word_size_ = 0;
      break;
    case '-':
      in_ = In::dash;
      break;
    case '/':
      in_ = In::slash;
      break;
    case '$':
      in_ = In::dollar;
      tag_[0] = '$';
      tag_size_ = 1;
      break;
    case ';':
      statement_ = Statement::begins;
      break;
    case '*':
      if (statement_ == Statement::unlisten) unlistens_all_ = true;
      break;
    default:
      break;
  }
}

void PinScan::start_word(char c) {
  in_ = In::word;
  word_[0] = word_byte(c);
  word_size_ = 1;
}

void PinScan::end_word() {
  if (word_size_ > kMaxWord || word_size_ < 2) {
    if (statement_ == Statement::begins) statement_ = Statement::other;
    if (statement_ == Statement::set) set("");
    if (statement_ == Statement::prepare) on_word("?");
    return;
  }
  on_word({word_.data(), word_size_});
}

void PinScan::set(std::string_view name) {
  statement_ = Statement::other;
  // SET TIME ZONE and SET NAMES are other words for tracked parameters; the transaction's own ends with it.
  if (name == "local" || name == "transaction" || name == "constraints" || name == "time" || name == "names")
    return;
  const auto i = find_tracked(name);
  if (!i || (known_ & tracked(*i)) == 0) pin(Pin::set);
}

void PinScan::on_word(std::string_view word) {
  switch (statement_) {
    case Statement::begins:
      statement_ = Statement::other;
      if (word == "listen") pin(Pin::listen);
      if (word == "load") pin(Pin::load);
      if (word == "set") statement_ = Statement::set;
      if (word == "prepare") statement_ = Statement::prepare;
      if (word == "create") statement_ = Statement::create;
      if (word == "declare") statement_ = Statement::declare;
      if (word == "unlisten") statement_ = Statement::unlisten;
      return;
    case Statement::set:
      if (word == "session") {
        statement_ = Statement::set_session;
        return;
      }
      return set(word);
    case Statement::set_session:
      // SESSION CHARACTERISTICS and AUTHORIZATION are no parameters and not tracked either.
      return set(word);
    case Statement::prepare:
      if (word != "transaction") pin(Pin::prepare);
      break;
    case Statement::create:
      if (word == "temp" || word == "temporary") pin(Pin::temporary);
      if (word == "or" || word == "replace" || word == "global" || word == "local" || word == "recursive")
        return;
      break;
    case Statement::into:
      if (word == "temp" || word == "temporary") pin(Pin::temporary);
      break;
    case Statement::declare:
      if (word == "with") statement_ = Statement::declare_with;
      return;
    case Statement::declare_with:
      if (word == "hold") pin(Pin::hold);
      statement_ = Statement::declare;
      return;
    case Statement::unlisten:
    case Statement::other:
      break;
  }
  statement_ = Statement::other;
  switch (word[0]) {
    case 'i':
      if (word == "into") statement_ = Statement::into;
      break;
    case 's':
      if (word == "set_config") pin(Pin::set_config);
      break;
    case 'p':
      if (word.starts_with("pg_temp")) pin(Pin::temporary);
      if (word.starts_with("pg_advisory_lock") || word.starts_with("pg_try_advisory_lock"))
        pin(Pin::advisory_lock);
      break;
    default:
      break;
  }
}

}  // namespace ambassador::proxy::postgresql
