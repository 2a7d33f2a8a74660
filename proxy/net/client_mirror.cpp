// What of a client's messages goes to the listener's mirror, and how a large one is put together for it.
#include "proxy/net/client.hpp"
#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {

void Client::mirror(const Verdict& verdict, std::string_view message) {
  Mirror* const mirror = relay_.mirror();
  if (mirror == nullptr || stream_ != Stream::none) return;  // pieces are added as they come
  if (verdict.streams()) {
    copied_ = std::make_unique<Copied>();
    copied_->kind = verdict.lane;
    return copy_piece(message);
  }
  mirror->copy(verdict.lane, verdict.kind == Verdict::Kind::pass ? message : verdict.text);
}

void Client::copy_piece(std::string_view piece) {
  if (!copied_) return;
  if (copied_->message.size() + piece.size() <= Mirror::kQueueMost)
    return copied_->message.copy(loop().pool(), piece.data(), piece.size());
  copied_.reset();
  if (Mirror* const mirror = relay_.mirror()) mirror->drop();
}

// The streamed message is whole.
void Client::end_copy() {
  if (!copied_) return;
  if (Mirror* const mirror = relay_.mirror()) mirror->copy(copied_->kind, copied_->message);
  copied_.reset();
}

}  // namespace ambassador::proxy::net
