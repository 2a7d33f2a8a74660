// The part of the session that answers reads with what the worker keeps (reply_cache.hpp). It does so as far
// as nobody could tell from what he is sent that it was not the server:
// - nothing of the client is open, so that no answer from here stands behind one that is yet to come, and
// newer;
// - the client is in step with the server (in_step.hpp), so that it sees all that it did itself;
// - by the same protocol and in the database that the connection tracks: RESP3, 0.
#include "proxy/redis/keepable.hpp"
#include "proxy/redis/reply_cache.hpp"
#include "proxy/redis/session.hpp"

namespace ambassador::proxy::redis {

void RedisSession::stands(bool at_rest, std::chrono::steady_clock::time_point now) {
  at_rest_ = at_rest;
  now_ = now;
  if (at_rest) in_step_.all_answered();
}

// A command about one key goes to `backend`, or is answered from here.
Verdict RedisSession::read_kept(const Command& command, BackendIndex backend) {
  const bool may_be_kept = lane_ == kTrackedKind && backend != kNoBackend &&
                           lease_to(backend) == Lease::none && is_keepable(command);
  if (!may_be_kept) return pass_to(backend);
  if (at_rest_ && in_step_.with(backend)) {
    const auto kept = cache_->find(backend, parser_.arg(command.first), parser_.message(), now_);
    if (kept) return {.kind = Verdict::Kind::answer, .consumed = end_message(), .text = *kept};
  }
  cache_->missed();
  Verdict verdict = pass_to(backend);
  verdict.keeps = true;
  return verdict;
}

void RedisSession::keep_step(BackendIndex backend, Lease lease) {
  if (reads_in_order_ && lease == Lease::none) {
    in_step_.read(backend, router_->whole());
  } else {
    in_step_.did(backend, router_->whole());
  }
}

// What the client says next goes by lanes of the kind that it has now.
void RedisSession::use_lane() {
  const LaneKind kind = lane_kind(client_.resp, client_.database);
  if (kind != lane_) in_step_.lost();
  lane_ = kind;
}

}  // namespace ambassador::proxy::redis
