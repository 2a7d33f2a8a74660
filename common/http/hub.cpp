#include "common/http/hub.hpp"

#include <boost/asio/post.hpp>
#include <utility>
#include <vector>

namespace ambassador::http {

Hub::Hub(boost::asio::io_context& context, Handler handler, Limits limit,
         std::shared_ptr<const tls::Source> source)
    : io(context), limits(limit), tls(std::move(source)), handler_(std::move(handler)) {}

bool Hub::admit(const std::shared_ptr<Connection>& connection) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;
  if (all_.size() - evicting_ >= limits.max_connections) {
    if (waiting_.empty()) {
      ++counters.evicted;
      return false;
    }
    evict_locked(*waiting_.front());
  }
  all_.insert(connection.get());
  ++counters.accepted;
  return true;
}

void Hub::gone(Connection& connection) {
  std::function<void()> done;
  {
    const std::lock_guard lock(mutex_);
    if (connection.waits_) waiting_.erase(connection.place_);
    if (connection.evicted_) --evicting_;
    all_.erase(&connection);
    if (stopping_ && all_.empty()) done = std::exchange(done_, nullptr);
  }
  if (done) boost::asio::post(io, std::move(done));
}

void Hub::waits(Connection& connection, bool begun) {
  const std::lock_guard lock(mutex_);
  if (connection.waits_ || connection.evicted_) return;
  connection.waits_ = true;
  connection.begun_ = begun;
  connection.place_ = waiting_.insert(waiting_.end(), &connection);
  if (stopping_ && !begun) evict_locked(connection);
}

void Hub::works(Connection& connection) {
  const std::lock_guard lock(mutex_);
  if (!connection.waits_) return;
  connection.waits_ = false;
  waiting_.erase(connection.place_);
}

bool Hub::evict_one() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return false;
  evict_locked(*waiting_.front());
  return true;
}

void Hub::evict_locked(Connection& connection) {
  waiting_.erase(connection.place_);
  connection.waits_ = false;
  connection.evicted_ = true;
  ++evicting_;
  if (!stopping_) ++counters.evicted;
  connection.close();  // posts to its strand
}

void Hub::stop(std::function<void()> done) {
  draining = true;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto next = waiting_.begin(); next != waiting_.end();) {
      Connection& connection = **next++;
      if (!connection.begun_) evict_locked(connection);
    }
    if (!all_.empty()) {
      done_ = std::move(done);
      return;
    }
  }
  if (done) boost::asio::post(io, std::move(done));
}

void Hub::close_all() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  for (Connection* connection : all_) connection->close();
}

std::uint64_t Hub::open() const {
  const std::lock_guard lock(mutex_);
  return all_.size();
}

}  // namespace ambassador::http
