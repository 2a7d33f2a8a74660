#include "operator/kube/client.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "operator/kube/documents.hpp"
#include "operator/kube/url.hpp"

namespace ambassador::kube {

namespace {
using Clock = std::chrono::steady_clock;

/// Where the server names no time, this much before asking again.
constexpr std::chrono::milliseconds kDefaultRetry{1000};

std::string call_of(const Request& request) {
  return std::string(to_string(request.method)) + " " + request.target.substr(0, request.target.find('?'));
}

/// False when a stop was asked for.
bool sleep_for(std::chrono::milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

std::string accepting(const ListOptions& what, const char* form) {
  if (!what.metadata_only) return "application/json";
  return std::string("application/json;as=") + form + ";g=meta.k8s.io;v=v1";
}

std::string flag(bool value) {
  return value ? "true" : "";
}

std::string write_query(const WriteOptions& options, bool with_force = false) {
  return query_of({{"fieldManager", options.field_manager},
                   {"force", with_force && options.force ? "true" : ""},
                   {"dryRun", options.dry_run ? "All" : ""}});
}

Request write_request(Method method, std::string path, const Json& body, std::string content_type,
                      const WriteOptions& options, bool with_force = false) {
  Request request;
  request.method = method;
  request.target = std::move(path) + write_query(options, with_force);
  request.body = body.dump();
  request.content_type = std::move(content_type);
  request.timeout = options.timeout;
  return request;
}

Json with_type(Json object, const Resource& resource) {
  if (!object.contains("apiVersion")) object["apiVersion"] = api_version_of(resource);
  if (!object.contains("kind")) object["kind"] = resource.kind;
  return object;
}
}  // namespace

Client::Client(TransportFactory factory) : factory_(std::move(factory)), transport_(factory_()) {}
Client::~Client() = default;

Answer<Object> Client::call(Request request, std::stop_token stop, bool may_repeat) const {
  const auto deadline = Clock::now() + request.timeout;
  for (;;) {
    auto response = transport_->send(request, stop);
    if (!response.ok()) {
      return ApiError{.code = 0, .reason = "", .message = response.error().text(), .call = call_of(request)};
    }
    if (response->status >= 200 && response->status < 300) {
      auto document = parse_document(response->body);
      if (document.ok()) return Object(std::make_shared<const Json>(std::move(document).value()));
      return ApiError{.code = 0, .message = document.error().text(), .call = call_of(request)};
    }
    ApiError error = read_status(*response, call_of(request));
    const bool asked_to_wait = error.code == 429 || (error.code >= 500 && error.retry_after);
    if (!asked_to_wait || !(may_repeat || error.code == 429)) return error;
    const auto pause = error.retry_after ? std::chrono::milliseconds(*error.retry_after) : kDefaultRetry;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (pause >= left) return error;
    if (!sleep_for(pause, stop)) return error;
    request.timeout = std::max(left - pause, std::chrono::milliseconds(1));
  }
}

Answer<Object> Client::get(const Resource& resource, std::string_view name_space, std::string_view name,
                           const CallOptions& options) const {
  return get_path(path_of(resource, name_space, name), options);
}

Answer<Object> Client::get_path(std::string_view path, const CallOptions& options) const {
  Request request;
  request.target = path;
  request.timeout = options.timeout;
  return call(std::move(request), options.stop, true);
}

Answer<Page> Client::list_page(const Resource& resource, const ListOptions& what, std::string_view next,
                               int limit, const CallOptions& options) const {
  Request request;
  request.target = path_of(resource, what.name_space, "") + query_of({{"labelSelector", what.label_selector},
                                                                      {"fieldSelector", what.field_selector},
                                                                      {"limit", std::to_string(limit)},
                                                                      {"continue", std::string(next)}});
  request.accept = accepting(what, "PartialObjectMetadataList");
  request.timeout = options.timeout;
  auto answer = call(std::move(request), options.stop, true);
  if (!answer.ok()) return answer.error();
  return read_page(**answer, resource);
}

Answer<Page> Client::list(const Resource& resource, const ListOptions& what,
                          const CallOptions& options) const {
  bool started_over = false;
  Page all;
  std::string next;
  for (;;) {
    auto page = list_page(resource, what, next, kPageSize, options);
    if (!page.ok()) {
      if (!page.error().expired() || next.empty() || started_over) return page.error();
      started_over = true;
      all = Page{};
      next.clear();
      continue;
    }
    all.items.insert(all.items.end(), page->items.begin(), page->items.end());
    all.resource_version = page->resource_version;
    if (page->next.empty()) return all;
    next = page->next;
  }
}

Answer<Object> Client::create(const Resource& resource, std::string_view name_space, const Json& object,
                              const WriteOptions& options) const {
  return call(write_request(Method::post, path_of(resource, name_space, ""), with_type(object, resource),
                            "application/json", options),
              options.stop, false);
}

Answer<Object> Client::update(const Resource& resource, const Json& object,
                              const WriteOptions& options) const {
  return call(write_request(Method::put, path_of(resource, namespace_of(object), name_of(object)),
                            with_type(object, resource), "application/json", options),
              options.stop, true);
}

Answer<Object> Client::update_status(const Resource& resource, const Json& object,
                                     const WriteOptions& options) const {
  return call(write_request(Method::put, path_of(resource, namespace_of(object), name_of(object), "status"),
                            with_type(object, resource), "application/json", options),
              options.stop, true);
}

Answer<Object> Client::patch(const Resource& resource, std::string_view name_space, std::string_view name,
                             PatchType type, const Json& patch, std::string_view subresource,
                             const WriteOptions& options) const {
  const char* form = type == PatchType::json ? "application/json-patch+json" : "application/merge-patch+json";
  auto answer = call(
      write_request(Method::patch, path_of(resource, name_space, name, subresource), patch, form, options),
      options.stop, type == PatchType::merge);
  // The API server has no precondition for patches: another uid is "metadata.uid: Invalid value: field is
  // immutable".
  if (!answer.ok() && answer.error().code == 422 && at(patch, {"metadata", "uid"}) != nullptr &&
      answer.error().message.find("metadata.uid") != std::string::npos) {
    ApiError other = answer.error();
    other.code = 409;
    other.reason = "Conflict";
    return other;
  }
  return answer;
}

Answer<Object> Client::apply(const Resource& resource, std::string_view name_space, std::string_view name,
                             const Json& object, std::string_view subresource,
                             const WriteOptions& options) const {
  Json document = with_type(object, resource);
  document["metadata"]["name"] = name;
  if (resource.namespaced) document["metadata"]["namespace"] = name_space;
  return call(write_request(Method::patch, path_of(resource, name_space, name, subresource), document,
                            "application/apply-patch+yaml", options, true),  // JSON is YAML
              options.stop, true);
}

Answer<Object> Client::remove(const Resource& resource, std::string_view name_space, std::string_view name,
                              std::string_view uid, const WriteOptions& options) const {
  Json body = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  if (!uid.empty()) body["preconditions"] = {{"uid", uid}};
  if (options.dry_run) body["dryRun"] = {"All"};
  Request request;
  request.method = Method::del;
  request.target = path_of(resource, name_space, name);
  request.body = body.dump();
  request.content_type = "application/json";
  request.timeout = options.timeout;
  return call(std::move(request), options.stop, true);
}

Answer<Object> Client::evict(std::string_view name_space, std::string_view name, std::string_view uid,
                             const WriteOptions& options) const {
  Json body = {{"apiVersion", "policy/v1"},
               {"kind", "Eviction"},
               {"metadata", {{"name", name}, {"namespace", name_space}}}};
  if (!uid.empty()) body["deleteOptions"] = {{"preconditions", {{"uid", uid}}}};
  auto request = write_request(Method::post, path_of(resources::pods, name_space, name, "eviction"), body,
                               "application/json", options);
  // Not call(): a 429 here is a PodDisruptionBudget's "not now", an answer for the caller.
  const std::string what = call_of(request);
  auto response = transport_->send(request, options.stop);
  if (!response.ok()) return ApiError{.code = 0, .message = response.error().text(), .call = what};
  if (response->status >= 300) return read_status(*response, what);
  auto document = parse_document(response->body);
  if (!document.ok()) return ApiError{.code = 0, .message = document.error().text(), .call = what};
  return Object(std::make_shared<const Json>(std::move(document).value()));
}

Answer<bool> Client::watch(const Resource& resource, const ListOptions& what,
                           std::string_view resource_version, const WatchHandler& handler,
                           std::stop_token stop, std::chrono::seconds idle) const {
  Request request;
  request.target =
      path_of(resource, what.name_space, "") + query_of({{"watch", "true"},
                                                         {"allowWatchBookmarks", flag(true)},
                                                         {"resourceVersion", std::string(resource_version)},
                                                         {"labelSelector", what.label_selector},
                                                         {"fieldSelector", what.field_selector},
                                                         {"timeoutSeconds", watch_timeout()}});
  request.accept = accepting(what, "PartialObjectMetadata");
  request.timeout = idle;
  const std::string call = call_of(request) + " (watch)";
  std::optional<ApiError> failed;
  const auto on_line = [&](std::string_view line) {
    if (line.empty()) return true;
    auto event = read_watch_line(line, call);
    if (!event.ok()) {
      failed = event.error();
      return false;
    }
    handler(std::move(event).value());
    return !stop.stop_requested();
  };
  auto response = factory_()->stream(request, on_line, stop);
  if (failed) return *failed;
  if (!response.ok()) return ApiError{.code = 0, .message = response.error().text(), .call = call};
  if (response->status != 200) return read_status(*response, call);
  return true;
}

}  // namespace ambassador::kube
