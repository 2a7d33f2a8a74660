#include "proxy/tcp/core.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace ambassador;
using namespace ambassador::proxy;

namespace {

struct Fixed final : Availability {
  std::vector<bool> up;
  [[nodiscard]] bool usable(BackendIndex i) const override { return up[i]; }
  [[nodiscard]] BackendIndex preferred() const override { return kNoBackend; }
};

config::Listener three_backends() {
  config::Listener listener;
  listener.backends = {{"a:1", "a", 1, 1}, {"b:1", "b", 1, 1}, {"c:1", "c", 1, 1}};
  return listener;
}

}  // namespace

TEST_CASE("a client goes to the usable backend with the fewest connections, the first of equals") {
  Fixed availability;
  availability.up = {true, true, true};
  const auto core = tcp::make_core(three_backends(), availability);
  CHECK(core->choose(std::vector<std::uint32_t>{2, 1, 1}) == 1);
  CHECK(core->choose(std::vector<std::uint32_t>{0, 0, 0}) == 0);
  availability.up = {true, false, false};
  CHECK(core->choose(std::vector<std::uint32_t>{9, 0, 0}) == 0);
  availability.up = {false, false, false};
  CHECK(core->choose(std::vector<std::uint32_t>{0, 0, 0}) == kNoBackend);
}

TEST_CASE("all that a client sends passes, and all that a server sends belongs to a reply without end") {
  Fixed availability;
  const auto core = tcp::make_core(three_backends(), availability);
  CHECK_FALSE(core->shares_lanes());
  const std::string bytes = "anything\r\n\0at all";
  NobodyLooks nobody;
  const auto session = core->new_session(nobody);
  const Verdict verdict = session->on_client(bytes);
  CHECK(verdict.kind == Verdict::Kind::pass);
  CHECK(verdict.consumed == bytes.size());
  CHECK(verdict.more == kForever);
  const auto framer = core->new_framer(LaneKind::ordinary);
  const auto frame = framer->next(bytes);
  CHECK(frame.bytes == bytes.size());
  CHECK_FALSE(frame.complete);
  CHECK_FALSE(frame.broken);
}

TEST_CASE("a TCP client without a backend is closed, for there is no error reply") {
  Fixed availability;
  NobodyLooks nobody;
  const auto session = tcp::make_core(three_backends(), availability)->new_session(nobody);
  std::string out;
  CHECK_FALSE(session->fail(Failure::unreachable, "a:1", {}, out));
  CHECK(out.empty());
}

TEST_CASE("connecting is the whole probe") {
  Fixed availability;
  CHECK(tcp::make_core(three_backends(), availability)->probe_request().empty());
}
