#include "operator/admission/reachability.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "operator/admission/webhook.hpp"
#include "operator/api/names.hpp"

namespace ambassador::admission {

namespace {

/// Not before somebody leads for this long, and not longer without an answer.
constexpr std::chrono::seconds kTick{1};
constexpr std::chrono::seconds kCallTimeout{15};

/// Valid by schema and CEL, so that it comes as far as the webhook.
nlohmann::json check_policy(const std::string& ns) {
  return {{"apiVersion", api::kApiVersion},
          {"kind", api::kKind},
          {"metadata", {{"name", kReachabilityPolicy}, {"namespace", ns}}},
          {"spec",
           {{"listeners",
             {{{"name", "check"},
               {"protocol", "TCP"},
               {"port", 16379},
               {"upstreams", {{{"hosts", {{{"host", "localhost"}, {"port", 6379}}}}}}}}}}}}};
}

}  // namespace

class Reachability::Impl {
 public:
  Impl(const kube::Client& client, ReachabilityOptions options)
      : client_(client), options_(std::move(options)) {}

  void start() {
    thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
  }

  std::atomic<State> state{State::unknown};

 private:
  void run(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    auto next = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
      if (!options_.wanted()) {
        state = State::unknown;
        failures_ = 0;
        next = std::chrono::steady_clock::now();
      } else if (std::chrono::steady_clock::now() >= next) {
        ask(stop);
        const bool doubtful = failures_ > 0 && failures_ < kBelievedFailures;
        next = std::chrono::steady_clock::now() + (doubtful ? options_.retry : options_.interval);
      }
      std::unique_lock lock(mutex);
      never.wait_for(lock, stop,
                     std::min<std::chrono::milliseconds>({kTick, options_.interval, options_.retry}),
                     [] { return false; });
    }
  }

  void ask(const std::stop_token& stop) {
    kube::WriteOptions write;
    write.dry_run = true;
    write.timeout = kCallTimeout;
    write.stop = stop;
    const auto answer = client_.create(kube::resources::policies, options_.name_space,
                                       check_policy(options_.name_space), write);
    if (stop.stop_requested()) return;
    if (!answer.ok() && answer.error().message.find(kReachabilityAnswer) != std::string::npos) {
      return conclude(State::reached, "");
    }
    // Nobody was asked: that says nothing about the webhook.
    if (!answer.ok() && answer.error().unreachable()) return conclude(State::unknown, answer.error().text());
    conclude(State::not_reached,
             answer.ok() ? "the API server took a policy without asking the webhook" : answer.error().text());
  }

  void conclude(State found, const std::string& why) {
    if (found == State::unknown) {
      state = found;
      return;
    }
    failures_ = found == State::reached ? 0 : failures_ + 1;
    if (found == State::not_reached && failures_ < kBelievedFailures) return;
    const State before = state.exchange(found);
    if (found == State::reached && before == found) return;
    options_.changed(found == State::reached, why);
  }

  const kube::Client& client_;
  const ReachabilityOptions options_;
  int failures_ = 0;  // in a row
  std::jthread thread_;
};

Reachability::Reachability(const kube::Client& client, ReachabilityOptions options)
    : impl_(std::make_unique<Impl>(client, std::move(options))) {}
Reachability::~Reachability() {
  stop();
}
void Reachability::start() {
  impl_->start();
}
void Reachability::stop() {
  impl_->stop();
}
Reachability::State Reachability::state() const {
  return impl_->state;
}

}  // namespace ambassador::admission
