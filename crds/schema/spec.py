"""spec."""
from .listener import listeners
from .parts import choice, duration, items, keyed, label, label_selector, number, obj, quantity


def environments():
    return keyed("Environments in order: a Pod is in the first whose conditions all hold (an annotation "
                 "ambassador.dev/environment on the Pod comes before). Pinned when the Pod is created. Default: none.",
                 obj("One environment; without conditions it matches always.", {
                     "name": label("Name that upstreams refer to."),
                     "namespaceSelector": label_selector("Labels of the Pod's namespace."),
                     "podSelector": label_selector("Labels of the Pod."),
                     "clusterNames": items("Names of clusters, as given at install (chart value clusterName).",
                                           {"type": "string", "maxLength": 63}, 32,
                                           **{"x-kubernetes-list-type": "set"}),
                 }, ["name"]), ["name"], 16)


def resources():
    def pair(description, cpu, memory):
        return obj(description, {"cpu": quantity(f"CPU in cores. Default: {cpu}."),
                                 "memory": quantity(f"Memory in bytes. Default: {memory}.")})
    return obj("Resources of the ambassador container. Of several policies on a Pod the largest count. Default: the "
               "installation's.", {
        "requests": pair("What is set aside for it.", "the installation's (50m)", "the installation's (32Mi)"),
        "limits": pair("What it may use.", "none", "the installation's (128Mi)")})


def proxy():
    return obj("The injected container. Of several policies on a Pod the first counts.", {
        "containerMode": choice("NativeSidecar: an init container with restartPolicy Always. Container: an ordinary "
                                "one with a start gate. Auto: native where API server and every schedulable node "
                                "are 1.29 or newer.", ["Auto", "NativeSidecar", "Container"], default="Auto"),
        "resources": resources(),
        "logLevel": choice("How much the ambassador logs.", ["Debug", "Info", "Warning", "Error"], default="Info"),
        "drainTimeout": duration("The longest that open connections are served after SIGTERM; at most the Pod's grace "
                                 "period less 2s. 0s to 1h.", default="25s"),
        "readiness": choice("Listeners: ready when configured and accepting. Backends: also only while a backend of "
                            "every listener is healthy.", ["Listeners", "Backends"], default="Listeners"),
    })


def spec(cluster):
    fields = {"podSelector": label_selector("Pods that get an ambassador without asking. Default: none; Pods opt in by "
                                            "annotation.")}
    if cluster:
        fields["namespaceSelector"] = label_selector("Namespaces that the policy is offered to. Default: every one.")
    fields |= {
        "environments": environments(),
        "listeners": listeners(cluster),
        "proxy": proxy(),
        "connectionBudget": number("Server connections of all Pods together, per PostgreSQL listener: shared out in powers "
                                   "of two as Pods come and go, at least one each. Default: no limit.", 1, 100000),
        "rollout": choice("What happens to Pods that only a restart brings up to date. Restart is not in this version.",
                          ["None", "Restart"], default="None"),
        "repair": choice("What happens to Pods that slipped past injection. Recreate is not in this version.",
                         ["Disabled", "Report", "Recreate"], default="Report"),
    }
    return obj("What the ambassador does.", fields, ["listeners"])
