#include "proxy/redis/client_auth.hpp"

#include <openssl/crypto.h>

#include "proxy/redis/reply.hpp"

namespace ambassador::proxy::redis {
namespace {

// Takes the time that `kept` takes, whatever is given.
bool same(std::string_view given, std::string_view kept) {
  const bool fits = given.size() == kept.size();
  const int different = CRYPTO_memcmp(kept.data(), fits ? given.data() : kept.data(), kept.size());
  return fits && different == 0;
}

}  // namespace

bool ClientAuth::log_in(std::optional<std::string_view> user, std::string_view password, ClientInfo& client,
                        std::string& out) const {
  const auto refused = [&](std::string_view why) {
    append_error(out, why);
    return false;
  };
  bool right = false;
  if (!required()) {  // as in a server without requirepass: the default user needs no password
    if (!user) {
      return refused(
          "ERR AUTH <password> called without any password configured for the default user. Are "
          "you sure your configuration is correct?");
    }
    right = *user == kDefaultUser;
  } else {
    const auto account = account_();
    // What a server says that can't serve yet: clients know to come again.
    if (account == nullptr) return refused("LOADING the ambassador has no password for its clients yet");
    const bool right_password = same(password, account->password);
    right = (!user || same(*user, account->user)) && right_password;
    if (right) client.user = account->user;
  }
  if (!right) return refused("WRONGPASS invalid username-password pair or user is disabled.");
  client.logged_in = true;
  return true;
}

void ClientAuth::log_out(ClientInfo& client) const {
  client.logged_in = !required();
  client.user = kDefaultUser;
}

}  // namespace ambassador::proxy::redis
