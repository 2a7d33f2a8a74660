#include "operator/kube/store.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace ambassador;
using kube::Json;

namespace {
kube::Object pod(const std::string& name, const std::string& node) {
  return std::make_shared<const Json>(
      Json{{"metadata", {{"name", name}, {"namespace", "shop"}}}, {"spec", {{"nodeName", node}}}});
}
}  // namespace

TEST_CASE("a store finds objects by key, by namespace and by index, and forgets old index values") {
  kube::Store store({{"node", [](const Json& one) {
                        return std::vector{kube::string_at(one, {"spec", "nodeName"})};
                      }}});
  CHECK(store.put(pod("b", "n1")) == nullptr);
  store.put(pod("a", "n1"));
  const auto before = store.get("shop", "b");
  CHECK(store.put(pod("b", "n2")) == before);
  CHECK(kube::string_at(*before, {"spec", "nodeName"}) ==
        "n1");  // whoever holds the old one still can read it
  REQUIRE(store.by_index("node", "n1").size() == 1);
  CHECK(kube::name_of(*store.by_index("node", "n1")[0]) == "a");
  CHECK(store.by_index("node", "n2").size() == 1);
  CHECK(store.in_namespace("shop").size() == 2);
  CHECK(store.in_namespace("other").empty());
  CHECK(store.by_index("no such index", "x").empty());
  CHECK(kube::name_of(*store.list().at(0)) == "a");  // in the order of their keys
  CHECK(store.remove("shop/b") != nullptr);
  CHECK(store.remove("shop/b") == nullptr);
  CHECK(store.by_index("node", "n2").empty());
  CHECK(store.get("shop/b") == nullptr);
  CHECK(store.size() == 1);
}
