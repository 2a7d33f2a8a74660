// What a lane shows of its connection to the core's Keeper: that the server speaks, the replies that are to
// be kept, what it tells unasked; each when it is its turn in what came.
#include "proxy/net/lane.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

// The connection is up and its server tells, or the core is another one.
void Lane::begin_to_keep() {
  keeping_.reset();  // before there is another one
  if (retired_) return;
  const Generation& generation = *relay_.generation();
  auto keeper = generation.core->new_keeper(index_of(generation.upstreams, *upstream_));
  if (!keeper) return;
  keeper->heard(loop().now());
  keeping_ = std::make_unique<Keeping>();
  keeping_->keeper = std::move(keeper);
}

void Lane::keep_anew() {
  if (keeping_) begin_to_keep();
}

// Some of the reply to the oldest request, which is still there.
void Lane::keep_reply(std::string_view bytes, bool complete) {
  if (!keeping_->reply.add(bytes, complete, keeping_->keeper->longest_reply())) return;
  std::string scratch;
  const std::string_view request = unanswered_.front(static_cast<std::size_t>(front_length()), scratch);
  if (!keeping_->reply.text().empty()) keeping_->keeper->replied(request, keeping_->reply.text());
}

void Lane::keep_news(std::string_view bytes, bool complete) {
  if (keeping_->news.add(bytes, complete, Keeper::kMaxNews)) keeping_->keeper->told(keeping_->news.text());
}

}  // namespace ambassador::proxy::net
