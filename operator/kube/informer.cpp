#include "operator/kube/informer.hpp"

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "operator/kube/backoff.hpp"

namespace ambassador::kube {

using Clock = std::chrono::steady_clock;

struct Informer::Reflector {
  std::string name_space;  // "" = all
  std::string resource_version;
  std::atomic<bool> synced{false};
  std::atomic<Clock::rep> heard{0};
  std::jthread thread;
};

Informer::Informer(const Client& client, InformerOptions options)
    : client_(client), options_(std::move(options)), store_(options_.indexes) {
  auto namespaces = options_.namespaces;
  if (namespaces.empty() || !options_.resource.namespaced) namespaces = {""};
  for (const auto& name_space : std::set<std::string>(namespaces.begin(), namespaces.end())) {
    reflectors_.push_back(std::make_unique<Reflector>());
    reflectors_.back()->name_space = name_space;
  }
}

Informer::~Informer() {
  stop();
}

void Informer::on_change(ChangeHandler handler) {
  handlers_.push_back(std::move(handler));
}

void Informer::start() {
  for (auto& reflector : reflectors_) {
    reflector->heard = Clock::now().time_since_epoch().count();
    reflector->thread =
        std::jthread([this, here = reflector.get()](std::stop_token stop) { run(*here, std::move(stop)); });
  }
}

void Informer::stop() {
  for (auto& reflector : reflectors_) reflector->thread.request_stop();
  for (auto& reflector : reflectors_) {
    if (reflector->thread.joinable()) reflector->thread.join();
  }
}

bool Informer::has_synced() const {
  for (const auto& reflector : reflectors_) {
    if (!reflector->synced) return false;
  }
  return true;
}

std::chrono::milliseconds Informer::silence() const {
  auto oldest = Clock::now();
  const auto now = oldest;
  for (const auto& reflector : reflectors_) {
    oldest = std::min(oldest, Clock::time_point(Clock::duration(reflector->heard.load())));
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - oldest);
}

void Informer::keep(const Object& object) {
  Object kept = object;
  if (options_.transform) {
    Json copy = *object;
    options_.transform(copy);
    kept = std::make_shared<const Json>(std::move(copy));
  }
  const Object before = store_.put(kept);
  // What a relist shows again unchanged is no news.
  if (before && resource_version_of(*before) == resource_version_of(*kept)) return;
  for (const auto& handler : handlers_) handler(before, kept);
}

void Informer::drop(const std::string& key) {
  const Object before = store_.remove(key);
  if (!before) return;
  for (const auto& handler : handlers_) handler(before, nullptr);
}

Answer<bool> Informer::relist(Reflector& reflector, std::stop_token stop) {
  ++lists_;
  // Page by page, so that a large collection is never held twice: as it came and as it is kept.
  const ListOptions what{reflector.name_space, options_.label_selector, options_.field_selector,
                         options_.metadata_only};
  const CallOptions call{.timeout = std::chrono::seconds(30), .stop = stop};
  std::set<std::string> seen;
  std::string next;
  do {
    auto page = client_.list_page(options_.resource, what, next, kPageSize, call);
    if (!page.ok()) return page.error();
    for (auto& item : page->items) {
      seen.insert(key_of(*item));
      keep(item);
      item.reset();
    }
    reflector.resource_version = page->resource_version;
    next = page->next;
  } while (!next.empty());
  const auto present =
      reflector.name_space.empty() ? store_.list() : store_.in_namespace(reflector.name_space);
  for (const auto& object : present) {
    if (const auto key = key_of(*object); !seen.contains(key)) drop(key);
  }
  return true;
}

void Informer::run(Reflector& reflector, std::stop_token stop) {
  Backoff backoff(options_.backoff_floor, options_.backoff_cap, std::random_device{}());
  std::mutex mutex;
  std::condition_variable_any never;
  const auto pause = [&](std::chrono::milliseconds duration) {
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, duration, [] { return false; });
  };
  const auto heard = [&] { reflector.heard = Clock::now().time_since_epoch().count(); };
  const auto failed = [&](const ApiError& error) {
    if (options_.on_error) options_.on_error(error);
    auto duration = backoff.next();
    if (error.retry_after) duration = std::max<std::chrono::milliseconds>(duration, *error.retry_after);
    pause(duration);
  };
  const ListOptions what{reflector.name_space, options_.label_selector, options_.field_selector,
                         options_.metadata_only};
  bool must_list = true;
  while (!stop.stop_requested()) {
    const bool just_listed = must_list;
    if (must_list) {
      auto listed = relist(reflector, stop);
      if (stop.stop_requested()) return;
      if (!listed.ok()) {
        failed(listed.error());
        continue;
      }
      must_list = false;
      reflector.synced = true;
      heard();
    }
    bool progressed = false;
    const auto on_event = [&](const WatchEvent& event) {
      heard();
      progressed = true;
      backoff.reset();
      reflector.resource_version = resource_version_of(*event.object);
      switch (event.type) {
        case WatchEvent::Type::added:
        case WatchEvent::Type::modified:
          keep(event.object);
          break;
        case WatchEvent::Type::deleted:
          drop(key_of(*event.object));
          break;
        case WatchEvent::Type::bookmark:
          break;
      }
    };
    const auto opened = Clock::now();
    auto ended = client_.watch(options_.resource, what, reflector.resource_version, on_event, stop,
                               options_.watch_idle);
    if (stop.stop_requested()) return;
    ++watch_restarts_;
    if (!ended.ok()) {
      must_list = ended.error().expired();
      // The ordinary end of an old resourceVersion; right after a list it is a server in trouble.
      if (must_list && (progressed || !just_listed)) continue;
      failed(ended.error());
    } else if (Clock::now() - opened < std::chrono::seconds(1) && !progressed) {
      pause(backoff.next());  // a server that closes at once must not be hammered
    } else {
      backoff.reset();
      heard();
    }
  }
}

}  // namespace ambassador::kube
