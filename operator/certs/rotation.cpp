#include "operator/certs/rotation.hpp"

#include <algorithm>

#include "operator/certs/inspect.hpp"

namespace ambassador::certs {

namespace {

bool holds_all(const std::vector<std::string>& have, const std::vector<std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& name) {
    return std::find(have.begin(), have.end(), name) != have.end();
  });
}

/// Why this CA cannot go on signing; empty: it can.
std::string ca_fault(const std::vector<Certificate>& bundle, const Material& material, Time now) {
  if (bundle.empty()) return "there is none";
  const Certificate& ca = bundle.front();
  if (!ca.is_ca) return "the first certificate of the bundle is no CA";
  if (!key_fits(ca.pem, material.ca_key)) return "its key is missing or another one's";
  if (now >= ca.not_after) return "the old one has expired";
  if (now >= renewal_of(ca.not_before, ca.not_after)) return "two thirds of the old one's life are over";
  if (now + kBackdate < ca.not_before) return "the old one is not valid yet: a clock was wrong";
  return "";
}

/// The new CA first, then what must still be trusted. Expired ones go, and so does what is no CA.
std::string bundle_of(const std::string& ca, const std::vector<Certificate>& before, Time now) {
  std::string text = ca;
  std::size_t count = 1;
  for (const auto& old : before) {
    if (count == kMaxTrusted) break;
    if (!old.is_ca || old.pem == ca || now >= old.not_after) continue;
    text += old.pem;
    ++count;
  }
  return text;
}

/// Why the certificate cannot be served any longer, not for another minute; empty: it can.
std::string certificate_fault(const Material& material, const std::vector<std::string>& names, Time now) {
  const auto chain = read_certificates(material.certificate);
  if (chain.empty()) return "there is none";
  if (!key_fits(chain.front().pem, material.key)) return "its key is missing or another one's";
  if (!holds_all(chain.front().dns_names, names)) return "the Service has another name now";
  const auto verified = verify(material.certificate, material.ca_bundle, names.front(), now);
  return verified.ok() ? "" : verified.error().what;
}

/// Why it should be replaced in good time; empty: not yet.
std::string certificate_due(const Material& material, const Certificate& ca, const RotationInput& input) {
  const auto chain = read_certificates(material.certificate);
  const bool of_this_ca = verify(chain.front().pem, ca.pem, input.dns_names.front(), input.now).ok();
  if (of_this_ca) {
    const bool due = input.now >= renewal_of(chain.front().not_before, chain.front().not_after);
    return due ? "two thirds of its life are over" : "";
  }
  const bool settled = input.now >= ca.not_before + kBackdate + kTrustDelay;
  return settled && input.trusted && input.trusted(ca.pem) ? "the new CA is trusted" : "";
}

}  // namespace

Time renewal_of(Time not_before, Time not_after) {
  return not_before + (not_after - not_before) / 3 * 2;
}

Result<Rotation> rotate(const RotationInput& input) {
  Rotation rotation{input.current, ""};
  Material& material = rotation.material;
  const auto because = [&](const std::string& what, const std::string& why) {
    rotation.reason += (rotation.reason.empty() ? "" : "; ") + what + ": " + why;
  };

  auto bundle = read_certificates(material.ca_bundle);
  if (const auto fault = ca_fault(bundle, material, input.now); !fault.empty()) {
    auto ca = make_ca(input.now);
    if (!ca.ok()) return ca.error();
    material.ca_bundle = bundle_of(ca->certificate, bundle, input.now);
    material.ca_key = ca->key;
    because("a new CA", fault);
  } else if (const auto trimmed = bundle_of(bundle.front().pem, bundle, input.now);
             trimmed != material.ca_bundle) {
    material.ca_bundle = trimmed;
    because("a tidied CA bundle", "what has expired need not be trusted");
  }
  bundle = read_certificates(material.ca_bundle);

  auto why = certificate_fault(material, input.dns_names, input.now);
  if (why.empty()) why = certificate_due(material, bundle.front(), input);
  if (!why.empty()) {
    auto issued = issue(KeyPair{bundle.front().pem, material.ca_key}, input.dns_names, input.now);
    if (!issued.ok()) return issued.error();
    material.certificate = issued->certificate;
    material.key = issued->key;
    because("a new certificate", why);
  }
  return rotation;
}

}  // namespace ambassador::certs
