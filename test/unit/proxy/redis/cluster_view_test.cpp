// What nodes say of their cluster, and whose word counts.
#include <catch2/catch.hpp>

#include "proxy/redis/cluster.hpp"
#include "proxy/redis/cluster_agreement.hpp"
#include "proxy/redis/cluster_view.hpp"
#include "proxy/redis/probe.hpp"
#include "proxy/redis/reply.hpp"

using namespace ambassador;
using namespace ambassador::proxy;
using namespace ambassador::proxy::redis;

namespace {

std::string info(const std::string& state = "ok", const std::string& epoch = "6") {
  std::string out;
  append_bulk(out, "cluster_state:" + state + "\r\ncluster_slots_assigned:16384\r\ncluster_current_epoch:" +
                       epoch + "\r\ncluster_my_epoch:1\r\n");
  return out;
}

std::string bulk(const std::string& text) {
  std::string out;
  append_bulk(out, text);
  return out;
}

// As Redis 7.0 writes it: "*4", address, port, id, metadata.
std::string node(const std::string& host, int port, const std::string& id) {
  return "*4\r\n" + bulk(host) + ":" + std::to_string(port) + "\r\n" + bulk(id) + "*0\r\n";
}

std::string range(int first, int last, const std::vector<std::string>& nodes) {
  std::string out = "*" + std::to_string(2 + nodes.size()) + "\r\n:" + std::to_string(first) +
                    "\r\n:" + std::to_string(last) + "\r\n";
  for (const auto& one : nodes) out += one;
  return out;
}

std::string slots(const std::vector<std::string>& ranges) {
  std::string out = "*" + std::to_string(ranges.size()) + "\r\n";
  for (const auto& one : ranges) out += one;
  return out;
}

Members read(const std::string& replies, const std::string& asked = "10.0.0.9") {
  REQUIRE(cluster_view_is_whole(replies));
  auto view = read_cluster_view(replies, asked);
  if (!view) FAIL(view.error().text());
  return *view;
}

std::string wrong(const std::string& replies) {
  auto view = read_cluster_view(replies, "10.0.0.9");
  return view ? "" : view.error().text();
}

/// Two shards; the slots from `border` on are those of the second one, `second`.
Members view(std::uint64_t epoch, std::uint16_t border, bool ok = true, const std::string& second = "b") {
  Members made{
      .epoch = epoch, .leader = {}, .servers = {{"a", 1}, {second, 1}}, .slots = {}, .connected = ok};
  made.slots.push_back({0, static_cast<std::uint16_t>(border - 1), 0, {}});
  made.slots.push_back({border, 16383, 1, {}});
  return made;
}

/// What nodes say; nothing: one is silent.
bool weigh(ClusterAgreement& agreement, const std::vector<std::optional<Members>>& said) {
  std::vector<SeedAnswer> heard;
  for (const auto& members : said) heard.push_back({.answers = members.has_value(), .members = members});
  return agreement.weigh(heard);
}

using Said = std::vector<std::optional<Members>>;

}  // namespace

TEST_CASE("a node's word is read: epoch, state, nodes, slots") {
  const Members told =
      read(info() + slots({range(8192, 16383, {node("10.0.0.2", 6379, "bbb")}),
                           range(0, 8191, {node("10.0.0.1", 6379, "aaa"), node("10.0.0.3", 6380, "ccc")})}));
  CHECK(told.connected);
  CHECK(told.epoch == 6);
  CHECK(told.servers == std::vector<Place>{{"10.0.0.1", 6379}, {"10.0.0.2", 6379}, {"10.0.0.3", 6380}});
  CHECK(told.slots == std::vector<config::SlotRange>{{0, 8191, 0, {2}}, {8192, 16383, 1, {}}});
  CHECK_FALSE(read(info("fail") + slots({})).connected);
}

TEST_CASE("nodes that tell the same in another order tell the same") {
  const auto a = node("h1", 1, "a"), b = node("h2", 1, "b"), c = node("h3", 1, "c"), d = node("h3", 2, "d");
  const auto one = read(info() + slots({range(0, 9, {a, c, d}), range(10, 19, {b})}));
  const auto other = read(info() + slots({range(10, 19, {b}), range(0, 9, {a, d, c, d})}));
  CHECK(one == other);
  const auto in_pieces = read(info() + slots({range(10, 19, {b}), range(5, 9, {a}), range(0, 4, {a})}));
  CHECK(same_owners(one, in_pieces));
  const auto without_some = read(info() + slots({range(0, 8, {a}), range(10, 19, {b})}));
  CHECK_FALSE(same_owners(one, without_some));
  const auto elsewhere = read(info() + slots({range(0, 9, {b}), range(10, 19, {b})}));
  CHECK_FALSE(same_owners(one, elsewhere));
}

