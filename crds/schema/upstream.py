"""spec.listeners[].upstreams: where a listener leads to."""
from .parts import choice, items, label, number, obj, object_name, port_reference, rule, text

ENVIRONMENTS = 16  # as many as spec.environments may hold


def target(kind, port, cluster):
    ns = label(f"Namespace of the {kind}; another one than the policy's needs its owner's consent (annotation "
               "ambassador.dev/allowed-namespaces on the Service). "
               + ("Required: a ClusterAmbassadorPolicy has no namespace." if cluster else "Default: the policy's."))
    rules = [rule("has(self.__namespace__)", "namespace is missing: a ClusterAmbassadorPolicy has no namespace of its "
                                         "own, so name one")] if cluster else []
    return {"name": object_name(f"Name of the {kind}."), "namespace": ns, "port": port_reference(port)}, rules


def stateful_set(cluster):
    fields, rules = target("StatefulSet", "Port of the backends: by name the Service's port name, by number the "
                                          "Pod's port.", cluster)
    return obj("A StatefulSet whose spec.serviceName is a headless Service: its ordinals are the backends, each named "
               "<pod>.<service>.<namespace>.svc.<cluster domain>:<port> on the ring.",
               fields, ["name", "port"], rules)


def service(cluster):
    fields, rules = target("Service", "Port of the Service, by name or number (of a headless Service: the Pod's "
                                      "number).", cluster)
    return obj("A Service: a headless one leads to its endpoints by DNS, an ordinary one to its cluster address; "
               "ExternalName works.", fields, ["name", "port"], rules)


def host():
    return obj("One server.", {
        "host": text("DNS name or IP address, without scheme, port or brackets.", 253, 1),
        "port": number("Port of the server, 1 to 65535.", 1, 65535),
        "name": text("Its name on the ring and in metrics. Default: host:port.", 253, 1),
        "weight": number("Share of the keys or connections, 1 to 1000.", 1, 1000, default=1),
        "role": choice("Not in this version. Role of the server in a replicated set. Default: found out.",
                       ["Primary", "Replica"]),
    }, ["host", "port"])


def hosts():
    return items("Anything else, another sidecar on loopback included.", host(), 64, 1,
                 **{"x-kubernetes-list-type": "atomic"})


EXACTLY_ONE = rule(
    "(has(self.statefulSet) ? 1 : 0) + (has(self.service) ? 1 : 0) + (has(self.hosts) ? 1 : 0) == 1",
    "name exactly one of statefulSet, service and hosts",
    "(!has(self.statefulSet) && !has(self.service) && !has(self.hosts) ? 'names none' : 'names several') + "
    "' of statefulSet, service and hosts: give exactly one'")


def upstream(cluster):
    return obj("Where the listener leads to: exactly one of statefulSet, service and hosts.", {
        "environments": items("Names of spec.environments in which this upstream is used; none: in every one that no "
                              "other upstream names.", {"type": "string", "maxLength": 63}, ENVIRONMENTS,
                              **{"x-kubernetes-list-type": "set"}),
        "statefulSet": stateful_set(cluster),
        "service": service(cluster),
        "hosts": hosts(),
    }, rules=[EXACTLY_ONE])


def upstreams(cluster):
    return items("The first whose environments hold the Pod's is used, else the first without environments.",
                 upstream(cluster), 8, 1, **{"x-kubernetes-list-type": "atomic"})
