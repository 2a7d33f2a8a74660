"""Building blocks: every field gets a description, a bound and, where it has one, a default."""

# Every list and text is bounded: the API server estimates the cost of CEL rules from these, and refuses a CRD whose
# rules could cost too much.
NAME = 253
LABEL = 63

DURATION = r"^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$|^0$"


def obj(description, properties, required=(), rules=(), **more):
    schema = {"type": "object", "description": description, "properties": properties}
    if required:
        schema["required"] = list(required)
    if rules:
        schema["x-kubernetes-validations"] = list(rules)
    schema.update(more)
    return schema


def text(description, most=NAME, least=None, pattern=None, default=None, **more):
    schema = {"type": "string", "description": described(description, default), "maxLength": most}
    if least is not None:
        schema["minLength"] = least
    if pattern:
        schema["pattern"] = pattern
    if default is not None:
        schema["default"] = default
    schema.update(more)
    return schema


def label(description, **more):
    return text(description, LABEL, 1, r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", **more)


def object_name(description):
    return text(description, NAME, 1, r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")


def choice(description, values, default=None):
    schema = {"type": "string", "description": described(description, default), "enum": list(values)}
    if default is not None:
        schema["default"] = default
    return schema


def number(description, least, most, default=None, rules=()):
    schema = {"type": "integer", "format": "int32", "description": described(description, default),
              "minimum": least, "maximum": most}
    if default is not None:
        schema["default"] = default
    if rules:
        schema["x-kubernetes-validations"] = list(rules)
    return schema


def own_port(description):
    """One that the ambassador listens on."""
    return number(description, 1024, 65535,
                  rules=[rule("self != 19900 && self != 19901",
                              "is the ambassador's own port (19900 admin, 19901 health): take another")])


def items(description, of, most, least=None, **more):
    schema = {"type": "array", "description": description, "maxItems": most, "items": of}
    if least is not None:
        schema["minItems"] = least
    schema.update(more)
    return schema


def keyed(description, of, keys, most, least=None):
    """A list whose elements are told apart by keys: server-side apply merges them, doubles are refused."""
    return items(description, of, most, least, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys})


def rule(expression, message, expression_message=None, path=None):
    one = {"rule": expression, "message": message}
    if expression_message:
        one["messageExpression"] = expression_message
    if path:
        one["fieldPath"] = path
    return one


def duration(description, default=None):
    schema = text(description + " A duration such as 500ms, 5s or 1m30s.", 32, 1, default=default)
    schema["x-kubernetes-validations"] = [rule(
        f"self.matches('{DURATION}')",
        "is no duration: write a number and a unit, as in 5s, 500ms or 1m30s",
        "'\"' + self + '\" is no duration: write a number and a unit, as in 5s, 500ms or 1m30s'")]
    return schema


def quantity(description):
    return {"description": description, "x-kubernetes-int-or-string": True, "anyOf": [
        {"type": "integer"}, {"type": "string"}], "maxLength": 32,
        "pattern": r"^\+?([0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][-+]?[0-9]+)?$"}


def port_reference(description):
    return {"description": description, "x-kubernetes-int-or-string": True, "maxLength": 15,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-validations": [rule(
                "type(self) == int ? self >= 1 && self <= 65535 : "
                "self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$') && self.matches('[a-z]')",
                "is neither a port number (1 to 65535, without quotes) nor the name of a Service's port")]}


def described(description, default):
    if default is None:
        return description
    return f"{description} Default: {default if default != '' else 'empty'}."


def label_selector(description):
    """metav1.LabelSelector, with bounds."""
    expression = obj("One condition on a label.", {
        "key": text("Name of the label.", 317, 1),
        "operator": choice("How the label is compared.", ["In", "NotIn", "Exists", "DoesNotExist"]),
        "values": items("Values for In and NotIn; empty for Exists and DoesNotExist.",
                        {"type": "string", "maxLength": LABEL}, 32, **{"x-kubernetes-list-type": "set"}),
    }, ["key", "operator"])
    return obj(description, {
        "matchLabels": {"type": "object", "description": "Labels that must be there with these values.",
                        "additionalProperties": {"type": "string", "maxLength": LABEL}, "maxProperties": 32},
        "matchExpressions": items("Further conditions; all must hold.", expression, 16,
                                  **{"x-kubernetes-list-type": "atomic"}),
    }, **{"x-kubernetes-map-type": "atomic"})


def secret_ref(description, with_key=False):
    properties = {
        "name": object_name("Name of the Secret, in the Pod's namespace."),
        "namespace": text("Not allowed: the kubelet mounts Secrets of the Pod's own namespace only.", LABEL),
    }
    if with_key:
        properties["key"] = text("Key within the Secret.", NAME, 1, r"^[-._a-zA-Z0-9]+$")
    return obj(description, properties, ["name"] + (["key"] if with_key else []), [rule(
        "!has(self.__namespace__)",
        "namespace is not allowed, because credentials come from the Pod's own namespace: remove it, and copy the "
        "Secret there", path=".namespace")])
