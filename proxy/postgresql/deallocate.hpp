// DEALLOCATE, as drivers say it in SQL of statements that they prepared by Parse: those have other names at
// the server. Alone, among other statements of one text (psqlODBC, within a savepoint), or in a Parse of its
// own (psycopg). Used by the session. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/postgresql/sql_words.hpp"

namespace ambassador::proxy::postgresql {

/// Longer texts are not looked at: drivers say little else with it.
inline constexpr std::size_t kMaxDeallocate = 1024;

/// The statement's name, if the text is nothing else than DEALLOCATE of one.
[[nodiscard]] std::optional<std::string> deallocated(std::string_view sql);

/// False: there is none in it. Cheap, for every text of clients that have statements.
[[nodiscard]] bool may_deallocate(std::string_view sql);

/// `sql`, with the names that the server knows; nothing if it has no DEALLOCATE of what `server_name` knows.
/// @param server_name  what the server calls a client's statement; empty: it is none
[[nodiscard]] std::optional<std::string> rename_deallocated(
    std::string_view sql, Strings strings,
    const std::function<std::string_view(const std::string& name)>& server_name);

}  // namespace ambassador::proxy::postgresql
