#include "operator/api/parse_parts.hpp"

namespace ambassador::api {
namespace {

void read_pair(Fields& resources, std::string_view key, std::optional<Quantity>& cpu,
               std::optional<Quantity>& memory) {
  const auto* object = resources.object(key);
  if (object == nullptr) return;
  Fields fields(*object, resources.path(key), resources.problems());
  cpu = fields.quantity("cpu");
  memory = fields.quantity("memory");
  fields.finish();
}

void at_most(Fields& resources, const std::string& what, const std::optional<Quantity>& request,
             const std::optional<Quantity>& limit) {
  if (request && limit && *request > *limit) {
    resources.problems().invalid(resources.path("requests") + "." + what,
                                 request->text() + " is more than the limit " + limit->text() +
                                     ": raise the limit or lower the request");
  }
}

}  // namespace

Resources read_resources(Fields& parent) {
  Resources resources;
  const auto* object = parent.object("resources");
  if (object == nullptr) return resources;
  Fields fields(*object, parent.path("resources"), parent.problems());
  read_pair(fields, "requests", resources.cpu_request, resources.memory_request);
  read_pair(fields, "limits", resources.cpu_limit, resources.memory_limit);
  at_most(fields, "cpu", resources.cpu_request, resources.cpu_limit);
  at_most(fields, "memory", resources.memory_request, resources.memory_limit);
  fields.finish();
  return resources;
}

}  // namespace ambassador::api
