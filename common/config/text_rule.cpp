#include "common/config/text_rule.hpp"

#include <algorithm>

#include "common/config/ip_literal.hpp"

namespace ambassador::config {
namespace {

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool printable(char c) {
  return c > ' ' && c < 0x7f;
}  // ASCII without space

/// Letters and digits, and `between` anywhere but at the ends.
bool word(std::string_view text, std::string_view between) {
  if (text.empty() || !letter_or_digit(text.front()) || !letter_or_digit(text.back())) return false;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return letter_or_digit(c) || between.find(c) != between.npos; });
}

bool listener_name(std::string_view text) {
  return word(text, "._-");
}

bool backend_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), printable);
}

bool absolute_path(std::string_view text) {
  return text.size() > 1 && text.front() == '/' && std::all_of(text.begin(), text.end(), printable);
}

/// Kubernetes names have no underscore, other people's DNS has. A final dot says that the name is complete.
bool dns_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  while (true) {
    const auto dot = text.find('.');
    auto label = text.substr(0, dot);
    if (label.starts_with('_')) label.remove_prefix(1);
    if (!word(label, "_-")) return false;
    if (dot == text.npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool host(std::string_view text) {
  return absolute_path(text) || is_ipv6_literal(text) || dns_name(text);
}

bool hash_tag(std::string_view text) {
  return text.empty() || (text.size() == 2 && printable(text[0]) && printable(text[1]));
}

/// Any UTF-8, because databases are named so, but nothing that would end a text in the protocol or a log
/// line.
bool database(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// What Sentinel's documentation allows.
bool master_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return letter_or_digit(c) || c == '.' || c == '-' || c == '_';
  });
}

/// For the texts that may be left empty.
bool absolute_path_or_none(std::string_view text) {
  return text.empty() || absolute_path(text);
}

}  // namespace

const TextRule kListenerName{"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", listener_name,
                             317,  // two Kubernetes names and a dot
                             "give letters, digits, '.', '-' and '_', with a letter or digit at both ends"};
const TextRule kBackendName{"^[!-~]+$", backend_name, 512, "give visible ASCII characters without spaces"};
// Looser than host() and is_ip_literal() for IPv6, whose exact pattern nobody could read.
#define IPV6_PATTERN "[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f.:]*(%[A-Za-z0-9._-]+)?"
#define LABEL_PATTERN "_?[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?"
const TextRule kHost{
    "^(/[!-~]+|" IPV6_PATTERN "|" LABEL_PATTERN "(\\." LABEL_PATTERN ")*\\.?)$", host, 253,
    "give a DNS name, an IP address without brackets, or the absolute path of a Unix socket"};
#define OCTET_PATTERN "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
const TextRule kAddress{"^(" OCTET_PATTERN "(\\." OCTET_PATTERN "){3}|" IPV6_PATTERN ")$", is_ip_literal, 64,
                        "give an IP address such as 127.0.0.1 or ::1, without brackets and port"};
// 107 bytes is what a Unix address holds (unix(7)); empty = none.
const TextRule kSocketPath{"^(/[!-~]+)?$", absolute_path_or_none, 107,
                           "give an absolute path of at most 107 bytes"};
const TextRule kHashTag{"^([!-~]{2})?$", hash_tag, 2, "give two characters such as \"{}\""};
const TextRule kFilePath{"^(/[!-~]+)?$", absolute_path_or_none, 1024,
                         "give an absolute path, without spaces"};
// PostgreSQL keeps 63 bytes of a name (NAMEDATALEN).
const TextRule kDatabase{"^[^\\x00-\\x1f\\x7f]*$", database, 63, "give a name without control characters"};
const TextRule kMasterName{"^[A-Za-z0-9._-]+$", master_name, 253,
                           "give letters, digits, '.', '-' and '_', as in mymaster"};

}  // namespace ambassador::config
