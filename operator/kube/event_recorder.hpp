// Events (events.k8s.io/v1) about policies and Pods, for `kubectl describe`. The same event again becomes a
// series of the first one (a patch), not a new object. Recording never blocks: a thread of its own writes, a
// full queue drops.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "operator/kube/client.hpp"

namespace ambassador::kube {

enum class EventType { normal, warning };

struct EventRecorderOptions {
  std::string controller = "ambassador.dev/operator";
  std::string instance;  // the Pod's name
  /// Events about cluster-wide objects live here (the API asks for a namespace).
  std::string default_namespace = "default";
  /// Same event within this time: a series. As client-go.
  std::chrono::milliseconds series_window{std::chrono::minutes(6)};
  /// A series is written at most this often.
  std::chrono::milliseconds series_interval{std::chrono::seconds(30)};
  std::size_t queue_limit = 1000;  // beyond it events are dropped and counted
};

class EventRecorder {
 public:
  EventRecorder(const Client& client, EventRecorderOptions options);
  ~EventRecorder();  // stops
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  void start();
  /// Writes what is queued (2 s at most) and ends the thread.
  void stop();

  /// `regarding`: the object (its apiVersion, kind, metadata are read). `reason`: "Injected" (CamelCase, at
  /// most 128), `action`: what was being done, "Inject". `note`: one sentence, cut at 1,024 bytes. Never
  /// blocks.
  void record(const Json& regarding, EventType type, std::string_view reason, std::string_view action,
              std::string_view note);

  [[nodiscard]] std::uint64_t dropped() const;
  [[nodiscard]] std::uint64_t written() const;

 private:
  struct Entry {
    std::string key;  // what makes two events the same
    std::shared_ptr<const Json> event;
  };
  struct Series {
    std::string name;  // of the Event object
    std::string name_space;
    unsigned count = 1;
    unsigned written = 0;  // the count that the API server has; 0: the object is not there yet
    std::chrono::steady_clock::time_point last;     // seen
    std::chrono::steady_clock::time_point flushed;  // written
  };
  void run(std::stop_token stop);
  bool write(const Entry& entry, std::chrono::milliseconds timeout, std::stop_token stop);
  void write_series(std::stop_token stop);

  const Client& client_;
  const EventRecorderOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Entry> queue_;
  std::map<std::string, Series> series_;
  std::uint64_t dropped_ = 0;
  std::uint64_t written_ = 0;
  std::jthread thread_;
};

}  // namespace ambassador::kube
