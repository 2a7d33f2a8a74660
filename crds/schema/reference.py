"""docs/policy-reference.md out of the CRD: a table per object, in the order of the schema."""

HEAD = """<!-- Made by crds/generate.py from the CRD: change crds/schema/, then run it. -->
# AmbassadorPolicy and ClusterAmbassadorPolicy

`ambassador.dev/v1alpha1`. Both kinds have the same spec; `spec.namespaceSelector` is for ClusterAmbassadorPolicy
alone, which also has to name the `namespace` of each StatefulSet and Service. The same text in a terminal:
`kubectl explain ambassadorpolicy.spec.listeners`.

A field that is *not in this version* is part of the API, and refused with that message until a version carries it.
"""


def kind_of(schema):
    if schema.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if schema["type"] == "array":
        return "list of " + kind_of(schema["items"]) + "s" if schema["items"]["type"] != "object" else "list"
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "object" and "additionalProperties" in schema:
        return "map"
    return schema["type"]


def bounds(schema):
    parts = []
    if "minimum" in schema:
        parts.append(f"{schema['minimum']} to {schema['maximum']}")
    if schema.get("type") == "array":
        parts.append(f"at most {schema['maxItems']}")
    return "; ".join(parts)


def below(schema):
    """The object that a field leads to, or None."""
    if schema.get("type") == "array":
        schema = schema["items"]
    return schema if schema.get("type") == "object" and "properties" in schema else None


def table(path, schema, lines, seen):
    lines.append(f"\n## {path}\n\n{schema['description']}\n")
    lines.append("| field | type | bounds | required | meaning |\n|---|---|---|---|---|")
    nested = []
    for name, field in schema["properties"].items():
        required = "yes" if name in schema.get("required", []) else ""
        lines.append(f"| `{name}` | {kind_of(field)} | {bounds(field)} | {required} | {field.get('description', '')} |")
        inner = below(field)
        if inner:
            nested.append((path + "." + name + ("[]" if field.get("type") == "array" else ""), inner))
    for rule in schema.get("x-kubernetes-validations", []):
        lines.append(f"\nRefused: {rule['message']}.")
    for inner_path, inner in nested:
        shape = (inner["description"], tuple(inner["properties"]))
        if shape in seen:
            lines.append(f"\n`{inner_path}`: as `{seen[shape]}`.")
            continue
        seen[shape] = inner_path
        table(inner_path, inner, lines, seen)


def page(crd):
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    lines = [HEAD]
    seen = {}
    table("spec", schema["properties"]["spec"], lines, seen)
    table("status", schema["properties"]["status"], lines, seen)
    return "\n".join(lines) + "\n"
