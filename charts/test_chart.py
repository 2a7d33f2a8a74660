"""The chart renders what its documents promise, for every values file under ci/."""
import json
import pathlib
import re
import subprocess

import pytest
import yaml

import helm_binary

CHART = helm_binary.CHART
CRDS = helm_binary.ROOT / "crds"
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def render(*arguments):
    return documents(helm_binary.template(*arguments))


def with_values(tmp_path, values):
    path = tmp_path / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    return "--values", path


def only(objects, kind, name=None):
    found = [o for o in objects if o["kind"] == kind and name in (None, o["metadata"]["name"])]
    assert len(found) == 1, [(o["kind"], o["metadata"]["name"]) for o in objects]
    return found[0]


def operator(objects):
    return only(objects, "Deployment")["spec"]["template"]["spec"]


def arguments(objects):
    """The operator's flags as {name: value}."""
    return dict(flag[2:].partition("=")[::2] for flag in operator(objects)["containers"][0]["args"])


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.name.removesuffix("-values.yaml"))
def test_every_values_file_lints_strictly_and_renders(values):
    lint = helm_binary.run("lint", "--strict", CHART, "--values", values)
    assert lint.returncode == 0, lint.stdout + lint.stderr
    for document in render("--values", values):
        assert document["apiVersion"] and document["metadata"]["name"]


def test_there_are_fifteen_values_files_or_more():
    assert len(VALUES) >= 15


def test_two_renders_are_the_same_so_that_gitops_tools_see_no_drift():
    assert helm_binary.template() == helm_binary.template()
    for path in (CHART / "templates").rglob("*"):
        if path.is_file():
            assert not re.search(r"\b(lookup|genCA|genSignedCert|genSelfSignedCert|randAlpha\w*|now)\b *[\"(]",
                                 path.read_text()), path


def test_the_charts_crds_are_those_of_the_crds_folder():
    source = {path.name: path.read_text() for path in CRDS.glob("*.yaml")}
    copied = {path.name: path.read_text() for path in (CHART / "files/crds").glob("*.yaml")}
    assert source and source == copied, "run manifests/render"


def test_crds_are_rendered_whole_stay_on_uninstall_and_fit_an_annotation():
    rendered = {d["metadata"]["name"]: d for d in render() if d["kind"] == "CustomResourceDefinition"}
    for path in CRDS.glob("*.yaml"):
        source = yaml.safe_load(path.read_text())
        crd = rendered.pop(source["metadata"]["name"])
        assert crd["spec"] == source["spec"]
        assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
        assert len(json.dumps(crd)) < 200_000
    assert not rendered


def test_crds_can_be_left_out_or_let_go(tmp_path):
    assert not [d for d in render("--set", "crds.install=false") if d["kind"] == "CustomResourceDefinition"]
    gone = [d for d in render("--set", "crds.keep=false") if d["kind"] == "CustomResourceDefinition"]
    assert gone and all("helm.sh/resource-policy" not in d["metadata"].get("annotations", {}) for d in gone)


@pytest.mark.parametrize("values, field", [
    ({"replica": 2}, "replica"),
    ({"image": {"tg": "x"}}, "tg"),
    ({"replicas": "two"}, "replicas"),
    ({"logLevel": "Verbose"}, "logLevel"),
    ({"image": {"digest": "sha256:short"}}, "digest"),
    ({"webhook": {"timeoutSeconds": 60}}, "timeoutSeconds"),
    ({"watchNamespaces": ["Not_A_Namespace"]}, "watchNamespaces"),
    ({"proxy": {"containerMode": "Sidecar"}}, "containerMode"),
])
def test_a_wrong_value_is_refused_by_name(tmp_path, values, field):
    done = helm_binary.run("template", "x", CHART, "--kube-version", helm_binary.KUBERNETES,
                           *with_values(tmp_path, values))
    assert done.returncode != 0 and field in done.stderr


