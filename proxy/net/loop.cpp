#include "proxy/net/loop.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>

namespace ambassador::proxy::net {

Loop::Loop(boost::asio::io_context& context, std::size_t memory_budget)
    : context_(context),
      budget_(memory_budget),
      sockets_(context, ::dup(poller_.fd())),  // Asio closes its own
      timer_(context),
      now_(std::chrono::steady_clock::now()) {
  wait();
}

void Loop::wait() {
  sockets_.async_wait(Descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;  // stop()
    on_sockets();
    wait();
  });
}

void Loop::on_sockets() {
  for (int i = 0; i < kTurns; ++i) {
    const auto ready = poller_.ready();
    now_ = std::chrono::steady_clock::now();
    for (const epoll_event& event : ready) static_cast<Pollable*>(event.data.ptr)->on_ready(event.events);
    const bool left = !again_.empty();
    if (left) {
      std::vector<Peer*> again;
      again.swap(again_);
      for (Peer* peer : again) peer->again_due_ = false;
      for (Peer* peer : again) peer->go_on();
    }
    end_turn();
    if (ready.size() < kBusy && !left && again_.empty()) break;
  }
  go_on_later();
  arm();
}

void Loop::go_on_later() {
  if (again_.empty() || std::exchange(go_on_posted_, true)) return;
  boost::asio::post(context_, [this] {
    go_on_posted_ = false;
    on_sockets();
  });
}

void Loop::end_turn() {
  // Lanes first: the servers can work while the clients are written to. Writing may gather more: a client
  // that has room again lets its lane go on.
  while (!lanes_.empty() || !clients_.empty()) {
    flush_all(lanes_);
    flush_all(clients_);
  }
  if (!starved_.empty() && !under_pressure()) {
    std::vector<Peer*> starved;
    starved.swap(starved_);
    for (Peer* peer : starved) {
      peer->starved_ = false;
      again(*peer);
    }
  }
  if (graveyard_.empty()) return;
  for (const auto& dead : graveyard_) {
    if (dead->again_due_) std::erase(again_, dead.get());
    if (dead->starved_) std::erase(starved_, dead.get());
  }
  graveyard_.clear();
}

void Loop::flush_all(std::vector<Peer*>& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {  // the list may grow meanwhile
    list[i]->flush_due_ = false;
    list[i]->flush();
  }
  list.clear();
}

void Loop::arm() {
  if (deadlines_.empty() || deadlines_.first() >= armed_for_) return;
  armed_for_ = deadlines_.first();
  timer_.expires_at(armed_for_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;  // armed for an earlier time, or stop()
    armed_for_ = SteadyTime::max();
    turn([this] { deadlines_.run(now_); });
  });
}

void Loop::stop() {
  boost::system::error_code ignored;
  timer_.cancel();
  sockets_.close(ignored);
  lanes_.clear();
  clients_.clear();
  again_.clear();
  starved_.clear();
  graveyard_.clear();
}

}  // namespace ambassador::proxy::net
