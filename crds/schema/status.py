"""status: written by the operator alone."""
from .parts import keyed, obj


def string(description, most=1024):
    return {"type": "string", "description": description, "maxLength": most}


def count(description):
    return {"type": "integer", "format": "int32", "description": description}


def conditions():
    condition = obj("One condition.", {
        "type": string("Ready, Accepted, ResolvedRefs, Reconciling, Stalled or Conflicted.", 316),
        "status": {"type": "string", "enum": ["True", "False", "Unknown"], "description": "Does it hold?"},
        "reason": string("Cause, for programs."),
        "message": string("Cause and what to do, for people.", 32768),
        "observedGeneration": {"type": "integer", "format": "int64", "description": "The generation it speaks of."},
        "lastTransitionTime": {"type": "string", "format": "date-time", "description": "Since when."},
    }, ["type", "status", "reason", "message", "lastTransitionTime"])
    return keyed("Ready, Accepted and ResolvedRefs; Reconciling, Stalled and Conflicted while true.", condition,
                 ["type"], 16)


def listeners():
    backend = obj("One backend.", {
        "name": string("Short name, as in redis-st-0.", 300),
        "host": string("Name that the ambassador resolves.", 253),
        "port": count("Its port."),
        "ringName": string("Name on the ring, where it is not host:port.", 300),
        "weight": count("Its weight, where it is not 1."),
        "address": string("Address that DNS gave last.", 64),
        "ready": {"type": "boolean", "description": "What runs there is ready."},
        "source": string("Where it comes from.", 600),
    }, ["name"])
    return keyed("What is known about each listener's backends, by environment (empty: every other).", obj(
        "One listener in one environment.", {
            "name": string("Name of the listener.", 63),
            "environment": {"type": "string", "maxLength": 63, "default": "",
                            "description": "The environment; empty: every one without an upstream of its own."},
            "backends": {"type": "array", "maxItems": 1024, "items": backend, "x-kubernetes-list-type": "atomic",
                         "description": "Members of the ring, up or not."},
            "resolvedAt": string("When an address last changed (RFC 3339).", 64),
            "reason": string("Why it is not resolved.", 64),
            "message": string("What to do about it."),
        }, ["name", "environment"]), ["name", "environment"], 288)


def status():
    return obj("What the operator found. Written by the operator alone.", {
        "observedGeneration": {"type": "integer", "format": "int64", "description": "The generation it speaks of."},
        "conditions": conditions(),
        "summary": obj("What kubectl get shows.", {
            "protocols": string("Protocols of the listeners.", 64),
            "backends": string("Backends that are ready, of all.", 32),
            "pods": string("Pods that carry the policy, of those that should.", 32),
        }),
        "connectionsPerPod": count("Of spec.connectionBudget, what each Pod may open for each listener."),
        "listeners": listeners(),
        "pods": obj("Pods of the policy.", {
            "selected": count("Those that should carry it."),
            "injected": count("Those that do."),
            "upToDate": count("Of these, those that are current in everything."),
            "stale": count("Of these, those that need a restart."),
            "ready": count("Of these, those that are Ready."),
        }),
    })
