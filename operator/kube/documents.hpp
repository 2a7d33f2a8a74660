// The API server's answers as values: Status to ApiError, lists to pages, watch lines to events. Pure: bytes
// in, values out; hostile input gives an error, never a crash.
#pragma once

#include <string>
#include <string_view>

#include "operator/kube/client.hpp"

namespace ambassador::kube {

/// The deepest nesting that is parsed. Kubernetes' own documents stay below 40; copying and printing a JSON
/// value recurse, so depth must have an end.
inline constexpr int kMaxDepth = 200;

/// JSON text, nested at most kMaxDepth deep, a value and nothing after it.
Result<Json> parse_document(std::string_view text);

/// What a non-2xx answer means: metav1.Status if it is one, else the code and the first line of the body.
ApiError read_status(const Response& response, std::string call);

/// The items of a list document, each with apiVersion and kind and without metadata.managedFields.
Answer<Page> read_page(const Json& list, const Resource& resource);

/// {"type": "ADDED", "object": {...}}. An ERROR event is its Status as ApiError.
Answer<WatchEvent> read_watch_line(std::string_view line, const std::string& call);

/// How long the server shall keep a watch open: 5 to 10 minutes by chance (as client-go), so that many
/// watches do not end together. Seconds, as text.
std::string watch_timeout();

}  // namespace ambassador::kube
