#include "operator/admission/live_reader.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "operator/kube/object.hpp"

namespace ambassador::admission {

using Clock = std::chrono::steady_clock;

class LiveReader::Impl {
 public:
  Impl(const kube::Client& client, LiveReaderOptions options) : client_(client), options_(options) {
    for (unsigned i = 0; i < options_.threads; ++i) {
      threads_.emplace_back([this](std::stop_token stop) { run(std::move(stop)); });
    }
  }

  ~Impl() {
    for (auto& thread : threads_) thread.request_stop();
    threads_.clear();
    for (auto& [ns, pending] : pending_) {
      for (auto& done : pending.waiting) done(Error{"policies", "the operator is being stopped; try again"});
    }
  }

  void read(const std::string& ns, Done done) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_ < options_.max_waiting) {
        ++waiting_;
        const auto [pending, first] = pending_.try_emplace(ns);
        if (first) {
          pending->second.until = Clock::now() + options_.limit;
          queue_.push_back(ns);
          changed_.notify_one();
        }
        pending->second.waiting.push_back(std::move(done));
        return;
      }
    }
    done(Error{"policies", "too many Pods wait for a look at the API server; try again"});
  }

  std::atomic<std::uint64_t> reads{0};

 private:
  /// A read that has not begun; later Pods of the namespace join it.
  struct Pending {
    Clock::time_point until;
    std::vector<Done> waiting;
  };

  void run(std::stop_token stop) {
    for (;;) {
      std::string ns;
      Pending pending;
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return !queue_.empty(); })) return;
        ns = std::move(queue_.front());
        queue_.pop_front();
        pending = std::move(pending_.extract(ns).mapped());
      }
      const auto facts = read_now(ns, pending.until, stop);
      for (auto& done : pending.waiting) done(facts);
      const std::lock_guard lock(mutex_);
      waiting_ -= pending.waiting.size();
    }
  }

  Result<LiveFacts> read_now(const std::string& ns, Clock::time_point until, const std::stop_token& stop) {
    ++reads;
    const auto options = [&] {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
      return kube::CallOptions{.timeout = std::max(left, std::chrono::milliseconds(1)), .stop = stop};
    };
    const auto failed = [](const kube::ApiError& error) { return Error{"policies", error.text()}; };
    LiveFacts facts;
    if (Clock::now() >= until) return Error{"policies", "the API server did not answer in time"};
    auto own = client_.list(kube::resources::policies, kube::ListOptions{ns, "", ""}, options());
    if (!own.ok()) return failed(own.error());
    auto cluster = client_.list(kube::resources::cluster_policies, {}, options());
    if (!cluster.ok()) return failed(cluster.error());
    for (const auto* page : {&own.value(), &cluster.value()}) {
      for (const auto& policy : page->items) facts.policies.push_back(inject::know_policy(*policy));
    }
    auto name_space = client_.get(kube::resources::namespaces, "", ns, options());
    if (!name_space.ok()) return failed(name_space.error());
    const auto labels = kube::labels_of(**name_space);
    facts.namespace_labels = api::Labels(labels.begin(), labels.end());
    return facts;
  }

  const kube::Client& client_;
  const LiveReaderOptions options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::string> queue_;
  std::map<std::string, Pending> pending_;
  std::size_t waiting_ = 0;
  std::vector<std::jthread> threads_;
};

LiveReader::LiveReader(const kube::Client& client, LiveReaderOptions options)
    : impl_(std::make_unique<Impl>(client, options)) {}
LiveReader::~LiveReader() = default;
void LiveReader::read(const std::string& ns, Done done) {
  impl_->read(ns, std::move(done));
}
std::uint64_t LiveReader::reads() const {
  return impl_->reads;
}

}  // namespace ambassador::admission
