// What a server says of itself when it is asked (Standing): whether it takes writes, on which timeline, and
// how far its write-ahead log goes. Any user may ask. Used by PostgresqlServer. Pure.
//
// Source: https://www.postgresql.org/docs/current/functions-admin.html, "Recovery Control Functions" and
// "Backup Control Functions"; a WAL file is named by its timeline first.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/session/pooled.hpp"

namespace ambassador::proxy::postgresql {

/// One row: in recovery or not, the name of the WAL file that is written (null in recovery), the LSN: of what
/// is inserted, be it written or not, so that nothing that was committed is behind it.
inline constexpr std::string_view kStandingQuery =
    "SELECT pg_catalog.pg_is_in_recovery(),"
    " CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL"
    " ELSE pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) END,"
    " CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()"
    " ELSE pg_catalog.pg_current_wal_insert_lsn() END";

/// `row`: the body of the DataRow that answers it. Nothing: it is no such row.
[[nodiscard]] std::optional<Standing> read_standing(std::string_view row);

}  // namespace ambassador::proxy::postgresql
