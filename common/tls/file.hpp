// Reads a small file whole. Inside of common/tls.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#include "common/result/result.hpp"

namespace ambassador::tls {

/// The Error names the path and why it cannot be read, or that it is larger than `most` bytes.
inline Result<std::string> read_file(const std::string& path, std::size_t most) {
  const auto reason = [] { return std::generic_category().message(errno); };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) return Error{path, "cannot be opened: " + reason()};
  std::string text(most + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return Error{path, "cannot be read: " + reason()};
  if (text.size() > most) return Error{path, "is larger than " + std::to_string(most) + " bytes"};
  return text;
}

}  // namespace ambassador::tls
