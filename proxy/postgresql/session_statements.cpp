// A client's prepared statements in transaction pooling: they follow it from server to server. Sessions that
// keep their server only count what is owed.
#include <algorithm>

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
  if (front.size() > kMaxKept) return on_large_parse(input);
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
    if (!first) return {.kind = Handled::Kind::alone};
    return on_named_parse(message, name, body);
  }
  unnamed_ = body;
  unnamed_id_ = next_statement_id();
  server_->unnamed(unnamed_id_);
  scan_.begin(server_->tracked().known);
  scan_.feed(body.substr(0, body.find('\0')));
  pin(scan_.end());
  unnamed_resets_ = scan_.resets();
  prepared_last_value_ |= (pins_ & bit(Pin::sequence)) != 0;
  owe_extended({.kind = Owed::Kind::parse, .serial = unnamed_id_});
  return {};
}

PostgresSession::Handled PostgresSession::on_named_parse(std::string_view message, std::string_view name,
                                                         std::string_view body) {
  if (names_.size() >= kMaxStatementsOfClient)
    return {.kind = Handled::Kind::step, .step = broken("too many prepared statements")};
  const std::shared_ptr<Statement> statement = parts_->statements.get(body);
  if (!statement->scanned) {
    statement->scanned = true;
    scan_.begin(server_->tracked().known);
    scan_.feed(body.substr(0, body.find('\0')));
    statement->pins = scan_.end();
    statement->resets = scan_.resets();
  }
  prepared_last_value_ |= (statement->pins & bit(Pin::sequence)) != 0;
  const auto known = names_.find(name);
  if (known == names_.end() && server_->statements().use(statement->name)) {
    const std::uint64_t serial = next_statement_id();
    names_.emplace(name, Named{statement, serial});
    return answer_here({.kind = Owed::Kind::parse_complete, .serial = serial}, message.size());
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
PostgresSession::Handled PostgresSession::on_large_parse(std::string_view input) {
  const std::size_t end = end_of_text(input, kHeader);
  if (end == std::string_view::npos && input.size() < kMaxKept) return {.kind = Handled::Kind::wait};
  pin(bit(Pin::large_statement));
  const std::uint64_t id = next_statement_id();
  const std::string_view name =
      end == std::string_view::npos ? std::string_view() : input.substr(kHeader, end - kHeader);
  if (name.empty()) {
    unnamed_.clear();
    unnamed_id_ = id;
    server_->unnamed(id);
  } else {
    names_.emplace(name, Named{nullptr, id});
  }
  owe_extended({.kind = Owed::Kind::parse, .serial = id});
  return {};
}

// Bind, Describe, Close -------------------------------------------------------------------------------------

PostgresSession::Handled PostgresSession::on_bind(std::string_view input, const Header& front, bool first) {
  last_bound_ = 0;
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
  if (name.empty() && lacks_unnamed() && unnamed_id_ != 0)
    return first ? bring_unnamed() : Handled{.kind = Handled::Kind::alone};

  if (name.empty()) note_resets(unnamed_resets_);
  if (name.empty() && !lacks_unnamed()) {
    owe_extended({.kind = Owed::Kind::bind});
    return {};
  }
  if (!first) return {.kind = Handled::Kind::alone};
  text();
  std::uint64_t id = 0;
  const std::string_view other = name_on_server(name, id);
  last_bound_ = id;
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
    unnamed_id_ = 0;
    server_->unnamed(0);
    owe_extended(owed);
    return {};
  }
  if (close) return close_named(name, front.size(), first);
  if (name.empty() && lacks_unnamed() && unnamed_id_ != 0)
    return first ? bring_unnamed() : Handled{.kind = Handled::Kind::alone};
  if (name.empty() && !lacks_unnamed()) {
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
    names_.erase(known);
    owe_extended({.kind = Owed::Kind::close});
    return {};
  }
  // One that the proxy does not know was made by SQL PREPARE, if at all: the server is asked, but not for
  // others' statements.
  if (known == names_.end() && !name.starts_with(kStatementPrefix)) {
    owe_extended({.kind = Owed::Kind::close});
    return {};
  }
  if (!first) return {.kind = Handled::Kind::alone};
  if (known != names_.end()) names_.erase(known);
  return answer_here({.kind = Owed::Kind::close_complete}, size);
}

PostgresSession::Handled PostgresSession::answer_here(const Owed& owed, std::size_t consumed) {
  open_batch_ = true;
  if (!owed_.empty() || server_partial_) {
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
  owe_extended({.kind = Owed::Kind::parse, .ours = true, .statement = statement.id});
}

bool PostgresSession::lacks_unnamed() const {
  return server_->unnamed() != unnamed_id_;
}

PostgresSession::Handled PostgresSession::bring_unnamed() {
  write_parse(text(), {}, unnamed_);
  server_->unnamed(unnamed_id_);
  owe_extended({.kind = Owed::Kind::parse, .ours = true});
  return {.kind = Handled::Kind::step,
          .step = {.kind = Step::Kind::send, .to = Side::server, .text = parts_->text}};
}

std::string_view PostgresSession::name_on_server(std::string_view name, std::uint64_t& id) {
  const auto known = names_.find(name);
  if (known == names_.end()) {
    // Nobody's: the server says so, but must not find another client's.
    const bool others = name.empty() || name.starts_with(kStatementPrefix);
    return others ? std::string_view("amb_?") : name;
  }
  const Statement* const statement = known->second.statement.get();
  if (statement == nullptr) return known->first;
  id = statement->id;
  pin(statement->pins);
  note_resets(statement->resets);
  if (!server_->statements().use(statement->name)) bring(*statement);
  return statement->name;
}

void PostgresSession::parse_failed(const Owed& parse) {
  if (parse.statement != 0) server_->statements().remove(statement_name(parse.statement));
  if (parse.statement == 0 && (parse.ours || parse.serial == server_->unnamed())) server_->unnamed(0);
  if (parse.serial == 0) return;
  if (parse.serial == unnamed_id_) unnamed_id_ = 0;
  std::erase_if(names_, [&](const auto& entry) { return entry.second.serial == parse.serial; });
}

// The server has dropped all of them.
void PostgresSession::forget_statements() {
  names_.clear();
  server_->statements().clear();
}

}  // namespace ambassador::proxy::postgresql
