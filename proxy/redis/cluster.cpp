#include "proxy/redis/cluster.hpp"

#include <string>
#include <utility>

#include "proxy/redis/cluster_agreement.hpp"
#include "proxy/redis/cluster_view.hpp"
#include "proxy/redis/login.hpp"

namespace ambassador::proxy::redis {
namespace {

class ClusterQuestion final : public SeedQuestion {
 public:
  explicit ClusterQuestion(AccountFunction account) : account_(std::move(account)) {}

  [[nodiscard]] std::unique_ptr<Greeting> new_greeting(LaneKind kind) const override {
    return new_login(kind, account_);
  }
  [[nodiscard]] std::string_view probe_request() const override { return kClusterQuestion; }
  [[nodiscard]] std::size_t max_probe_reply() const override { return kMaxClusterAnswer; }
  [[nodiscard]] Health probe_reply(std::string_view replies) const override {
    if (replies.starts_with('-')) return Health::unhealthy;
    if (!cluster_view_is_whole(replies)) return Health::need_more;
    return read_cluster_view(replies, "asked") ? Health::healthy : Health::unhealthy;
  }
  [[nodiscard]] std::optional<Members> members(std::string_view replies,
                                               std::string_view asked) const override {
    auto view = read_cluster_view(replies, asked);
    if (!view || view->slots.empty()) return std::nullopt;
    return std::move(*view);
  }
  [[nodiscard]] std::unique_ptr<Consensus> new_consensus() const override {
    return std::make_unique<ClusterAgreement>();
  }
  [[nodiscard]] bool asks_servers() const override { return true; }
  [[nodiscard]] std::string nobody(bool answers, std::string_view why) const override {
    if (answers) return "ERR no node of the cluster knows of slots; it may have to be created first";
    std::string text = "ERR no node of the cluster is reachable";
    if (!why.empty()) text.append(": ").append(why);
    return text;
  }

 private:
  const AccountFunction account_;
};

}  // namespace

std::shared_ptr<const SeedQuestion> make_cluster_question(AccountFunction account) {
  return std::make_shared<const ClusterQuestion>(std::move(account));
}

}  // namespace ambassador::proxy::redis
