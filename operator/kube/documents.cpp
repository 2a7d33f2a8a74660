#include "operator/kube/documents.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

namespace ambassador::kube {

Result<Json> parse_document(std::string_view text) {
  bool too_deep = false;
  const auto guard = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  Json document = Json::parse(text, guard, false);
  if (too_deep) return Error{"answer", "is nested more than " + std::to_string(kMaxDepth) + " levels deep"};
  if (document.is_discarded()) {
    return Error{"answer", "is not JSON: \"" + std::string(text.substr(0, 60)) + "\""};
  }
  return document;
}

ApiError read_status(const Response& response, std::string call) {
  ApiError error{.code = response.status,
                 .reason = "",
                 .message = "",
                 .call = std::move(call),
                 .retry_after = response.retry_after};
  const auto document = parse_document(response.body);
  if (document.ok() && string_at(*document, {"kind"}) == "Status") {
    error.reason = string_at(*document, {"reason"});
    error.message = string_at(*document, {"message"});
    const Json* seconds = at(*document, {"details", "retryAfterSeconds"});
    if (!error.retry_after && seconds != nullptr && seconds->is_number_unsigned()) {
      error.retry_after = std::chrono::seconds(seconds->get<unsigned>());
    }
  } else {
    error.message = response.body.substr(0, std::min<std::size_t>(response.body.find('\n'), 200));
  }
  return error;
}

Answer<Page> read_page(const Json& list, const Resource& resource) {
  const Json* items = at(list, {"items"});
  if (items == nullptr || !(items->is_array() || items->is_null())) {
    return ApiError{.code = 0,
                    .message = "the answer is no list: it has no items",
                    .call = "GET " + std::string(resource.plural)};
  }
  Page page;
  page.resource_version = string_at(list, {"metadata", "resourceVersion"});
  page.next = string_at(list, {"metadata", "continue"});
  page.items.reserve(items->size());
  for (const Json& item : *items) {
    if (!item.is_object()) continue;
    Json copy = item;
    copy["apiVersion"] = api_version_of(resource);
    copy["kind"] = resource.kind;
    if (const auto metadata = copy.find("metadata"); metadata != copy.end() && metadata->is_object()) {
      metadata->erase("managedFields");
    }
    page.items.push_back(std::make_shared<const Json>(std::move(copy)));
  }
  return page;
}

Answer<WatchEvent> read_watch_line(std::string_view line, const std::string& call) {
  auto document = parse_document(line);
  if (!document.ok()) return ApiError{.code = 0, .message = document.error().text(), .call = call};
  const std::string type = string_at(*document, {"type"});
  const auto object = document->find("object");
  if (!document->is_object() || object == document->end() || !object->is_object()) {
    return ApiError{.code = 0, .message = "a watch event without an object", .call = call};
  }
  if (type == "ERROR") {
    ApiError error{.code = 0,
                   .reason = string_at(*object, {"reason"}),
                   .message = string_at(*object, {"message"}),
                   .call = call};
    const Json* code = at(*object, {"code"});
    if (code != nullptr && code->is_number_integer()) error.code = code->get<int>();
    return error;
  }
  WatchEvent event;
  if (type == "ADDED") {
    event.type = WatchEvent::Type::added;
  } else if (type == "MODIFIED") {
    event.type = WatchEvent::Type::modified;
  } else if (type == "DELETED") {
    event.type = WatchEvent::Type::deleted;
  } else if (type == "BOOKMARK") {
    event.type = WatchEvent::Type::bookmark;
  } else {
    return ApiError{.code = 0, .message = "an unknown watch event \"" + type + "\"", .call = call};
  }
  if (const auto metadata = object->find("metadata"); metadata != object->end() && metadata->is_object()) {
    metadata->erase("managedFields");
  }
  event.object = std::make_shared<const Json>(std::move(*object));
  return event;
}

std::string watch_timeout() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return std::to_string(std::uniform_int_distribution<int>(300, 600)(random));
}

}  // namespace ambassador::kube
