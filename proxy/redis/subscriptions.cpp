#include "proxy/redis/subscriptions.hpp"

#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {

Subscriptions::Kind Subscriptions::kind_of(Hold command) {
  switch (command) {
    case Hold::psubscribe:
    case Hold::punsubscribe:
      return Kind::pattern;
    case Hold::ssubscribe:
    case Hold::sunsubscribe:
      return Kind::shard_channel;
    default:
      return Kind::channel;
  }
}

std::size_t Subscriptions::size() const {
  return names_[0].size() + names_[1].size() + names_[2].size();
}

bool Subscriptions::at(BackendIndex backend) const {
  return everywhere_ > 0 || (backend < at_.size() && at_[backend] > 0);
}

bool Subscriptions::add(Kind kind, std::string_view name, BackendIndex backend) {
  if (!mutable_names(kind).try_emplace(std::string(name), backend).second) return false;
  count(backend, 1);
  return true;
}

bool Subscriptions::remove(Kind kind, std::string_view name) {
  Names& names_of_kind = mutable_names(kind);
  const auto found = names_of_kind.find(name);
  if (found == names_of_kind.end()) return false;
  count(found->second, -1);
  names_of_kind.erase(found);
  return true;
}

bool Subscriptions::renumber(const std::function<BackendIndex(BackendIndex before)>& number) {
  bool all = true;
  at_.clear();
  everywhere_ = 0;
  for (Names& names : names_) {
    for (auto& [name, backend] : names) {
      backend = number(backend);
      all = all && backend != kNoBackend;
      count(backend, 1);
    }
  }
  return all;
}

void Subscriptions::count(BackendIndex backend, std::int32_t change) {
  if (backend != kEverywhere && backend >= at_.size()) at_.resize(backend + 1);
  (backend == kEverywhere ? everywhere_ : at_[backend]) += static_cast<std::uint32_t>(change);
}

// Sharded channels are counted apart from the others, as servers do.
void Subscriptions::append_count(Kind kind, std::string& out) const {
  const std::size_t classic = names(Kind::channel).size() + names(Kind::pattern).size();
  append_integer(out, static_cast<std::int64_t>(
                          kind == Kind::shard_channel ? names(Kind::shard_channel).size() : classic));
}

void Subscriptions::confirm(std::string_view word, Kind kind, std::string_view name, Resp resp,
                            std::string& out) const {
  append_push(out, 3, resp);
  append_bulk(out, word);
  append_bulk(out, name);
  append_count(kind, out);
}

void Subscriptions::confirm_nothing(std::string_view word, Kind kind, Resp resp, std::string& out) const {
  append_push(out, 3, resp);
  append_bulk(out, word);
  append_null(out, resp);
  append_count(kind, out);
}

}  // namespace ambassador::proxy::redis