def test_every_key_of_values_is_in_the_schema_and_the_other_way_round():
    schema = json.loads((CHART / "values.schema.json").read_text())

    def keys(node, path=()):
        for name, child in node.get("properties", {}).items():
            if "$ref" in child:
                child = schema["definitions"][child["$ref"].rsplit("/", 1)[1]]
            yield path + (name,)
            yield from keys(child, path + (name,))

    def written(node, path=()):
        for name, child in (node or {}).items():
            yield path + (name,)
            if isinstance(child, dict):
                yield from written(child, path + (name,))

    known = set(keys(schema))
    values = set(written(yaml.safe_load((CHART / "values.yaml").read_text())))
    free = ("nodeSelector", "podSecurityContext", "securityContext")
    missing = {path for path in values - known
               if path[0] not in free and not {"requests", "limits", "labels"} & set(path[:-1])}
    assert not missing, f"in values.yaml alone: {missing}"
    silent = {path for path in known - values
              if path[-1] not in ("claims", "name", "kind", "group", "value", "valueFrom")}
    assert not silent, f"in the schema alone: {silent}"


def test_every_value_has_a_comment_above_it():
    """A group ("image:") may be explained by the comments of its keys instead."""
    lines = (CHART / "values.yaml").read_text().splitlines()
    bare = [line for above, line in zip(lines, lines[1:])
            if re.match(r"[A-Za-z]+: *[^ #]", line) and not above.startswith("#")]
    assert not bare, bare


def test_a_mirror_serves_every_image_the_injected_one_too():
    objects = render("--set", "global.imageRegistry=mirror.example:5000/team")
    assert operator(objects)["containers"][0]["image"].startswith("mirror.example:5000/team/ambassador-operator:")
    assert arguments(objects)["proxy-image"].startswith("mirror.example:5000/team/ambassador-proxy:")
    images = re.findall(r"image: (\S+)", helm_binary.template("--set", "global.imageRegistry=mirror.example:5000/team"))
    assert images and all(image.startswith("mirror.example:5000/team/") for image in images)


def test_a_digest_beats_a_tag():
    digest = "sha256:" + "ab" * 32
    objects = render("--set", f"image.digest={digest},image.tag=1.2.3,proxy.image.digest={digest}")
    assert operator(objects)["containers"][0]["image"] == f"ambassador-operator@{digest}"
    assert arguments(objects)["proxy-image"] == f"ambassador-proxy@{digest}"


