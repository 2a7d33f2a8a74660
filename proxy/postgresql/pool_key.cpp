#include "proxy/postgresql/pool_key.hpp"

#include <map>

#include "proxy/postgresql/body_reader.hpp"
#include "proxy/postgresql/values.hpp"

namespace ambassador::proxy::postgresql {
namespace {

void append(std::string& key, std::string_view name, std::string_view value) {
  key.append(name).push_back('\0');
  key.append(value).push_back('\0');
}

}  // namespace

std::string make_key(const FirstPacket& packet, std::string_view user, std::string_view database,
                     Shared shared) {
  std::map<std::string_view, std::string_view> others;
  for (const auto& [name, value] : packet.parameters) {
    if (name == "user" || name == "database") continue;
    const auto i = find_tracked(name);
    if (!i || *i >= kAlwaysReported || shared == Shared::by_equals) others[name] = value;
  }
  std::string key;
  append(key, "user", user);
  append(key, "database", database);
  for (const auto& [name, value] : others) append(key, name, value);
  return key;
}

std::string with_user(std::string_view key, std::string_view user) {
  BodyReader fields(key);
  fields.string();
  fields.string();
  std::string out;
  append(out, "user", user);
  return out.append(fields.rest());
}

std::string_view user_of(std::string_view key) {
  BodyReader fields(key);
  return fields.string() == "user" ? fields.string() : std::string_view();
}

std::string_view database_of(std::string_view key) {
  BodyReader fields(key);
  fields.string();
  fields.string();
  return fields.string() == "database" ? fields.string() : std::string_view();
}

std::vector<std::pair<std::string, std::string>> parameters_of(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> all;
  BodyReader fields(key);
  for (fields.string(), fields.string(); !fields.rest().empty();) {
    const std::string_view name = fields.string();
    const std::string_view value = fields.string();
    if (!fields.ok()) break;
    all.emplace_back(name, value);
  }
  return all;
}

}  // namespace ambassador::proxy::postgresql
