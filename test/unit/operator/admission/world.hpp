// A cluster in memory with one policy, and what the API server would send about its Pods; for tests of
// admission.
#pragma once

#include <catch2/catch.hpp>
#include <future>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "common/metrics/metrics.hpp"
#include "operator/admission/webhook.hpp"
#include "operator/kube/base64.hpp"
#include "test/unit/operator/kube/fake_api_server.hpp"

namespace ambassador::test {

inline Json policy(const std::string& ns, const std::string& name) {
  return Json::parse(R"({"metadata": {"namespace": ")" + ns + R"(", "name": ")" + name + R"("}, "spec": {
    "environments": [{"name": "production", "namespaceSelector": {"matchLabels": {"environment": "production"}}}],
    "listeners": [{"name": "cache", "protocol": "TCP", "port": 6380, "env": {"host": "CACHE_HOST"},
                   "upstreams": [{"hosts": [{"host": "redis.example", "port": 6379}]}]}]}})");
}

inline Json pod(Json annotations = {{"ambassador.dev/inject", "true"}}) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", {{"name", "app"}, {"annotations", std::move(annotations)}}},
          {"spec", {{"containers", {{{"name", "app"}, {"image", "busybox"}}}}}}};
}

inline Json review_of(const Json& object, const std::string& ns, const std::string& uid = "uid-1") {
  return {{"apiVersion", "admission.k8s.io/v1"},
          {"kind", "AdmissionReview"},
          {"request",
           {{"uid", uid},
            {"kind", {{"group", ""}, {"version", "v1"}, {"kind", "Pod"}}},
            {"resource", {{"group", ""}, {"version", "v1"}, {"resource", "pods"}}},
            {"name", "app"},
            {"namespace", ns},
            {"operation", "CREATE"},
            {"object", object},
            {"dryRun", false}}}};
}

inline Json policy_review_of(const Json& object, const std::string& ns) {
  auto review = review_of(object, ns);
  review["request"]["kind"] = {
      {"group", "ambassador.dev"}, {"version", "v1alpha1"}, {"kind", "AmbassadorPolicy"}};
  review["request"]["name"] = object["metadata"]["name"];
  return review;
}

/// Everything behind the webhook's HTTP side, in the namespaces "shop" (with the policy "data") and "empty".
struct World {
  FakeApiServer server;
  kube::Client client{server.factory()};
  metrics::Metrics metrics;
  admission::ClusterView view;
  admission::Counts counts{metrics};
  admission::Pods pods{view, reader, counts};
  admission::Webhook webhook{pods, counts, "system"};
  admission::LiveReader reader;

  explicit World(std::vector<std::string> watch_namespaces = {}, admission::LiveReaderOptions live = {})
      : view(client, {std::move(watch_namespaces), installation()}), reader(client, live) {
    make_namespace("shop", {{"environment", "production"}});
    make_namespace("empty");
    server.put(kube::resources::policies, policy("shop", "data"));
    view.start();
    REQUIRE(eventually([this] { return view.has_synced(); }));
  }

  static inject::Installation installation() {
    inject::Installation installation;
    installation.proxy_image = "ambassador-proxy:test";
    return installation;
  }
  void make_namespace(const std::string& name, Json labels = Json::object()) {
    server.put(kube::resources::namespaces, {{"metadata", {{"name", name}, {"labels", std::move(labels)}}}});
  }

  /// As the API server does it; waits for the answer.
  http::Response post(std::string_view path, std::string body,
                      std::string content_type = "application/json") {
    http::Request request;
    request.method = "POST";
    request.target = path;
    request.headers = {{"Content-Type", std::move(content_type)}};
    request.body = std::move(body);
    return ask(request);
  }
  http::Response ask(const http::Request& request) {
    const auto promise = std::make_shared<std::promise<http::Response>>();
    auto answer = promise->get_future();
    webhook.handle(request, http::Reply([promise](http::Response response) {
                     promise->set_value(std::move(response));
                   }));
    if (answer.wait_for(std::chrono::seconds(10)) != std::future_status::ready)
      throw std::runtime_error("no answer");
    return answer.get();
  }
  /// response of the AdmissionReview that comes back. Called by several threads at once, which Catch's macros
  /// can't be: what is no AdmissionReview is thrown.
  Json mutate(const Json& review) { return response_of(post("/mutate--v1-pod", review.dump())); }
  Json validate(const Json& review) {
    return response_of(post("/validate-ambassador-dev-v1alpha1-ambassadorpolicy", review.dump()));
  }
  static Json response_of(const http::Response& answer) {
    const auto document = Json::parse(answer.body, nullptr, false);
    if (answer.status != 200 || document.value("apiVersion", "") != "admission.k8s.io/v1" ||
        document.value("kind", "") != "AdmissionReview") {
      throw std::runtime_error("no AdmissionReview: " + answer.body);
    }
    return document.at("response");
  }
  static Json patch_of(const Json& response) {
    CHECK(response.at("patchType") == "JSONPatch");
    return Json::parse(kube::base64_decode(response.at("patch").get<std::string>()).value());
  }
};

}  // namespace ambassador::test
