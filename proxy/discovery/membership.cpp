#include "proxy/discovery/membership.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <mutex>
#include <utility>

namespace ambassador::proxy::discovery {

/// A text that one thread writes and others read.
class Membership::Text {
 public:
  void set(std::string text) {
    const std::lock_guard lock(mutex_);
    text_ = std::move(text);
  }
  [[nodiscard]] std::string get() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

Membership::Membership(boost::asio::io_context& control, Outside outside)
    : control_(control), outside_(std::move(outside)) {}

Membership::~Membership() {
  *alive_ = false;
}

const Search* Membership::serving(const config::Listener& listener) const {
  const auto found =
      std::ranges::find_if(searches_, [&](const auto& search) { return search->serves(listener); });
  return found != searches_.end() ? found->get() : nullptr;
}

config::Document Membership::effective(config::Document declared) const {
  for (config::Listener& listener : declared.listeners) {
    if (!listener.finds_servers()) continue;
    const Search* const search = serving(listener);
    listener.backends = search != nullptr ? search->servers() : std::vector<config::Backend>();
    listener.redis.slots = search != nullptr ? search->slots() : std::vector<config::SlotRange>();
  }
  return declared;
}

void Membership::follow(const config::Document& declared) {
  std::vector<std::shared_ptr<Search>> before = std::exchange(searches_, {});
  for (const config::Listener& listener : declared.listeners) {
    if (!listener.finds_servers()) continue;
    auto question = outside_.question(listener);
    const auto same =
        std::ranges::find_if(before, [&](const auto& search) { return search && search->serves(listener); });
    auto search = same != before.end() ? std::move(*same) : nullptr;
    if (!search) {
      search = std::make_shared<Search>(
          control_,
          Search::Outside{outside_.resolve, outside_.events,
                          [this](const Search& one, bool others) { heard(one, others); },
                          outside_.seeds_changed},
          question->new_consensus());
    }
    search->follow(listener, std::move(question));
    text(listener.name)->set(search->nobody());
    searches_.push_back(std::move(search));
  }
  std::erase_if(texts_, [&](const auto& one) {
    return std::ranges::none_of(searches_,
                                [&](const auto& search) { return search->listener().name == one.first; });
  });
}

void Membership::heard(const Search& search, bool others) {
  if (!search.found()) text(search.listener().name)->set(search.nobody());
  changed_ = changed_ || others;
  if (!changed_ || std::exchange(telling_, true)) return;
  boost::asio::post(control_, [this, alive = alive_] {  // not here: whoever was heard is in the middle of it
    if (!*alive) return;
    telling_ = false;
    changed_ = !outside_.servers_changed();
  });
}

std::vector<net::ProbeTarget> Membership::targets(
    const std::function<std::shared_ptr<const net::TlsClient>(const std::string& listener)>& tls) const {
  std::vector<net::ProbeTarget> targets;
  for (const auto& search : searches_) search->add_targets(tls(search->listener().name), targets);
  return targets;
}

void Membership::describe(net::Snapshot& snapshot) const {
  for (net::ListenerSnapshot& listener : snapshot.listeners) {
    for (const auto& search : searches_) {
      if (search->listener().name == listener.name) listener.seeds = search->snapshot();
    }
  }
}

NobodyFunction Membership::nobody(const std::string& listener) {
  return [text = text(listener)] { return text->get(); };
}

const std::shared_ptr<Membership::Text>& Membership::text(const std::string& listener) {
  std::shared_ptr<Text>& text = texts_[listener];
  if (!text) text = std::make_shared<Text>();
  return text;
}

}  // namespace ambassador::proxy::discovery
