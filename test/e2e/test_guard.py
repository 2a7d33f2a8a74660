"""Nobody but the operator writes its annotations and its label."""
import json

import pytest

import objects

FORGED = {"ambassador.dev/config": '{"version":1,"listeners":[]}', "ambassador.dev/status": '{"policies":[]}'}


@pytest.fixture
def store(namespace):
    namespace.apply(*objects.redis_set(), objects.policy())
    namespace.wait_policy("redis")
    return namespace


def test_forged_annotations_are_made_anew_on_a_pod_that_asks(store):
    store.apply(objects.pod(annotations={"ambassador.dev/inject": "true"} | FORGED))
    annotations = store.get("pod", "app")["metadata"]["annotations"]
    assert json.loads(annotations["ambassador.dev/config"])["listeners"][0]["name"] == "redis.cache"
    assert json.loads(annotations["ambassador.dev/status"])["policies"]


def test_forged_annotations_and_label_are_stripped_from_a_pod_that_does_not_ask(store):
    store.apply(objects.pod(annotations=FORGED, labels={"ambassador.dev/injected": "true"}))
    found = store.get("pod", "app")["metadata"]
    assert not set(FORGED) & set(found.get("annotations", {}))
    assert "ambassador.dev/injected" not in found.get("labels", {})


@pytest.mark.parametrize("change", [
    ["annotate", "pod", "app", "--overwrite", "ambassador.dev/config={}"],
    ["annotate", "pod", "app", "--overwrite", "ambassador.dev/status={}"],
    ["annotate", "pod", "app", "ambassador.dev/config-"],
    ["label", "pod", "app", "ambassador.dev/injected-"],
    ["label", "pod", "app", "--overwrite", "ambassador.dev/injected=false"],
    ["patch", "pod", "app", "--subresource=status", "--type=merge", "--patch",
     '{"metadata":{"annotations":{"ambassador.dev/config":"{}"}}}'],
], ids=" ".join)
def test_a_change_on_a_running_pod_is_refused_with_the_way_out(store, change):
    store.apply(objects.pod())
    before = store.get("pod", "app")["metadata"]["annotations"]["ambassador.dev/config"]
    done = store.run(*change)
    assert done.returncode != 0, done.stdout
    assert "only the ambassador operator may change it" in done.stderr and "ambassador.dev/" in done.stderr
    assert store.get("pod", "app")["metadata"]["annotations"]["ambassador.dev/config"] == before


def test_other_annotations_and_labels_stay_everybodys(store):
    store.apply(objects.pod())
    store("annotate", "pod", "app", "team=shop")
    store("label", "pod", "app", "tier=web")


def test_a_pod_that_was_not_injected_cannot_be_made_to_look_like_one(store):
    store.apply(objects.pod(annotations={}))
    done = store.run("label", "pod", "app", "ambassador.dev/injected=true")
    assert done.returncode != 0 and "only the ambassador operator" in done.stderr
