#include "operator/kube/event_recorder.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "operator/kube/timestamp.hpp"

namespace ambassador::kube {

namespace {
using Clock = std::chrono::steady_clock;

// events.k8s.io/v1 validation: longer ones are refused as a whole.
constexpr std::size_t kMaxReason = 128;
constexpr std::size_t kMaxNote = 1024;
/// Series remembered; the oldest go first. An event that is forgotten becomes a new object.
constexpr std::size_t kMaxSeries = 4096;
constexpr std::chrono::milliseconds kWriteTimeout{5000};
constexpr std::chrono::milliseconds kStopTimeout{2000};

/// Cut at a limit without splitting a UTF-8 sequence.
std::string cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end));
}

/// "<name>.<16 hex digits>": unique, and not longer than a name may be (253).
std::string event_name(const std::string& regarding) {
  thread_local std::mt19937_64 random{std::random_device{}()};
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = regarding.substr(0, 236) + ".";
  auto bits = random();
  for (int i = 0; i < 16; ++i, bits >>= 4U) out += kHex[bits & 15U];
  return out;
}
}  // namespace

EventRecorder::EventRecorder(const Client& client, EventRecorderOptions options)
    : client_(client), options_(std::move(options)) {}

EventRecorder::~EventRecorder() {
  stop();
}

void EventRecorder::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

void EventRecorder::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void EventRecorder::record(const Json& regarding, EventType type, std::string_view reason,
                           std::string_view action, std::string_view note) {
  const char* kind_of_event = type == EventType::normal ? "Normal" : "Warning";
  const std::string text = cut(note, kMaxNote);
  const std::string why = cut(reason, kMaxReason);
  const std::string object = key_of(regarding);
  const std::string key = object + "\n" + uid_of(regarding) + "\n" + kind_of_event + "\n" + why + "\n" + text;

  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (const auto known = series_.find(key);
      known != series_.end() && now - known->second.last < options_.series_window) {
    ++known->second.count;
    known->second.last = now;
    changed_.notify_one();
    return;
  }
  if (queue_.size() >= options_.queue_limit) {
    ++dropped_;
    return;
  }
  const std::string name_space =
      namespace_of(regarding).empty() ? options_.default_namespace : namespace_of(regarding);
  Series series;
  series.name = event_name(name_of(regarding));
  series.name_space = name_space;
  series.last = now;
  series.flushed = now;
  Json event = {{"apiVersion", "events.k8s.io/v1"},
                {"kind", "Event"},
                {"metadata", {{"name", series.name}, {"namespace", name_space}}},
                {"eventTime", rfc3339_micro(std::chrono::system_clock::now())},
                {"reportingController", options_.controller},
                {"reportingInstance", cut(options_.instance.empty() ? "unknown" : options_.instance, 128)},
                {"action", cut(action, kMaxReason)},
                {"reason", why},
                {"type", kind_of_event},
                {"note", text},
                {"regarding",
                 {{"apiVersion", string_at(regarding, {"apiVersion"})},
                  {"kind", string_at(regarding, {"kind"})},
                  {"name", name_of(regarding)},
                  {"uid", uid_of(regarding)}}}};
  if (!namespace_of(regarding).empty()) event["regarding"]["namespace"] = namespace_of(regarding);
  series_[key] = series;
  if (series_.size() > kMaxSeries) {
    const auto oldest = std::min_element(series_.begin(), series_.end(), [](const auto& a, const auto& b) {
      return a.second.last < b.second.last;
    });
    series_.erase(oldest);
  }
  queue_.push_back({key, std::make_shared<const Json>(std::move(event))});
  changed_.notify_one();
}

void EventRecorder::run(std::stop_token stop) {
  for (;;) {
    Entry entry;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, options_.series_interval, [this] { return !queue_.empty(); });
      if (stop.stop_requested()) break;
      if (!queue_.empty()) {
        entry = std::move(queue_.front());
        queue_.pop_front();
      }
    }
    if (entry.event && !write(entry, kWriteTimeout, stop) && stop.stop_requested()) {
      const std::lock_guard lock(mutex_);
      queue_.push_front(std::move(entry));  // the stop cut it off: once more, below
      break;
    }
    write_series(stop);
  }
  const auto until = Clock::now() + kStopTimeout;
  for (;;) {
    Entry entry;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty() || Clock::now() >= until) return;
      entry = std::move(queue_.front());
      queue_.pop_front();
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    (void)write(entry, std::max(left, std::chrono::milliseconds(1)), {});
  }
}

bool EventRecorder::write(const Entry& entry, std::chrono::milliseconds timeout, std::stop_token stop) {
  WriteOptions options;
  options.timeout = timeout;
  options.stop = stop;
  const auto created = client_.create(resources::events, namespace_of(*entry.event), *entry.event, options);
  const std::lock_guard lock(mutex_);
  const auto series = series_.find(entry.key);
  // AlreadyExists: the name is random, so it is our own create, sent twice over a stale connection.
  if (created.ok() || created.error().already_exists()) {
    ++written_;
    if (series != series_.end()) series->second.written = 1;
    return true;
  }
  if (stop.stop_requested()) return false;
  // Events are best effort: lost, counted, and the next one of its kind starts afresh.
  ++dropped_;
  if (series != series_.end()) series_.erase(series);
  return false;
}

void EventRecorder::write_series(std::stop_token stop) {
  const auto now = Clock::now();
  std::vector<std::pair<std::string, Series>> due;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = series_.begin(); it != series_.end();) {
      Series& series = it->second;
      const bool news = series.written > 0 && series.count > series.written;
      if (news && now - series.flushed >= options_.series_interval) {
        series.flushed = now;
        due.emplace_back(it->first, series);
      }
      it = !news && now - series.last > options_.series_window ? series_.erase(it) : std::next(it);
    }
  }
  for (const auto& [key, series] : due) {
    const auto seen = std::chrono::system_clock::now() -
                      std::chrono::duration_cast<std::chrono::microseconds>(now - series.last);
    const Json patch = {{"series", {{"count", series.count}, {"lastObservedTime", rfc3339_micro(seen)}}}};
    WriteOptions options;
    options.timeout = kWriteTimeout;
    options.stop = stop;
    const auto patched = client_.patch(resources::events, series.name_space, series.name, PatchType::merge,
                                       patch, "", options);
    const std::lock_guard lock(mutex_);
    const auto found = series_.find(key);
    if (found == series_.end()) continue;
    if (patched.ok()) {
      found->second.written = series.count;
      ++written_;
    } else if (patched.error().not_found()) {
      series_.erase(found);  // it has expired in the API server
    }
  }
}

std::uint64_t EventRecorder::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

std::uint64_t EventRecorder::written() const {
  const std::lock_guard lock(mutex_);
  return written_;
}

}  // namespace ambassador::kube
