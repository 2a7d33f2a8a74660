// An API server in memory behind the Transport interface: objects, resourceVersions, list pages, watches with
// bookmarks and 410, merge patches with preconditions, the status subresource; and faults at every call. What
// it leaves out (validation, conversion, field ownership) is tested against a real kube-apiserver.
// Thread-safe. Used by the unit tests of operator/kube, operator/certs and operator/controller.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "operator/kube/client.hpp"

namespace ambassador::test {

using kube::Json;
using kube::Method;
using kube::Request;
using kube::Response;

/// What happens to a call instead of (or after) being served.
struct Fault {
  enum class Kind {
    unreachable,  // no answer, nothing done
    lost_answer,  // done, but the answer never arrives
    status        // answered with `status`, nothing done
  };
  Kind kind = Kind::unreachable;
  int status = 500;
  std::string reason = "InternalError";
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  std::string message = "made to fail";
};

struct Seen {
  Method method;
  std::string path;
  std::string query;
  std::string content_type;
  Json body;
};

/// Waits until `condition` holds; false after `limit`.
inline bool eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds limit = std::chrono::seconds(30)) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

class FakeApiServer {
 public:
  /// Opens connections to this server, which must outlive them.
  kube::TransportFactory factory() {
    return [this]() -> std::shared_ptr<kube::Transport> { return std::make_shared<Connection>(*this); };
  }

  // -- What tests do to it ------------------------------------------------------------------------------
  /// Stores an object as if a user had; returns it as stored.
  Json put(const kube::Resource& resource, Json object) {
    const std::lock_guard lock(mutex_);
    return store(resource, std::move(object));
  }
  void erase(const kube::Resource& resource, const std::string& name_space, const std::string& name) {
    const std::lock_guard lock(mutex_);
    remove(collection(resource), kube::join_key(name_space, name));
  }
  /// The stored object, null where there is none.
  Json get(const kube::Resource& resource, const std::string& name_space, const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto objects = objects_.find(collection(resource));
    if (objects == objects_.end()) return nullptr;
    const auto found = objects->second.find(kube::join_key(name_space, name));
    return found == objects->second.end() ? Json(nullptr) : found->second;
  }
  std::vector<Json> all(const kube::Resource& resource) const {
    const std::lock_guard lock(mutex_);
    std::vector<Json> out;
    const auto objects = objects_.find(collection(resource));
    if (objects != objects_.end()) {
      for (const auto& [key, object] : objects->second) out.push_back(object);
    }
    return out;
  }
  /// Asked about each call (watches too) before it is served; nullopt = serve it.
  void on_call(std::function<std::optional<Fault>(const Request&)> hook) {
    const std::lock_guard lock(mutex_);
    hook_ = std::move(hook);
  }
  /// Away: calls fail, watches break. Back: everything works again.
  void set_away(bool away) {
    const std::lock_guard lock(mutex_);
    away_ = away;
    ++epoch_;
    changed_.notify_all();
  }
  /// Breaks every watch; they may be opened again.
  void cut_watches() {
    const std::lock_guard lock(mutex_);
    ++epoch_;
    changed_.notify_all();
  }
  /// Forgets the past: a watch from an older resourceVersion gets 410.
  void compact() {
    const std::lock_guard lock(mutex_);
    log_.clear();
    compacted_ = version_;
  }
  /// Sends a bookmark on every watch.
  void bookmark() {
    const std::lock_guard lock(mutex_);
    log_.push_back({++version_, "", "BOOKMARK", Json::object()});
    changed_.notify_all();
  }
  std::vector<Seen> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  /// Calls that changed something (or tried to), in order.
  std::vector<Seen> writes() const {
    auto out = seen();
    out.erase(
        std::remove_if(out.begin(), out.end(), [](const Seen& one) { return one.method == Method::get; }),
        out.end());
    return out;
  }
  void forget_calls() {
    const std::lock_guard lock(mutex_);
    seen_.clear();
  }
  std::size_t watches() const {
    const std::lock_guard lock(mutex_);
    return watches_;
  }
  std::uint64_t version() const {
    const std::lock_guard lock(mutex_);
    return version_;
  }

 private:
  struct Change {
    std::uint64_t version;
    std::string collection;
    std::string type;
    Json object;
    Json before = nullptr;
  };
  struct Target {            // a request's target, taken apart
    std::string collection;  // "/apis/apps/v1/statefulsets"
    std::string name_space;
    std::string name;
    std::string subresource;
    std::map<std::string, std::string> query;
  };

