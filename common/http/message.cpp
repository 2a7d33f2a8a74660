#include "common/http/message.hpp"

#include <algorithm>
#include <atomic>
#include <cctype>

namespace ambassador::http {
namespace {

bool same_name(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  });
}

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// RFC 3986, section 2.1, and '+' for a space as forms send it; a malformed escape stays as it is.
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
  const std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::string Request::parameter(std::string_view name, std::string otherwise) const {
  std::string_view rest = query();
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (decoded(pair.substr(0, equals)) == name) {
      return equals == std::string_view::npos ? std::string() : decoded(pair.substr(equals + 1));
    }
  }
  return otherwise;
}

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) {
      return value;
    }
  }
  return {};
}

// Shared by all copies of one Reply: the first call wins, the last copy to go answers for a forgotten one.
struct Reply::State {
  explicit State(std::function<void(Response)> to) : send(std::move(to)) {}
  ~State() {
    if (!called.load()) {
      send(Response::text(500, "internal error: no answer was made\n"));
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::function<void(Response)> send;
  std::atomic<bool> called{false};
};

Reply::Reply(std::function<void(Response)> send) : state_(std::make_shared<State>(std::move(send))) {}

void Reply::operator()(Response response) const {
  if (!state_->called.exchange(true)) {
    state_->send(std::move(response));
  }
}

}  // namespace ambassador::http
