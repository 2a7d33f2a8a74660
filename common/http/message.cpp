#include "common/http/message.hpp"

#include <algorithm>
#include <atomic>

#include "common/text/ascii.hpp"

namespace ambassador::http {
namespace {

using text::lower;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/// %XX and '+' as forms write them; a broken escape stays as it is.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

std::string_view Request::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view Request::query() const {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::string Request::parameter(std::string_view name, std::string otherwise) const {
  std::string_view rest = query();
  while (!rest.empty()) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const auto equals = pair.find('=');
    if (decoded(pair.substr(0, equals)) != name) continue;
    return equals == pair.npos ? "" : decoded(pair.substr(equals + 1));
  }
  return otherwise;
}

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (std::equal(key.begin(), key.end(), name.begin(), name.end(),
                   [](char a, char b) { return lower(a) == lower(b); })) {
      return value;
    }
  }
  return {};
}

struct Reply::State {
  std::function<void(Response)> send;
  std::atomic<bool> called{false};

  void answer(Response response) {
    if (!called.exchange(true)) send(std::move(response));
  }
  ~State() { answer(Response::text(500, "the request was dropped without an answer\n")); }
};

Reply::Reply(std::function<void(Response)> send) : state_(std::make_shared<State>()) {
  state_->send = std::move(send);
}

void Reply::operator()(Response response) const {
  state_->answer(std::move(response));
}

}  // namespace ambassador::http
