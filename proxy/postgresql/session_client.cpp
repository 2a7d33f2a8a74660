// What the messages of a client mean that has been let in.
#include <algorithm>
#include <bit>

#include "proxy/postgresql/pool_key.hpp"
#include "proxy/postgresql/session.hpp"

namespace ambassador::proxy::postgresql {
namespace {

// Before a server is borrowed for it. Others are answered here, or mean nothing without one.
bool begins_work(char type) {
  return type == 'Q' || type == 'P' || type == 'B' || type == 'D' || type == 'E' || type == 'C' ||
         type == 'F';
}

}  // namespace

Step PostgresSession::on_bytes(Side from, std::span<const char> span) {
  const std::string_view input(span.data(), span.size());
  const bool let_in = stage_ == Stage::open || stage_ == Stage::raw;
  if (from == Side::client) return let_in ? from_client(input) : start(input);
  if (let_in) return from_server(input);
  if (stage_ == Stage::settles) return on_settling(input);
  return {};
}

Step PostgresSession::from_client(std::string_view input) {
  passed_head_ = false;
  if (failing_ != Failing::no) return fail(input);
  if (server_ == nullptr) return without_server(input);
  if (std::exchange(just_lent_, false)) {
    const std::string first = preparation(input);
    if (!first.empty()) return ask_for_us(first);
  }
  if (again_ == Again::due) return releasable() ? give_back() : Step{.kind = Step::Kind::hold};
  if (again_ == Again::runs) return say_again();
  if (restores()) return restore_values();
  const bool anew = role_ == Role::replica && !in_unit_ && splits();
  if ((input.empty() || anew) && releasable()) return give_back();
  return run(input);
}

Step PostgresSession::without_server(std::string_view input) {
  if (again_ == Again::due) return {.kind = Step::Kind::borrow, .again = true};
  if (body_left_ > 0) return drop(input);  // of a message whose server was lost
  const Header front = read_header(input);
  if (front.found == Found::incomplete) return {};
  if (front.found == Found::broken) return broken("invalid message length");
  if (front.type == 'X') return close_with({});
  if (front.type == 'S' && front.size() == kHeader) {
    write_ready(text(), 'I');
    return {.kind = Step::Kind::send,
            .to = Side::client,
            .consumed = kHeader,
            .began = 1,
            .ended = 1,
            .text = parts_->text};
  }
  if (begins_work(front.type)) {
    // Who sends slowly does not hold a server meanwhile.
    if (front.size() <= kMaxKept && input.size() < front.size()) return {};
    if (!choose_role(input)) return {};
    if (!passthrough_) {
      // They may have been replaced since.
      const auto& credentials = parts_->credentials();
      if (credentials && user_of(key_) != credentials->user()) key_ = with_user(key_, credentials->user());
    }
    return {.kind = Step::Kind::borrow};
  }
  // Flush has nothing to flush; what belongs to a COPY that failed is passed over, as PostgreSQL does.
  if (front.type == 'H' || front.type == 'd' || front.type == 'c' || front.type == 'f') {
    const std::size_t here = part_here(front, input);
    passed_head_ = here < front.size();
    return {.kind = Step::Kind::skip, .consumed = here, .more = front.size() - here};
  }
  return broken("invalid frontend message type");
}

PooledSession::Want PostgresSession::want() const {
  return {.key = key_, .role = role_, .causal = role_ == Role::replica && causal(), .alone = passthrough_};
}

// Passes on as many messages as go as they are.
Step PostgresSession::run(std::string_view input) {
  const bool routes = role_ == Role::replica && splits();
  if (role_ != Role::replica) wrote_ = true;
  std::size_t at = 0;
  began_ = 0;
  while (began_ < Step::kMostCounted) {
    if (body_left_ > 0 && !take_rest(input, at)) {
      if (scanning_) break;
      return forward(at, std::exchange(body_left_, 0));
    }
    if (restores()) break;
    const std::string_view rest = input.substr(at);
    const Header front = read_header(rest);
    if (front.found == Found::incomplete) break;
    if (front.found == Found::broken) {
      if (at > 0) break;
      return broken("invalid message length");
    }
    if (owed_.size() >= kMaxOwed) return broken("too many messages are not answered yet");
    if (!in_unit_ && again_ != Again::runs && (begins_work(front.type) || front.type == 'S')) {
      if (routes && front.type != 'S') {
        const Further next = further(rest);
        if (next != Further::goes_on) {
          if (at > 0 || next == Further::incomplete) break;
          return {.kind = Step::Kind::hold};
        }
        in_unit_ = true;
      }
      may_run_again_ = false;  // it is not alone any more
    }
    const Handled handled = handle(rest, front, at == 0);
    if (handled.kind == Handled::Kind::step) return handled.step;
    if (handled.kind != Handled::Kind::pass) break;
    at += kHeader;
    body_left_ = front.size() - kHeader;
  }
  return at > 0 ? forward(at, 0) : Step{};
}

// Of the message whose front was passed on; false: more of it has to come.
bool PostgresSession::take_rest(std::string_view input, std::size_t& at) {
  const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size() - at));
  if (scanning_) scan_.feed(input.substr(at, here));
  at += here;
  body_left_ -= here;
  if (body_left_ > 0) return false;
  if (std::exchange(scanning_, false)) end_query();
  return true;
}

