#include "proxy/app/account_file.hpp"

#include <openssl/crypto.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>

namespace ambassador::proxy::app {
namespace {

/// The kubelet replaces a Secret's files once a minute at most.
constexpr int kTries = 10;
constexpr const char* kWayOut = "; give the Secret the keys username and password";

Error unreadable(const std::string& path, int error) {
  return {path, "cannot be read: " + std::generic_category().message(error) +
                    (error == EACCES ? "; let the user that the proxy runs as read it" : kWayOut)};
}

// The buffers are small and wiped: no copy of a password is left behind.
Result<std::string> read_credential(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) return unreadable(path, errno);
  (void)std::setvbuf(file.get(), nullptr, _IONBF, 0);
  std::array<char, kMaxCredentialBytes + 2> bytes{};  // a newline, and one more
  const std::size_t size = std::fread(bytes.data(), 1, bytes.size(), file.get());
  const int error = std::ferror(file.get()) != 0 ? errno : 0;
  std::string_view text(bytes.data(), size);
  if (text.ends_with('\n')) text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
  Result<std::string> result = std::string(text);
  if (error != 0) {
    result = unreadable(path, error);
  } else if (text.empty()) {
    result = Error{path, std::string("is empty") + kWayOut};
  } else if (text.size() > kMaxCredentialBytes) {
    result = Error{path, "is longer than " + std::to_string(kMaxCredentialBytes) + " bytes" + kWayOut};
  } else if (text.find('\0') != std::string_view::npos) {
    result = Error{path, std::string("has a zero byte, which the protocol has no way to say") + kWayOut};
  }
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return result;
}

}  // namespace

Result<std::shared_ptr<const Account>> read_account(const std::string& folder, std::string_view usual_user) {
  const auto read_user = [&]() -> Result<std::string> {
    const std::string path = folder + "/username";
    if (!usual_user.empty() && ::access(path.c_str(), F_OK) != 0 && errno == ENOENT)
      return std::string(usual_user);
    return read_credential(path);
  };
  Result<std::string> user = read_user();
  if (!user) return user.error();
  for (int i = 0; i < kTries; ++i) {
    Result<std::string> password = read_credential(folder + "/password");
    if (!password) return password.error();
    // The Secret may have been replaced between the two: a password belongs to the name around it.
    Result<std::string> again = read_user();
    if (!again) return again.error();
    if (*again == *user) {
      return std::make_shared<const Account>(std::move(*user), std::move(*password));
    }
    user = std::move(again);
  }
  return Error{folder, "changes all the time"};  // which is told too, and looked at again
}

}  // namespace ambassador::proxy::app
