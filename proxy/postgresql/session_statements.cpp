// A client's prepared statements in transaction pooling: they follow it from server to server. Sessions that
// keep their server only count what is owed.
#include <algorithm>

#include "proxy/postgresql/deallocate.hpp"
#include "proxy/postgresql/session.hpp"

namespace ambassador::proxy::postgresql {
namespace {

// `body`: SQL, zero, the number of types, the types.
bool is_statement(std::string_view body) {
  BodyReader fields(body);
  fields.string();
  const std::string_view two = fields.bytes(2);
  if (!fields.ok()) return false;
  const auto byte = [two](std::size_t i) { return std::size_t{static_cast<unsigned char>(two[i])}; };
  return fields.rest().size() == 4 * (byte(0) << 8 | byte(1));
}

// Where the text that begins at `at` ends, or npos.
std::size_t end_of_text(std::string_view input, std::size_t at) {
  return at > input.size() ? std::string_view::npos : input.find('\0', at);
}

}  // namespace

// Parse -----------------------------------------------------------------------------------------------------

PostgresSession::Handled PostgresSession::on_parse(std::string_view input, const Header& front, bool first) {
  if (!transaction()) {
    owe_extended({.kind = Owed::Kind::parse});
    return {};
  }
  if (front.size() > kMaxKept) return on_large_parse(input, front, first);
  if (input.size() < front.size()) return {.kind = Handled::Kind::wait};
  const std::string_view message = input.substr(0, front.size());
  BodyReader fields(message.substr(kHeader));
  const std::string_view name = fields.string();
  const std::string_view body = fields.rest();
  if (!fields.ok() || !is_statement(body)) {  // the server says what is wrong
    owe_extended({.kind = Owed::Kind::parse});
    return {};
  }
  if (!name.empty()) {
    if (!first || unsure()) return hold(first);
    return on_named_parse(message, name, body);
  }
  const std::size_t sql_size = body.find('\0');
  const std::string_view sql = body.substr(0, sql_size);
  gives_up_.clear();
  if (has_statements() && sql_size <= kMaxDeallocate && may_deallocate(sql)) {
    if (!first || units_wait()) return hold(first);
    if (const auto renamed = giving_up(sql, gives_up_))
      return parse_giving_up(*renamed, body.substr(sql_size + 1), message.size());
  }
  take_unnamed(body);
  return {};
}

void PostgresSession::take_unnamed(std::string_view body) {
  unnamed_set_ = true;
  unnamed_.parse(next_statement_id(), body);
  server_->unnamed(unnamed_.id());
  scan_.begin(server_->tracked().known());
  scan_.feed(body.substr(0, body.find('\0')));
  pin(scan_.end());
  unnamed_resets_ = scan_.resets();
  unnamed_deallocates_ = scan_.deallocates();
  prepared_last_value_ |= (pins_ & bit(Pin::sequence)) != 0;
  owe_extended({.kind = Owed::Kind::parse, .serial = unnamed_.id()});
}

PostgresSession::Handled PostgresSession::on_named_parse(std::string_view message, std::string_view name,
                                                         std::string_view body) {
  if (names_.size() >= kMaxStatementsOfClient)
    return {.kind = Handled::Kind::step, .step = broken("too many prepared statements")};
  const std::shared_ptr<Statement> statement = parts_->statements.get(body);
  if (!statement->scanned) {
    statement->scanned = true;
    scan_.begin(server_->tracked().known());
    scan_.feed(body.substr(0, body.find('\0')));
    statement->pins = scan_.end();
    statement->resets = scan_.resets();
    statement->deallocates = scan_.deallocates();
  }
  prepared_last_value_ |= (statement->pins & bit(Pin::sequence)) != 0;
  const auto known = names_.find(name);
  // In an aborted transaction the server does not take it.
  if (known == names_.end() && !may_be_aborted() && server_->statements().use(statement->name)) {
    const std::uint64_t serial = next_statement_id();
    names_.emplace(name, Named{statement, serial});
    return answer_here({.kind = Owed::Kind::parse_complete, .changes = true, .serial = serial},
                       message.size());
  }
  text();
  bring(*statement);
  if (known == names_.end()) {
    // What was put in is the client's own Parse.
    Owed& parse = owed_.back();
    parse.ours = false;
    parse.serial = next_statement_id();
    names_.emplace(name, Named{statement, parse.serial});
  } else {
    // The server itself says that there is such a statement already.
    write_parse(parts_->text, statement->name, statement->body);
    owe_extended({.kind = Owed::Kind::parse});
  }
  return {
      .kind = Handled::Kind::step,
      .step = {
          .kind = Step::Kind::send, .to = Side::server, .consumed = message.size(), .text = parts_->text}};
}

// Too long to be kept: the client stays where it is.
PostgresSession::Handled PostgresSession::on_large_parse(std::string_view input, const Header& front,
                                                         bool first) {
  const std::size_t end = end_of_text(input, kHeader);
  if (end == std::string_view::npos && input.size() < kMaxKept) return {.kind = Handled::Kind::wait};
  const std::string_view name =
      end == std::string_view::npos ? std::string_view() : input.substr(kHeader, end - kHeader);
  if (!name.empty() && (!first || unsure())) return hold(first);
  if (names_.contains(name)) {  // the server itself says so, of the name that it has there
    std::uint64_t id = 0;
    text();
    const std::string_view other = name_on_server(name, id);
    owe_extended({.kind = Owed::Kind::parse});
    body_left_ = front.size() - (end + 1);
    write_parse_front(parts_->text, other, body_left_);
    return {
        .kind = Handled::Kind::step,
        .step = {.kind = Step::Kind::send, .to = Side::server, .consumed = end + 1, .text = parts_->text}};
  }
  pin(bit(Pin::large_statement));
  const std::uint64_t id = next_statement_id();
  if (name.empty()) {
    unnamed_set_ = true;
    unnamed_.parse(id, {});
    server_->unnamed(id);
  } else {
    names_.emplace(name, Named{nullptr, id});
  }
  owe_extended({.kind = Owed::Kind::parse, .changes = true, .serial = id});
  return {};
}

// Bind, Describe, Close -------------------------------------------------------------------------------------

PostgresSession::Handled PostgresSession::on_bind(std::string_view input, const Header& front, bool first) {
  last_bound_ = 0;
  last_deallocates_ = false;
  if (!transaction()) {
    owe_extended({.kind = Owed::Kind::bind});
    return {};
  }
  const std::string_view here = input.substr(0, front.size());
  const std::size_t portal_end = end_of_text(here, kHeader);
  const std::size_t end =
      portal_end == std::string_view::npos ? portal_end : end_of_text(here, portal_end + 1);
  if (end == std::string_view::npos) {
    if (here.size() < front.size() && here.size() < kMaxKept) return {.kind = Handled::Kind::wait};
    owe_extended({.kind = Owed::Kind::bind});  // the server says what is wrong
    return {};
  }
  const std::string_view name = here.substr(portal_end + 1, end - portal_end - 1);
  if (waits_for_answers(name)) return hold(first);
  if (name.empty() && lacks_unnamed()) return first ? bring_unnamed() : Handled{.kind = Handled::Kind::alone};
  if (name.empty()) {
    last_deallocates_ = unnamed_deallocates_;
    note_resets(unnamed_resets_);
    owe_extended({.kind = Owed::Kind::bind});
    return {};
  }
  if (!first) return {.kind = Handled::Kind::alone};
  text();
  std::uint64_t id = 0;
  const std::string_view other = name_on_server(name, id);
  last_bound_ = id;
  const auto known = names_.find(name);
  last_deallocates_ =
      known != names_.end() && known->second.statement != nullptr && known->second.statement->deallocates;
  owe_extended({.kind = Owed::Kind::bind, .statement = id});
  // The head with another name goes ahead; the values follow as they are.
  const std::size_t head = end + 1;
  const std::string_view portal = here.substr(kHeader, portal_end - kHeader);
  body_left_ = front.size() - head;
  write_bind_front(parts_->text, portal, other, body_left_);
  return {.kind = Handled::Kind::step,
          .step = {.kind = Step::Kind::send, .to = Side::server, .consumed = head, .text = parts_->text}};
}

PostgresSession::Handled PostgresSession::on_describe_or_close(std::string_view input, const Header& front,
                                                               bool first) {
  const bool close = front.type == 'C';
  const Owed owed{.kind = close ? Owed::Kind::close : Owed::Kind::describe};
  const bool held = front.size() <= kMaxKept;
  if (transaction() && held && input.size() < front.size()) return {.kind = Handled::Kind::wait};
  BodyReader fields(input.substr(0, front.size()).substr(kHeader));
  const bool statement = transaction() && held && fields.byte() == 'S';
  const std::string_view name = fields.string();
  if (!statement || !fields.ok()) {
    owe_extended(owed);
    return {};
  }
  if (close && name.empty()) {
    unnamed_set_ = true;
    const std::uint64_t serial = next_statement_id();
    unnamed_.drop(serial);
    server_->unnamed(0);
    owe_extended({.kind = Owed::Kind::close, .serial = serial});
    return {};
  }
  if (waits_for_answers(name)) return hold(first);
  if (close) return close_named(name, front.size(), first);
  if (name.empty() && lacks_unnamed()) return first ? bring_unnamed() : Handled{.kind = Handled::Kind::alone};
  if (name.empty()) {
    owe_extended(owed);
    return {};
  }
  if (!first) return {.kind = Handled::Kind::alone};
  text();
  std::uint64_t id = 0;
  const std::string_view other = name_on_server(name, id);
  owe_extended({.kind = Owed::Kind::describe, .statement = id});
  write_describe_statement(parts_->text, other);
  return {
      .kind = Handled::Kind::step,
      .step = {.kind = Step::Kind::send, .to = Side::server, .consumed = front.size(), .text = parts_->text}};
}

// The server keeps it: others, or the same client, will have use for it.
PostgresSession::Handled PostgresSession::close_named(std::string_view name, std::size_t size, bool first) {
  const auto known = names_.find(name);
  if (known != names_.end() && known->second.statement == nullptr) {
    owe_extended({.kind = Owed::Kind::close, .changes = true, .serial = take_away(known)});
    return {};
  }
  // One that the proxy does not know was made by SQL PREPARE, if at all: the server is asked, but not for
  // others' statements.
  if (known == names_.end() && !name.starts_with(kStatementPrefix)) {
    owe_extended({.kind = Owed::Kind::close});
    return {};
  }
  if (!first) return {.kind = Handled::Kind::alone};
  Owed owed{.kind = Owed::Kind::close_complete, .changes = true};
  if (known != names_.end()) {
    if (answers_wait()) {
      owed.serial = take_away(known);
    } else {
      names_.erase(known);
    }
  }
  return answer_here(owed, size);
}

// Unless the server passes over what has the serial that is returned.
std::uint64_t PostgresSession::take_away(Names::iterator name) {
  const std::uint64_t serial = next_statement_id();
  closed_.emplace(serial, names_.extract(name));
  return serial;
}

PostgresSession::Handled PostgresSession::answer_here(const Owed& owed, std::size_t consumed) {
  open_batch_ = true;
  if (answers_wait()) {
    owe(owed);
    return {.kind = Handled::Kind::step, .step = {.kind = Step::Kind::skip, .consumed = consumed}};
  }
  write_synthetic(text(), owed);
  return {.kind = Handled::Kind::step,
          .step = {.kind = Step::Kind::send, .to = Side::client, .consumed = consumed, .text = parts_->text}};
}

// What the server lacks -------------------------------------------------------------------------------------

// Appends what makes the server have it. It is closed there first: the server may have it still, with a plan
// that has become wrong.
void PostgresSession::bring(const Statement& statement) {
  if (const auto surplus = server_->statements().add(statement.name)) {
    write_close_statement(parts_->text, *surplus);
    owe_extended({.kind = Owed::Kind::close, .ours = true});
  }
  write_close_statement(parts_->text, statement.name);
  owe_extended({.kind = Owed::Kind::close, .ours = true});
  write_parse(parts_->text, statement.name, statement.body);
  owe_extended({.kind = Owed::Kind::parse, .ours = true, .changes = true, .statement = statement.id});
}

bool PostgresSession::answers_wait() const {
  return !owed_.empty() || server_partial_;
}

// Batches before this one, whose answers are not there yet, may change which statements there are; and so may
// SQL within it.
bool PostgresSession::unsure() const {
  return !owed_.empty() && (changes_ > batch_changes_ || deallocations_ > 0);
}

// Nor is it known how the transaction stands behind units that are not answered.
bool PostgresSession::units_wait() const {
  return unsure() || owed_.units() > 0;
}

bool PostgresSession::may_be_aborted() const {
  return status_ == 'E' || owed_.units() > 0;
}

bool PostgresSession::waits_for_answers(std::string_view name) const {
  if (!name.empty()) return unsure();
  return !unnamed_set_ && (unsure() || unnamed_.unsure());
}

// What is before it goes on first, and then its answers have to come: those of a batch that is open the
// server has to be asked for.
PostgresSession::Handled PostgresSession::hold(bool first) {
  if (!first) return {.kind = Handled::Kind::alone};
  if (open_batch_ && deallocations_ > 0 && !std::exchange(flushed_, true)) {
    write_flush(text());
    return {.kind = Handled::Kind::step,
            .step = {.kind = Step::Kind::send, .to = Side::server, .text = parts_->text}};
  }
  return {.kind = Handled::Kind::step, .step = {.kind = Step::Kind::hold}};
}

void PostgresSession::forget(const Owed& owed) {
  if (!owed.changes) return;
  if (changes_ == batch_changes_) --batch_changes_;
  --changes_;
  if (owed.deallocates()) {
    --deallocations_;
    giving_up_.clear();
  }
}

// One that is too long to be kept is where its client is.
bool PostgresSession::lacks_unnamed() const {
  if (unnamed_.id() == 0) return server_->unnamed() != PostgresqlServer::kNoStatement;
  return server_->unnamed() != unnamed_.id() && !unnamed_.body().empty();
}

// A client that has none must not find another one's.
PostgresSession::Handled PostgresSession::bring_unnamed() {
  text();
  if (unnamed_.id() == 0) {
    write_close_statement(parts_->text, {});
    server_->unnamed(PostgresqlServer::kNoStatement);
    owe_extended({.kind = Owed::Kind::close, .ours = true, .changes = true});
  } else {
    write_parse(parts_->text, {}, unnamed_.body());
    server_->unnamed(unnamed_.id());
    owe_extended({.kind = Owed::Kind::parse, .ours = true, .changes = true});
  }
  return {.kind = Handled::Kind::step,
          .step = {.kind = Step::Kind::send, .to = Side::server, .text = parts_->text}};
}

std::string_view PostgresSession::name_on_server(std::string_view name, std::uint64_t& id) {
  const auto known = names_.find(name);
  if (known == names_.end()) {
    // Nobody's: the server says so, but must not find another client's.
    return name.starts_with(kStatementPrefix) ? std::string_view("amb_?") : name;
  }
  const Statement* const statement = known->second.statement.get();
  if (statement == nullptr) return known->first;
  id = statement->id;
  pin(statement->pins);
  note_resets(statement->resets);
  if (!server_->statements().use(statement->name)) bring(*statement);
  return statement->name;
}

void PostgresSession::answered(const Owed& owed) {
  closed_.erase(owed.serial);
  unnamed_.answered(owed.serial);
}

// What it would have changed stays as it was. `failed`: it is the one that the server could not do.
void PostgresSession::passed_over(const Owed& owed, bool failed) {
  if (auto closed = closed_.extract(owed.serial)) {
    names_.insert(std::move(closed.mapped()));
    return;
  }
  switch (owed.kind) {
    case Owed::Kind::parse:
      if (owed.statement != 0) server_->statements().remove(statement_name(owed.statement));
      [[fallthrough]];
    case Owed::Kind::close:
    case Owed::Kind::query:
      if (owed.statement == 0) server_->unnamed(0);
      break;
    default:
      break;
  }
  if (owed.serial == 0) return;
  if (failed) {
    unnamed_.failed(owed.serial);
  } else {
    unnamed_.passed_over(owed.serial);
  }
  std::erase_if(names_, [&](const auto& entry) { return entry.second.serial == owed.serial; });
}

// The server has dropped all of them; those of the client that come behind are new.
void PostgresSession::forget_statements() {
  const auto comes_behind = [this](const auto& entry) {
    for (std::size_t i = 1; i < owed_.size(); ++i) {
      if (owed_.at(i).serial == entry.second.serial) return true;
    }
    return false;
  };
  std::erase_if(names_, [&](const auto& entry) { return !comes_behind(entry); });
  server_->statements().clear();
}

// What SQL gives up ----------------------------------------------------------------------------------------

// `sql` as the server has to read it, and the statements that it gives up; nothing if there are none.
std::optional<std::string> PostgresSession::giving_up(std::string_view sql, GivenUp& given_up) const {
  given_up.clear();
  if (status_ == 'E') return std::nullopt;  // in an aborted transaction the server gives nothing up
  return rename_deallocated(sql, Strings::standard, [&](const std::string& name) {
    const auto known = names_.find(name);
    const bool ours = known != names_.end() && known->second.statement != nullptr;
    given_up.emplace_back(name, ours ? known->second.statement : nullptr);
    return ours ? std::string_view(known->second.statement->name) : std::string_view();
  });
}

// The server has done the next one of giving_up_.
void PostgresSession::give_up() {
  if (giving_up_.empty()) return;
  if (const auto& [name, statement] = giving_up_.front(); statement != nullptr) {
    server_->statements().remove(statement->name);
    const auto known = names_.find(name);
    if (known != names_.end() && known->second.statement == statement) names_.erase(known);
  }
  giving_up_.erase(giving_up_.begin());
}

std::optional<PostgresSession::Handled> PostgresSession::on_deallocate(std::string_view input,
                                                                       const Header& front, bool first) {
  if (!transaction() || open_batch_ || !has_statements() || front.size() > kMaxDeallocate)
    return std::nullopt;
  if (input.size() < front.size()) return Handled{.kind = Handled::Kind::wait};
  BodyReader body(input.substr(kHeader, front.body));
  const std::string_view sql = body.string();
  if (!body.at_end() || !may_deallocate(sql)) return std::nullopt;
  if (!first || units_wait()) return hold(first);
  const auto renamed = giving_up(sql, giving_up_);
  if (!renamed) return std::nullopt;
  text();
  bring_for_query(giving_up_);
  take_query();
  scanning_ = false;
  scan_.feed(sql);
  end_query();
  write_query(parts_->text, *renamed);
  return Handled{.kind = Handled::Kind::step,
                 .step = {.kind = Step::Kind::send,
                          .to = Side::server,
                          .consumed = static_cast<std::size_t>(front.size()),
                          .began = began_,
                          .text = parts_->text}};
}

// What it gives up has to be there. A batch of our own, ahead of the query.
void PostgresSession::bring_for_query(const GivenUp& given_up) {
  for (const auto& [name, statement] : given_up) {
    if (statement == nullptr || server_->statements().use(statement->name)) continue;
    bring(*statement);
    forget(owed_.back());  // nothing that the client has depends on it
    owed_.back().changes = false;
  }
  if (parts_->text.empty()) return;
  write_sync(parts_->text);
  owe({.kind = Owed::Kind::sync, .ours = true});
  open_batch_ = false;
}

// A Parse without a name that gives statements up: when it is executed.
PostgresSession::Handled PostgresSession::parse_giving_up(std::string_view renamed, std::string_view types,
                                                          std::size_t size) {
  text();
  for (const auto& [name, statement] : gives_up_) {
    if (statement != nullptr && !server_->statements().use(statement->name)) bring(*statement);
  }
  const std::string body = std::string(renamed).append(1, '\0').append(types);
  take_unnamed(body);
  write_parse(parts_->text, {}, body);
  return {.kind = Handled::Kind::step,
          .step = {.kind = Step::Kind::send, .to = Side::server, .consumed = size, .text = parts_->text}};
}

}  // namespace ambassador::proxy::postgresql
