"""Materializations end to end: the endpoint has what the reduced collections have."""

import json

from e2e.materialize import catalog, documents, materialize, messages, put, rows, verbs
from e2e.scripted import events, failure


def test_a_transaction_as_the_transcript_has_it(firth, tmp_path):
    path = put(firth, tmp_path, {"id": 1, "name": "Ann", "n": 1.5}, {"id": 2, "name": "Bob", "n": 2})
    materialize(firth, path)
    assert verbs(tmp_path) == (">spec <spec >validate <validated >apply <applied >open <opened >acknowledge "
                               "<acknowledged >flush <flushed >store >store >startCommit <startedCommit >acknowledge "
                               "<acknowledged >end")
    assert documents(tmp_path) == [{"id": 1, "name": "Ann", "n": 1.5}, {"id": 2, "name": "Bob", "n": 2}]
    stores = [body for way, verb, body in messages(tmp_path) if verb == "store"]
    assert [(s["key"], s["keyPacked"], s["values"][1:], s.get("exists", False)) for s in stores] == [
        ([1], "FQE=", [1.5, "Ann"], False), ([2], "FQI=", [2, "Bob"], False)]
    begin = [body for way, verb, body in messages(tmp_path) if verb == "startCommit"][0]
    assert begin["runtimeCheckpoint"]["sources"] == {
        "acmeCo/users/acmeCo%2Fin;materialize/acmeCo/mat/users": {"readThrough": "2"}}


def test_updates_are_reduced_with_what_is_there(firth, tmp_path):
    path = put(firth, tmp_path, {"id": 1, "name": "Ann", "n": 1.5}, {"id": 2, "n": 2}, {"id": 2, "n": 5})
    materialize(firth, path)
    assert [(r["id"], r["n"]) for r in rows(tmp_path)] == [(1, 1.5), (2, 7)]
    (tmp_path / "messages").unlink()
    path = put(firth, tmp_path, {"id": 1, "n": 2, "name": "Ann2"}, {"id": 3, "name": None, "n": 0})
    lines = materialize(firth, path)
    assert verbs(tmp_path).startswith(">open <opened >acknowledge <acknowledged >load >flush <loaded <flushed >store")
    assert [(r["id"], r["n"], r["name"]) for r in rows(tmp_path)] == [(1, 3.5, "Ann2"), (2, 7, None), (3, 0, None)]
    stores = {s["key"][0]: s.get("exists", False) for way, verb, s in messages(tmp_path) if verb == "store"}
    assert stores == {1: True, 3: False}
    progress = events(lines, "progress")[-1]["bindings"][0]
    assert (progress["documents"], progress["committedDocuments"], progress["loaded"], progress["stored"]) == (2, 2, 1, 2)


def test_nothing_new_is_no_transaction(firth, tmp_path):
    path = put(firth, tmp_path, {"id": 1, "n": 1})
    materialize(firth, path)
    (tmp_path / "messages").unlink()
    materialize(firth, path)
    assert verbs(tmp_path) == ">open <opened >acknowledge <acknowledged >end"


def test_runtime_authority(firth, tmp_path):
    config = {"authority": "runtime"}
    path = put(firth, tmp_path, {"id": 1, "n": 1}, config=config)
    materialize(firth, path)
    path = put(firth, tmp_path, {"id": 1, "n": 4}, {"id": 2, "n": 1}, config=config)
    materialize(firth, path)
    assert [(r["id"], r["n"]) for r in rows(tmp_path)] == [(1, 5), (2, 1)]
    opened = [body for way, verb, body in messages(tmp_path) if verb == "opened"]
    assert opened == [{}, {}]
    states = [body.get("state") for way, verb, body in messages(tmp_path) if verb == "open"]
    assert states == [{}, {"staged": 1}]


def test_delta_updates(firth, tmp_path):
    config = {"delta": True}
    path = put(firth, tmp_path, {"id": 1, "n": 1}, {"id": 1, "n": 2}, config=config)
    materialize(firth, path)
    path = put(firth, tmp_path, {"id": 1, "n": 4}, config=config)
    materialize(firth, path)
    assert [(r["id"], r["n"]) for r in rows(tmp_path)] == [(1, 3), (1, 4)]
    assert "load" not in verbs(tmp_path).replace("loaded", "")


def test_deletions(firth, tmp_path):
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}},
              "if": {"required": ["gone"]}, "then": {"reduce": {"strategy": "merge", "delete": True}},
              "else": {"reduce": {"strategy": "merge"}}}
    path = put(firth, tmp_path, {"id": 1}, {"id": 2}, {"id": 3}, {"id": 3, "gone": True}, schema=schema)
    materialize(firth, path)
    assert [r["id"] for r in rows(tmp_path)] == [1, 2]
    path = put(firth, tmp_path, {"id": 2, "gone": True}, schema=schema)
    materialize(firth, path)
    assert [r["id"] for r in rows(tmp_path)] == [1]


def test_a_document_that_violates_the_read_schema_stops_it(firth, tmp_path):
    strict = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "n": {"type": "integer"}}}
    put(firth, tmp_path, {"id": 1, "n": "x"}, schema={"type": "object", "properties": {"id": {"type": "integer"}},
                                                      "required": ["id"]})
    error = failure(materialize(firth, catalog(tmp_path, schema=strict), expect=1))
    assert error["code"] == "invalid" and not error["retriable"]
    assert "document 0 of acmeCo/users violates its read schema: at '/n'" in error["message"]


def test_backfill_begins_anew(firth, tmp_path):
    path = put(firth, tmp_path, {"id": 1, "n": 1}, {"id": 2, "n": 1})
    materialize(firth, path)
    bindings = [{"source": "acmeCo/users", "resource": {"table": "users"}, "backfill": 1}]
    materialize(firth, catalog(tmp_path, bindings=bindings))
    assert [(r["id"], r["n"]) for r in rows(tmp_path)] == [(1, 1), (2, 1)]
    sources = [body["runtimeCheckpoint"]["sources"] for way, verb, body in messages(tmp_path) if verb == "startCommit"]
    assert list(sources[-1]) == ["acmeCo/users/acmeCo%2Fin;materialize/acmeCo/mat/users.v1"]
    last = [body for way, verb, body in messages(tmp_path) if verb == "apply"][-1]
    assert last["lastMaterialization"]["bindings"][0].get("backfill", 0) == 0
    assert last["lastMaterialization"]["config"]["path"].endswith("out.db")


def test_a_checkpoint_without_secrets(firth, tmp_path, data_dir):
    path = put(firth, tmp_path, {"id": 1}, config={"password": "hunter2-hunter2"})
    materialize(firth, path)
    for file in (data_dir / "tasks").rglob("*"):
        assert file.is_dir() or b"hunter2" not in file.read_bytes(), file
