// DEALLOCATE of one statement, as drivers say it in SQL of statements that they prepared by Parse: those have
// other names at the server, so that the session answers itself. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ambassador::proxy::postgresql {

/// Longer texts are not looked at: names of statements have 63 bytes.
inline constexpr std::size_t kMaxDeallocate = 256;

/// The statement's name, if the text is nothing else than DEALLOCATE of one.
[[nodiscard]] std::optional<std::string> deallocated(std::string_view sql);

}  // namespace ambassador::proxy::postgresql
