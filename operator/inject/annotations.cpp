#include "operator/inject/annotations.hpp"

#include <algorithm>

#include "common/config/duration.hpp"
#include "operator/api/names.hpp"
#include "operator/api/shorten.hpp"
#include "operator/api/spelling.hpp"

namespace ambassador::inject {
namespace {

using api::Labels;
using api::Quantity;

constexpr std::size_t kMaxNames = 16;  // policies on one Pod

/// A value for a message, without control characters and not endless.
std::string in_quotes(std::string_view value) {
  std::string text = api::shortened(value, 80);
  std::ranges::replace_if(
      text, [](char c) { return c >= 0 && c < ' '; }, '?');
  return "\"" + text + "\"";
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

Error about(std::string_view annotation, std::string what) {
  return {"annotation " + std::string(annotation), std::move(what)};
}

std::string known_keys() {
  std::string all;
  for (const auto key : api::kPodAnnotations) {
    if (key == api::kConfig || key == api::kStatus) continue;
    all.append(all.empty() ? "" : ", ").append(key.substr(api::kPrefix.size()));
  }
  return all;
}

Result<std::vector<api::PolicyKey>> read_names(std::string_view list, const std::string& ns) {
  std::vector<api::PolicyKey> names;
  std::string_view rest = list;
  while (true) {
    const auto comma = rest.find(',');
    std::string_view one = trim(rest.substr(0, comma));
    const bool cluster = one.starts_with(api::kClusterPolicyPrefix);
    if (cluster) one.remove_prefix(api::kClusterPolicyPrefix.size());
    if (!api::is_dns_label(one)) {
      return about(api::kPolicy,
                   in_quotes(list) + " holds " + in_quotes(one) +
                       ", which is no policy's name: list names as in \"shop-data,cluster/tracing\"");
    }
    api::PolicyKey key{cluster ? "" : ns, std::string(one)};
    if (std::ranges::find(names, key) == names.end()) names.push_back(std::move(key));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (names.size() > kMaxNames) {
    return about(api::kPolicy, std::to_string(names.size()) +
                                   " policies are too many for one Pod: name at most " +
                                   std::to_string(kMaxNames));
  }
  return names;
}

/// Reads one annotation after another; what is wrong goes into errors.
class Reader {
 public:
  Reader(const Labels& annotations, std::vector<Error>& errors)
      : annotations_(annotations), errors_(errors) {}

  const std::string* get(std::string_view key) const {
    const auto found = annotations_.find(key);
    return found == annotations_.end() ? nullptr : &found->second;
  }

  void wrong(std::string_view key, const std::string& value, const std::string& way_out) {
    errors_.push_back(about(key, in_quotes(value) + " " + way_out));
  }

  template <class E, std::size_t N>
  std::optional<E> choice(std::string_view key, const api::Spelling<E, N>& spelling) {
    const auto* word = get(key);
    if (word == nullptr) return std::nullopt;
    const auto value = api::read(spelling, *word);
    if (!value) wrong(key, *word, "is not one of " + api::words(spelling));
    return value;
  }

  std::optional<Quantity> quantity(std::string_view key, const char* least, const char* most) {
    const auto* text = get(key);
    if (text == nullptr) return std::nullopt;
    auto value = Quantity::parse(*text);
    if (value && *value >= *Quantity::parse(least) && *value <= *Quantity::parse(most)) return value;
    wrong(key, *text,
          std::string(value ? "is out of range" : "is no quantity") + ": give " + least + " to " + most);
    return std::nullopt;
  }

  std::optional<std::chrono::milliseconds> drain() {
    const auto* text = get(api::kDrainTimeout);
    if (text == nullptr) return std::nullopt;
    const auto value = config::parse_duration(*text);
    if (value.ok() && *value <= std::chrono::hours(1)) return *value;
    wrong(api::kDrainTimeout, *text, "is no duration of at most 1h: write it as 25s or 1m30s");
    return std::nullopt;
  }

  /// A request above its limit, both by annotation.
  void order(std::string_view request_key, std::optional<Quantity>& request, std::string_view limit_key,
             const std::optional<Quantity>& limit) {
    if (!request || !limit || *request <= *limit) return;
    wrong(request_key, request->text(),
          "is more than " + std::string(limit_key) + " " + in_quotes(limit->text()) +
              ": raise the limit or lower the request");
    request.reset();
  }

 private:
  const Labels& annotations_;
  std::vector<Error>& errors_;
};

}  // namespace

Result<Wish> read_wish(const Labels& annotations, const std::string& ns) {
  const auto inject = annotations.find(api::kInject);
  if (inject != annotations.end() && inject->second == "false") return Wish{Wish::Kind::never, {}};
  for (const auto& [key, value] : annotations) {
    if (key.starts_with(api::kPrefix) &&
        std::ranges::find(api::kPodAnnotations, key) == api::kPodAnnotations.end()) {
      return about(api::shortened(key, 100),
                   "is not known: correct its spelling (" + known_keys() + ") or remove it");
    }
  }
  if (inject != annotations.end() && inject->second != "true") {
    return about(api::kInject,
                 in_quotes(inject->second) + " is neither \"true\" nor \"false\": write one of them");
  }
  const auto policy = annotations.find(api::kPolicy);
  if (policy != annotations.end()) {
    auto names = read_names(policy->second, ns);
    if (!names.ok()) return names.error();
    return Wish{Wish::Kind::named, std::move(names).value()};
  }
  return Wish{inject == annotations.end() ? Wish::Kind::none : Wish::Kind::every_policy, {}};
}

Overrides read_overrides(const Labels& annotations, const Installation& installation,
                         std::vector<Error>& errors) {
  Reader reader(annotations, errors);
  Overrides overrides;
  auto& resources = overrides.proxy.resources;
  resources.cpu_request = reader.quantity(api::kCpuRequest, kLeastCpu, kMostCpu);
  resources.cpu_limit = reader.quantity(api::kCpuLimit, kLeastCpu, kMostCpu);
  resources.memory_request = reader.quantity(api::kMemoryRequest, kLeastMemory, kMostMemory);
  resources.memory_limit = reader.quantity(api::kMemoryLimit, kLeastMemory, kMostMemory);
  reader.order(api::kCpuRequest, resources.cpu_request, api::kCpuLimit, resources.cpu_limit);
  reader.order(api::kMemoryRequest, resources.memory_request, api::kMemoryLimit, resources.memory_limit);
  overrides.proxy.log_level = reader.choice(api::kLogLevel, api::kLogLevels);
  overrides.proxy.readiness = reader.choice(api::kReadiness, api::kReadinesses);
  overrides.proxy.container_mode = reader.choice(api::kContainerMode, api::kContainerModes);
  overrides.proxy.drain_timeout = reader.drain();
  if (const auto* environment = reader.get(api::kEnvironment)) {
    if (api::is_dns_label(*environment)) {
      overrides.environment = *environment;
    } else {
      reader.wrong(api::kEnvironment, *environment,
                   "is no environment's name: give one of the policy's environments");
    }
  }
  if (const auto* image = reader.get(api::kProxyImage)) {
    const auto& allowed = installation.allowed_images;
    if (std::ranges::find(allowed, *image) != allowed.end()) {
      overrides.image = *image;
    } else {
      reader.wrong(api::kProxyImage, *image,
                   "is not among the images that this installation allows: remove it, or have the cluster's "
                   "administrator add it to proxy.allowedImages");
    }
  }
  return overrides;
}

}  // namespace ambassador::inject
