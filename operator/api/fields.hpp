// Reads a JSON object field by field and collects what is wrong, with the path: what parse.cpp is made of. A
// field that is absent or null gives nullopt; a field that nobody asked for is reported by finish().
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/parse.hpp"
#include "operator/api/spelling.hpp"

namespace ambassador::api {

class Problems {
 public:
  void invalid(std::string path, std::string what) {
    add(Problem::Kind::invalid, std::move(path), std::move(what));
  }
  void not_yet(std::string path, std::string what) {
    add(Problem::Kind::not_in_this_version, std::move(path), std::move(what));
  }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  [[nodiscard]] std::vector<Problem> take() { return std::move(list_); }

 private:
  void add(Problem::Kind kind, std::string path, std::string what) {
    if (list_.size() < kMaxProblems) list_.push_back({kind, std::move(path), std::move(what)});
  }
  std::vector<Problem> list_;
};

/// The value as JSON for a message, shortened to 80 bytes.
std::string shown(const nlohmann::json& value);

class Fields {
 public:
  using json = nlohmann::json;

  /// Borrows all three. A value that is no object is reported, and reads as an empty one.
  Fields(const json& value, std::string path, Problems& problems);

  [[nodiscard]] std::string path(std::string_view key) const { return path_ + "." + std::string(key); }
  [[nodiscard]] const std::string& path() const { return path_; }
  Problems& problems() { return problems_; }

  const json* get(std::string_view key);
  const json* object(std::string_view key);
  /// Reports more than `most` elements, and reads none of them then.
  const json* array(std::string_view key, std::size_t most);
  std::optional<std::string> string(std::string_view key, std::size_t most = 253);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<std::uint16_t> port(std::string_view key, std::uint16_t least = 1);
  /// A Kubernetes duration ("5s", "1m30s") within bounds.
  std::optional<std::chrono::milliseconds> duration(std::string_view key, std::chrono::milliseconds least,
                                                    std::chrono::milliseconds most);
  std::optional<Quantity> quantity(std::string_view key);
  std::vector<std::string> strings(std::string_view key, std::size_t most);

  template <class E, std::size_t N>
  std::optional<E> choice(std::string_view key, const Spelling<E, N>& spelling) {
    const auto word = string(key);
    if (!word) return std::nullopt;
    const auto value = read(spelling, *word);
    if (!value) problems_.invalid(path(key), "\"" + *word + "\" is not one of " + words(spelling));
    return value;
  }

  /// The field exists in the API, but this version does not carry it.
  void not_yet(std::string_view key, const std::string& way_out);
  /// Likewise, but the values given mean "without it" and pass.
  void not_yet_unless(std::string_view key, std::string_view harmless, const std::string& way_out);
  void required(std::string_view key, const std::string& example);
  /// Known and without meaning here (checked elsewhere).
  void ignore(std::string_view key) { (void)get(key); }
  /// Reports the fields that were never asked for.
  void finish();

 private:
  const json* value_;
  std::string path_;
  Problems& problems_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace ambassador::api
