#include "proxy/redis/sentinel.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "common/config/parse.hpp"
#include "common/config/recognised.hpp"
#include "proxy/balance/agreement.hpp"
#include "proxy/redis/elements.hpp"
#include "proxy/redis/limits.hpp"
#include "proxy/redis/login.hpp"
#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {
namespace {

// One server as a Sentinel describes it: an array of names and values.
struct Described {
  std::string_view host, port, flags, epoch;

  explicit Described(std::string_view reply) {
    Elements elements(reply);
    for (std::int64_t i = 0; i + 1 < elements.count(); i += 2) {
      const std::string_view name = bulk_text(elements.next()).value_or("");
      const std::string_view value = bulk_text(elements.next()).value_or("");
      if (name == "ip") host = value;  // or a host name, where Sentinels announce those
      if (name == "port") port = value;
      if (name == "flags") flags = value;
      if (name == "config-epoch") epoch = value;
    }
  }
  [[nodiscard]] std::optional<Place> place() const {
    const auto number = whole_number<std::uint16_t>(port);
    if (!number || *number == 0 || !config::is_server_host(host)) return std::nullopt;
    return Place{.host = std::string(host), .port = *number};
  }
  /// "slave,s_down" and the like.
  [[nodiscard]] bool has_flag(std::string_view flag) const {
    for (std::size_t at = 0; at <= flags.size();) {
      const std::size_t end = std::min(flags.find(',', at), flags.size());
      if (flags.substr(at, end - at) == flag) return true;
      at = end + 1;
    }
    return false;
  }
};

// The replies to the two commands, in one.
struct Answer {
  std::string_view master, replicas;
  bool whole = false;

  explicit Answer(std::string_view reply) {
    master = reply.substr(0, reply_size(reply));
    if (master.empty()) return;
    const std::string_view rest = reply.substr(master.size());
    replicas = rest.substr(0, reply_size(rest));
    whole = !replicas.empty();
  }
  [[nodiscard]] bool knows_no_such_master() const { return master.starts_with("-ERR No such master"); }
  [[nodiscard]] std::optional<Members> members() const {
    const Described primary(master);
    const auto leader = primary.place();
    const auto epoch = whole_number<std::uint64_t>(primary.epoch);
    if (!leader || !epoch) return std::nullopt;
    Members members{.epoch = *epoch, .leader = *leader, .servers = {*leader}};
    Elements all(replicas);
    for (std::int64_t i = 0; i < all.count() && members.servers.size() < config::kMaxBackends; ++i) {
      const Described replica(all.next());
      // One that is gone is listed for ever, and somebody else may have its address by now.
      if (replica.has_flag("s_down")) continue;
      if (const auto place = replica.place()) members.servers.push_back(*place);
    }
    return members;
  }
};

class SentinelQuestion final : public SeedQuestion {
 public:
  SentinelQuestion(std::string master, AccountFunction account)
      : master_(std::move(master)), account_(std::move(account)) {
    for (const std::string_view what : {"MASTER", "REPLICAS"}) {
      append_array(request_, 3);
      append_bulk(request_, "SENTINEL");
      append_bulk(request_, what);
      append_bulk(request_, master_);
    }
  }

  [[nodiscard]] std::unique_ptr<Greeting> new_greeting(LaneKind kind) const override {
    return new_login(kind, account_);
  }
  [[nodiscard]] std::string_view probe_request() const override { return request_; }
  [[nodiscard]] std::size_t max_probe_reply() const override { return kMaxSentinelAnswer; }
  [[nodiscard]] Health probe_reply(std::string_view reply) const override {
    if (reply.empty()) return Health::need_more;
    const Answer answer(reply);
    const bool array = reply.front() == '*';
    if (!array && reply.front() != '-') return Health::unhealthy;
    if (!array && !answer.master.empty() && !answer.knows_no_such_master()) return Health::unhealthy;
    if (!answer.whole) return Health::need_more;
    return !array || answer.members() ? Health::healthy : Health::unhealthy;
  }
  [[nodiscard]] std::optional<Members> members(std::string_view reply,
                                               std::string_view /*asked*/) const override {
    return Answer(reply).members();
  }
  [[nodiscard]] std::unique_ptr<Consensus> new_consensus() const override {
    return std::make_unique<balance::Agreement>();
  }
  [[nodiscard]] std::string nobody(bool answers, std::string_view why) const override {
    if (answers) return "ERR no Sentinel knows the master " + master_;
    std::string text = "ERR no Sentinel that could know the master " + master_ + " is reachable";
    if (!why.empty()) text.append(": ").append(why);
    return text;
  }

 private:
  const std::string master_;
  const AccountFunction account_;
  std::string request_;
};

}  // namespace

std::shared_ptr<const SeedQuestion> make_sentinel_question(const config::Listener& listener,
                                                           AccountFunction account) {
  const auto& sentinel = listener.redis.sentinel;
  return std::make_shared<const SentinelQuestion>(sentinel ? sentinel->master_name : std::string(),
                                                  std::move(account));
}

}  // namespace ambassador::proxy::redis
