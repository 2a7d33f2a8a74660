#include "proxy/admin/routes.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "proxy/admin/metrics.hpp"
#include "test/unit/proxy/admin/example_view.hpp"

using namespace ambassador;
using namespace ambassador::proxy::admin;
using Catch::Matchers::Contains;
using Json = nlohmann::json;

namespace {

http::Response ask(const http::Handler& handler, const std::string& target, const std::string& method = "GET",
                   const std::string& host = "127.0.0.1:19900", http::Headers headers = {}) {
  http::Request request;
  request.method = method;
  request.target = target;
  request.headers = std::move(headers);
  request.headers.emplace_back("Host", host);
  std::optional<http::Response> answer;
  handler(request, http::Reply([&](http::Response response) { answer = std::move(response); }));
  REQUIRE(answer);
  return *answer;
}

struct Ports : Example {
  std::shared_ptr<metrics::Metrics> metrics = std::make_shared<metrics::Metrics>();
  http::Handler health = health_routes(view, metrics);
  http::Handler admin = admin_routes(view, metrics);
};

}  // namespace

TEST_CASE("the health port knows four paths and nothing else") {
  Ports ports;
  CHECK(ask(ports.health, "/livez").status == 200);
  CHECK(ask(ports.health, "/startupz").status == 200);
  CHECK(ask(ports.health, "/readyz?verbose").status == 200);
  CHECK(ask(ports.health, "/metrics").content_type == metrics::kContentType);
  for (const char* path : {"/", "/config", "/status", "/clients", "/backends", "/top", "/slowlog", "/hotkeys",
                           "/bigkeys", "/livez/", "//livez"}) {
    CAPTURE(path);
    CHECK(ask(ports.health, path).status == 404);
  }
  CHECK(ask(ports.health, "/livez", "POST").status == 405);
  CHECK(ask(ports.health, "/livez", "HEAD").status == 200);
  CHECK(ask(ports.health, "/livez", "GET", "10.1.2.3:19901").status == 200);
}

TEST_CASE("startupz and readyz wait for every listener, livez does not") {
  Ports ports;
  ports.listening = false;
  CHECK(ask(ports.health, "/livez").status == 200);
  CHECK(ask(ports.health, "/startupz").status == 503);
  CHECK(ask(ports.health, "/readyz").status == 503);
  CHECK_THAT(ask(ports.health, "/readyz").body, Contains("not every listener accepts yet"));
}

TEST_CASE("backends that are down matter to readyz only where the configuration says so") {
  Ports ports;
  ports.snapshot.listeners[1].backends[0].usable = false;
  CHECK(ask(ports.health, "/readyz").status == 200);
  ports.document.readiness = config::Readiness::backends;
  CHECK(ask(ports.health, "/readyz").status == 503);
  CHECK(ask(ports.health, "/readyz").body == "listener shop.mail has no usable backend\n");
  CHECK(ask(ports.health, "/startupz").status == 200);
}

TEST_CASE("a draining proxy is not ready, but alive and started") {
  Ports ports;
  ports.snapshot.draining = true;
  CHECK(ask(ports.health, "/readyz").status == 503);
  CHECK(ask(ports.health, "/livez").status == 200);
  CHECK(ask(ports.health, "/startupz").status == 200);
}

TEST_CASE("the admin port answers JSON that says how things operate") {
  Ports ports;
  ports.configuration.last_refusal = "listeners[0].port: 99999 is out of range";
  const Json status = Json::parse(ask(ports.admin, "/status").body);
  CHECK(status["version"] == "1.2.3");
  CHECK(status["configuration"]["hash"] == ports.configuration.hash);
  CHECK(status["configuration"]["lastRefusal"] == "listeners[0].port: 99999 is out of range");
  CHECK(status["listeners"][0]["name"] == "shop.cache");
  CHECK(status["listeners"][0]["clients"] == 4);
  CHECK(status["listeners"][0]["failures"]["unreachable"] == 5);
  CHECK(status["listeners"][0]["backends"][1]["usable"] == false);
  CHECK(status["listeners"][0]["backends"][1]["health"] == "down: cannot connect: Connection refused");

  CHECK(*config::parse(ask(ports.admin, "/config").body) == ports.document);
  const Json backends = Json::parse(ask(ports.admin, "/backends").body);
  REQUIRE(backends.size() == 3);
  CHECK(backends[2]["listener"] == "shop.mail");
}

