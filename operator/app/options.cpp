#include "operator/app/options.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "common/config/duration.hpp"
#include "operator/api/parse_parts.hpp"
#include "operator/api/spelling.hpp"

namespace ambassador::app {

namespace {

const api::Spelling<certs::Origin, 2> kOrigins = {
    {{"Own", certs::Origin::own}, {"CertManager", certs::Origin::cert_manager}}};
const api::Spelling<log::Level, 4> kLevels = {{{"Debug", log::Level::debug},
                                               {"Info", log::Level::info},
                                               {"Warning", log::Level::warning},
                                               {"Error", log::Level::error}}};
const api::Spelling<log::Form, 3> kForms = {
    {{"Auto", log::Form::automatic}, {"JSON", log::Form::json}, {"Text", log::Form::text}}};

[[noreturn]] void refuse(const std::string& flag, const std::string& what) {
  throw CLI::ValidationError(flag, what);
}

/// Flags of one word, text or number: CLI11 fills them in.
class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  template <class T>
  CLI::Option* value(const std::string& flag, T& target, const std::string& what) {
    return app_.add_option("--" + flag, target, what)->capture_default_str();
  }
  void list(const std::string& flag, std::vector<std::string>& target, const std::string& what) {
    app_.add_option("--" + flag, target, what)->delimiter(',')->allow_extra_args(false);
  }
  /// The value is read by a function, which refuses what it cannot read.
  CLI::Option* read(const std::string& flag, const std::string& type, const std::string& what,
                    const std::function<void(const std::string&)>& reader) {
    // Not by add_option_function: clang's analyzer sees a leak in it.
    const auto read_last = [reader](const CLI::results_t& words) { return reader(words.back()), true; };
    return app_.add_option("--" + flag, read_last, what)->type_name(type);
  }
  template <class E, std::size_t N>
  void choice(const std::string& flag, const api::Spelling<E, N>& spelling, E& target,
              const std::string& what) {
    read(flag, api::words(spelling), what, [flag, &spelling, &target](const std::string& word) {
      const auto value = api::read(spelling, word);
      if (!value) refuse("--" + flag, "\"" + word + "\" is not one of " + api::words(spelling));
      target = *value;
    });
  }
  template <class Duration>
  void duration(const std::string& flag, Duration& target, const std::string& what) {
    read(flag, "DURATION", what, [flag, &target](const std::string& text) {
      const auto parsed = config::parse_duration(text);
      if (!parsed.ok()) refuse("--" + flag, parsed.error().what);
      target = std::chrono::duration_cast<Duration>(*parsed);
    });
  }

 private:
  CLI::App& app_;
};

api::Resources read_resources(const std::string& text) {
  const std::string flag = "--proxy-resources";
  const auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object()) {
    refuse(flag, "\"" + text + R"(" is no JSON object; an example: {"limits":{"memory":"128Mi"}})");
  }
  const nlohmann::json parent = {{"resources", document}};
  api::Problems problems;
  api::Fields fields(parent, flag, problems);
  auto resources = api::read_resources(fields);
  const auto found = problems.take();
  if (!found.empty()) refuse(flag, found.front().text());
  return resources;
}

void read_variable(const std::string& text, std::map<std::string, std::string>& target) {
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  if (equals == std::string::npos || !api::is_variable_name(name)) {
    refuse("--proxy-env", "\"" + text + "\" is not NAME=VALUE");
  }
  target[name] = text.substr(equals + 1);
}

void add_place(Flags& flags, Options& o) {
  flags.value("webhook-port", o.webhook_port, "Admission over TLS, on every address");
  flags.value("metrics-port", o.metrics_port, "Plain HTTP: /metrics, /healthz, /readyz");
  flags.value("namespace", o.name_space, "The operator's own namespace")->envname("POD_NAMESPACE");
  flags.value("pod-name", o.pod_name, "This replica, in the lease and in Events")->envname("POD_NAME");
  flags.value("service", o.service, "The Service by which the API server reaches the webhook");
  flags.value("lease", o.lease, "The Lease of leader election");
  flags.choice("certificates", kOrigins, o.certificates, "Who makes CA and certificate");
  flags.value("certificate-secret", o.certificate_secret, "The Secret that all replicas share");
  flags.value("annotated-webhook", o.annotated_webhook,
              "MutatingWebhookConfiguration of Pods that ask by annotation");
  flags.value("selected-webhook", o.selected_webhook,
              "MutatingWebhookConfiguration of Pods that a podSelector selects");
  flags.value("policy-webhook", o.policy_webhook, "ValidatingWebhookConfiguration of policies");
  flags.duration("webhook-timeout", o.webhook_timeout, "timeoutSeconds of the selected entry, 1s to 30s");
  flags.list("watch-namespaces", o.watch_namespaces, "Namespaces that count; without it all do");
}

