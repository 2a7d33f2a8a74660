#include "proxy/app/slow_log_table.hpp"

#include <nlohmann/json.hpp>

#include "proxy/app/table.hpp"

namespace ambassador::proxy::app {

std::string slow_log_table(const nlohmann::json& requests) {
  if (requests.empty()) return "no slow requests\n";
  std::vector<Row> rows{{"TIME", "DURATION", "LISTENER", "CLIENT", "BACKEND", "COMMAND", "KEY"}};
  for (const nlohmann::json& request : requests) {
    rows.push_back({text_of(request, "time"), short_time(number_of(request, "durationSeconds")),
                    text_of(request, "listener"), text_of(request, "client"), text_of(request, "backend"),
                    text_of(request, "command"), one_line(text_of(request, "key"))});
  }
  std::string out;
  print_table(rows, "", out);
  return out;
}

}  // namespace ambassador::proxy::app
