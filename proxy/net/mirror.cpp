#include "proxy/net/mirror.hpp"

#include <sys/un.h>

#include <array>
#include <cerrno>
#include <utility>

#include "proxy/net/relay.hpp"

namespace ambassador::proxy::net {
namespace {

// What the other listener tells of its client: "unix:mirror of shop.cache".
Address named_after(const std::string& listener) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ("mirror of " + listener).copy(address.sun_path, sizeof(address.sun_path) - 1);
  return Address::from(reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

}  // namespace

Mirror::Mirror(Relay& relay, std::string listener) : relay_(relay), listener_(std::move(listener)) {}

Mirror::~Mirror() {
  disconnect();
}

Loop& Mirror::loop() const {
  return relay_.loop();
}

void Mirror::copy(LaneKind kind, std::string_view message) {
  if (!takes(kind, message.size())) return drop();
  out_.copy(loop().pool(), message.data(), message.size());
}

void Mirror::copy(LaneKind kind, Slices& message) {
  if (!takes(kind, message.size())) return drop();
  out_.take(loop().pool(), message);
}

void Mirror::drop() {
  relay_.counters().mirror.dropped.add();
}

// True: room was made for so many bytes, which the caller appends.
bool Mirror::takes(LaneKind kind, std::size_t bytes) {
  if (loop().under_pressure() || out_.size() + bytes > kQueueMost) return false;
  if (!socket_ && !connect()) return false;
  if (kind != kind_) {
    const Service* const mirror = other();
    std::string text;
    if (mirror == nullptr || !mirror->generation()->core->change_kind(kind_, kind, text)) return false;
    out_.copy(loop().pool(), text.data(), text.size());
    kind_ = kind;
  }
  relay_.counters().mirror.copied.add();
  loop().flush_lane_later(*this);
  return true;
}

// While a document is being taken, it may be something else already; null then, too.
Service* Mirror::other() const {
  Service* const found = relay_.outside().service(listener_);
  const auto protocol = [](const Service& service) { return service.generation()->config.protocol; };
  return found != nullptr && protocol(*found) == protocol(relay_) ? found : nullptr;
}

bool Mirror::connect() {
  Service* const mirror = other();
  if (mirror == nullptr) return false;
  auto [ours, theirs] = Socket::connected_pair();
  if (!ours || !loop().poller().add(ours, *this, false)) return false;
  socket_ = std::move(ours);
  framer_ = relay_.generation()->core->new_framer(LaneKind::ordinary);
  mirror->accept(std::move(theirs), named_after(relay_.name()), nullptr);
  return true;
}

void Mirror::disconnect() {
  if (!socket_) return;
  loop().poller().remove(socket_, *this);
  socket_.close();
  framer_.reset();
  out_.clear();
  input_ = {};
  kind_ = LaneKind::ordinary;
  readable_ = write_blocked_ = in_reply_ = false;
}

void Mirror::close() {
  flush();
  disconnect();
}

void Mirror::on_ready(std::uint32_t events) {
  if (!socket_) return;
  if ((events & EPOLLOUT) != 0 && write_blocked_) {
    write_blocked_ = false;
    loop().flush_lane_later(*this);
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    readable_ = true;
    read();
  }
}

void Mirror::flush() {
  while (socket_ && !out_.empty() && !write_blocked_) {
    std::array<iovec, 64> pieces;
    const std::ptrdiff_t sent = socket_.send({pieces.data(), out_.gather(pieces)});
    if (sent == -EAGAIN) {
      write_blocked_ = true;
      loop().poller().want_writing(socket_, *this, true);
    } else if (sent < 0) {
      disconnect();
    } else {
      out_.consume(static_cast<std::size_t>(sent));
    }
  }
}

void Mirror::read() {
  int budget = kReadsPerTurn;
  while (readable_ && socket_) {
    if (budget-- == 0) return loop().again(*this);
    make_room(loop().pool(), input_);
    const std::ptrdiff_t got =
        socket_.receive(input_.block->data() + input_.end, input_.block->capacity - input_.end);
    if (got > 0) {
      input_.end += static_cast<std::uint32_t>(got);
      replies();
      continue;
    }
    readable_ = false;
    if (input_.size() == 0) input_.block.reset();
    if (got != -EAGAIN) disconnect();
  }
}

void Mirror::replies() {
  while (input_.size() > 0) {
    const std::string_view bytes = input_.view();
    const Framer::Frame frame = framer_->next(bytes);
    if (frame.broken) return disconnect();
    if (frame.bytes == 0 && !frame.complete) return;
    if (!in_reply_ && relay_.generation()->core->is_error(bytes)) relay_.counters().mirror.failed.add();
    in_reply_ = !frame.complete;
    input_.begin += static_cast<std::uint32_t>(frame.bytes);
  }
}

}  // namespace ambassador::proxy::net
