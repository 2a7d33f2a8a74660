// The injected container and its volumes as JSON. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "operator/inject/installation.hpp"
#include "operator/inject/mounts.hpp"
#include "operator/inject/settings.hpp"

namespace ambassador::inject {

/// Passes Pod Security "restricted" by itself: every field stands on the container. Holds no value that the
/// API server would drop or rewrite.
nlohmann::json container_json(const Settings& settings, const Installation& installation,
                              const Mounts& mounts);

/// The downwardAPI volume that shows the annotation ambassador.dev/config as a file.
nlohmann::json config_volume();
/// The emptyDir of the Unix sockets.
nlohmann::json socket_volume();
/// Its mount in an application's container: read-only, because connecting needs no more.
nlohmann::json socket_mount(bool read_only);
/// The projected volume of the keys of Secrets, for files that are not none.
nlohmann::json secret_volume(const std::vector<SecretFile>& files);

/// Is this container ours, whatever API server and other webhooks added to it? By its arguments and its mount
/// of the configuration: nobody writes that by chance.
bool is_ours(const nlohmann::json& container);

}  // namespace ambassador::inject
