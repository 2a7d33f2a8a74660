#include "common/dns/records.hpp"

#include <arpa/nameser.h>
#include <netinet/in.h>

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

namespace ambassador::dns {
namespace {

/// RFC 1035, 4.1.1 to 4.1.3 and RFC 2782.
constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kQuestionBytes = 4;  // after its name
constexpr std::size_t kRecordBytes = 10;   // after its name, before its data
constexpr std::size_t kServiceBytes = 6;   // before the target's name

class Message {
 public:
  explicit Message(std::span<const unsigned char> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool has(std::size_t count) const { return bytes_.size() - at_ >= count; }
  [[nodiscard]] unsigned u16(std::size_t offset) const {
    return static_cast<unsigned>(bytes_[offset] << 8U) | bytes_[offset + 1];
  }
  [[nodiscard]] long u32(std::size_t offset) const {
    return static_cast<long>(u16(offset)) << 16U | static_cast<long>(u16(offset + 2));
  }
  [[nodiscard]] std::size_t at() const { return at_; }
  void skip(std::size_t count) { at_ += count; }

  /// The name at `offset` and the bytes that it takes there.
  [[nodiscard]] std::optional<std::pair<std::string, std::size_t>> name(std::size_t offset) const {
    char* text = nullptr;
    long taken = 0;
    if (offset >= bytes_.size() ||
        ares_expand_name(bytes_.data() + offset, bytes_.data(), static_cast<int>(bytes_.size()), &text,
                         &taken) != ARES_SUCCESS) {
      return std::nullopt;
    }
    std::pair<std::string, std::size_t> found(text, static_cast<std::size_t>(taken));
    ares_free_string(text);
    return found;
  }

 private:
  std::span<const unsigned char> bytes_;
  std::size_t at_ = 0;
};

/// False when the message is cut or broken.
bool read_services(Message message, std::vector<Service>& services, long& ttl) {
  if (!message.has(kHeaderBytes)) return false;
  const unsigned questions = message.u16(4);
  const unsigned answers = message.u16(6);
  message.skip(kHeaderBytes);
  for (unsigned i = 0; i < questions; ++i) {
    const auto name = message.name(message.at());
    if (!name || !message.has(name->second + kQuestionBytes)) return false;
    message.skip(name->second + kQuestionBytes);
  }
  for (unsigned i = 0; i < answers; ++i) {
    const auto name = message.name(message.at());
    if (!name || !message.has(name->second + kRecordBytes)) return false;
    message.skip(name->second);
    const unsigned type = message.u16(message.at());
    const long record_ttl = message.u32(message.at() + 4);
    const std::size_t length = message.u16(message.at() + 8);
    message.skip(kRecordBytes);
    if (!message.has(length)) return false;
    if (type == ns_t_srv) {
      const std::size_t at = message.at();
      const auto target = length > kServiceBytes ? message.name(at + kServiceBytes) : std::nullopt;
      if (!target) return false;
      services.push_back({target->first, static_cast<std::uint16_t>(message.u16(at + 4)),
                          static_cast<std::uint16_t>(message.u16(at)),
                          static_cast<std::uint16_t>(message.u16(at + 2))});
    }
    ttl = std::min(ttl, record_ttl);
    message.skip(length);
  }
  return true;
}

Error error_of(const std::string& name, const std::string& reason) {
  return {name, reason};
}

}  // namespace

Outcome outcome_of(int status) {
  switch (status) {
    case ARES_SUCCESS:
      return Outcome::found;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:  // it cannot exist
      return Outcome::not_found;
    default:
      return Outcome::unavailable;
  }
}

std::string reason_of(int status) {
  switch (status) {
    case ARES_ENODATA:
      return "DNS knows the name, but no such record of it";
    case ARES_ENOTFOUND:
      return "DNS knows no such name (NXDOMAIN)";
    case ARES_EBADNAME:
      return "is not a name that DNS can hold";
    case ARES_ESERVFAIL:
      return "the DNS server failed (SERVFAIL)";
    case ARES_EREFUSED:
      return "the DNS server refused to answer (REFUSED)";
    case ARES_ETIMEOUT:
      return "the DNS server did not answer in time";
    case ARES_ECONNREFUSED:
      return "no DNS server could be reached";
    default:
      return std::string("DNS failed: ") + ares_strerror(status);
  }
}

std::chrono::seconds bounded_ttl(long seconds) {
  return std::clamp(std::chrono::seconds(seconds), kMinTtl, kMaxTtl);
}

AddressAnswer address_answer(const std::string& name, int status, const ares_addrinfo* result) {
  AddressAnswer answer;
  long ttl = std::numeric_limits<long>::max();
  for (const ares_addrinfo_node* node = result == nullptr ? nullptr : result->nodes; node != nullptr;
       node = node->ai_next) {
    boost::asio::ip::address address;
    if (node->ai_family == AF_INET) {
      const auto* in = reinterpret_cast<const sockaddr_in*>(node->ai_addr);
      address = boost::asio::ip::address_v4(ntohl(in->sin_addr.s_addr));
    } else if (node->ai_family == AF_INET6) {
      const auto* in = reinterpret_cast<const sockaddr_in6*>(node->ai_addr);
      boost::asio::ip::address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), &in->sin6_addr, bytes.size());
      address = boost::asio::ip::address_v6(bytes, in->sin6_scope_id);
    } else {
      continue;
    }
    ttl = std::min(ttl, static_cast<long>(node->ai_ttl));
    auto& all = answer.addresses;
    if (std::find(all.begin(), all.end(), address) == all.end()) all.push_back(address);
  }
  if (status == ARES_SUCCESS && answer.addresses.empty()) status = ARES_ENODATA;
  answer.outcome = outcome_of(status);
  if (answer.outcome == Outcome::found) {
    answer.ttl = bounded_ttl(ttl);
  } else {
    answer.addresses.clear();
    answer.error = error_of(name, reason_of(status));
  }
  return answer;
}

ServiceAnswer service_answer(const std::string& name, int status, std::span<const unsigned char> message) {
  ServiceAnswer answer;
  long ttl = std::numeric_limits<long>::max();
  if (status == ARES_SUCCESS && !read_services(Message(message), answer.services, ttl))
    status = ARES_EBADRESP;
  if (status == ARES_SUCCESS && answer.services.empty()) status = ARES_ENODATA;
  answer.outcome = outcome_of(status);
  if (answer.outcome == Outcome::found) {
    answer.ttl = bounded_ttl(ttl);
  } else {
    answer.services.clear();
    answer.error = error_of(name, reason_of(status));
  }
  return answer;
}

}  // namespace ambassador::dns
