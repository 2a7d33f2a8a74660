// Who wants to know which keys are asked for: is told those of a sample of the commands, which sessions take
// at their own pace, so that what is not in it costs one decrement. Made by proxy/net, one per listener and
// worker, told by its sessions. One worker's thread only.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace ambassador::proxy {

class KeyWatch {
 public:
  virtual ~KeyWatch() = default;
  KeyWatch(const KeyWatch&) = delete;
  KeyWatch& operator=(const KeyWatch&) = delete;

  /// Asked once for each command that is carried out. True: its keys are to be told.
  [[nodiscard]] bool looks() {
    if (--left_ != 0) [[likely]]
      return false;
    left_ = next();
    return true;
  }
  /// `key` is asked for by a command that is looked at, once for each of its keys.
  virtual void saw(std::string_view key) = 0;

 protected:
  KeyWatch() = default;
  static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();
  /// It looks at the `left`-th command from now on, which is 1 or more.
  void look_at(std::uint32_t left) { left_ = left; }
  /// Likewise, when it has looked at one.
  virtual std::uint32_t next() = 0;

 private:
  std::uint32_t left_ = kNever;
};

/// Looks at nothing.
class NobodyLooks final : public KeyWatch {
 public:
  void saw(std::string_view /*key*/) override {}

 private:
  std::uint32_t next() override { return kNever; }
};

}  // namespace ambassador::proxy
