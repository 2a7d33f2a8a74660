#include "proxy/app/file_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <filesystem>
#include <utility>

#include "common/log/log.hpp"

namespace ambassador::proxy::app {

FileWatch::FileWatch(boost::asio::io_context& io, const std::string& path, std::function<void()> changed)
    : folder_(std::filesystem::absolute(path).parent_path().string()),
      changed_(std::move(changed)),
      events_(io),
      timer_(io) {
  if (const int made = inotify_init1(IN_NONBLOCK | IN_CLOEXEC); made >= 0) {
    events_.assign(made);
    wait_for_events();
  }
  if (!watch()) {
    log::warning("no inotify for a folder: it is looked at every few seconds",
                 {{"folder", folder_}, {"interval_seconds", kLookAnyway}});
  }
  arm(kLookAnyway);
}

void FileWatch::stop() {
  events_.close();
  timer_.cancel();
}

// Again and again: the folder may be made, or replaced, at any time.
bool FileWatch::watch() {
  constexpr std::uint32_t kChanges =
      IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM;
  return events_.is_open() && inotify_add_watch(events_.native_handle(), folder_.c_str(), kChanges) >= 0;
}

void FileWatch::wait_for_events() {
  events_.async_read_some(boost::asio::buffer(buffer_), [this, alive = std::weak_ptr<bool>(alive_)](
                                                            boost::system::error_code error, std::size_t) {
    if (!error && !alive.expired()) {
      arm(kSettle);
      wait_for_events();
    }
  });
}

void FileWatch::arm(std::chrono::milliseconds in) {
  timer_.expires_after(in);
  timer_.async_wait([this, alive = std::weak_ptr<bool>(alive_)](boost::system::error_code error) {
    if (!error && !alive.expired()) {
      (void)watch();
      arm(kLookAnyway);
      changed_();
    }
  });
}

}  // namespace ambassador::proxy::app