  class Connection final : public kube::Transport {
   public:
    explicit Connection(FakeApiServer& server) : server_(server) {}
    Result<Response> send(const Request& request, std::stop_token stop) override {
      if (stop.stop_requested()) return Error{"fake", "stopped"};
      return server_.serve(request);
    }
    Result<Response> stream(const Request& request, const kube::LineHandler& on_line,
                            std::stop_token stop) override {
      return server_.serve_watch(request, on_line, stop);
    }

   private:
    FakeApiServer& server_;
  };

  static std::string collection(const kube::Resource& resource) { return kube::path_of(resource, "", ""); }

  static std::string decode(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size()) {
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  static Target parse(const std::string& target) {
    Target out;
    const auto mark = target.find('?');
    std::string query = mark == std::string::npos ? "" : target.substr(mark + 1);
    while (!query.empty()) {
      const auto end = query.find('&');
      const auto pair = query.substr(0, end);
      const auto equals = pair.find('=');
      out.query[pair.substr(0, equals)] = equals == std::string::npos ? "" : decode(pair.substr(equals + 1));
      query = end == std::string::npos ? "" : query.substr(end + 1);
    }
    std::vector<std::string> parts;
    std::string path = target.substr(1, mark == std::string::npos ? std::string::npos : mark - 1);
    while (!path.empty()) {
      const auto slash = path.find('/');
      parts.push_back(decode(path.substr(0, slash)));
      path = slash == std::string::npos ? "" : path.substr(slash + 1);
    }
    std::size_t at = parts.at(0) == "api" ? 2 : 3;
    for (std::size_t i = 0; i < at && i < parts.size(); ++i) out.collection += "/" + parts[i];
    if (parts.size() > at + 2 && parts[at] == "namespaces") {
      out.name_space = parts[at + 1];
      at += 2;
    }
    if (at < parts.size()) out.collection += "/" + parts[at];
    if (at + 1 < parts.size()) out.name = parts[at + 1];
    if (at + 2 < parts.size()) out.subresource = parts[at + 2];
    return out;
  }

  static Response answer(int status, const Json& body) { return {status, body.dump(), std::nullopt}; }
  static Response failure(int status, const std::string& reason, const std::string& message) {
    return answer(status, {{"kind", "Status"},
                           {"apiVersion", "v1"},
                           {"status", "Failure"},
                           {"code", status},
                           {"reason", reason},
                           {"message", message}});
  }

  std::optional<Result<Response>> faulty(const Request& request, bool& lose) {
    if (away_) return Result<Response>(Error{"fake", "connection refused"});
    if (!hook_) return std::nullopt;
    const auto fault = hook_(request);
    if (!fault) return std::nullopt;
    if (fault->kind == Fault::Kind::unreachable) return Result<Response>(Error{"fake", "connection reset"});
    if (fault->kind == Fault::Kind::lost_answer) {
      lose = true;
      return std::nullopt;
    }
    auto response = failure(fault->status, fault->reason, fault->message);
    response.retry_after = fault->retry_after;
    return Result<Response>(std::move(response));
  }

  void note(const Request& request) {
    const auto mark = request.target.find('?');
    seen_.push_back({request.method, request.target.substr(0, mark),
                     mark == std::string::npos ? "" : request.target.substr(mark + 1), request.content_type,
                     request.body.empty() ? Json() : Json::parse(request.body, nullptr, false)});
  }

  Result<Response> serve(const Request& request) {
    const std::lock_guard lock(mutex_);
    note(request);
    bool lose = false;
    if (auto fault = faulty(request, lose)) return *fault;
    auto response = handle(request, parse(request.target));
    if (lose) return Error{"fake", "connection reset"};
    return response;
  }

  static bool selected(const Json& object, const std::string& selector) {
    std::string rest = selector;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      const auto term = rest.substr(0, comma);
      rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
      const auto unequal = term.find("!=");
      const auto equals = term.find('=');
      const auto label = kube::label_of(object, term.substr(0, std::min(unequal, equals)));
      if (unequal != std::string::npos) {
        if (label == term.substr(unequal + 2)) return false;
      } else if (!label || (equals != std::string::npos && *label != term.substr(equals + 1))) {
        return false;
      }
    }
    return true;
  }
  static bool matches(const Target& target, const Json& object) {
    if (!target.name_space.empty() && kube::namespace_of(object) != target.name_space) return false;
    const auto field = target.query.find("fieldSelector");
    if (field != target.query.end() && field->second != "metadata.name=" + kube::name_of(object))
      return false;
    const auto selector = target.query.find("labelSelector");
    return selector == target.query.end() || selected(object, selector->second);
  }