def test_the_operator_passes_pod_security_restricted():
    pod = operator(render())
    container = pod["containers"][0]["securityContext"]
    assert container["runAsNonRoot"] and container["readOnlyRootFilesystem"]
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert container["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "hostNetwork" not in pod


def test_on_the_host_network_it_keeps_off_the_kubelets_port_and_still_knows_cluster_dns():
    objects = render("--set", "hostNetwork=true")
    pod = operator(objects)
    assert pod["hostNetwork"] and pod["dnsPolicy"] == "ClusterFirstWithHostNet"
    assert arguments(objects)["webhook-port"] == "10260"
    assert only(objects, "Deployment")["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_no_webhook_carries_a_ca_bundle_and_selected_has_no_entry():
    objects = render()
    annotated = only(objects, "MutatingWebhookConfiguration", "ambassador-operator-annotated")
    selected = only(objects, "MutatingWebhookConfiguration", "ambassador-operator-selected")
    policies = only(objects, "ValidatingWebhookConfiguration")
    for hook in annotated["webhooks"] + policies["webhooks"]:
        assert "caBundle" not in hook["clientConfig"]
    assert not selected.get("webhooks")


def test_the_annotated_webhook_fails_closed_and_is_asked_about_few():
    hook, = only(render(), "MutatingWebhookConfiguration", "ambassador-operator-annotated")["webhooks"]
    assert (hook["failurePolicy"], hook["reinvocationPolicy"]) == ("Fail", "IfNeeded")
    assert (hook["sideEffects"], hook["timeoutSeconds"]) == ("None", 5)
    assert hook["rules"] == [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                              "resources": ["pods"], "scope": "Namespaced"}]
    excluded, = hook["namespaceSelector"]["matchExpressions"]
    assert excluded["operator"] == "NotIn" and set(excluded["values"]) == {"kube-system", "ambassador-system"}
    assert "startsWith('ambassador.dev/')" in hook["matchConditions"][0]["expression"]


def test_watch_namespaces_narrows_permissions_and_webhooks():
    objects = render("--set", "watchNamespaces={shop,checkout}")
    roles = {(r["kind"], r["metadata"].get("namespace")) for r in objects if r["kind"] in ("Role", "ClusterRole")}
    assert roles == {("ClusterRole", None), ("Role", "shop"), ("Role", "checkout"), ("Role", "ambassador-system")}
    cluster_wide = only(objects, "ClusterRole")
    assert not any("pods" in rule["resources"] for rule in cluster_wide["rules"])
    hook, = only(objects, "MutatingWebhookConfiguration", "ambassador-operator-annotated")["webhooks"]
    assert {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["shop", "checkout"]} in \
        hook["namespaceSelector"]["matchExpressions"]
    assert arguments(objects)["watch-namespaces"] == "shop,checkout"


def test_no_permission_on_secrets_reaches_beyond_its_own_namespace_nor_is_there_any_wildcard():
    objects = render()
    for role in (o for o in objects if o["kind"] in ("Role", "ClusterRole")):
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
            if "secrets" in rule["resources"]:
                assert role["kind"] == "Role" and role["metadata"]["namespace"] == "ambassador-system"
                assert not {"list", "watch"} & set(rule["verbs"])


def test_a_broken_replica_never_blocks_a_drain():
    budget = only(render(), "PodDisruptionBudget")["spec"]
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow" and budget["maxUnavailable"] == 1


def test_monitoring_is_left_out_where_its_crds_are_missing_and_never_breaks_an_install():
    on = ["--set", "serviceMonitor.enabled=true,podMonitor.enabled=true,prometheusRule.enabled=true"]
    kinds = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
    assert not kinds & {o["kind"] for o in render(*on)}
    apis = [word for kind in kinds for word in ("--api-versions", f"monitoring.coreos.com/v1/{kind}")]
    assert kinds <= {o["kind"] for o in render(*on, *apis)}


def our_metrics():
    """Every metric's name that the programs' sources spell out."""
    folders = (helm_binary.ROOT / folder for folder in ("operator", "proxy", "common"))
    sources = (path.read_text() for folder in folders for path in folder.rglob("*.cpp"))
    return set(re.findall(r'"(ambassador_(?:operator|proxy)_\w+)"', "\n".join(sources)))


@pytest.mark.parametrize("name", ["alerts.yaml", "dashboard.json"])
def test_alerts_and_dashboard_ask_for_metrics_that_exist(name):
    asked = set(re.findall(r"ambassador_(?:operator|proxy)_\w+", (CHART / "files" / name).read_text()))
    asked = {re.sub("_(bucket|sum|count)$", "", metric) for metric in asked}
    assert len(asked) > 5 and not asked - our_metrics(), asked - our_metrics()


def test_alerts_and_dashboard_are_rendered_with_their_runbooks():
    objects = render("--values", CHART / "ci/monitoring-values.yaml")
    rules = only(objects, "PrometheusRule")["spec"]["groups"][0]["rules"]
    assert len(rules) >= 8
    for rule in rules:
        assert rule["annotations"]["runbook_url"] == f"https://docs.example/operations#{rule['alert'].lower()}"
    dashboard = json.loads(only(objects, "ConfigMap")["data"]["ambassador.json"])
    assert dashboard["panels"]


def test_the_chart_works_inside_an_umbrella_chart(tmp_path):
    umbrella = tmp_path / "umbrella"
    (umbrella / "charts").mkdir(parents=True)
    subprocess.run(["cp", "-r", CHART, umbrella / "charts/"], check=True)
    (umbrella / "Chart.yaml").write_text(yaml.safe_dump({
        "apiVersion": "v2", "name": "umbrella", "version": "0.0.1",
        "dependencies": [{"name": "ambassador-operator", "version": "0.1.0",
                          "condition": "ambassador-operator.enabled"}]}))
    (umbrella / "values.yaml").write_text(yaml.safe_dump({
        "global": {"imageRegistry": "mirror.example", "ours": {"anything": 1}},
        "ambassador-operator": {"enabled": True, "replicas": 3}}))
    done = helm_binary.run("template", "platform", umbrella, "--namespace", "platform",
                           "--kube-version", helm_binary.KUBERNETES)
    assert done.returncode == 0, done.stderr
    deployment = only(documents(done.stdout), "Deployment")
    assert deployment["spec"]["replicas"] == 3
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].startswith("mirror.example/")


def test_the_notes_name_the_next_three_commands():
    notes = (CHART / "templates/NOTES.txt").read_text()
    assert len(re.findall(r"^     (kubectl|helm) ", notes, re.M)) == 3


def test_the_packaged_chart_holds_no_test_values(tmp_path):
    done = helm_binary.run("package", CHART, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    package, = pathlib.Path(tmp_path).glob("*.tgz")
    listed = subprocess.run(["tar", "tzf", package], capture_output=True, text=True, check=True).stdout
    assert "values.schema.json" in listed and "/ci/" not in listed
