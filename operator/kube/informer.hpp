// A local copy of one resource that follows the API server: list, then watch, for ever (client-go calls it
// reflector + shared informer). Handlers hear of every change; the store is read by anyone.
// What happens when things break: the watch ends -> watch again from the last resourceVersion; 410 -> list
// again, and the difference goes to the handlers; the API server is away -> the store stays as it is, tries
// go on with decorrelated back-off.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "operator/kube/client.hpp"
#include "operator/kube/store.hpp"

namespace ambassador::kube {

struct InformerOptions {
  Resource resource;
  /// One watch per namespace named here; empty = one watch over all of them.
  std::vector<std::string> namespaces = {};
  std::string label_selector = {};
  std::string field_selector = {};
  bool metadata_only = false;  // see ListOptions
  /// Drops what nobody reads before the object is kept (memory!). metadata.managedFields always goes.
  std::function<void(Json&)> transform = {};
  std::map<std::string, IndexFunction> indexes = {};
  /// A list or watch failed and will be tried again (for the log); called on the informer's thread.
  std::function<void(const ApiError&)> on_error = {};
  std::chrono::milliseconds backoff_floor{200};
  std::chrono::milliseconds backoff_cap{std::chrono::seconds(10)};
  std::chrono::seconds watch_idle = Client::kWatchIdle;
};

/// Called on the informer's thread, one at a time per namespace watched: be quick, put a key on a queue.
/// `before` is null for a new object, `after` null for one that is gone.
using ChangeHandler = std::function<void(const Object& before, const Object& after)>;

class Informer {
 public:
  Informer(const Client& client, InformerOptions options);
  ~Informer();  // stops
  Informer(const Informer&) = delete;
  Informer& operator=(const Informer&) = delete;

  /// Before start(). Objects that are already there come as new ones.
  void on_change(ChangeHandler handler);
  void start();
  /// Ends the watches and waits for the threads. The store stays readable.
  void stop();

  /// True once every namespace has been listed; never falls back.
  [[nodiscard]] bool has_synced() const;
  [[nodiscard]] const Store& store() const { return store_; }
  [[nodiscard]] const Resource& resource() const { return options_.resource; }
  /// How often a watch had to be opened again, and a list been made: for metrics.
  [[nodiscard]] std::uint64_t watch_restarts() const { return watch_restarts_; }
  [[nodiscard]] std::uint64_t lists() const { return lists_; }
  /// The time since the API server was last heard (list, event or bookmark), the worst of all namespaces
  /// watched.
  [[nodiscard]] std::chrono::milliseconds silence() const;

 private:
  struct Reflector;
  void run(Reflector& reflector, std::stop_token stop);
  Answer<bool> relist(Reflector& reflector, std::stop_token stop);
  void keep(const Object& object);
  void drop(const std::string& key);

  const Client& client_;
  const InformerOptions options_;
  Store store_;
  std::vector<ChangeHandler> handlers_;
  std::vector<std::unique_ptr<Reflector>> reflectors_;
  std::atomic<std::uint64_t> watch_restarts_{0};
  std::atomic<std::uint64_t> lists_{0};
};

}  // namespace ambassador::kube
