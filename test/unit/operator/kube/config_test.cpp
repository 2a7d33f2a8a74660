#include "operator/kube/config.hpp"

#include <unistd.h>
#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace ambassador;

namespace {
/// A folder that goes with the test.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("kube-config-" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path / name) << text;
    return (path / name).string();
  }
};

struct Variable {
  Variable(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~Variable() { unsetenv(name_); }
  const char* name_;
};

constexpr const char* kFile = R"(
apiVersion: v1
kind: Config
current-context: dev
contexts:
- {name: dev, context: {cluster: local, user: admin, namespace: shop}}
- {name: token, context: {cluster: remote, user: robot}}
- {name: cloud, context: {cluster: local, user: cloudy}}
- {name: broken, context: {cluster: nowhere, user: admin}}
- {name: half, context: {cluster: local, user: half}}
- {name: bad64, context: {cluster: bad64, user: robot}}
clusters:
- {name: local, cluster: {server: "https://127.0.0.1:6443/", certificate-authority-data: Q0EK}}
- {name: remote, cluster: {server: "https://api.example", certificate-authority: ca.pem, tls-server-name: inner}}
- {name: bad64, cluster: {server: "https://x", certificate-authority-data: "%%%"}}
users:
- {name: admin, user: {client-certificate-data: Q0VSVA==, client-key: /keys/key.pem}}
- {name: robot, user: {token: abc}}
- {name: cloudy, user: {exec: {command: login}}}
- {name: half, user: {client-certificate: c.pem}}
)";
}  // namespace

TEST_CASE("a kubeconfig's contexts, by name or the current one") {
  const Folder folder;
  const auto path = folder.write("config", kFile);
  const auto dev = kube::kubeconfig(path);
  REQUIRE(dev.ok());
  CHECK(dev->server == "https://127.0.0.1:6443");
  CHECK(dev->ca.data == "CA\n");
  CHECK(dev->client_certificate.data == "CERT");
  CHECK(dev->client_key.file == "/keys/key.pem");
  CHECK(dev->name_space == "shop");
  CHECK(dev->context == "dev");
  const auto token = kube::kubeconfig(path, "token");
  REQUIRE(token.ok());
  CHECK(token->token.data == "abc");
  CHECK(token->ca.file == (folder.path / "ca.pem").string());
  CHECK(token->tls_server_name == "inner");
}

TEST_CASE("what a kubeconfig lacks is named") {
  const Folder folder;
  const auto path = folder.write("config", kFile);
  const auto why = [&](const std::string& context) {
    const auto config = kube::kubeconfig(path, context);
    return config.ok() ? std::string("fine") : config.error().text().substr(path.size());
  };
  CHECK(why("nope") == ": has no context \"nope\"");
  CHECK(why("broken") == ": context \"broken\" names the cluster \"nowhere\", which is not there");
  CHECK(why("cloud") ==
        ": users[cloudy]: exec plug-ins are not run by the operator: use a token or a client certificate");
  CHECK(why("half") == ": users[half]: a client certificate needs its key, and a key its certificate");
  CHECK(why("bad64") == ": clusters[bad64].certificate-authority-data: is not base64");
  CHECK_FALSE(kube::kubeconfig("/no/such/file").ok());
  CHECK_FALSE(kube::kubeconfig(folder.write("list", "- 1")).ok());
  CHECK_FALSE(kube::kubeconfig(folder.write("torn", "a: [")).ok());
}

TEST_CASE("in a Pod: the service account, and a name in place of an IPv6 literal") {
  const Folder folder;
  {
    const Variable host("KUBERNETES_SERVICE_HOST", "10.96.0.1");
    const Variable port("KUBERNETES_SERVICE_PORT", "443");
    CHECK_FALSE(kube::in_cluster_config(folder.path.string()).ok());  // no token yet
    folder.write("token", "t");
    folder.write("ca.crt", "c");
    folder.write("namespace", "ops\n");
    const auto config = kube::in_cluster_config(folder.path.string());
    REQUIRE(config.ok());
    CHECK(config->server == "https://10.96.0.1:443");
    CHECK(config->name_space == "ops");
    CHECK(config->token.file == (folder.path / "token").string());
  }
  const Variable host("KUBERNETES_SERVICE_HOST", "fd00::1");
  const Variable port("KUBERNETES_SERVICE_PORT", "6443");
  CHECK(kube::in_cluster_config(folder.path.string())->server == "https://kubernetes.default.svc:6443");
}

TEST_CASE("KUBECONFIG comes before the Pod's own account") {
  const Folder folder;
  const auto path = folder.write("config", kFile);
  const Variable host("KUBERNETES_SERVICE_HOST", "10.96.0.1");
  const Variable variable("KUBECONFIG", path.c_str());
  const auto found = kube::find_config();
  REQUIRE(found.ok());
  CHECK(found->context == "dev");
  CHECK_FALSE(kube::find_config("/no/such/file").ok());
}
