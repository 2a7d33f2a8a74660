#include "proxy/app/key_tables.hpp"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "proxy/app/table.hpp"

namespace ambassador::proxy::app {

std::string hot_keys_table(const nlohmann::json& listeners) {
  std::string out;
  for (const nlohmann::json& listener : listeners) {
    fmt::format_to(std::back_inserter(out),
                   "{}{}: keys asked for {} times a second, as one command in {} tells; what is {} s old "
                   "counts half\n",
                   out.empty() ? "" : "\n", text_of(listener, "listener"),
                   short_number(number_of(listener, "requestsPerSecond")), text_of(listener, "sampledOneIn"),
                   text_of(listener, "halfLifeSeconds"));
    std::vector<Row> rows{{"REQUESTS/S", "+-", "SHARE", "KEY"}};
    for (const nlohmann::json& key : listener.value("keys", nlohmann::json::array())) {
      rows.push_back({short_number(number_of(key, "requestsPerSecond")),
                      short_number(number_of(key, "errorPerSecond")),
                      fmt::format("{:.1f}%", number_of(key, "share") * 100), one_line(text_of(key, "key"))});
    }
    if (rows.size() == 1) {
      out += "  no key is asked for often\n";
    } else {
      print_table(rows, "  ", out);
    }
  }
  return out.empty() ? "no listener counts its keys\n" : out;
}

std::string big_keys_table(const nlohmann::json& keys) {
  if (keys.empty()) return "no big keys\n";
  std::vector<Row> rows{{"TIME", "BYTES", "LISTENER", "COMMAND", "KEY"}};
  for (const nlohmann::json& big : keys) {
    rows.push_back({text_of(big, "time"), short_number(number_of(big, "bytes")), text_of(big, "listener"),
                    text_of(big, "command"), one_line(text_of(big, "key"))});
  }
  std::string out;
  print_table(rows, "", out);
  return out;
}

}  // namespace ambassador::proxy::app