TEST_CASE("clients are listed as they come, at the top by bytes") {
  Ports ports;
  for (const std::uint64_t bytes : {10U, 30U, 20U}) {
    proxy::net::ClientSnapshot& client = ports.clients.emplace_back();
    client.peer = "127.0.0.1:" + std::to_string(bytes);
    client.bytes_sent = bytes;
  }
  const auto peers = [](const Json& list) {
    std::vector<std::string> all;
    for (const Json& client : list) all.push_back(client["peer"]);
    return all;
  };
  CHECK(peers(Json::parse(ask(ports.admin, "/clients").body)) ==
        std::vector<std::string>{"127.0.0.1:10", "127.0.0.1:30", "127.0.0.1:20"});
  CHECK(peers(Json::parse(ask(ports.admin, "/top").body)) ==
        std::vector<std::string>{"127.0.0.1:30", "127.0.0.1:20", "127.0.0.1:10"});
  CHECK(ports.asked_for == kMaxListedClients);
}

TEST_CASE("slow requests are shown as they come, keys of any bytes among them") {
  Ports ports;
  CHECK(Json::parse(ask(ports.admin, "/slowlog").body) == Json::array());
  CHECK(ports.asked_for == kMaxListedRequests);
  ports.slow.push_back({.listener = "shop.cache",
                        .at = ports.now,
                        .took = std::chrono::microseconds(12'500),
                        .client = "127.0.0.1:10",
                        .backend = "redis-0:6379",
                        .command = "hget",
                        .key = "a\xff\n"});
  CHECK(Json::parse(ask(ports.admin, "/slowlog").body) ==
        Json::parse(R"([{"time": "2023-11-14T22:13:20Z", "durationSeconds": 0.0125, "listener": "shop.cache",
                         "client": "127.0.0.1:10", "backend": "redis-0:6379", "command": "hget",
                         "key": "a\ufffd\n"}])"));
}

TEST_CASE("hot keys are shown with how their figures came about") {
  Ports ports;
  CHECK(Json::parse(ask(ports.admin, "/hotkeys").body) == Json::array());
  ports.hot.push_back({.listener = "shop.cache",
                       .limits = {.one_in = 64, .size = 32},
                       .half_life = std::chrono::seconds(30),
                       .per_second = 1000,
                       .keys = {{.key = "a\xff\n", .per_second = 250.04, .too_high = 5, .variance = 100}}});
  CHECK(Json::parse(ask(ports.admin, "/hotkeys").body) ==
        Json::parse(R"([{"listener": "shop.cache", "sampledOneIn": 64, "halfLifeSeconds": 30,
                         "requestsPerSecond": 1000.0, "keys": [{"key": "a\ufffd\n",
                         "requestsPerSecond": 250.0, "errorPerSecond": 25.0, "share": 0.25}]}])"));
}

TEST_CASE("big keys are shown as they come") {
  Ports ports;
  CHECK(Json::parse(ask(ports.admin, "/bigkeys").body) == Json::array());
  CHECK(ports.asked_for == kMaxListedRequests);
  ports.big.push_back({.listener = "shop.cache",
                       .at = ports.now,
                       .bytes = 1'048'590,
                       .command = "hgetall",
                       .key = "a\xff\n"});
  CHECK(Json::parse(ask(ports.admin, "/bigkeys").body) ==
        Json::parse(R"([{"time": "2023-11-14T22:13:20Z", "bytes": 1048590, "listener": "shop.cache",
                         "command": "hgetall", "key": "a\ufffd\n"}])"));
}

TEST_CASE("what a listener keeps of replies is told where it keeps any") {
  Ports ports;
  const auto listener = [&] { return Json::parse(ask(ports.admin, "/status").body)["listeners"][0]; };
  CHECK_FALSE(listener().contains("clientCache"));
  ports.metrics->at_scrape([&](metrics::Sheet& sheet) { add_samples(*ports.view, sheet); });
  CHECK_THAT(ask(ports.health, "/metrics").body, !Contains("client_cache"));
  ports.snapshot.listeners[0].kept = proxy::KeptCounts{.hits = 7,
                                                       .misses = 6,
                                                       .invalidations = 5,
                                                       .evictions = 4,
                                                       .bytes = 300,
                                                       .most_bytes = 2000,
                                                       .connections = 1};
  CHECK(listener()["clientCache"] ==
        Json::parse(R"({"hits": 7, "misses": 6, "invalidations": 5, "evictions": 4,
                                                     "bytes": 300, "limitBytes": 2000, "connections": 1})"));
  const std::string metrics = ask(ports.health, "/metrics").body;
  for (const char* line :
       {"hits_total{listener=\"shop.cache\"} 7", "misses_total{listener=\"shop.cache\"} 6",
        "invalidations_total{listener=\"shop.cache\"} 5", "evictions_total{listener=\"shop.cache\"} 4",
        "bytes{listener=\"shop.cache\"} 300", "limit_bytes{listener=\"shop.cache\"} 2000",
        "connections{listener=\"shop.cache\"} 1"})
    CHECK_THAT(metrics, Contains("\nambassador_proxy_client_cache_" + std::string(line)));
}

