#include "proxy/postgresql/scram_client.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "proxy/postgresql/base64.hpp"
#include "proxy/postgresql/scram_text.hpp"

namespace ambassador::proxy::postgresql {
namespace {

std::string header_of(ScramClient::Binding binding) {
  switch (binding) {
    case ScramClient::Binding::none:
      return "n,,";
    case ScramClient::Binding::not_offered:
      return "y,,";
    case ScramClient::Binding::end_point:
      break;
  }
  return "p=" + std::string(kEndPointBinding) + ",,";
}

// Comma and equals sign have a meaning of their own.
std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == ',')
      text += "=2C";
    else if (c == '=')
      text += "=3D";
    else
      text += c;
  }
  return text;
}

}  // namespace

ScramClient::ScramClient(std::string nonce, Binding binding, std::string_view end_point,
                         std::string_view user)
    : nonce_(std::move(nonce)), header_(header_of(binding)) {
  assert(is_scram_nonce(nonce_));
  assert((binding == Binding::end_point) == !end_point.empty());
  binding_ = base64(header_ + std::string(end_point));
  first_bare_ = "n=" + escaped(user) + ",r=" + nonce_;
}

Result<std::string> ScramClient::answer(std::string_view server_first, std::string_view password,
                                        ScramCache& cache) {
  ScramAttributes attributes(server_first);
  const auto nonce = attributes.take('r');
  const auto salt_text = attributes.take('s');
  const auto iterations_text = attributes.take('i');
  if (!nonce || !salt_text || !iterations_text) return Error{"", "the server's SCRAM message is malformed"};
  // A server that adds nothing to our nonce could have heard this exchange before.
  if (!is_scram_nonce(*nonce) || !nonce->starts_with(nonce_) || nonce->size() == nonce_.size())
    return Error{"", "the server's SCRAM nonce does not continue ours"};
  const auto salt = from_base64(*salt_text);
  if (!salt || salt->empty()) return Error{"", "the server's SCRAM salt is not base64"};
  const auto iterations = read_iterations(*iterations_text);
  if (!iterations) return iterations.error();

  const ScramKeys& keys = cache.keys(password, *salt, *iterations);
  std::string final = "c=" + binding_ + ",r=" + std::string(*nonce);
  const std::string exchange = first_bare_ + "," + std::string(server_first) + "," + final;
  server_signature_ = hmac(keys.server, exchange);
  ScramDigest proof = hmac(sha256(as_text(keys.client)), exchange);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] ^= keys.client[i];
  return final + ",p=" + base64(as_text(proof));
}

Result<void> ScramClient::verify(std::string_view server_final) const {
  ScramAttributes attributes(server_final);
  if (const auto problem = attributes.take('e'))
    return Error{"", "the server refuses the SCRAM exchange: " + std::string(*problem)};
  const auto text = attributes.take('v');
  const auto bytes = text ? from_base64(*text) : std::nullopt;
  if (!bytes || bytes->size() != server_signature_.size())
    return Error{"", "the server's last SCRAM message is malformed"};
  ScramDigest signature;
  std::copy(bytes->begin(), bytes->end(), signature.begin());
  if (!equal(signature, server_signature_))
    return Error{"", "the server does not know the password: it is not the one it claims to be"};
  return {};
}

}  // namespace ambassador::proxy::postgresql
