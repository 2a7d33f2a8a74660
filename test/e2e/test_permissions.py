"""The operator's permissions are those that it uses: no more, or the audit log would show them used."""
import json

from installation import NAMESPACE, RELEASE, SERVICE_ACCOUNT


def granted(cluster):
    """{(group, resource, verb)} of the rules that are bound to the operator."""
    found = set()
    for kind in ("clusterrole", "role"):
        for role in cluster.within(NAMESPACE).get(kind, None, "--selector", f"app.kubernetes.io/instance={RELEASE}"):
            for rule in role["rules"]:
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        found |= {(group, resource, verb) for verb in rule["verbs"]}
    return found


def used(operator):
    found = set()
    for event in operator.audit(""):
        about = event.get("objectRef")
        if not about or event["responseStatus"]["code"] == 403:
            continue
        resource = about["resource"] + ("/" + about["subresource"] if about.get("subresource") else "")
        found.add((about.get("apiGroup", ""), resource, event["verb"]))
    return found


def test_every_permission_is_used(cluster, operator):
    unused = granted(cluster) - used(operator)
    assert not unused, f"granted and never used in this run: {sorted(unused)}"


def test_what_it_asks_for_is_permitted(operator):
    """Forbidden is what never succeeded: an API server that has just started denies what it has not read the roles for.

    Nobody may create anything in a namespace that is being deleted: those were ours, at a test's end.
    """
    denied, permitted = set(), set()
    for event in operator.audit(""):
        code = event["responseStatus"]["code"]
        what = (event["verb"], json.dumps(event.get("objectRef"), sort_keys=True))
        if code == 403 and "is being terminated" not in event["responseStatus"].get("message", ""):
            denied.add(what)
        elif code < 300:
            permitted.add(what)
    assert not denied - permitted, denied - permitted


def test_it_reads_no_secret_but_its_own_and_changes_no_pod_but_by_patch(cluster, operator):
    def may(verb, resource, namespace):
        done = cluster.run("auth", "can-i", verb, resource, "--as", SERVICE_ACCOUNT, "--namespace", namespace)
        return done.stdout.strip() == "yes"
    for verb in ("get", "list", "watch", "create", "update", "patch", "delete"):
        assert not may(verb, "secrets", "default"), verb
    for verb in ("create", "update", "delete"):
        assert not may(verb, "pods", "default"), verb
    assert not may("list", "secrets", NAMESPACE)
    assert may("get", f"secrets/{RELEASE}-certificate", NAMESPACE)
    assert not may("get", "secrets/another", NAMESPACE)
