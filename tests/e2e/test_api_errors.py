"""What a wrong request is answered: which member is wrong, for each member of each body and each parameter of each route."""

import copy

import pytest

from api import NOTHING, WORKSPACE, serve
from test_api import document, names, sample

PRIVATE = {"connectionConfiguration", "configuration"}


def resolved(schema, doc):
    while "$ref" in schema:
        schema = doc["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def of_type(schema, doc):
    """What the schema is when it is not null, and whether null is as good as nothing."""
    schema = resolved(schema, doc)
    nullable = False
    for word in ("anyOf", "oneOf"):
        if word in schema:
            nullable |= any(each.get("type") == "null" for each in schema[word])
            schema = resolved(next(each for each in schema[word] if each.get("type") != "null"), doc)
    kind = schema.get("type")
    if isinstance(kind, list):
        nullable |= "null" in kind
        kind, = [each for each in kind if each != "null"]
    return schema, kind, nullable


def wrong_values(schema, kind):
    if kind == "array":
        return [7, "text", {"a": 1}]
    if kind == "object" or "properties" in schema:
        return [7, "text", [1]]
    if kind == "boolean":
        return [7, "yes", [True]]
    if kind in ("integer", "number"):
        return ["1", [1], True] + ([1.5, 10 ** 30] if kind == "integer" else [])
    if kind == "string":
        found = [7, ["text"], {"a": 1}]
        if "enum" in schema:
            found.append("no such word")
        if schema.get("format") in ("uuid", "date-time"):
            found.append("neither")
        return found
    return ["no such word"] if "enum" in schema else []


def mutations(schema, doc, body, place, known, depth=0):
    """(path, change) for each way in which a body may be wrong; `change` does it to a copy."""
    schema, kind, _ = of_type(schema, doc)
    if depth > 5:
        return
    for name, member in schema.get("properties", {}).items():
        path = f"{place}.{name}" if place else name
        inner, inner_kind, nullable = of_type(member, doc)
        required = name in schema.get("required", [])
        for value in wrong_values(inner, inner_kind):
            yield path, lambda target, n=name, v=value: target.__setitem__(n, v)
        if required:
            yield path, lambda target, n=name: target.pop(n)
            yield path, lambda target, n=name: target.__setitem__(n, None)
        if name in PRIVATE:
            continue
        if inner_kind == "object" or "properties" in inner:
            fill = sample(name, inner, doc, {}) if inner.get("properties") else {}
            for below, change in mutations(inner, doc, None, path, known, depth + 1):
                yield below, lambda target, n=name, c=change, f=fill: (target.__setitem__(n, copy.deepcopy(f)), c(target[n]))
        if inner_kind == "array":
            item, item_kind, _ = of_type(inner["items"], doc)
            for value in wrong_values(item, item_kind):
                yield f"{path}[0]", lambda target, n=name, v=value: target.__setitem__(n, [v])
            if item_kind == "object" or "properties" in item:
                fill = sample(name, item, doc, {})
                for below, change in mutations(item, doc, None, f"{path}[0]", known, depth + 1):
                    yield below, lambda target, n=name, c=change, f=fill: (target.__setitem__(n, [copy.deepcopy(f)]), c(target[n][0]))


def field_of(answer):
    found = answer.json()
    if "validationErrors" in found:
        return [each["propertyPath"] for each in found["validationErrors"]]
    return [found.get("data", {}).get("field")]


@pytest.mark.parametrize("family", ["v1", "public/v1"])
def test_every_member_of_every_body(firth, family):
    client = serve(firth).api
    doc, known = document(client, family), names(client)
    wrong, count = [], 0
    for path, operations in doc["paths"].items():
        for method, operation in operations.items():
            target = path
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    target = target.replace("{" + parameter["name"] + "}", str(known.get(parameter["name"]) or NOTHING))
            if "requestBody" not in operation or path.endswith("applications/token"):
                continue
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            body = sample(None, schema, doc, known)
            if path.endswith("/create_if_not_exist"):
                body["id"] = WORKSPACE  # everybody else's id is a job's
            for place, change in mutations(schema, doc, body, "", known):
                changed = copy.deepcopy(body)
                change(changed)
                answer = client.ask(method.upper(), target, changed)
                count += 1
                if answer.status != 422 or field_of(answer) != [place]:
                    wrong.append((method, path, place, str(changed)[:200], answer))
    assert count > 500 and not wrong, "\n".join(map(str, wrong[:200]))
