// SELECT: the part of the session that knows which database its client is in. Servers' connections are
// shared, so a database is a kind of lane; whether there is one of that number only a server knows, by the
// greeting of such a lane. What the client sends behind a SELECT goes to that database at once. When SELECT
// then turns out to be an error, that fails too, with the same error: it is never done in another database.
// From its answer on the client is in the database that it was in before, as with a server.
#include "proxy/redis/reply.hpp"
#include "proxy/redis/session.hpp"

namespace ambassador::proxy::redis {

Verdict RedisSession::select() {
  const auto index = whole_number<int>(parser_.arg(1));
  if (!index) return answer_error("ERR value is not an integer or out of range");
  if (*index < 0 || *index > kMaxDatabase) return answer_error("ERR DB index is out of range");
  if (*index != 0 && router_->clustered()) return answer_error("ERR SELECT is not allowed in cluster mode");
  const auto database = static_cast<std::uint16_t>(*index);
  const bool known = database == 0;  // every server has it
  if (known && unanswered_ == 0) {
    ++selects_;
    client_.database = effective_ = database;
    use_lane();
    append_simple(*text_, "OK");
    return answer();
  }
  auto group = std::make_unique<Group>();
  if (!known) {
    const BackendIndex backend = router_->whole() ? backend_of({}) : router_->for_any();
    if (backend == kNoBackend) return wait_for(kNoBackend);
    group->asks.emplace_back().backend = backend;
  }
  group_ = std::move(group);
  group_->gathered.merge = Merge::selected;
  group_->gathered.database = database;
  group_->gathered.select = ++selects_;
  ++unanswered_;
  client_.database = database;
  use_lane();
  return ask_group();
}

// In the order of the client's messages.
void RedisSession::selected(const Gathered& gathered, bool ok) {
  --unanswered_;
  if (gathered.select <= void_until_) return;
  if (ok) {
    effective_ = gathered.database;
  } else if (gathered.select == selects_) {
    client_.database = effective_;
    use_lane();
  }
}

void RedisSession::reset_database() {
  void_until_ = selects_;
  client_.database = effective_ = 0;
}

}  // namespace ambassador::proxy::redis
