// Calls to the API server in Kubernetes' terms: get, list, create, patch, apply, evict, watch. Blocking, from
// any thread. 429 and 5xx with Retry-After are waited for and asked again within the call's timeout (unless
// it is a create: that may have happened). There is no rate limit of our own: admission must never wait for
// one.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "operator/kube/answer.hpp"
#include "operator/kube/object.hpp"
#include "operator/kube/resource.hpp"
#include "operator/kube/transport.hpp"

namespace ambassador::kube {

/// Who owns the fields that we write, unless a call says otherwise.
inline constexpr std::string_view kFieldManager = "ambassador-operator";
/// Objects per page of a list: what client-go's informers ask for.
inline constexpr int kPageSize = 500;

struct CallOptions {
  std::chrono::milliseconds timeout{std::chrono::seconds(30)};  // all tries together
  std::stop_token stop = {};  // ends the call at once, with an unreachable ApiError
};

struct ListOptions {
  std::string name_space;  // "" = all
  std::string label_selector;
  std::string field_selector;
  /// Only metadata comes, and the rest never leaves the API server (PartialObjectMetadata).
  bool metadata_only = false;
};

struct Page {
  std::vector<Object> items;  // each with apiVersion and kind, which lists leave out
  std::string resource_version;
  std::string next;  // the continue token; "" = that was the last page
};

struct WriteOptions {
  std::string field_manager = std::string(kFieldManager);
  bool force = false;    // apply only: take fields over from other managers
  bool dry_run = false;  // admission and validation run, nothing is stored
  std::chrono::milliseconds timeout{std::chrono::seconds(30)};
  std::stop_token stop = {};
};

enum class PatchType { json, merge };

struct WatchEvent {
  enum class Type { added, modified, deleted, bookmark };
  Type type = Type::bookmark;
  Object object;  // a bookmark's has no more than metadata.resourceVersion
};
using WatchHandler = std::function<void(WatchEvent)>;

class Client {
 public:
  explicit Client(TransportFactory factory);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Answer<Object> get(const Resource& resource, std::string_view name_space, std::string_view name,
                     const CallOptions& options = {}) const;
  /// One page; `next` from the page before, or "".
  Answer<Page> list_page(const Resource& resource, const ListOptions& what, std::string_view next = "",
                         int limit = kPageSize, const CallOptions& options = {}) const;
  /// All pages. A continue token that expires half-way (410) starts over once.
  Answer<Page> list(const Resource& resource, const ListOptions& what, const CallOptions& options = {}) const;

  /// apiVersion and kind are filled in where the object has none.
  Answer<Object> create(const Resource& resource, std::string_view name_space, const Json& object,
                        const WriteOptions& options = {}) const;
  /// PUT: the object's resourceVersion is the optimistic lock.
  Answer<Object> update(const Resource& resource, const Json& object, const WriteOptions& options = {}) const;
  Answer<Object> update_status(const Resource& resource, const Json& object,
                               const WriteOptions& options = {}) const;
  /// `patch` is an array of operations (json) or a partial object (merge). `subresource`: "" or "status".
  /// A merge patch with metadata.uid (and resourceVersion) fails with a conflict where the object is another
  /// one.
  Answer<Object> patch(const Resource& resource, std::string_view name_space, std::string_view name,
                       PatchType type, const Json& patch, std::string_view subresource = "",
                       const WriteOptions& options = {}) const;
  /// Server-side apply: `object` holds exactly the fields that options.field_manager is to own.
  Answer<Object> apply(const Resource& resource, std::string_view name_space, std::string_view name,
                       const Json& object, std::string_view subresource = "",
                       const WriteOptions& options = {}) const;
  /// `uid`: only that very object ("" = whatever has the name).
  Answer<Object> remove(const Resource& resource, std::string_view name_space, std::string_view name,
                        std::string_view uid = "", const WriteOptions& options = {}) const;
  /// The Eviction API: respects PodDisruptionBudgets (429 where one forbids it now; not waited for).
  Answer<Object> evict(std::string_view name_space, std::string_view name, std::string_view uid = "",
                       const WriteOptions& options = {}) const;

  /// Reads events from `resource_version` on until the server ends the watch (value: true), it fails, it is
  /// silent for `idle` (the server sends a bookmark a minute), or a stop is asked for. 410 is an error that
  /// is expired(). Opens a transport of its own for the call. The handler runs on the calling thread.
  Answer<bool> watch(const Resource& resource, const ListOptions& what, std::string_view resource_version,
                     const WatchHandler& handler, std::stop_token stop,
                     std::chrono::seconds idle = kWatchIdle) const;

  /// GET of a path that is no resource, "/version" say: the parsed document.
  Answer<Object> get_path(std::string_view path, const CallOptions& options = {}) const;

  /// Two missed bookmarks: the connection is dead even if TCP has not noticed.
  static constexpr std::chrono::seconds kWatchIdle{130};

 private:
  Answer<Object> call(Request request, std::stop_token stop, bool may_repeat) const;

  TransportFactory factory_;
  std::shared_ptr<Transport> transport_;
};

}  // namespace ambassador::kube