TEST_CASE("the status page is one page that needs nothing else") {
  Ports ports;
  const http::Response page = ask(ports.admin, "/");
  CHECK(page.content_type == "text/html; charset=utf-8");
  CHECK_THAT(page.body, Contains("prefers-color-scheme: dark") && Contains("fetch(\"status\")"));
  CHECK_THAT(page.body, !Contains("src=\"http") && !Contains("@import") && !Contains("<link"));
}

TEST_CASE("a page elsewhere cannot reach the admin port through a name of its own") {
  Ports ports;
  CHECK(ask(ports.admin, "/config", "GET", "evil.example:19900").status == 403);
  CHECK(ask(ports.admin, "/config", "GET", "127.0.0.1.evil.example:19900").status == 403);
  CHECK(ask(ports.admin, "/config", "GET", "localhost:19900").status == 200);
  CHECK(ask(ports.admin, "/config", "GET", "localhost").status == 200);
  CHECK(ask(ports.admin, "/config", "GET", "[::1]:19900").status == 200);
  CHECK(ask(ports.admin, "/config", "DELETE").status == 405);
}

TEST_CASE("metrics name listeners and backends, and stay within their number of series") {
  Ports ports;
  ports.metrics = std::make_shared<metrics::Metrics>(kMaxSeries);
  ports.metrics->at_scrape([&](metrics::Sheet& sheet) { add_samples(*ports.view, sheet); });
  const std::string text = ports.metrics->text();
  CHECK_THAT(text,
             Contains("ambassador_proxy_backend_up{listener=\"shop.cache\",backend=\"redis-0:6379\"} 1\n"));
  CHECK_THAT(text,
             Contains("ambassador_proxy_backend_up{listener=\"shop.cache\",backend=\"redis-1:6379\"} 0\n"));
  CHECK_THAT(text,
             Contains("ambassador_proxy_failures_total{listener=\"shop.mail\",kind=\"unreachable\"} 5\n"));
  CHECK_THAT(text, Contains("ambassador_proxy_configuration_info{hash=\"" + ports.configuration.hash + "\""));
  CHECK_THAT(text, Contains("ambassador_proxy_configurations_total{result=\"applied\"} 3\n"));
  CHECK_THAT(
      text,
      Contains("ambassador_proxy_request_duration_seconds_bucket{listener=\"shop.cache\",le=\"+Inf\"} 0"));

  const proxy::net::BackendSnapshot backend = ports.snapshot.listeners[0].backends[0];
  for (int i = 0; i < 200; ++i) {
    ports.snapshot.listeners[0].backends.push_back(backend);
    ports.snapshot.listeners[0].backends.back().name += std::to_string(i);
  }
  const std::string full = ports.metrics->text();
  std::size_t series = 0;
  for (std::size_t at = 0; (at = full.find("\nambassador_proxy_", at)) != std::string::npos; ++at) ++series;
  CHECK(series > 400);
  CHECK(series <= kMaxSeries);
}

