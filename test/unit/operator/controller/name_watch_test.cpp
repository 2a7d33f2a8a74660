#include "operator/controller/name_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <mutex>

#include "test/unit/operator/controller/fake_names.hpp"
#include "test/unit/operator/kube/fake_api_server.hpp"

using namespace ambassador;
using namespace std::chrono_literals;
using test::eventually;
using Names = std::set<std::string>;

namespace {
struct Told {
  std::mutex mutex;
  std::vector<std::string> owners;
  void operator()(const std::string& owner) {
    const std::lock_guard lock(mutex);
    owners.push_back(owner);
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return owners.size();
  }
};
}  // namespace

TEST_CASE("a name is asked for at once, its owners are told, and told again only when the answer changes") {
  test::FakeNames names;
  names.set("a", {"10.0.0.2", "10.0.0.1"});
  Told told;
  controller::NameWatch watch(names.lookup(), std::ref(told));
  watch.start();
  CHECK(watch.known({"a"}).empty());
  watch.want("p", {"a"});
  REQUIRE(eventually([&] { return told.count() == 1; }));
  CHECK(watch.known({"a"}).at("a").addresses == std::vector<std::string>{"10.0.0.1", "10.0.0.2"});
  watch.ask_again("p");
  REQUIRE(eventually([&] { return names.questions("a") >= 2; }));
  names.set("a", {"10.0.0.3"});
  watch.ask_again("p");
  REQUIRE(eventually([&] { return told.count() == 2; }));
  CHECK(watch.known({"a"}).at("a").addresses == std::vector<std::string>{"10.0.0.3"});
}

TEST_CASE("a name that does not exist yet is asked for again soon, without anyone saying so") {
  test::FakeNames names;
  Told told;
  controller::NameWatch watch(names.lookup(), std::ref(told));
  watch.start();
  watch.want("p", {"late"});
  REQUIRE(eventually([&] { return told.count() == 1; }));
  CHECK(watch.known({"late"}).at("late").outcome == dns::Outcome::not_found);
  names.set("late", {"10.0.0.1"});
  REQUIRE(eventually([&] { return told.count() == 2; }, 3s));
  CHECK(watch.known({"late"}).at("late").outcome == dns::Outcome::found);
}

TEST_CASE("who shares a name is told too, and a name that nobody wants is let go") {
  test::FakeNames names;
  names.set("a", {"10.0.0.1"});
  Told told;
  controller::NameWatch watch(names.lookup(), std::ref(told));
  watch.start();
  watch.want("p", {"a", "b"});
  watch.want("q", {"a"});
  REQUIRE(eventually([&] { return watch.known({"a", "b"}).size() == 2; }));
  watch.want("p", {});
  CHECK(watch.known({"a"}).size() == 1);  // q still does
  CHECK(watch.known({"b"}).empty());
  watch.want("q", {});
  CHECK(watch.statistics().names == 0);
  const auto asked = names.questions("b");
  std::this_thread::sleep_for(700ms);  // longer than kMissingSoon
  CHECK(names.questions("b") == asked);
}

TEST_CASE("a watch stops while questions are under way") {
  test::FakeNames names;
  names.hold();
  Told told;
  controller::NameWatch watch(names.lookup(), std::ref(told));
  watch.start();
  watch.want("p", {"a"});
  REQUIRE(eventually([&] { return names.questions("a") == 1; }));
  watch.stop();
  CHECK(told.count() == 0);
}
