// Tells when a file may have changed: inotify on its folder, which also sees the symlink swap by which the
// kubelet replaces the files of a volume, and a look every few seconds for file systems without inotify and
// for folders that are not there yet. It may tell too often; whoever listens compares the text.
//
// Threads: the io_context's one.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace ambassador::proxy::app {

/// A change is told so long after its first sign: a replacement is several events.
inline constexpr std::chrono::milliseconds kSettle{20};
inline constexpr std::chrono::milliseconds kLookAnyway{5000};

class FileWatch {
 public:
  /// `path`: of the file; all of its folder is watched.
  FileWatch(boost::asio::io_context& io, const std::string& path, std::function<void()> changed);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  void stop();

 private:
  [[nodiscard]] bool watch();
  void wait_for_events();
  void arm(std::chrono::milliseconds in);

  const std::string folder_;
  std::function<void()> changed_;
  boost::asio::posix::stream_descriptor events_;
  boost::asio::steady_timer timer_;
  std::array<char, 4096> buffer_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // handlers may be due when it is destroyed
};

}  // namespace ambassador::proxy::app
