"""The chart's README: values.yaml's comments as a table. Pure: text in, text out."""
import re

HEAD = """\
# ambassador-operator

Installs the ambassador operator: `helm upgrade --install ambassador-operator charts/ambassador-operator --namespace
ambassador-system --create-namespace --wait`. What it is and how to run it: the project's README.md and
docs/operations.md. This file is made of values.yaml by manifests/render.

"""
KEY = re.compile(r"^( *)([A-Za-z][A-Za-z0-9_./]*):(?: +(.*))?$")


def rows(text):
    """[(path, default, description)] of every value that has a comment of its own."""
    found, comment, path = [], [], []
    for line in text.splitlines():
        key = KEY.match(line)
        if line.lstrip().startswith("#"):
            comment.append(line.lstrip()[1:].strip())
        elif key:
            path = path[:len(key[1]) // 2] + [key[2]]
            if comment:
                found.append((".".join(path), (key[3] or "").strip(), " ".join(comment)))
            comment = []
        else:
            comment = []
    return found


def readme(text):
    lines = ["| value | default | meaning |", "|---|---|---|"]
    for path, default, description in rows(text):
        shown = f"`{default}`" if default else ""
        lines.append(f"| `{path}` | {shown} | {description.replace('|', chr(92) + '|')} |")
    return HEAD + "\n".join(lines) + "\n"