TEST_CASE("a node that leaves its host out is where it was asked") {
  const std::string null = "*3\r\n$-1\r\n:7\r\n$1\r\nx\r\n";
  const std::string null3 = "*3\r\n_\r\n:8\r\n$1\r\ny\r\n";
  const auto told = read(info() + slots({range(0, 9, {node("", 6, "w"), null, null3})}), "redis-0.redis");
  CHECK(told.servers == std::vector<Place>{{"redis-0.redis", 6}, {"redis-0.redis", 7}, {"redis-0.redis", 8}});
}

TEST_CASE("names, IPv6, and nodes without an id or with more than is known are understood") {
  const std::string old = "*2\r\n$9\r\nlocalhost\r\n:1\r\n";
  const std::string later = "*5\r\n$4\r\n::ff\r\n:2\r\n$1\r\ni\r\n*2\r\n$8\r\nhostname\r\n$1\r\nh\r\n:9\r\n";
  const auto told = read(info() + slots({range(0, 9, {old, later})}));
  CHECK(told.servers == std::vector<Place>{{"::ff", 2}, {"localhost", 1}});
  CHECK(told.slots == std::vector<config::SlotRange>{{0, 9, 1, {0}}});
}

TEST_CASE("who can't be reached is left out, with the slots that are its own") {
  const auto told = read(
      info() + slots({range(0, 9, {node("?", 1, "a"), node("h", 1, "b")}),
                      range(10, 19, {node("h", 1, "b"), node("/tmp/sock", 1, "c"), node("h", 0, "d")})}));
  CHECK(told.servers == std::vector<Place>{{"h", 1}});
  CHECK(told.slots == std::vector<config::SlotRange>{{10, 19, 0, {}}});
}

TEST_CASE("what makes no sense is refused as a whole") {
  const auto a = node("h", 1, "a");
  CHECK(wrong(info() + slots({range(0, 16384, {a})})) == "CLUSTER SLOTS: a range is none of slots");
  CHECK(wrong(info() + slots({range(5, 4, {a})})) == "CLUSTER SLOTS: a range is none of slots");
  CHECK(wrong(info() + slots({range(-1, 4, {a})})) == "CLUSTER SLOTS: a range is none of slots");
  CHECK(wrong(info() + slots({range(0, 9, {})})) == "CLUSTER SLOTS: a range has no node");
  CHECK(wrong(info() + slots({range(0, 9, {a}), range(9, 19, {a})})) ==
        "CLUSTER SLOTS: a slot is in two ranges");
  CHECK(wrong(info() + slots({range(0, 9, {"*2\r\n$1\r\nh\r\n:65536\r\n"})})) ==
        "CLUSTER SLOTS: a node makes no sense");
  CHECK(wrong(info() + slots({range(0, 9, {":1\r\n"})})) == "CLUSTER SLOTS: a node makes no sense");
  CHECK(wrong(info() + slots({"*0\r\n"})) == "CLUSTER SLOTS: a range has no node");
  CHECK(wrong(info() + "+OK\r\n") == "CLUSTER SLOTS: the reply is of another kind");
  CHECK(wrong("*1\r\n:1\r\n" + slots({})) == "CLUSTER SLOTS: the reply is of another kind");
  CHECK(wrong("") == "CLUSTER SLOTS: the reply is of another kind");
  const std::string no = "-ERR This instance has cluster support disabled\r\n";
  CHECK(wrong(no + no) == "CLUSTER SLOTS: ERR This instance has cluster support disabled");
  std::vector<std::string> many;
  for (int i = 0; i <= 1000; ++i) many.push_back(range(i, i, {node("h", 1000 + i, "n" + std::to_string(i))}));
  CHECK(wrong(info() + slots(many)) == "CLUSTER SLOTS: more nodes than a cluster may have");
}

TEST_CASE("both replies have to be there") {
  const std::string all = info() + slots({range(0, 9, {node("h", 1, "a")})});
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(i);
    CHECK_FALSE(cluster_view_is_whole(all.substr(0, i)));
  }
  CHECK(cluster_view_is_whole(all));
}

TEST_CASE("what most nodes say counts") {
  ClusterAgreement agreement;
  CHECK_FALSE(weigh(agreement, Said{std::nullopt, std::nullopt}));
  CHECK_FALSE(agreement.members());
  CHECK(weigh(agreement, Said{view(6, 100), std::nullopt, std::nullopt}));  // for want of better ones
  CHECK(agreement.members()->epoch == 6);
  CHECK(weigh(agreement, Said{view(6, 100), view(6, 200), view(6, 200)}));
  CHECK(agreement.members() == view(6, 200));
  CHECK_FALSE(weigh(agreement, Said{view(6, 200), view(6, 200), view(6, 200)}));
}

TEST_CASE("at the beginning, too, a later epoch counts that reaches most of the cluster") {
  const Said said{view(6, 100), view(6, 100), view(7, 200), std::nullopt};
  ClusterAgreement agreement;
  CHECK(weigh(agreement, said));
  CHECK(agreement.members()->epoch == 7);
  CHECK_FALSE(weigh(agreement, said));
  ClusterAgreement other;
  const Said cut_off{view(6, 100), view(6, 100), view(7, 200, false), std::nullopt};
  CHECK(weigh(other, cut_off));
  CHECK(other.members()->epoch == 6);
  CHECK_FALSE(weigh(other, cut_off));
}

