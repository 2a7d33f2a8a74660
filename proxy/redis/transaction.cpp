#include "proxy/redis/transaction.hpp"

#include <utility>

namespace ambassador::proxy::redis {

void Transaction::begin() {
  *this = {};
  begun_ = true;
  text_ = "*1\r\n$5\r\nMULTI\r\n";
}

void Transaction::abort() {
  aborted_ = true;
  text_ = {};  // what will not be sent is not kept
}

bool Transaction::add(std::string_view request) {
  if (aborted_) return true;
  if (text_.size() + request.size() > kMaxTransaction) {
    abort();
    return false;
  }
  text_ += request;
  ++commands_;
  return true;
}

std::string Transaction::end() {
  std::string text = std::move(text_);
  text += "*1\r\n$4\r\nEXEC\r\n";
  *this = {};
  return text;
}

}  // namespace ambassador::proxy::redis