  Json store_at(const std::string& where, Json object) {
    Json& metadata = object["metadata"];
    const auto key = kube::key_of(object);
    auto& objects = objects_[where];
    const auto before = objects.find(key);
    const Json old = before == objects.end() ? Json(nullptr) : before->second;
    if (!metadata.contains("uid")) {
      metadata["uid"] = old.is_null() ? "uid-" + std::to_string(++uids_) : kube::uid_of(old);
    }
    if (!metadata.contains("creationTimestamp")) metadata["creationTimestamp"] = "2026-01-01T00:00:00Z";
    const Json before_spec = old.is_null() ? Json(nullptr) : old.value("spec", Json(nullptr));
    if (!metadata.contains("generation"))
      metadata["generation"] = old.is_null() ? 1 : old["metadata"].value("generation", 1);
    if (!old.is_null() && before_spec != object.value("spec", Json(nullptr))) {
      metadata["generation"] = old["metadata"].value("generation", 1) + 1;
    }
    Json same = object;
    if (!old.is_null()) {
      same["metadata"]["resourceVersion"] = kube::resource_version_of(old);
      if (same == old) return old;  // a write that changes nothing makes no new version
    }
    metadata["resourceVersion"] = std::to_string(++version_);
    objects[key] = object;
    log_.push_back({version_, where, old.is_null() ? "ADDED" : "MODIFIED", object, old});
    changed_.notify_all();
    return object;
  }
  Json store(const kube::Resource& resource, Json object) {
    if (!object.contains("apiVersion")) object["apiVersion"] = kube::api_version_of(resource);
    if (!object.contains("kind")) object["kind"] = resource.kind;
    return store_at(collection(resource), std::move(object));
  }
  void remove(const std::string& where, const std::string& key) {
    auto& objects = objects_[where];
    const auto found = objects.find(key);
    if (found == objects.end()) return;
    Json object = found->second;
    objects.erase(found);
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    log_.push_back({version_, where, "DELETED", object, object});
    changed_.notify_all();
  }

  Response list(const Target& target) {
    Json items = Json::array();
    std::string next;
    const auto limit_at = target.query.find("limit");
    const std::size_t limit = limit_at == target.query.end() ? 0 : std::stoul(limit_at->second);
    const auto continue_at = target.query.find("continue");
    const std::string after = continue_at == target.query.end() ? "" : continue_at->second;
    for (const auto& [key, object] : objects_[target.collection]) {
      if (!after.empty() && key <= after) continue;
      if (!matches(target, object)) continue;
      if (limit != 0 && items.size() == limit) {
        next = kube::key_of(items.back());
        break;
      }
      items.push_back(object);
    }
    Json metadata = {{"resourceVersion", std::to_string(version_)}};
    if (!next.empty()) metadata["continue"] = next;
    return answer(200, {{"kind", "List"}, {"apiVersion", "v1"}, {"metadata", metadata}, {"items", items}});
  }

