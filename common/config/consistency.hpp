// What the fields of a document owe each other: no two listeners on one port, a server has a port, ... Inside
// of common/config.
#pragma once

#include "common/config/document.hpp"
#include "common/config/node.hpp"
#include "common/config/reader.hpp"

namespace ambassador::config {

/// `root` is the tree that `document` was read from (for the lines).
void check_consistency(const Document& document, const TreeNode& root, Findings& findings);

}  // namespace ambassador::config
