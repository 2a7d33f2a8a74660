#include "proxy/net/deadlines.hpp"

namespace ambassador::proxy::net {

Timed::~Timed() {
  if (heap_ != nullptr) heap_->cancel(*this);
}

void Deadlines::put(Timed* who, std::size_t place) {
  heap_[place] = who;
  who->place_ = place;
}

void Deadlines::up(std::size_t place) {
  Timed* who = heap_[place];
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (heap_[parent]->at_ <= who->at_) break;
    put(heap_[parent], place);
    place = parent;
  }
  put(who, place);
}

void Deadlines::down(std::size_t place) {
  Timed* who = heap_[place];
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->at_ < heap_[child]->at_) ++child;
    if (who->at_ <= heap_[child]->at_) break;
    put(heap_[child], place);
    place = child;
  }
  put(who, place);
}

void Deadlines::no_later_than(Timed& who, SteadyTime at) {
  if (who.place_ != Timed::kNone) {
    if (who.at_ <= at) return;
    who.at_ = at;
    up(who.place_);
    return;
  }
  who.heap_ = this;
  who.at_ = at;
  heap_.push_back(&who);
  who.place_ = heap_.size() - 1;
  up(who.place_);
}

void Deadlines::cancel(Timed& who) {
  if (who.place_ == Timed::kNone) return;
  const std::size_t place = who.place_;
  Timed* last = heap_.back();
  heap_.pop_back();
  who.place_ = Timed::kNone;
  who.heap_ = nullptr;
  if (last == &who) return;
  put(last, place);
  up(place);
  down(last->place_);
}

void Deadlines::run(SteadyTime now) {
  // Who sets a time that has passed already is woken in the next run: this one ends.
  std::vector<Timed*> due;
  while (!heap_.empty() && heap_.front()->at_ <= now) {
    due.push_back(heap_.front());
    cancel(*heap_.front());
  }
  for (Timed* who : due) who->on_deadline(now);
}

}  // namespace ambassador::proxy::net
