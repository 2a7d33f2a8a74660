// What a client is owed by its server, in order: an entry for each message that is answered, so that it is
// known whose answer comes next, which answers the client must not see (of messages that the proxy put in),
// and which ones the proxy gives itself when their turn comes. Used by the session. Pure; no memory is taken
// while it does not grow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ambassador::proxy::postgresql {

struct Owed {
  enum class Kind : std::uint8_t {
    query,     // answered up to ReadyForQuery
    function,  // likewise
    sync,      // likewise
    parse,
    bind,
    describe,
    execute,
    close,
    copy_end,        // no answer: CopyDone or CopyFail stands here
    parse_complete,  // said by the proxy
    close_complete,  // said by the proxy
  };
  Kind kind = Kind::query;
  bool ours = false;     // the proxy put it in
  bool changes = false;  // what prepared statements the client or the server has, if it is not passed over
  std::uint64_t statement = 0;  // parse, bind, execute: Statement::id, 0: the unnamed one or none
  /// parse, close, query: which of the client's, if it changes what statements the client has.
  std::uint64_t serial = 0;

  [[nodiscard]] bool synthetic() const {
    return kind == Kind::parse_complete || kind == Kind::close_complete;
  }
  /// SQL that may take prepared statements away from the server.
  [[nodiscard]] bool deallocates() const { return changes && (kind == Kind::query || kind == Kind::execute); }
  [[nodiscard]] bool ends_unit() const {
    return kind == Kind::query || kind == Kind::function || kind == Kind::sync;
  }
};

class OwedQueue {
 public:
  [[nodiscard]] bool empty() const { return first_ == entries_.size(); }
  [[nodiscard]] std::size_t size() const { return entries_.size() - first_; }
  [[nodiscard]] Owed& front() { return entries_[first_]; }
  [[nodiscard]] Owed& back() { return entries_.back(); }
  [[nodiscard]] const Owed& at(std::size_t i) const { return entries_[first_ + i]; }
  /// Units that are not answered yet: how the transaction stands behind them is not known.
  [[nodiscard]] std::size_t units() const { return units_; }
  void push(const Owed& entry) {
    entries_.push_back(entry);
    units_ += entry.ends_unit() ? 1 : 0;
  }
  void pop() {
    units_ -= front().ends_unit() ? 1 : 0;
    ++first_;
    if (first_ == entries_.size()) {
      clear();
    } else if (first_ >= kForgotten && 2 * first_ >= entries_.size()) {
      forget_popped();
    }
  }
  /// Takes one out.
  void erase(std::size_t i) {
    units_ -= at(i).ends_unit() ? 1 : 0;
    entries_.erase(place(first_ + i));
    forget_popped();
  }
  void clear() {
    entries_.clear();
    first_ = units_ = 0;
  }
  /// An idle client keeps no more than a few places.
  void shrink() {
    if (empty() && entries_.capacity() > kForgotten) entries_ = {};
  }

 private:
  static constexpr std::size_t kForgotten = 64;

  [[nodiscard]] std::vector<Owed>::iterator place(std::size_t n) {
    return entries_.begin() + static_cast<std::ptrdiff_t>(n);
  }
  void forget_popped() {
    entries_.erase(place(0), place(first_));
    first_ = 0;
  }

  std::vector<Owed> entries_;
  std::size_t first_ = 0;
  std::size_t units_ = 0;
};

}  // namespace ambassador::proxy::postgresql
