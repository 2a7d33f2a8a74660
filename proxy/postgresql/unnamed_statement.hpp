// A client's unnamed prepared statement in transaction pooling. What the client says changes it at once for
// the messages behind, and yet the server may pass that change over after an error before it: then the
// statement is the one before again. Kept by the session. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ambassador::proxy::postgresql {

class UnnamedStatement {
 public:
  /// Changes that are not answered, at most. With more, the statements before are forgotten: the client is
  /// told that it has none, should it get back to them.
  static constexpr std::size_t kMost = 16;

  /// Which one messages mean that come now; 0: there is none.
  [[nodiscard]] std::uint64_t id() const { return now().there ? now().serial : 0; }
  /// A Parse without its name; empty: too long to be kept.
  [[nodiscard]] const std::string& body() const { return now().body; }

  /// There is none, whatever the server passes over.
  [[nodiscard]] bool surely_none() const { return used_ == 1 && !now().there; }
  /// Something was said of it that is not answered yet.
  [[nodiscard]] bool unsure() const { return used_ > 1; }

  // What the client says. `serial` is larger than any before.
  void parse(std::uint64_t serial, std::string_view body) { change(serial, true, body); }
  void drop(std::uint64_t serial) { change(serial, false, {}); }
  /// Without an answer to come.
  void drop() {
    used_ = 1;
    clear(states_[0]);
  }

  // What becomes of it.
  void answered(std::uint64_t serial) {
    while (used_ > 1 && states_[1].serial <= serial) take_out(0);
  }
  void failed(std::uint64_t serial) {
    for (std::size_t i = 1; i < used_; ++i) {
      if (states_[i].serial == serial) clear(states_[i]);
    }
    answered(serial);
  }
  void passed_over(std::uint64_t serial) {
    for (std::size_t i = 1; i < used_; ++i) {
      if (states_[i].serial == serial) return take_out(i);
    }
  }

 private:
  struct State {
    std::uint64_t serial = 0;
    bool there = false;
    std::string body;
  };

  [[nodiscard]] const State& now() const { return states_[used_ - 1]; }
  void change(std::uint64_t serial, bool there, std::string_view body) {
    if (used_ > kMost) {
      used_ = 1;
      clear(states_[0]);
    }
    if (used_ == states_.size()) states_.emplace_back();
    State& state = states_[used_++];
    state.serial = serial;
    state.there = there;
    state.body = body;
  }
  static void clear(State& state) {
    state.there = false;
    state.body.clear();
  }
  // Its memory is used again.
  void take_out(std::size_t i) {
    const auto at = [this](std::size_t n) { return states_.begin() + static_cast<std::ptrdiff_t>(n); };
    std::rotate(at(i), at(i + 1), at(used_));
    --used_;
  }

  // The one that is sure, and those of the changes that are not answered; then some for their memory.
  std::vector<State> states_{1};
  std::size_t used_ = 1;
};

}  // namespace ambassador::proxy::postgresql