  Response handle(const Request& request, const Target& target) {
    auto& objects = objects_[target.collection];
    const auto key = kube::join_key(target.name_space, target.name);
    const auto found = objects.find(key);
    const bool dry_run = target.query.contains("dryRun");
    const Json body = request.body.empty() ? Json::object() : Json::parse(request.body);
    if (request.method == Method::get && target.name.empty()) return list(target);
    if (request.method == Method::post && target.subresource == "eviction") {
      remove(target.collection, key);
      return answer(201, {{"kind", "Status"}, {"status", "Success"}});
    }
    if (request.method == Method::post) {
      Json object = body;
      if (!target.name_space.empty()) object["metadata"]["namespace"] = target.name_space;
      if (objects.contains(kube::key_of(object))) {
        return failure(409, "AlreadyExists", "\"" + kube::name_of(object) + "\" already exists");
      }
      return answer(201, dry_run ? object : store_at(target.collection, object));
    }
    const bool applying = request.content_type == "application/apply-patch+yaml";
    if (found == objects.end()) {
      if (applying && target.subresource.empty()) return answer(201, store_at(target.collection, body));
      return failure(404, "NotFound", "\"" + target.name + "\" not found");
    }
    const Json& old = found->second;
    if (request.method == Method::get) return answer(200, old);
    const auto conflict = [&](const char* field) {
      const Json* given = kube::at(body, {"metadata", field});
      const Json* have = kube::at(old, {"metadata", field});
      return given != nullptr && have != nullptr && *given != *have;
    };
    if (request.method == Method::del) {
      const auto uid = kube::string_at(body, {"preconditions", "uid"});
      if (!uid.empty() && uid != kube::uid_of(old)) return failure(409, "Conflict", "another uid");
      if (!dry_run) remove(target.collection, key);
      return answer(200, {{"kind", "Status"}, {"status", "Success"}});
    }
    if (conflict("uid")) {
      return failure(422, "Invalid", "metadata.uid: Invalid value: field is immutable");
    }
    if (conflict("resourceVersion")) return failure(409, "Conflict", "the object has been modified");
    Json object = old;
    if (request.method == Method::put) {
      object = body;
      for (const char* field : {"uid", "creationTimestamp", "generation"}) {
        object["metadata"][field] = old["metadata"][field];
      }
    } else if (request.content_type == "application/json-patch+json") {
      try {
        object = object.patch(body);
      } catch (const Json::exception& wrong) {
        return failure(422, "Invalid", wrong.what());
      }
    } else {
      object.merge_patch(body);
    }
    if (target.subresource == "status") {
      Json only = old;
      only["status"] = object.value("status", Json::object());
      object = only;
    }
    return answer(200, dry_run ? object : store_at(target.collection, object));
  }

  Result<Response> serve_watch(const Request& request, const kube::LineHandler& on_line,
                               std::stop_token stop) {
    std::unique_lock lock(mutex_);
    note(request);
    bool lose = false;
    if (auto fault = faulty(request, lose)) return *fault;
    const auto target = parse(request.target);
    std::uint64_t at = std::stoull(target.query.at("resourceVersion"));
    if (at < compacted_) return failure(410, "Expired", "too old resource version");
    const auto epoch = epoch_;
    ++watches_;
    const auto leave = [&](Result<Response> result) {
      --watches_;
      return result;
    };
    const auto opened = std::chrono::steady_clock::now();
    for (;;) {
      if (at < compacted_) {
        const Json gone = {{"type", "ERROR"},
                           {"object", Json::parse(failure(410, "Expired", "compacted").body)}};
        lock.unlock();
        on_line(gone.dump());
        lock.lock();
        return leave(Response{200, "", std::nullopt});
      }
      const auto change =
          std::find_if(log_.begin(), log_.end(), [&](const Change& one) { return one.version > at; });
      if (change != log_.end()) {
        at = change->version;
        const auto line = event_line(target, *change);
        if (line.empty()) continue;
        lock.unlock();
        const bool more = on_line(line);
        lock.lock();
        if (!more) return leave(Response{200, "", std::nullopt});
        continue;
      }
      if (epoch_ != epoch) return leave(Result<Response>(Error{"fake", "connection reset"}));
      changed_.wait_for(lock, stop, std::chrono::milliseconds(20),
                        [&] { return epoch_ != epoch || (!log_.empty() && log_.back().version > at); });
      if (stop.stop_requested()) return leave(Result<Response>(Error{"fake", "stopped"}));
      if (std::chrono::steady_clock::now() - opened > request.timeout && request.timeout.count() < 5000) {
        return leave(Result<Response>(Error{"fake", "no data within the time allowed"}));
      }
    }
  }

  static std::string event_line(const Target& target, const Change& change) {
    if (change.type == "BOOKMARK") {
      return Json{{"type", "BOOKMARK"},
                  {"object", {{"metadata", {{"resourceVersion", std::to_string(change.version)}}}}}}
          .dump();
    }
    if (change.collection != target.collection) return "";
    const bool now = change.type != "DELETED" && matches(target, change.object);
    const bool before = !change.before.is_null() && matches(target, change.before);
    if (!now && !before) return "";
    const char* type = now ? (before ? "MODIFIED" : "ADDED") : "DELETED";
    return Json{{"type", type}, {"object", change.object}}.dump();
  }

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<std::string, std::map<std::string, Json>> objects_;
  std::vector<Change> log_;
  std::uint64_t version_ = 100;
  std::uint64_t compacted_ = 0;
  std::uint64_t epoch_ = 0;
  std::uint64_t uids_ = 0;
  std::size_t watches_ = 0;
  bool away_ = false;
  std::function<std::optional<Fault>(const Request&)> hook_;
  std::vector<Seen> seen_;
};

}  // namespace ambassador::test
