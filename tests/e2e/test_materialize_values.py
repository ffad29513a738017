"""Materializations: values are shortened as the connector wants them (serPolicy)."""

from e2e.materialize import catalog, documents, materialize, messages, put, rows

SCHEMA = {"type": "object", "required": ["id"], "reduce": {"strategy": "merge"}, "properties": {
    "id": {"type": "string"}, "text": {"type": "string"},
    "list": {"type": "array", "items": {"type": "integer"}, "reduce": {"strategy": "append"}},
    "o": {"type": "object", "additionalProperties": True}}}
POLICY = {"strTruncateAfter": 5, "nestedObjTruncateAfter": 2, "arrayTruncateAfter": 3}
MORE = {"schema": SCHEMA, "config": {"ser_policy": POLICY},
        "bindings": [{"source": "acmeCo/users", "resource": {"table": "users"},
                      "fields": {"recommended": True, "require": {"list": {}, "o": {}}}}]}


def test_values_are_shortened(firth, tmp_path):
    put(firth, tmp_path, {"id": "a", "text": "ab\u20ac\u20ac", "list": [1, 2, 3, 4], "o": {"z": 1, "y": {"c": 1, "b": 2, "a": 3}, "x": "123456"}},
        {"id": "b", "text": "short", "list": [1, 2, 3], "o": {"y": 1, "x": 2}}, **MORE)
    materialize(firth, catalog(tmp_path, **MORE))
    # A value of its own keeps its members; inside of the document it is one among others.
    a, b = documents(tmp_path)
    assert a == {"id": "a", "text": "ab\u20ac", "list": [1, 2, 3], "o": {"x": "12345", "y": {"a": 3, "b": 2}}}
    assert b == {"id": "b", "text": "short", "list": [1, 2, 3], "o": {"y": 1, "x": 2}}
    assert [r["text"] for r in rows(tmp_path)] == ["ab\u20ac", "short"]
    store = [body for _, verb, body in messages(tmp_path) if verb == "store"][0]
    values = dict(zip(["list", "o", "text"], [v for v in store["values"] if not str(v).startswith("20")]))
    assert values == {"list": [1, 2, 3], "o": {"z": 1, "y": {"a": 3, "b": 2}, "x": "12345"}, "text": "ab\u20ac"}
    # Packed, as connectors read them, they are the same.
    assert [r["list"] for r in rows(tmp_path)] == ["[1,2,3]", "[1,2,3]"]


def test_the_policy_outlives_the_session_that_validated(firth, tmp_path):
    put(firth, tmp_path, {"id": "a", "list": [1, 2]}, **MORE)
    materialize(firth, catalog(tmp_path, **MORE))
    put(firth, tmp_path, {"id": "a", "list": [3, 4]}, **MORE)
    (tmp_path / "messages").unlink()
    materialize(firth, catalog(tmp_path, **MORE))
    assert ">" not in [way for way, verb, _ in messages(tmp_path) if verb == "validate"]
    assert documents(tmp_path) == [{"id": "a", "list": [1, 2, 3]}]


def test_a_key_is_never_cut(firth, tmp_path):
    put(firth, tmp_path, {"id": "longer than five", "text": "123456", "list": [1]}, **MORE)
    materialize(firth, catalog(tmp_path, **MORE))
    put(firth, tmp_path, {"id": "longer than five", "list": [2]}, **MORE)
    materialize(firth, catalog(tmp_path, **MORE))
    assert [(r["id"], r["text"], r["list"]) for r in rows(tmp_path)] == [("longer than five", "12345", "[1,2]")]
    assert documents(tmp_path) == [{"id": "longer than five", "text": "123456", "list": [1, 2]}]


def test_without_a_policy_nothing_is_cut(firth, tmp_path):
    more = {**MORE, "config": {"ser_policy": {}}}
    put(firth, tmp_path, {"id": "a", "text": "x" * 100, "list": list(range(50))}, **more)
    materialize(firth, catalog(tmp_path, **more))
    assert documents(tmp_path) == [{"id": "a", "text": "x" * 100, "list": list(range(50))}]