Step PostgresSession::forward(std::size_t bytes, std::uint64_t more) {
  passed_head_ = more > 0;
  return {.kind = Step::Kind::forward, .consumed = bytes, .more = more, .began = began_};
}

PostgresSession::Handled PostgresSession::handle(std::string_view input, const Header& front, bool first) {
  if (front.type == 'X') {
    if (!first) return {.kind = Handled::Kind::alone};
    return {.kind = Handled::Kind::step, .step = close_with({})};
  }
  // Whatever comes before Sync is passed over by the server.
  if (skips_to_sync_ && front.type != 'S') return {};
  switch (front.type) {
    case 'Q':
      if (const auto handled = on_deallocate(input, front, first)) return *handled;
      take_query();
      return {};
    case 'S':
      take_sync();
      return {};
    case 'F':
      owe({.kind = Owed::Kind::function});
      ++began_;
      in_unit_ = false;
      return {};
    case 'E':
      if (last_deallocates_ && !gives_up_.empty()) {
        if (deallocations_ > 0) return hold(first);
        giving_up_ = std::exchange(gives_up_, {});
      }
      owe_extended({.kind = Owed::Kind::execute, .changes = last_deallocates_, .statement = last_bound_});
      return {};
    case 'P':
      return on_parse(input, front, first);
    case 'B':
      return on_bind(input, front, first);
    case 'D':
    case 'C':
      return on_describe_or_close(input, front, first);
    case 'c':
    case 'f':
      take_copy_end();
      return {};
    case 'd':
    case 'H':
      return {};
    case 'p':
      if (stage_ == Stage::raw) return {};
      break;
    default:
      break;
  }
  if (!first) return {.kind = Handled::Kind::alone};
  return {.kind = Handled::Kind::step, .step = broken("invalid frontend message type")};
}

void PostgresSession::take_query() {
  in_unit_ = false;
  ++began_;
  if (!transaction()) return owe({.kind = Owed::Kind::query});
  // It ends the unnamed statement, if the server does not pass it over.
  const std::uint64_t serial = unnamed_.surely_none() ? 0 : next_statement_id();
  if (serial != 0) unnamed_.drop(serial);
  server_->unnamed(0);
  owe({.kind = Owed::Kind::query, .serial = serial});
  if (!open_batch_) batch_changes_ = 0;
  scanning_ = true;
  scan_.begin(server_->tracked().known());
}

// Its text has passed. What comes behind may need what it takes away.
void PostgresSession::end_query() {
  pin(scan_.end());
  note_resets(scan_.resets());
  if (!scan_.deallocates() || owed_.empty() || owed_.back().kind != Owed::Kind::query) return;
  owed_.back().changes = true;
  ++changes_;
  ++deallocations_;
  if (open_batch_) ++batch_changes_;
}

void PostgresSession::take_sync() {
  if (copies_in_) return;  // ignored there
  skips_to_sync_ = open_batch_ = in_unit_ = unnamed_set_ = false;
  batch_changes_ = 0;
  owe({.kind = Owed::Kind::sync});
  ++began_;
}

void PostgresSession::take_copy_end() {
  // Sent before the server has said that it copies, it tells which Syncs came before.
  if (!std::exchange(copies_in_, false) && !owed_.empty()) owe({.kind = Owed::Kind::copy_end});
}

void PostgresSession::owe(const Owed& owed) {
  if (owed_.empty()) changes_ = batch_changes_ = deallocations_ = 0;
  if (owed.changes) {
    ++changes_;
    ++batch_changes_;
  }
  if (owed.deallocates()) ++deallocations_;
  owed_.push(owed);
}

void PostgresSession::owe_extended(const Owed& owed) {
  owe(owed);
  open_batch_ = true;
  flushed_ = false;
}

void PostgresSession::pin(PinSet pins) {
  const auto added = static_cast<PinSet>(pins & ~pins_);
  if (added == 0) return;
  pins_ |= added;
  if (!parts_->settings.pins) return;
  for (std::size_t i = 0; i < kPins; ++i) {
    if ((added & bit(static_cast<Pin>(i))) != 0)
      parts_->settings.pins->pinned[i].fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace ambassador::proxy::postgresql
