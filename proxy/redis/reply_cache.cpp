#include "proxy/redis/reply_cache.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "proxy/redis/invalidation.hpp"
#include "proxy/redis/number.hpp"

namespace ambassador::proxy::redis {
namespace {

// The first argument of a whole multibulk request, behind the command's name; nothing: it has none.
std::optional<std::string_view> first_argument(std::string_view request) {
  const auto header = [&](char type) -> std::optional<std::size_t> {
    if (!request.starts_with(type)) return std::nullopt;
    const Header read = read_header(request.data(), request.size());
    if (read.state != Header::State::complete || read.number < 0) return std::nullopt;
    request.remove_prefix(read.bytes);
    return static_cast<std::size_t>(read.number);
  };
  constexpr std::size_t kEnd = 2;
  const auto words = header('*');
  if (!words || *words < 2) return std::nullopt;
  const auto name = header('$');
  if (!name || request.size() < kEnd || *name > request.size() - kEnd) return std::nullopt;
  request.remove_prefix(*name + kEnd);
  const auto length = header('$');
  if (!length || *length > request.size()) return std::nullopt;
  return request.substr(0, *length);
}

}  // namespace

class ReplyCache::Shelf final : public Keeper {
 public:
  Shelf(std::shared_ptr<ReplyCache> cache, BackendIndex backend)
      : cache_(std::move(cache)), backend_(backend) {
    count(cache_->counts_.connections);
  }
  ~Shelf() override {
    clear();
    cache_->counts_.connections.fetch_sub(1, std::memory_order_relaxed);
    Shelf*& mine = cache_->shelves_[backend_];
    if (mine == this) mine = nullptr;
  }

  [[nodiscard]] std::size_t longest_reply() const override {
    return std::min(cache_->most_ / kLeastReplies, kLongest);
  }
  void heard(Time now) override { heard_at_ = now; }
  void replied(std::string_view request, std::string_view reply) override {
    const auto key = first_argument(request);
    if (!key) return;
    const auto [begin, end] = by_key_.equal_range(*key);
    const auto same =
        std::find_if(begin, end, [&](const auto& one) { return one.second->asked() == request; });
    const bool another = same == end;
    const bool too_many = another && std::distance(begin, end) >= static_cast<std::ptrdiff_t>(kMostOfKey);
    if (!another) cache_->drop(same->second);
    const bool error = reply.starts_with('-') || reply.starts_with('!');
    if (error || too_many || request.size() + reply.size() > longest_reply()) return;

    Kept& kept = cache_->by_use_.emplace_front();
    kept.bytes.reserve(request.size() + reply.size());
    kept.bytes.append(request).append(reply);
    kept.request = request.size();
    kept.read_at = heard_at_;
    kept.shelf = this;
    const std::string_view own_key =
        std::string_view(kept.bytes)
            .substr(static_cast<std::size_t>(key->data() - request.data()), key->size());
    kept.place = by_key_.emplace(own_key, cache_->by_use_.begin());
    cache_->bytes_ += kept.size();
    count(cache_->counts_.bytes, kept.size());
    cache_->make_room();
  }
  void told(std::string_view news) override {
    const Invalidation said = read_invalidation(news);
    const std::size_t before = by_key_.size();
    if (said.what == Invalidation::What::all) clear();
    for (const std::string_view key : said.keys) {
      for (auto found = by_key_.find(key); found != by_key_.end(); found = by_key_.find(key))
        cache_->drop(found->second);
    }
    count(cache_->counts_.invalidations, before - by_key_.size());
  }

 private:
  friend class ReplyCache;
  void clear() {
    while (!by_key_.empty()) cache_->drop(by_key_.begin()->second);
  }

  const std::shared_ptr<ReplyCache> cache_;
  const BackendIndex backend_;
  ByKey by_key_;
  Time heard_at_{};
};

ReplyCache::ReplyCache(std::size_t most_bytes, std::size_t backends, std::shared_ptr<KeptCounters> counters)
    : most_(most_bytes), counters_(std::move(counters)), counts_(counters_->next()), shelves_(backends) {}

ReplyCache::~ReplyCache() {
  assert(by_use_.empty());  // shelves keep the cache
}

std::unique_ptr<Keeper> ReplyCache::new_shelf(BackendIndex backend) {
  if (backend >= shelves_.size()) return nullptr;
  auto shelf = std::make_unique<Shelf>(shared_from_this(), backend);
  shelves_[backend] = shelf.get();
  return shelf;
}

std::optional<std::string_view> ReplyCache::find(BackendIndex backend, std::string_view key,
                                                 std::string_view request, Time now) {
  Shelf* const shelf = backend < shelves_.size() ? shelves_[backend] : nullptr;
  if (shelf == nullptr || now - shelf->heard_at_ > kSilent) return std::nullopt;
  const auto [begin, end] = shelf->by_key_.equal_range(key);
  for (auto one = begin; one != end; ++one) {
    const auto kept = one->second;
    if (kept->asked() != request) continue;
    if (now - kept->read_at > kOldest) return std::nullopt;
    by_use_.splice(by_use_.begin(), by_use_, kept);
    count(counts_.hits);
    return kept->reply();
  }
  return std::nullopt;
}

void ReplyCache::drop(ByUse::iterator kept) {
  bytes_ -= kept->size();
  counts_.bytes.fetch_sub(kept->size(), std::memory_order_relaxed);
  kept->shelf->by_key_.erase(kept->place);
  by_use_.erase(kept);
}

void ReplyCache::make_room() {
  while (bytes_ > most_) {
    count(counts_.evictions);
    drop(std::prev(by_use_.end()));
  }
}

}  // namespace ambassador::proxy::redis
