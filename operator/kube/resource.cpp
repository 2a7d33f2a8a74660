#include "operator/kube/resource.hpp"

#include "common/text/percent.hpp"

namespace ambassador::kube {

std::string api_version_of(const Resource& resource) {
  if (resource.group.empty()) return std::string(resource.version);
  return std::string(resource.group) + "/" + std::string(resource.version);
}

std::string path_of(const Resource& resource, std::string_view name_space, std::string_view name,
                    std::string_view subresource) {
  std::string path = resource.group.empty() ? "/api/" : "/apis/";
  path += api_version_of(resource);
  if (resource.namespaced && !name_space.empty()) path += "/namespaces/" + text::percent_encode(name_space);
  path += "/";
  path += resource.plural;
  if (!name.empty()) path += "/" + text::percent_encode(name);
  if (!subresource.empty()) path += "/" + std::string(subresource);
  return path;
}

}  // namespace ambassador::kube
