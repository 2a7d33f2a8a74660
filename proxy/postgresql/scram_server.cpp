#include "proxy/postgresql/scram_server.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "proxy/postgresql/base64.hpp"
#include "proxy/postgresql/scram_text.hpp"

namespace ambassador::proxy::postgresql {
namespace {

const Error kMalformed{"", "malformed SCRAM message"};

}  // namespace

ScramServer::ScramServer(ScramVerifier verifier, std::string nonce, std::string end_point)
    : verifier_(std::move(verifier)), nonce_(std::move(nonce)), end_point_(std::move(end_point)) {
  assert(is_scram_nonce(nonce_));
}

Result<std::string> ScramServer::answer(std::string_view mechanism, std::string_view client_first) {
  const bool plus = mechanism == kScramPlus && !end_point_.empty();
  if (!plus && mechanism != kScram)
    return Error{"", "client selected an invalid SASL authentication mechanism"};

  // The GS2 header: what the client says of channel binding, and an authorization identity that must not be.
  const std::size_t flag_end = client_first.find(',');
  if (flag_end == std::string_view::npos) return kMalformed;
  const std::string_view flag = client_first.substr(0, flag_end);
  const bool binds = flag.starts_with("p=");
  if (!binds && flag != "n" && flag != "y") return kMalformed;
  if (binds != plus) return Error{"", "the SCRAM mechanism and the channel binding do not go together"};
  if (binds && flag.substr(2) != kEndPointBinding)
    return Error{"", "unsupported SCRAM channel-binding type: only tls-server-end-point"};
  // We offered PLUS and the client saw no such offer: somebody in between took it away.
  if (flag == "y" && !end_point_.empty()) return Error{"", "SCRAM channel binding negotiation error"};
  if (client_first.substr(flag_end + 1, 1) != ",")
    return Error{"", "client uses authorization identity, but it is not supported"};
  const std::string_view header = client_first.substr(0, flag_end + 2);
  const std::string_view bare = client_first.substr(header.size());

  ScramAttributes attributes(bare);
  const auto user = attributes.take('n');  // the startup message's counts
  const auto client_nonce = attributes.take('r');
  if (!user || !client_nonce || !is_scram_nonce(*client_nonce)) return kMalformed;

  binding_ = base64(std::string(header) + (binds ? end_point_ : ""));
  nonce_.insert(0, *client_nonce);
  std::string first =
      "r=" + nonce_ + ",s=" + base64(verifier_.salt) + ",i=" + std::to_string(verifier_.iterations);
  first_messages_ = std::string(bare) + "," + first;
  return first;
}

Result<std::string> ScramServer::finish(std::string_view client_final) const {
  constexpr std::string_view kProof = ",p=";
  const std::size_t proof_at = client_final.rfind(kProof);
  if (first_messages_.empty() || proof_at == std::string_view::npos) return kMalformed;
  const std::string_view without_proof = client_final.substr(0, proof_at);
  ScramAttributes attributes(without_proof);
  const auto binding = attributes.take('c');
  const auto nonce = attributes.take('r');
  const auto proof_bytes = from_base64(client_final.substr(proof_at + kProof.size()));
  if (!binding || !nonce || !proof_bytes || proof_bytes->size() != ScramDigest{}.size()) return kMalformed;
  if (*binding != binding_) return Error{"", "SCRAM channel binding check failed"};
  if (*nonce != nonce_) return Error{"", "the SCRAM nonce is not ours"};

  const std::string exchange = first_messages_ + "," + std::string(without_proof);
  ScramDigest client_key;
  std::copy(proof_bytes->begin(), proof_bytes->end(), client_key.begin());
  const ScramDigest signature = hmac(verifier_.stored_key, exchange);
  for (std::size_t i = 0; i < client_key.size(); ++i) client_key[i] ^= signature[i];
  if (!equal(sha256(as_text(client_key)), verifier_.stored_key))
    return Error{"", "password authentication failed"};
  return "v=" + base64(as_text(hmac(verifier_.server_key, exchange)));
}

}  // namespace ambassador::proxy::postgresql
