#include "operator/kube/answer.hpp"

namespace ambassador::kube {

std::string ApiError::text() const {
  std::string out = call;
  if (!out.empty()) out += ": ";
  if (code != 0) {
    out += std::to_string(code);
    if (!reason.empty()) out += " " + reason;
    if (!message.empty()) out += ": ";
  }
  return out + message;
}

}  // namespace ambassador::kube
