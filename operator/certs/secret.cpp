#include "operator/certs/secret.hpp"

#include <nlohmann/json.hpp>

#include "operator/kube/base64.hpp"
#include "operator/kube/object.hpp"

namespace ambassador::certs {

Material read_secret(const nlohmann::json& secret) {
  const auto text = [&](const char* key) {
    return kube::base64_decode(kube::string_at(secret, {"data", key})).value_or("");
  };
  return {text(kCaBundleKey), text(kCaPrivateKeyKey), text(kCertificateKey), text(kPrivateKeyKey)};
}

nlohmann::json write_secret(const nlohmann::json& current, const std::string& ns, const std::string& name,
                            const Material& material) {
  nlohmann::json secret = current;
  if (secret.is_null()) {
    secret = {{"apiVersion", "v1"},
              {"kind", "Secret"},
              {"type", "kubernetes.io/tls"},
              {"metadata",
               {{"name", name},
                {"namespace", ns},
                {"labels", {{"app.kubernetes.io/managed-by", "ambassador-operator"}}}}}};
  }
  auto& data = secret["data"];
  if (!data.is_object()) data = nlohmann::json::object();
  data[kCaBundleKey] = kube::base64_encode(material.ca_bundle);
  data[kCaPrivateKeyKey] = kube::base64_encode(material.ca_key);
  data[kCertificateKey] = kube::base64_encode(material.certificate);
  data[kPrivateKeyKey] = kube::base64_encode(material.key);
  return secret;
}

}  // namespace ambassador::certs