TEST_CASE("who says the same and knows more is whom a later epoch is held against") {
  ClusterAgreement agreement;
  CHECK(weigh(agreement, Said{view(7, 100, false), std::nullopt, std::nullopt, std::nullopt, std::nullopt}));
  const Said said{view(7, 100, false), view(5, 100), view(6, 200), std::nullopt, std::nullopt};
  CHECK(weigh(agreement, said));
  CHECK(agreement.members() == view(6, 200));
  CHECK_FALSE(weigh(agreement, said));
}

TEST_CASE("a minority flips nothing, whether it knows an old state or claims a new one") {
  ClusterAgreement agreement;
  const Members good = view(7, 100);
  CHECK(weigh(agreement, Said{good, good, good, good, good, good}));
  // Cut off: an old state, or one that it made up while it asked in vain to be elected.
  CHECK_FALSE(weigh(agreement, Said{good, good, good, good, good, view(6, 200)}));
  CHECK_FALSE(weigh(agreement, Said{good, good, good, good, good, view(9, 200, false)}));
  CHECK_FALSE(weigh(agreement, Said{good, good, good, good, good, view(7, 200)}));
  // The same when it is all that is reached.
  CHECK_FALSE(weigh(
      agreement, Said{std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt, view(6, 200)}));
  CHECK_FALSE(weigh(agreement, Said{std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                                    view(9, 200, false), view(7, 200)}));
  CHECK_FALSE(weigh(
      agreement, Said{std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt}));
  CHECK(agreement.members() == good);
}

TEST_CASE("a change counts as soon as most know of it, or it is of a later epoch") {
  ClusterAgreement agreement;
  const Members before = view(7, 100);
  const Members after = view(8, 100, true, "c");  // b died, c took its slots
  CHECK(weigh(agreement, Said{before, before, before, before}));
  CHECK(weigh(agreement, Said{after, before, std::nullopt, before}));  // the others will hear of it
  CHECK(agreement.members() == after);
  CHECK_FALSE(weigh(agreement, Said{after, after, std::nullopt, before}));
  CHECK_FALSE(weigh(agreement,
                    Said{after, std::nullopt, view(7, 100), std::nullopt}));  // b is back, with what it knew
  CHECK(agreement.members() == after);
}

TEST_CASE("a cluster that was set up anew counts when most of it says so") {
  ClusterAgreement agreement;
  CHECK(weigh(agreement, Said{view(70, 100), view(70, 100), view(70, 100)}));
  CHECK(weigh(agreement, Said{view(2, 300), view(2, 300), std::nullopt}));
  CHECK(agreement.members() == view(2, 300));
  CHECK_FALSE(weigh(agreement, Said{Members{}, Members{}, Members{}}));  // just reset: no slots at all
}

TEST_CASE("a node is asked, and answers, in the words of a cluster") {
  const auto question = make_cluster_question({});
  CHECK(question->new_greeting(LaneKind::ordinary) == nullptr);
  CHECK(question->asks_servers());
  const std::string whole = info() + slots({range(0, 9, {node("", 7, "a")})});
  CHECK(question->probe_reply(whole.substr(0, whole.size() - 1)) == Probing::Health::need_more);
  CHECK(question->probe_reply(whole) == Probing::Health::healthy);
  CHECK(question->members(whole, "10.0.0.9")->servers == std::vector<Place>{{"10.0.0.9", 7}});
  const std::string fresh = info("fail", "0") + slots({});
  CHECK(question->probe_reply(fresh) == Probing::Health::healthy);
  CHECK_FALSE(question->members(fresh, "10.0.0.9"));
  CHECK(question->probe_reply("-ERR This instance has cluster support disabled\r\n") ==
        Probing::Health::unhealthy);
  CHECK(question->probe_reply(info() + slots({range(9, 0, {node("", 7, "a")})})) ==
        Probing::Health::unhealthy);
  CHECK(question->nobody(true, "") ==
        "ERR no node of the cluster knows of slots; it may have to be created first");
  CHECK(question->nobody(false, "redis-0: refused") ==
        "ERR no node of the cluster is reachable: redis-0: refused");
}

TEST_CASE("a replica of a cluster without its primary is fit for nothing") {
  const auto told = [](const std::string& text) { return judge_node_probe(bulk(text)); };
  CHECK(told("role:master\r\nmaster_repl_offset:0\r\n") == Probing::Health::healthy);
  CHECK(told("role:slave\r\nmaster_link_status:up\r\nslave_repl_offset:0\r\n") == Probing::Health::healthy);
  CHECK(told("role:slave\r\nmaster_link_status:down\r\nslave_repl_offset:7\r\n") ==
        Probing::Health::unhealthy);
  CHECK(judge_node_probe("$10\r\nrole:mas") == Probing::Health::need_more);
  CHECK(judge_node_probe("-NOAUTH Authentication required.\r\n") == Probing::Health::unhealthy);
}
