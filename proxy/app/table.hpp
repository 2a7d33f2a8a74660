// JSON as people read it in a terminal: cells, and tables of them. For the subcommands that show what a
// running proxy says. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace ambassador::proxy::app {

using Row = std::vector<std::string>;

/// The field `key` as a cell; "-" where it is missing, null or empty.
std::string text_of(const nlohmann::json& object, const char* key);
/// 0 where it is missing or no number.
double number_of(const nlohmann::json& object, const char* key);
/// "12us", "1.5ms", "2.00s"; "-" for nothing.
std::string short_time(double seconds);
/// "1.2M": three significant places are enough to see how things are.
std::string short_number(double value);
/// What clients chose, as a key: without what would move the cursor.
std::string one_line(std::string text);
/// Columns as wide as their widest cell, two spaces between them, nothing behind the last.
void print_table(const std::vector<Row>& rows, std::string_view indent, std::string& out);

}  // namespace ambassador::proxy::app
