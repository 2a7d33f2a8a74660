// What a client does with lanes of its own: watched keys, commands that block, subscriptions. The session
// says when one is taken and given up; here it is carried out, and messages that nobody asked for find their
// way between the replies.
#include "proxy/net/leases.hpp"

#include <algorithm>

#include "proxy/net/client.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {
namespace {

/// How often it is looked whether what is leased still has a use.
constexpr std::chrono::milliseconds kLookEvery{1'000};

}  // namespace

// A place in the FIFO of the client's own lane for the last exchange, or its failure.
Slices* Client::leased_queue(const Verdict& verdict, std::uint32_t part, std::size_t bytes) {
  if (verdict.backend >= generation_->upstreams.size()) {
    lease_failed(verdict.backend, part, Failure::no_backend);
    return nullptr;
  }
  if (!leases_) leases_ = std::make_unique<Leases>();
  LentLane* lease = leases_->find(*generation_->upstreams[verdict.backend], verdict.lane);
  if (lease == nullptr) {
    Relay::LeasedLane leased = relay_.lease(*generation_, verdict.backend, verdict.lane);
    if (!leased.lane) {
      lease_failed(verdict.backend, part, leased.why_not);
      return nullptr;
    }
    lease = &leases_->lanes.emplace_back();
    lease->lane = std::move(leased.lane);
    lease->lane->lend(*this);
    loop().deadlines().no_later_than(*this, loop().now() + kLookEvery);
  }
  Lane& lane = *lease->lane;
  if (verdict.listens) lane.listen();
  lane.may_move(lease->open == 0 && !verdict.listens && verdict.lease == Lease::last);
  lease->ends = verdict.lease != Lease::keep;
  lease->reusable = verdict.lease == Lease::last;
  Slices* queue = lane.enqueue(*this, last_sequence(), part, bytes, verdict);
  if (queue == nullptr) {
    fail(last_sequence(), part, Failure::overloaded, &lane.upstream());
    lane.end_lease(Failure::overloaded, "too much is queued");
    return nullptr;
  }
  ++lease->open;
  if (lane.full()) wait_for_room(lane);
  return queue;
}

void Client::lease_failed(BackendIndex backend, std::uint32_t part, Failure failure) {
  not_queued(last_sequence(), part, failure, backend);
  if (closed_) return;
  if (leases_ && leases_->lanes.empty() && leases_->news.empty()) leases_.reset();
  if (!session_->lease_lost(backend)) close_when_written();
}

// A leased lane gave some of a reply to exchange `sequence`.
void Client::lease_answered(const Lane& lane, std::uint32_t sequence, bool complete) {
  LentLane* lease = leases_->find(lane);
  if (lease == nullptr) return;  // of another kind
  lease->answered = true;
  lease->answers = sequence;
  if (complete && --lease->open == 0 && lease->ends) end_lease(*lease);
}

// Takes it out of the list; `lease` is gone then.
void Client::end_lease(LentLane& lease) {
  std::unique_ptr<Lane> lane = std::move(lease.lane);
  const bool reusable = lease.reusable;
  kept_ -= lease.news.size();
  std::erase_if(leases_->lanes, [](const LentLane& one) { return !one.lane; });
  if (full_lane_ == lane.get()) std::exchange(full_lane_, nullptr)->forget(*this);
  if (blocked_lane_ == lane.get()) std::exchange(blocked_lane_, nullptr)->unblock(*this);
  relay_.give_back(std::move(lane), reusable);
  if (leases_->lanes.empty() && leases_->news.empty()) leases_.reset();
}

// All of them, whatever they are for: what the server knows of the client ends with them.
void Client::end_leases() {
  while (leases_ && !leases_->lanes.empty()) {
    leases_->lanes.back().reusable = false;
    end_lease(leases_->lanes.back());
  }
}

void Client::lease_lost(Lane& lane) {
  if (closed_ || !leases_) return;
  LentLane* lease = leases_->find(lane);
  if (lease == nullptr) return;
  const BackendIndex backend = index_of(generation_->upstreams, lane.upstream());
  lease->reusable = false;
  end_lease(*lease);
  if (!session_->lease_lost(backend)) close_when_written();
}

void Client::standing_changed() {
  if (closed_ || !leases_) return;
  for (std::size_t i = leases_->lanes.size(); i-- > 0;) leases_->lanes[i].lane->standing_changed();
}

// Now and then, and when the configuration is another one.
void Client::check_leases() {
  if (closed_ || !leases_) return;
  loop().deadlines().no_later_than(*this, loop().now() + kLookEvery);
  const bool at_rest = exchanges_.empty() && !group_open_;
  if (at_rest) rebind_if_stale();
  const auto is_gone = [&](const LentLane& lease) {
    return index_of(relay_.generation()->upstreams, lease.lane->upstream()) == kNoBackend;
  };
  // Nobody would ever end a block at a server that is not configured any more.
  while (leases_ && (at_rest || patient_ > 0)) {
    const auto gone = std::find_if(leases_->lanes.begin(), leases_->lanes.end(), is_gone);
    if (gone == leases_->lanes.end()) break;
    gone->lane->end_lease(Failure::lost, "the backend is no longer configured");
    if (closed_) return;
  }
  if (at_rest && leases_ && !session_->leases_stand()) close_when_written();
}

// Messages that nobody asked for. ---------------------------------------------------------------------------

void Client::news(Lane& lane, Block* block, std::string_view bytes, bool complete) {
  if (closed_ || closing_ || !leases_) return;
  LentLane* lease = leases_->find(lane);
  if (lease == nullptr) return;
  lease->news.refer(block, bytes.data(), bytes.size());
  kept_ += bytes.size();
  if (kept_ > kKeptMost) return broken("more messages than are kept wait for a reply");
  if (!complete) return;
  News& whole = leases_->news.emplace_back();
  whole.text = std::exchange(lease->news, {});
  whole.follows = lease->answered;
  whole.after = lease->answers;
  send_news();
  wrote_more(&lane);
}

// None in the middle of a reply, none before the reply that it follows.
void Client::send_news() {
  if (!exchanges_.empty() && exchanges_.front().begun) return;
  auto& waiting = leases_->news;
  const auto may_go = [&](const News& one) {
    return !one.follows || exchanges_.empty() || static_cast<std::int32_t>(one.after - first_) < 0;
  };
  const auto first_kept = std::find_if_not(waiting.begin(), waiting.end(), may_go);
  if (first_kept == waiting.begin()) return;
  for (auto one = waiting.begin(); one != first_kept; ++one) {
    kept_ -= one->text.size();
    out_.take(loop().pool(), one->text);
  }
  waiting.erase(waiting.begin(), first_kept);
  loop().flush_client_later(*this);
  if (leases_->lanes.empty() && waiting.empty()) leases_.reset();
}

}  // namespace ambassador::proxy::net
