// The twelve key hashes of twemproxy, with every quirk: keys must stay on the shards where twemproxy put
// them. Used by Ring. Pure.
//
// Source: twemproxy 0.5, src/hashkit/. Where that code reads a key's bytes through `char`, they count as
// signed, as on the machines it ran on; on others (ARM) this is forced.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/config/document.hpp"

namespace ambassador::proxy::redis {

/// The hash of a whole key. (That twemproxy takes 0 for an empty key, whatever the hash, is Ring's business.)
[[nodiscard]] std::uint32_t hash_key(config::Hash hash, std::string_view key);

}  // namespace ambassador::proxy::redis
