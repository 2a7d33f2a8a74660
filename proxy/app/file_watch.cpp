#include "proxy/app/file_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <filesystem>
#include <utility>

#include "common/log/log.hpp"

namespace ambassador::proxy::app {

FileWatch::FileWatch(boost::asio::io_context& io, const std::string& path, std::function<void()> changed)
    : changed_(std::move(changed)), events_(io), timer_(io) {
  const std::string folder = std::filesystem::absolute(path).parent_path().string();
  const int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  constexpr std::uint32_t kChanges =
      IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM;
  if (watch >= 0 && inotify_add_watch(watch, folder.c_str(), kChanges) >= 0) {
    events_.assign(watch);
    wait_for_events();
  } else {
    if (watch >= 0) {
      close(watch);
    }
    log::warning("no inotify: the configuration file is looked at every few seconds",
                 {{"folder", folder}, {"interval_seconds", kLookAnyway}});
  }
  arm(kLookAnyway);
}

void FileWatch::stop() {
  events_.close();
  timer_.cancel();
}

void FileWatch::wait_for_events() {
  events_.async_read_some(boost::asio::buffer(buffer_), [this](boost::system::error_code error, std::size_t) {
    if (!error) {
      arm(kSettle);
      wait_for_events();
    }
  });
}

void FileWatch::arm(std::chrono::milliseconds in) {
  timer_.expires_after(in);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) {
      arm(kLookAnyway);
      changed_();
    }
  });
}

}  // namespace ambassador::proxy::app