void add_injection(Flags& flags, inject::Installation& i) {
  flags.value("cluster-name", i.cluster_name, "The name by which policies know this cluster");
  flags.value("cluster-domain", i.cluster_domain, "The DNS domain of the cluster's Services");
  flags.value("proxy-image", i.proxy_image, "The ambassador's image")->required();
  flags.read("proxy-image-pull-policy", "Always, IfNotPresent, Never", "Without it the API server's default",
             [&i](const std::string& word) {
               static const std::set<std::string> kPolicies = {"Always", "IfNotPresent", "Never"};
               if (!kPolicies.contains(word)) {
                 refuse("--proxy-image-pull-policy",
                        "\"" + word + "\" is not one of Always, IfNotPresent, Never");
               }
               i.image_pull_policy = word;
             });
  flags.list("proxy-image-pull-secrets", i.image_pull_secrets, "Pull secrets added to injected Pods");
  flags.list("allowed-proxy-images", i.allowed_images,
             "Images that the annotation ambassador.dev/proxy-image may name");
  flags.choice("container-mode", api::kContainerModes, i.container_mode, "The form of the ambassador");
  flags.read("proxy-resources", "JSON", "Requests and limits as in a container",
             [&i](const std::string& text) { i.resources = read_resources(text); });
  flags
      .read("proxy-env", "NAME=VALUE", "A variable of every ambassador; may be given several times",
            [&i](const std::string& text) { read_variable(text, i.proxy_env); })
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->trigger_on_parse();
}

void add_process(Flags& flags, Options& o) {
  flags.duration("drain", o.drain, "How long to go on answering after SIGTERM");
  flags.value("workers", o.workers, "How many Pods the leader works on at a time")->check(CLI::Range(1, 64));
  flags.choice("log-level", kLevels, o.log_level, "What is logged");
  flags.choice("log-format", kForms, o.log_form, "Auto is text on a terminal, else JSON");
  flags.value("kubeconfig", o.kubeconfig, "To run outside of a Pod");
  flags.value("context", o.context, "Of the kubeconfig; without it its current one");
}

void check(Options& options) {
  if (options.name_space.empty()) {
    refuse("--namespace", "is needed: the operator's own namespace, or set POD_NAMESPACE");
  }
  if (options.pod_name.empty()) {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) == 0) options.pod_name = host.data();
  }
  if (options.webhook_timeout < std::chrono::seconds(1) ||
      options.webhook_timeout > std::chrono::seconds(30)) {
    refuse("--webhook-timeout", "must be 1s to 30s, what Kubernetes allows");
  }
}

}  // namespace

std::vector<std::string> Options::dns_names() const {
  const std::string base = service + "." + name_space + ".svc";
  return {base, base + "." + installation.cluster_domain};
}

Parsed parse_options(int argc, const char* const* argv, const std::string& version) {
  Options options;
  CLI::App app("Puts an ambassador into annotated Pods and keeps it up to date.", "ambassador-operator");
  app.set_version_flag("--version", version);
  Flags flags(app);
  add_place(flags, options);
  add_injection(flags, options.installation);
  add_process(flags, options);
  try {
    app.parse(argc, argv);
    check(options);
  } catch (const CLI::ParseError& error) {
    std::ostringstream text;
    const int code = app.exit(error, text, text);
    return {std::nullopt, code == 0 ? 0 : kWrongFlag, text.str()};
  }
  return {std::move(options), 0, ""};
}

}  // namespace ambassador::app
