#include "operator/discovery/environment.hpp"

#include <catch2/catch.hpp>

using namespace ambassador;
using namespace ambassador::discovery;

namespace {

api::LabelSelector label(const char* key, const char* value) {
  return {.match_labels = {{key, value}}, .match_expressions = {}};
}

api::Policy policy() {
  api::Policy made;
  made.environments = {{"production", label("environment", "production"), std::nullopt, {}},
                       {"canary", label("environment", "staging"), label("track", "canary"), {}},
                       {"staging", std::nullopt, std::nullopt, {"stage-eu", "stage-us"}},
                       {"development", std::nullopt, std::nullopt, {}}};
  return made;
}

}  // namespace

TEST_CASE("a Pod is in the first environment whose conditions all hold") {
  CHECK(detect_environment(policy(), {{"environment", "production"}}, {}, "stage-eu") == "production");
  CHECK(detect_environment(policy(), {{"environment", "staging"}}, {{"track", "canary"}}, "") == "canary");
  CHECK(detect_environment(policy(), {{"environment", "staging"}}, {}, "stage-us") == "staging");
  CHECK(detect_environment(policy(), {}, {}, "elsewhere") == "development");
}

TEST_CASE("a namespace's Pods can be in what their labels choose, up to the first that takes them all") {
  using Names = std::vector<std::string>;
  CHECK(possible_environments(policy(), {{"environment", "production"}}, "") == Names{"production"});
  CHECK(possible_environments(policy(), {{"environment", "staging"}}, "stage-us") ==
        Names{"canary", "staging"});
  CHECK(possible_environments(policy(), {}, "elsewhere") == Names{"development"});
  CHECK(possible_environments(api::Policy{}, {}, "") == Names{""});
}

TEST_CASE("the upstreams used are those that serve one of the environments") {
  api::Policy made = policy();
  api::Listener listener;
  listener.name = "cache";
  listener.upstreams = {{{"production"}, api::ServiceReference{"", "big", std::uint16_t{1}}},
                        {{}, api::ServiceReference{"", "any", std::uint16_t{1}}}};
  made.listeners = {listener};
  CHECK(used_upstreams(made, {"production"}) == UsedUpstreams{{"cache", "production"}});
  CHECK(used_upstreams(made, {"canary", "staging"}) == UsedUpstreams{{"cache", ""}});
}

TEST_CASE("without a match there is no environment") {
  api::Policy made = policy();
  made.environments.pop_back();
  CHECK(detect_environment(made, {}, {}, "").empty());
  CHECK(detect_environment(api::Policy{}, {}, {}, "").empty());
}

TEST_CASE("an upstream that names the environment comes before one that names none") {
  api::Listener listener;
  listener.upstreams = {{{}, api::ServiceReference{"", "any", std::uint16_t{1}}},
                        {{"production", "staging"}, api::ServiceReference{"", "big", std::uint16_t{1}}},
                        {{"staging"}, api::ServiceReference{"", "late", std::uint16_t{1}}}};
  CHECK(choose_upstream(listener, "production")->upstream == &listener.upstreams[1]);
  CHECK(choose_upstream(listener, "staging")->upstream == &listener.upstreams[1]);
  CHECK(choose_upstream(listener, "development")->upstream == &listener.upstreams[0]);
  CHECK(choose_upstream(listener, "development")->environment.empty());

  const auto choices = upstream_choices(listener);
  REQUIRE(choices.size() == 3);
  CHECK(choices[0].environment.empty());
  CHECK(choices[1].environment == "production");
  CHECK(choices[2].environment == "staging");
}

TEST_CASE("a listener without an upstream for an environment has no choice there") {
  api::Listener listener;
  listener.upstreams = {{{"production"}, api::ServiceReference{"", "big", std::uint16_t{1}}}};
  CHECK_FALSE(choose_upstream(listener, "development").has_value());
  CHECK_FALSE(choose_upstream(listener, "").has_value());
  CHECK(upstream_choices(listener).size() == 1);
}
