#include "common/config/schema.hpp"

#include <nlohmann/json.hpp>

#include "common/config/duration.hpp"
#include "common/config/fields.hpp"

namespace ambassador::config {
namespace {

using Json = nlohmann::ordered_json;

/// What parse_duration() takes, but for the bounds.
constexpr const char* kDurationPattern = "^(0|([0-9]+(\\.[0-9]*)?(h|ms|m|s)|\\.[0-9]+(h|ms|m|s))+)$";

/// The visitor that writes the schema of T.
template <class T>
class SchemaOf {
 public:
  static Json make(const char* about) {
    SchemaOf schema;
    describe(schema, Of<T>{});
    return schema.whole(about);
  }

  template <class N>
  void integer(const char* key, N T::*member, Range range, Presence presence, const char* about) {
    Json& field = add(key, "integer", about, presence);
    field["minimum"] = range.least;
    field["maximum"] = range.most;
    if (presence == Presence::optional) field["default"] = default_.*member;
  }
  void boolean(const char* key, bool T::*member, const char* about) {
    add(key, "boolean", about)["default"] = default_.*member;
  }
  void duration(const char* key, std::chrono::milliseconds T::*member, DurationRange range,
                const char* about) {
    const std::string bounds = print_duration(range.least) + " to " + print_duration(range.most);
    Json& field =
        add(key, "string", (std::string(about) + (*about != '\0' ? " " : "") + bounds + ".").c_str());
    field["pattern"] = kDurationPattern;
    field["default"] = print_duration(default_.*member);
  }
  template <class E, std::size_t N>
  void choice(const char* key, E T::*member, const Spelling<E, N>& spelling, Presence presence,
              const char* about) {
    Json& field = add(key, "string", about, presence);
    for (const auto& entry : spelling) field["enum"].push_back(entry.first);
    if (presence == Presence::optional) field["default"] = spell(spelling, default_.*member);
  }
  void text(const char* key, std::string T::*member, const TextRule& rule, Presence presence,
            const char* about) {
    Json& field = add(key, "string", about, presence);
    field.update(of_rule(rule));
    if (!(default_.*member).empty()) field["default"] = default_.*member;
  }
  void texts(const char* key, std::vector<std::string> T::*, const TextRule& rule, std::size_t most,
             const char* about) {
    Json& field = add(key, "array", about);
    field["maxItems"] = most;
    field["items"] = {{"type", "string"}};
    field["items"].update(of_rule(rule));
  }
  template <class U>
  void object(const char* key, U T::*, const char* about) {
    properties_[key] = SchemaOf<U>::make(about);
  }
  template <class U>
  void optional(const char* key, std::optional<U> T::*, const char* about) {
    properties_[key] = SchemaOf<U>::make(about);
  }
  template <class U>
  void objects(const char* key, std::vector<U> T::*, std::size_t most, const char* about) {
    Json& field = add(key, "array", about);
    field["maxItems"] = most;
    field["items"] = SchemaOf<U>::make("");
  }
  template <class F>
  void group(const char* key, const char* about, F fields) {
    SchemaOf inner;
    fields(inner);
    properties_[key] = inner.whole(about);
  }

 private:
  static Json of_rule(const TextRule& rule) {
    return {{"pattern", rule.pattern}, {"maxLength", rule.longest}};
  }

  Json& add(const char* key, const char* type, const char* about, Presence presence = Presence::optional) {
    Json& field = properties_[key];
    field["type"] = type;
    if (*about != '\0') field["description"] = about;
    if (presence == Presence::required) required_.push_back(key);
    return field;
  }

  Json whole(const char* about) {
    Json json{{"type", "object"}};
    if (*about != '\0') json["description"] = about;
    json["additionalProperties"] = false;
    if (!required_.empty()) json["required"] = required_;
    json["properties"] = std::move(properties_);
    return json;
  }

  const T default_{};
  Json properties_ = Json::object();
  Json required_ = Json::array();
};

}  // namespace

nlohmann::ordered_json schema() {
  Json json{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
            {"title", "Configuration of ambassador-proxy"}};
  json.update(SchemaOf<Document>::make("What ambassador-proxy listens on and where its servers are."));
  return json;
}

}  // namespace ambassador::config
