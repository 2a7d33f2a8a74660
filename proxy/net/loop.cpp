#include "proxy/net/loop.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace ambassador::proxy::net {

Loop::Loop(std::size_t memory_budget) : budget_(memory_budget), now_(std::chrono::steady_clock::now()) {
  if (!poller_.add(mailbox_.bell(), bell_, false))
    throw std::system_error(errno, std::generic_category(), "epoll_ctl");
}

void Loop::run() {
  while (!stopped_) {
    poller_.wait(patience());
    now_ = std::chrono::steady_clock::now();
    poller_.tell();
    go_on();
    end_turn();
    if (!held_.empty() && held_until_ <= now_) release();
    if (!deadlines_.empty() && deadlines_.first() <= now_) {
      deadlines_.run(now_);
      end_turn();
    }
  }
}

// Until the first time at which something is to be done, rounded up so that it has passed then.
std::chrono::milliseconds Loop::patience() const {
  if (!again_.empty()) return std::chrono::milliseconds(0);
  if (deadlines_.empty() && held_.empty()) return std::chrono::milliseconds(-1);
  SteadyTime first = now_ + kPatienceMost;
  if (!deadlines_.empty()) first = std::min(first, deadlines_.first());
  if (!held_.empty()) first = std::min(first, held_until_);
  return std::max(std::chrono::ceil<std::chrono::milliseconds>(first - now_), std::chrono::milliseconds(0));
}

void Loop::go_on() {
  if (again_.empty()) return;
  std::vector<Peer*> again;
  again.swap(again_);
  for (Peer* peer : again) peer->again_due_ = false;
  for (Peer* peer : again) peer->go_on();
}

void Loop::let_go(Peer& client) {
  if (client.held_at_ == Peer::kNotHeld) return;
  held_.back()->held_at_ = client.held_at_;
  held_[client.held_at_] = held_.back();
  held_.pop_back();
  client.held_at_ = Peer::kNotHeld;
}

void Loop::release() {
  releasing_ = true;
  while (!held_.empty()) {
    Peer& client = *held_.back();
    let_go(client);
    client.flush();
  }
  releasing_ = false;
  end_turn();
}

// Among those that are ready, so that what was posted before a peer had something to say is done before.
void Loop::open_letters() {
  for (const auto& letter : mailbox_.take()) {
    if (stopped_) return;
    letter->open();
    end_turn();
  }
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
    let_go(*dead);
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

void Loop::stop() {
  stopped_ = true;
  poller_.forget();
  lanes_.clear();
  clients_.clear();
  again_.clear();
  starved_.clear();
  while (!held_.empty()) let_go(*held_.back());
  graveyard_.clear();
}

}  // namespace ambassador::proxy::net