TEST_CASE("a listener with a pool shows it, others do not") {
  Ports ports;
  proxy::net::PoolSnapshot& pool = ports.snapshot.listeners[1].pool;
  pool.most = 10;
  pool.lent = 3;
  pool.idle = 2;
  pool.opening = 1;
  pool.waiting = 4;
  pool.logins_failed = 5;
  pool.wait_time.counts[proxy::net::HistogramBuckets::of(2000)] = 7;
  pool.wait_time.total = 7;
  pool.pins = {{"listen", 6}, {"set", 0}};
  pool.units = {.pinned = 9, .unpinned = 11};
  pool.run_again = 8;
  proxy::net::BackendSnapshot& replica = ports.snapshot.listeners[1].backends[0];
  replica.role = proxy::Role::replica;
  replica.lag = std::chrono::milliseconds(1500);
  const Json status = Json::parse(ask(ports.admin, "/status").body);
  CHECK_FALSE(status["listeners"][0].contains("pool"));
  const Json shown = status["listeners"][1]["pool"];
  CHECK(shown["inUse"] == 3);
  CHECK(shown["idle"] == 2);
  CHECK(shown["opening"] == 1);
  CHECK(shown["limit"] == 10);
  CHECK(shown["waiting"] == 4);
  CHECK(shown["borrowed"] == 7);
  CHECK(shown["wait"]["p50Seconds"] > 0.001);
  CHECK(shown["loginsFailed"] == 5);
  CHECK(shown["pins"]["listen"] == 6);
  CHECK(shown["transactions"]["pinned"] == 9);
  CHECK(shown["transactions"]["unpinned"] == 11);
  CHECK(shown["runAgain"] == 8);
  CHECK(status["listeners"][1]["backends"][0]["role"] == "replica");
  CHECK(status["listeners"][1]["backends"][0]["lagSeconds"] == 1.5);
  CHECK(status["listeners"][0]["backends"][0]["role"].is_null());
  CHECK(status["listeners"][0]["backends"][0]["lagSeconds"].is_null());
  ports.metrics->at_scrape([&](metrics::Sheet& sheet) { add_samples(*ports.view, sheet); });
  const std::string text = ports.metrics->text();
  CHECK_THAT(text,
             Contains("ambassador_proxy_pool_connections{listener=\"shop.mail\",state=\"in_use\"} 3\n"));
  CHECK_THAT(text, Contains("ambassador_proxy_pool_connections_limit{listener=\"shop.mail\"} 10\n"));
  CHECK_THAT(text, Contains("ambassador_proxy_pool_waiting_clients{listener=\"shop.mail\"} 4\n"));
  CHECK_THAT(text, Contains("ambassador_proxy_pool_wait_duration_seconds_count{listener=\"shop.mail\"} 7\n"));
  CHECK_THAT(text,
             Contains("ambassador_proxy_pool_pins_total{listener=\"shop.mail\",reason=\"listen\"} 6\n"));
  CHECK_THAT(text,
             Contains("ambassador_proxy_pool_transactions_total{listener=\"shop.mail\",pinned=\"no\"} 11\n"));
  CHECK_THAT(text, !Contains("ambassador_proxy_pool_connections{listener=\"shop.cache\""));
  CHECK_THAT(text, Contains("ambassador_proxy_pool_run_again_total{listener=\"shop.mail\"} 8\n"));
  CHECK_THAT(text, Contains("ambassador_proxy_backend_lag_seconds{listener=\"shop.mail\",backend=") &&
                       Contains("\"} 1.5\n"));
  CHECK_THAT(text, Contains("ambassador_proxy_backend_primary{listener=\"shop.mail\",backend="));
  CHECK_THAT(text, !Contains("ambassador_proxy_backend_lag_seconds{listener=\"shop.cache\""));
}

TEST_CASE("a listener that finds its servers shows how many can be asked for them, others do not") {
  Ports ports;
  ports.snapshot.listeners[0].seeds = proxy::net::SeedsSnapshot{3, 2, "sentinel-2:26379: cannot connect"};
  const Json status = Json::parse(ask(ports.admin, "/status").body);
  CHECK(status["listeners"][0]["seeds"] ==
        Json{{"known", 3}, {"answering", 2}, {"trouble", "sentinel-2:26379: cannot connect"}});
  CHECK_FALSE(status["listeners"][1].contains("seeds"));
  ports.metrics->at_scrape([&](metrics::Sheet& sheet) { add_samples(*ports.view, sheet); });
  const std::string text = ports.metrics->text();
  CHECK_THAT(text, Contains("ambassador_proxy_seeds{listener=\"shop.cache\"} 3\n"));
  CHECK_THAT(text, Contains("ambassador_proxy_seeds_answering{listener=\"shop.cache\"} 2\n"));
  CHECK_THAT(text, !Contains("ambassador_proxy_seeds{listener=\"shop.mail\""));
}

TEST_CASE("pausing and resuming is asked for by POST, with a header that pages of other sites can't send") {
  Ports ports;
  ports.snapshot.listeners[1].pool.most = 10;
  const auto change = [&](const std::string& target) {
    return ask(ports.admin, target, "POST", "localhost:19900", {{kChangeHeader, "1"}});
  };
  const http::Response one = change("/pause?listener=shop.mail&for=90s");
  CHECK(one.status == 200);
  CHECK(Json::parse(one.body)["listeners"] == Json({"shop.mail"}));
  CHECK(ports.paused_for == std::chrono::seconds(90));
  CHECK(Json::parse(ask(ports.admin, "/status").body)["listeners"][1]["pool"]["paused"] == true);
  CHECK(change("/resume?listener=shop.mail").status == 200);
  CHECK_FALSE(ports.snapshot.listeners[1].pool.paused);
  CHECK(Json::parse(change("/pause").body)["listeners"] == Json({"shop.mail"}));  // of all, those that can
  CHECK(ports.paused_for == std::chrono::minutes(5));

  CHECK(change("/pause?listener=shop.cache").status == 404);
  CHECK(change("/pause?listener=nobody").status == 404);
  CHECK(change("/pause?for=forever").status == 400);
  CHECK(change("/pause?for=2h").status == 400);
  CHECK(ask(ports.admin, "/resume", "POST").status == 403);
  CHECK(ask(ports.admin, "/resume").status == 405);
  CHECK(ask(ports.admin, "/resume", "POST", "evil.example:19900", {{kChangeHeader, "1"}}).status == 403);
  CHECK(ask(ports.health, "/pause", "POST", "localhost", {{kChangeHeader, "1"}}).status == 405);
  CHECK(ports.snapshot.listeners[1].pool.paused);
}
