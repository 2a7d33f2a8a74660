#include "common/config/print.hpp"

#include <openssl/evp.h>

#include <array>
#include <nlohmann/json.hpp>

#include "common/config/backend_name.hpp"
#include "common/config/duration.hpp"
#include "common/config/fields.hpp"

namespace ambassador::config {
namespace {

using Json = nlohmann::ordered_json;

/// The visitor that writes the fields of `value` that differ from the defaults. Required ones always.
template <class T>
class Printer {
 public:
  explicit Printer(const T& value) : value_(value) {}

  static Json print(const T& value) {
    Printer printer(value);
    describe(printer, Of<T>{});
    return std::move(printer.json_);
  }

  template <class N>
  void integer(const char* key, N T::*member, Range, Presence presence, const char*) {
    if (differs(member) || presence == Presence::required) json_[key] = value_.*member;
  }
  void boolean(const char* key, bool T::*member, const char*) {
    if (differs(member)) json_[key] = value_.*member;
  }
  void duration(const char* key, std::chrono::milliseconds T::*member, DurationRange, const char*) {
    if (differs(member)) json_[key] = print_duration(value_.*member);
  }
  template <class E, std::size_t N>
  void choice(const char* key, E T::*member, const Spelling<E, N>& spelling, Presence presence, const char*) {
    if (differs(member) || presence == Presence::required) json_[key] = spell(spelling, value_.*member);
  }
  void text(const char* key, std::string T::*member, const TextRule&, Presence presence, const char*) {
    if (differs(member) || presence == Presence::required) json_[key] = value_.*member;
  }
  void texts(const char* key, std::vector<std::string> T::*member, const TextRule&, std::size_t,
             const char*) {
    if (differs(member)) json_[key] = value_.*member;
  }
  template <class U>
  void object(const char* key, U T::*member, const char*) {
    if (differs(member)) json_[key] = Printer<U>::print(value_.*member);
  }
  template <class U>
  void optional(const char* key, std::optional<U> T::*member, const char*) {
    const std::optional<U>& present = value_.*member;
    if (!present) return;
    Json inner = Printer<U>::print(*present);
    json_[key] = inner.is_null() ? Json::object() : std::move(inner);  // present, with nothing but defaults
  }
  template <class U>
  void objects(const char* key, std::vector<U> T::*member, std::size_t, const char*) {
    if (!differs(member)) return;
    Json list = Json::array();
    for (const U& item : value_.*member) list.push_back(Printer<U>::print(item));
    json_[key] = std::move(list);
  }
  template <class F>
  void group(const char* key, const char*, F fields) {
    Printer inner(value_);
    fields(inner);
    if (!inner.json_.is_null()) json_[key] = std::move(inner.json_);
  }

 private:
  template <class M>
  bool differs(M T::*member) const {
    return !(value_.*member == default_.*member);
  }

  const T& value_;
  const T default_{};
  Json json_;
};

/// A name that the parser would give anyway is not written.
template <>
Json Printer<Backend>::print(const Backend& value) {
  Backend backend = value;
  if (backend.name == default_name(backend)) backend.name.clear();
  Printer printer(backend);
  describe(printer, Of<Backend>{});
  return std::move(printer.json_);
}

}  // namespace

nlohmann::ordered_json to_json(const Document& document) {
  return Printer<Document>::print(document);
}

std::string print(const Document& document) {
  // Text that is not UTF-8 cannot come from parse(); from elsewhere it must not throw.
  return to_json(document).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string content_hash(const Document& document) {
  return sha256_hex(print(document));
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4U];
    text += kDigits[digest[i] & 15U];
  }
  return text;
}

}  // namespace ambassador::config
