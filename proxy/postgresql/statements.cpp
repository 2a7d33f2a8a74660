#include "proxy/postgresql/statements.hpp"

#include <algorithm>
#include <atomic>

#include "proxy/postgresql/limits.hpp"

namespace ambassador::proxy::postgresql {

std::uint64_t next_statement_id() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::string statement_name(std::uint64_t id) {
  return std::string(kStatementPrefix) + std::to_string(id);
}

std::shared_ptr<Statement> Statements::get(std::string_view body) {
  if (const auto found = all_.find(body); found != all_.end()) return found->second;
  if (all_.size() >= std::max(sweep_at_, kMaxStatementsKnown)) forget_unused();
  auto statement = std::make_shared<Statement>();
  statement->id = next_statement_id();
  statement->name = statement_name(statement->id);
  statement->body = body;
  all_.emplace(statement->body, statement);
  return statement;
}

// Those that no client has. Seldom: it looks at all.
void Statements::forget_unused() {
  std::erase_if(all_, [](const auto& entry) { return entry.second.use_count() == 1; });
  sweep_at_ = 2 * all_.size();
}

}  // namespace ambassador::proxy::postgresql
