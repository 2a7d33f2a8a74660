#!/usr/bin/env python3
"""Makes the two CRDs of this folder and docs/policy-reference.md from one description of the spec.

    crds/generate.py           write them
    crds/generate.py --check   exit 1 and say so when what is written is not what this makes

The kinds differ in scope, in spec.namespaceSelector and in one rule (a cluster policy has no namespace of its own);
everything else comes from the same functions, so it cannot drift apart.
"""
import pathlib
import sys

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from schema import reference, spec, status  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
HEADER = "# Made by crds/generate.py: change crds/schema/, then run it.\n"

COLUMNS = [
    # AGE included, and with a name of 20 characters, a line stays below 110 columns.
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', "Every listener has an address"),
    ("Protocols", "string", ".status.summary.protocols", "Protocols of the listeners"),
    ("Backends", "string", ".status.summary.backends", "Backends that are ready, of all"),
    ("Pods", "string", ".status.summary.pods", "Pods that carry the policy, of those that should"),
    ("Stale", "integer", ".status.pods.stale", "Pods that only a restart brings up to date"),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', "Why it is (not) ready"),
    ("Age", "date", ".metadata.creationTimestamp", "Time since creation"),
]


def crd(kind, plural, singular, short, scope, cluster):
    what = "For every namespace that it selects" if cluster else "For the Pods of its namespace"
    schema = {
        "type": "object",
        "description": f"{what}: which listeners the ambassador of a Pod offers on localhost, and to which backends "
                       "each of them leads. Pods opt in by annotation, or are selected.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": "ambassador.dev/v1alpha1"},
            "kind": {"type": "string", "description": kind},
            "metadata": {"type": "object"},
            "spec": spec.spec(cluster),
            "status": status.status(),
        },
        "x-kubernetes-validations": [{
            "rule": "self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",
            "messageExpression": "'metadata.name \"' + self.metadata.name + '\" cannot name sockets and metrics: use "
                                 "a-z, 0-9 and -, at most 63'",
            "message": "metadata.name cannot name sockets and metrics: use a-z, 0-9 and -, at most 63",
        }],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.ambassador.dev", "labels": {"app.kubernetes.io/name": "ambassador-operator"}},
        "spec": {
            "group": "ambassador.dev",
            "names": {"kind": kind, "listKind": kind + "List", "plural": plural, "singular": singular,
                      "shortNames": [short], "categories": ["ambassador"]},
            "scope": scope,
            "versions": [{
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "additionalPrinterColumns": [
                    {"name": name, "type": kind_, "jsonPath": path, "description": description}
                    for name, kind_, path, description in COLUMNS],
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    }


class Dumper(yaml.SafeDumper):
    """Long texts on one line, no anchors: kubectl and people read the same."""

    def ignore_aliases(self, data):
        return True


def text_of(document):
    return HEADER + yaml.dump(document, Dumper=Dumper, sort_keys=False, width=120, allow_unicode=True)


def outputs():
    policy = crd("AmbassadorPolicy", "ambassadorpolicies", "ambassadorpolicy", "ambpol", "Namespaced", False)
    cluster = crd("ClusterAmbassadorPolicy", "clusterambassadorpolicies", "clusterambassadorpolicy", "cambpol",
                  "Cluster", True)
    return {
        HERE / "ambassador.dev_ambassadorpolicies.yaml": text_of(policy),
        HERE / "ambassador.dev_clusterambassadorpolicies.yaml": text_of(cluster),
        ROOT / "docs" / "policy-reference.md": reference.page(cluster),
    }


def main():
    stale = []
    for path, text in outputs().items():
        if "--check" in sys.argv[1:]:
            if not path.exists() or path.read_text() != text:
                stale.append(str(path.relative_to(ROOT)))
        else:
            path.write_text(text)
    if stale:
        sys.exit("not what crds/generate.py makes: " + ", ".join(stale) + "; run crds/generate.py")


if __name__ == "__main__":
    main()
