#include "operator/controller/name_watch.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <mutex>
#include <optional>
#include <thread>

#include "operator/controller/question_times.hpp"

namespace ambassador::controller {

using Clock = std::chrono::steady_clock;

LookupFactory resolver_lookup(dns::Options options) {
  return [options = std::move(options)](boost::asio::io_context& io) -> AddressLookup {
    auto resolver = std::make_shared<dns::Resolver>(io, options);
    return [resolver](const std::string& name, std::function<void(dns::AddressAnswer)> done) {
      resolver->resolve_addresses(name, std::move(done));
    };
  };
}

class NameWatch::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(LookupFactory lookup, std::function<void(const std::string&)> changed)
      : make_lookup_(std::move(lookup)), changed_(std::move(changed)) {}

  void start() {
    work_.emplace(io_.get_executor());
    thread_ = std::jthread([self = this] {
      self->lookup_ = self->make_lookup_(self->io_);
      self->io_.run();
      self->timers_.clear();
      self->lookup_ = nullptr;  // on its own thread, as the Resolver asks
    });
  }

  void stop() {
    if (!thread_.joinable()) return;
    work_.reset();
    io_.stop();
    thread_.join();
  }

  void want(const std::string& owner, const std::set<std::string>& names) {
    std::vector<std::string> added;
    {
      const std::lock_guard lock(mutex_);
      auto& mine = wanted_[owner];
      for (const auto& name : mine) {
        if (names.contains(name)) continue;
        const auto entry = entries_.find(name);
        entry->second.owners.erase(owner);
        if (entry->second.owners.empty()) entries_.erase(entry);  // its timer finds nothing and goes
      }
      for (const auto& name : names) {
        auto& entry = entries_[name];
        if (entry.owners.empty()) {
          entry.since = Clock::now();
          added.push_back(name);
        }
        entry.owners.insert(owner);
      }
      mine = names;
      if (mine.empty()) wanted_.erase(owner);
    }
    for (auto& name : added) post_ask(std::move(name));
  }

  void ask_again(const std::string& owner) {
    std::set<std::string> names;
    {
      const std::lock_guard lock(mutex_);
      const auto mine = wanted_.find(owner);
      if (mine == wanted_.end()) return;
      names = mine->second;
      for (const auto& name : names) entries_.at(name).since = Clock::now();
    }
    for (const auto& name : names) post_ask(name);
  }

  void forget() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
    wanted_.clear();
  }

  std::map<std::string, NameAnswer> known(const std::set<std::string>& names) const {
    const std::lock_guard lock(mutex_);
    std::map<std::string, NameAnswer> out;
    for (const auto& name : names) {
      const auto entry = entries_.find(name);
      if (entry == entries_.end()) continue;
      const auto& answer = entry->second.answer;
      if (answer) out.emplace(name, *answer);
    }
    return out;
  }

  NameWatchStatistics statistics() const {
    const std::lock_guard lock(mutex_);
    auto out = sums_;
    out.names = entries_.size();
    return out;
  }

 private:
  struct Entry {
    std::set<std::string> owners;
    std::optional<NameAnswer> answer;
    Clock::time_point since;  // wanted, or its endpoints changed
    bool asking = false;
    bool again = false;  // asked for while a question was under way
  };

  void post_ask(std::string name) {
    boost::asio::post(io_, [this, name = std::move(name)] { ask(name); });
  }

  void ask(const std::string& name) {
    {
      const std::lock_guard lock(mutex_);
      const auto entry = entries_.find(name);
      if (entry == entries_.end()) {
        timers_.erase(name);
        return;
      }
      if (entry->second.asking) {
        entry->second.again = true;
        return;
      }
      entry->second.asking = true;
      entry->second.again = false;
    }
    lookup_(name, [this, name](const dns::AddressAnswer& answer) { answered(name, answer); });
  }

  void answered(const std::string& name, const dns::AddressAnswer& answer) {
    NameAnswer now{answer.outcome, {}};
    for (const auto& address : answer.addresses) now.addresses.push_back(address.to_string());
    std::ranges::sort(now.addresses);
    std::set<std::string> concerned;
    std::chrono::milliseconds pause{0};
    {
      const std::lock_guard lock(mutex_);
      count(answer.outcome);
      const auto entry = entries_.find(name);
      if (entry == entries_.end()) return;
      entry->second.asking = false;
      if (entry->second.answer != now) concerned = entry->second.owners;
      entry->second.answer = std::move(now);
      if (!entry->second.again)
        pause = next_question(answer.outcome, answer.ttl, Clock::now() - entry->second.since);
    }
    ask_after(name, pause);
    for (const auto& owner : concerned) changed_(owner);
  }

  void ask_after(const std::string& name, std::chrono::milliseconds pause) {
    auto& timer = timers_.try_emplace(name, io_).first->second;
    timer.expires_after(pause);
    timer.async_wait([this, name](const boost::system::error_code& cancelled) {
      if (!cancelled) ask(name);
    });
  }

  void count(dns::Outcome outcome) {
    if (outcome == dns::Outcome::found) ++sums_.found;
    if (outcome == dns::Outcome::not_found) ++sums_.not_found;
    if (outcome == dns::Outcome::unavailable) ++sums_.unavailable;
  }

  const LookupFactory make_lookup_;
  const std::function<void(const std::string&)> changed_;
  boost::asio::io_context io_{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;

  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::set<std::string>> wanted_;  // by owner
  NameWatchStatistics sums_;

  // The thread's own.
  AddressLookup lookup_;
  std::map<std::string, boost::asio::steady_timer> timers_;
  std::jthread thread_;
};

NameWatch::NameWatch(LookupFactory lookup, std::function<void(const std::string&)> changed)
    : impl_(std::make_shared<Impl>(std::move(lookup), std::move(changed))) {}
NameWatch::~NameWatch() {
  stop();
}
void NameWatch::start() {
  impl_->start();
}
void NameWatch::stop() {
  impl_->stop();
}
void NameWatch::want(const std::string& owner, const std::set<std::string>& names) {
  impl_->want(owner, names);
}
void NameWatch::forget() {
  impl_->forget();
}
void NameWatch::ask_again(const std::string& owner) {
  impl_->ask_again(owner);
}
std::map<std::string, NameAnswer> NameWatch::known(const std::set<std::string>& names) const {
  return impl_->known(names);
}
NameWatchStatistics NameWatch::statistics() const {
  return impl_->statistics();
}

}  // namespace ambassador::controller
