#include "operator/controller/endpoints.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using ambassador::controller::endpoints_of;
using nlohmann::json;

namespace {
std::vector<ambassador::kube::Object> slices(std::initializer_list<const char*> texts) {
  std::vector<ambassador::kube::Object> out;
  for (const auto* text : texts) out.push_back(std::make_shared<const json>(json::parse(text)));
  return out;
}
}  // namespace

TEST_CASE("ready are those that serve and are not terminating, whatever `ready` says") {
  const auto found =
      endpoints_of(slices({R"({"endpoints": [
      {"targetRef": {"kind": "Pod", "name": "a"}, "conditions": {"ready": true, "serving": true, "terminating": false}},
      {"targetRef": {"kind": "Pod", "name": "b"}, "conditions": {"ready": true, "serving": false}},
      {"targetRef": {"kind": "Pod", "name": "c"}, "conditions": {"ready": true, "serving": true, "terminating": true}},
      {"targetRef": {"kind": "Pod", "name": "d"}, "conditions": {"ready": false}},
      {"targetRef": {"kind": "Pod", "name": "e"}},
      {"addresses": ["10.0.0.9"]}, {"addresses": []}, {}, 7]})",
                           R"({"endpoints": [{"targetRef": {"kind": "Pod", "name": "f"}}]})"}));
  CHECK(found.ready == std::set<std::string>{"a", "e", "f", "10.0.0.9"});
}

TEST_CASE("named ports have the number of the first slice that knows them") {
  const auto found = endpoints_of(slices(
      {R"({"ports": [{"name": "redis", "port": 6379}, {"port": 80}, {"name": "x"},
                                             {"name": "big", "port": 70000}, {"name": "zero", "port": 0}]})",
       R"({"ports": [{"name": "redis", "port": 7000}, {"name": "b", "port": 1}]})", R"({"ports": null})"}));
  CHECK(found.ports == std::map<std::string, std::uint16_t>{{"redis", 6379}, {"b", 1}});
}
