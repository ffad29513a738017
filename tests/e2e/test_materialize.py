"""Materializations end to end: the endpoint has what the reduced collections have."""

import base64
import contextlib
import json
import shutil
import signal
import sqlite3

import pytest

from conftest import until
from e2e.materialize import TASK, catalog, documents, materialize, messages, put, rows, verbs
from e2e.scripted import events, failure, local, received, run
from kafka_bytes import crc32c


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


@pytest.mark.parametrize("name, template", [("a", "collection/a"), ("abc", "collection/abc"), ("abcd", "abcd")])
def test_a_collection_with_a_short_name(firth, tmp_path, name, template):
    """Connectors refuse journals whose names have less than four characters."""
    put(firth, tmp_path, {"id": 1})
    path = catalog(tmp_path)
    path.write_text(path.read_text().replace("acmeCo/users", name))
    run(firth, path, "--task", "acmeCo/in")
    materialize(firth, path)
    (validate,) = [body for way, verb, body in messages(tmp_path) if verb == "validate"]
    (binding,) = validate["bindings"]
    assert binding["collection"]["name"] == name
    assert binding["collection"]["partitionTemplate"]["name"] == template


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


def test_status_says_how_far_behind(firth, tmp_path):
    path = put(firth, tmp_path, {"id": 1, "n": 1}, {"id": 2, "n": 1})
    materialize(firth, path)
    put(firth, tmp_path, {"id": 3, "n": 1})
    assert "acmeCo/users to users, 1 behind" in firth("status", expect=0).out
    task = [t for t in firth("status", "-o", "json", expect=0).json()["tasks"] if t["task"] == "acmeCo/mat"][0]
    assert [(s["stream"], s["documents"], s["behind"]) for s in task["streams"]] == [("users", 2, 1)]


def test_a_binding_that_was_replaced_is_not_behind(firth, tmp_path):
    path = put(firth, tmp_path, {"id": 1}, {"id": 2}, collections=("users", "people"))
    materialize(firth, path)

    def streams():
        task = [t for t in firth("status", "-o", "json", expect=0).json()["tasks"] if t["task"] == TASK][0]
        return {s["stream"]: s.get("behind") for s in task["streams"]}

    assert streams() == {"users": 0, "people": 0}
    bound = [{"source": "acmeCo/people", "resource": {"table": "people"}}]
    path = put(firth, tmp_path, {"id": 3}, collections=("users", "people"), bindings=bound)
    materialize(firth, path)
    assert streams() == {"users": None, "people": 0}
    assert "acmeCo/users to users, not bound now" in firth("status", expect=0).out
    materialize(firth, catalog(tmp_path, collections=("users", "people")))
    assert streams() == {"users": 0, "people": 0}


def test_documents_gone_before_they_were_read_are_told(firth, tmp_path):
    """By retention. A materialization that begins is told nothing: it takes what is kept."""
    kept = {"journals": {"fragments": {"compressionCodec": "NONE", "length": 1, "retentionSize": 1}}}
    large = [{"id": 2, "name": "x" * 900_000}, {"id": 3, "name": "x" * 900_000}]
    path = put(firth, tmp_path, {"id": 1}, collection=kept)
    assert not [line for line in materialize(firth, path) if "are gone" in line.get("message", "")]
    for _ in range(4):
        put(firth, tmp_path, *large, collection=kept)
    (status,) = [t for t in firth("status", "-o", "json", expect=0).json()["tasks"] if t["task"] == "acmeCo/in"]
    first = status["collections"][0]["first"]
    assert first > 1
    (told,) = [line for line in materialize(firth, path) if "are gone" in line.get("message", "")]
    assert f"documents 1 to {first - 1} that acmeCo/in wrote to acmeCo/users are gone" in told["message"]
    assert told["level"] == "warn"


def test_a_damaged_writer_stops_it(firth, tmp_path, data_dir):
    path = put(firth, tmp_path, {"id": 1})
    materialize(firth, path)
    shutil.rmtree(data_dir / "collections")
    (ended,) = [line for line in materialize(firth, path, expect=1) if line["event"] == "ended"]
    assert "is missing: the commit log of task acmeCo/in says" in ended["error"]["message"]


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


def test_another_key_is_incompatible(firth, tmp_path):
    """What is there has rows of the old key: by the policy they go, or nothing is done, and it is told."""
    both = {"type": "object", "required": ["id", "name"], "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
    path = put(firth, tmp_path, {"id": 1, "name": "a"}, {"id": 1, "name": "b"}, schema=both)
    materialize(firth, path)
    assert [r["name"] for r in rows(tmp_path)] == ["b"]
    abort = catalog(tmp_path, schema=both, key=("/id", "/name"), onIncompatibleSchemaChange="abort")
    error = failure(materialize(firth, abort, expect=1))
    assert "the key is id, name, and what the endpoint has was materialized by id" in error["message"]
    assert "raise the binding's 'backfill'" in error["message"]
    lines = materialize(firth, catalog(tmp_path, schema=both, key=("/id", "/name")))
    (told,) = [line["message"] for line in lines if "the key is id, name" in line.get("message", "")]
    assert "it is materialized anew" in told and sorted(r["name"] for r in rows(tmp_path)) == ["a", "b"]
    (tmp_path / "messages").unlink()
    materialize(firth, catalog(tmp_path, schema=both, key=("/id", "/name")))
    assert verbs(tmp_path) == ">open <opened >acknowledge <acknowledged >end"


def test_its_only_binding_is_disabled_by_a_schema_change(firth, tmp_path):
    """It is asked once, and then no more until the catalog changes; nothing has failed."""
    path = put(firth, tmp_path, {"id": 1, "n": 1})
    materialize(firth, path)
    changed = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "n": {"type": "string"}}}
    path = catalog(tmp_path, schema=changed, onIncompatibleSchemaChange="disableBinding")
    (tmp_path / "messages").unlink()
    lines = materialize(firth, path)
    told = [line["message"] for line in lines if line.get("level") == "warn"]
    assert len(told) == 2 and "the binding is disabled" in told[0] and "every binding is disabled" in told[1]
    assert verbs(tmp_path) == ">spec <spec >validate <validated >apply <applied"
    (tmp_path / "messages").unlink()
    (told,) = [line["message"] for line in materialize(firth, path) if line.get("level") == "warn"]
    assert "every binding is disabled" in told and not (tmp_path / "messages").exists()


def test_a_checkpoint_without_secrets(firth, tmp_path, data_dir):
    path = put(firth, tmp_path, {"id": 1}, config={"password": "hunter2-hunter2"})
    materialize(firth, path)
    for file in (data_dir / "tasks").rglob("*"):
        assert file.is_dir() or b"hunter2" not in file.read_bytes(), file


# --- sources --------------------------------------------------------------------------------------------


def test_it_follows_what_is_committed(firth, tmp_path):
    """Without --once: documents arrive soon after they are committed, and SIGTERM ends between transactions."""
    path = put(firth, tmp_path, {"id": 1, "n": 1})
    sleeper = tmp_path / "go"
    (tmp_path / "steps.json").write_text(json.dumps([
        {"message": {"type": "RECORD", "record": {"stream": "users", "data": {"id": 2, "n": 2}, "emitted_at": 1}}},
        {"state": {"stream": "users", "n": 1}}, {"sleep_until": str(sleeper)},
        {"message": {"type": "RECORD", "record": {"stream": "users", "data": {"id": 1, "n": 2}, "emitted_at": 1}}},
        {"state": {"stream": "users", "n": 2}}]))
    path = catalog(tmp_path)
    running = firth.start("run", str(path), "--commit-every", "20ms")
    until(lambda: (tmp_path / "out.db").exists() and [r["id"] for r in rows_or_none(tmp_path)] == [1, 2], "both rows")
    sleeper.touch()
    until(lambda: [(r["id"], r["n"]) for r in rows_or_none(tmp_path)] == [(1, 3), (2, 2)], "the update")
    running.signal(signal.SIGTERM)
    running.wait()
    assert verbs(tmp_path).endswith(">acknowledge <acknowledged >end")


def test_it_leaves_when_nothing_happens(firth, tmp_path):
    """Nobody writes to the collections any more: SIGTERM is all that wakes the task, and it leaves at once."""
    path = put(firth, tmp_path, {"id": 1, "n": 1})
    running = firth.start("run", str(path), "--task", TASK, "--commit-every", "20ms")
    until(lambda: (tmp_path / "messages").exists() and verbs(tmp_path).endswith("<startedCommit >acknowledge <acknowledged"),
          "the commit")
    until(lambda: sleeps_long(running.pid), "a task without anything to wait for")
    running.signal(signal.SIGTERM)
    running.wait()
    assert verbs(tmp_path).endswith(">acknowledge <acknowledged >end")


def test_following_takes_no_room(firth, tmp_path):
    """With room for one, a capture runs beside the materialization."""
    catalog(tmp_path)
    (tmp_path / "steps.json").write_text(json.dumps([
        {"message": {"type": "RECORD", "record": {"stream": "users", "data": {"id": 1}, "emitted_at": 1}}}]))
    made = json.loads(catalog(tmp_path).read_text())
    made["captures"]["acmeCo/in"]["interval"] = "1s"
    (tmp_path / "flow.json").write_text(json.dumps(made))
    running = firth.start("run", str(tmp_path / "flow.json"), "--parallel", "1", "--commit-every", "20ms")
    until(lambda: [r["id"] for r in rows_or_none(tmp_path)] == [1], "the row")
    until(lambda: len((tmp_path / "seen").read_text().splitlines()) >= 4, "another session of the capture")
    running.signal(signal.SIGTERM)
    running.wait()


def sleeps_long(pid):
    """Does the only task of this firth wait in poll for longer than anybody will wait for its end?"""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        task = file.read().split()
    with open(f"/proc/{task[0]}/syscall") as file:
        call = file.read().split()
    return call[0] == "7" and int(call[3], 16) & 0xffffffff >= 20_000  # ms; -1 is the largest


def rows_or_none(tmp_path):
    try:
        return rows(tmp_path)
    except Exception:  # the table is not there yet
        return []


def test_partitions_are_selected(firth, tmp_path):
    schema = {"type": "object", "required": ["id", "region"],
              "properties": {"id": {"type": "integer"}, "region": {"type": "string"}}}
    more = {"schema": schema, "collection": {"projections": {"Region": {"location": "/region", "partition": True}}}}
    source = {"name": "acmeCo/users", "partitions": {"include": {"Region": ["eu", "us"]}, "exclude": {"Region": ["us"]}}}
    bindings = [{"source": source, "resource": {"table": "users"}}]
    path = put(firth, tmp_path, {"id": 1, "region": "eu"}, {"id": 2, "region": "us"}, {"id": 3, "region": "asia"},
               bindings=bindings, **more)
    materialize(firth, path)
    assert [(r["id"], r["Region"]) for r in rows(tmp_path)] == [(1, "eu")]


def test_times_are_selected(firth, tmp_path):
    def bound(**times):
        return [{"source": {"name": "acmeCo/users", **times}, "resource": {"table": "users"}}]

    path = put(firth, tmp_path, {"id": 1, "n": 1}, bindings=bound(notBefore="2099-01-01T00:00:00Z"))
    materialize(firth, path)
    assert rows(tmp_path) == []
    materialize(firth, catalog(tmp_path, bindings=[{**bound(notAfter="2099-01-01T00:00:00Z")[0], "backfill": 1}]))
    assert [r["id"] for r in rows(tmp_path)] == [1]


def test_one_collection_to_two_tables(firth, tmp_path):
    bindings = [{"source": "acmeCo/users", "resource": {"table": "a"}},
                {"source": "acmeCo/users", "resource": {"table": "b"}, "priority": 3}]
    path = put(firth, tmp_path, {"id": 1, "n": 1}, {"id": 2, "n": 1}, bindings=bindings)
    materialize(firth, path)
    assert [r["id"] for r in rows(tmp_path, "a")] == [r["id"] for r in rows(tmp_path, "b")] == [1, 2]
    # The higher priority is read first.
    path = put(firth, tmp_path, {"id": 1, "n": 1}, {"id": 2, "n": 1}, bindings=bindings)
    (tmp_path / "messages").unlink()
    materialize(firth, path)
    assert [(b.get("binding", 0), b["key"]) for _, verb, b in messages(tmp_path) if verb == "load"] == [
        (1, [1]), (1, [2]), (0, [1]), (0, [2])]


def test_a_binding_that_is_disabled_keeps_its_place(firth, tmp_path):
    def bindings(disable):
        return [{"source": "acmeCo/users", "resource": {"table": "users"}, "disable": disable},
                {"source": "acmeCo/other", "resource": {"table": "other"}}]

    more = {"collections": ("users", "other"), "config": {"delta": True}}
    put(firth, tmp_path, {"id": 1, "n": 1}, bindings=bindings(False), **more)
    materialize(firth, catalog(tmp_path, bindings=bindings(False), **more))
    path = put(firth, tmp_path, {"id": 2, "n": 1}, stream="other", bindings=bindings(True), **more)
    materialize(firth, path)
    path = put(firth, tmp_path, {"id": 3, "n": 1}, bindings=bindings(False), **more)
    materialize(firth, path)
    assert [r["id"] for r in rows(tmp_path)] == [1, 3] and [r["id"] for r in rows(tmp_path, "other")] == [2]


def test_a_collection_that_was_never_written_to(firth, tmp_path):
    materialize(firth, catalog(tmp_path))
    assert rows(tmp_path) == []


def test_once_waits_for_the_captures(firth, tmp_path):
    put(firth, tmp_path, {"id": 1, "n": 1})
    run(firth, catalog(tmp_path))
    assert [(r["id"], r["n"]) for r in rows(tmp_path)] == [(1, 2)]


def test_keys_beyond_the_largest_are_not_loaded(firth, tmp_path):
    path = put(firth, tmp_path, {"id": 5, "n": 1})
    materialize(firth, path)
    path = put(firth, tmp_path, {"id": 3, "n": 1}, {"id": 5, "n": 1}, {"id": 6, "n": 1})
    (tmp_path / "messages").unlink()
    materialize(firth, path)
    assert [b["key"] for _, verb, b in messages(tmp_path) if verb == "load"] == [[3], [5]]
    config = {"no_load_optimization": True}
    path = put(firth, tmp_path, {"id": 9, "n": 1}, config=config)
    (tmp_path / "messages").unlink()
    materialize(firth, catalog(tmp_path, config=config))
    assert [b["key"] for _, verb, b in messages(tmp_path) if verb == "load"] == [[9]]


def test_keys_are_loaded_while_the_last_commit_goes_on(firth, tmp_path):
    """`acknowledged` comes only after a key of the next transaction was asked for."""
    say = {"open": [[{"opened": {"disableLoadOptimization": True}}]], "acknowledge": [[]],
           "load": [[{"acknowledged": {}}]]}
    path = put(firth, tmp_path, {"id": 1, "n": 1}, {"id": 2, "n": 1}, program="scripted_materialize.py",
               config={"say": say})
    materialize(firth, path)
    assert ">acknowledge >load <acknowledged >load >flush <flushed >store >store" in verbs(tmp_path)


def test_more_than_fits_the_pipe(firth, tmp_path):
    """Megabytes of stores to a connector that reads them at its own pace."""
    records = {"records": {"stream": "users", "from": 0, "to": 2999, "fill": 3000, "data": {"n": 1}}}
    path = put(firth, tmp_path, steps=[records, records], program="scripted_materialize.py")
    lines = materialize(firth, path)
    stores = [b for _, verb, b in messages(tmp_path) if verb == "store"]
    assert [b["key"] for b in stores] == [[i] for i in range(3000)]
    assert all(b["doc"]["n"] == 2 for b in stores)
    assert events(lines, "progress")[-1]["bindings"][0]["stored"] == 3000


def test_several_writers(firth, tmp_path):
    """Each journal has its own position."""
    path = put(firth, tmp_path, {"id": 1, "n": 1}, {"id": 2, "n": 1})
    materialize(firth, path)
    more = json.loads(path.read_text())
    more["captures"]["acmeCo/second"] = more["captures"]["acmeCo/in"]
    path.write_text(json.dumps(more))
    run(firth, path, "--task", "acmeCo/second")
    materialize(firth, path)
    assert [(r["id"], r["n"]) for r in rows(tmp_path)] == [(1, 2), (2, 2)]
    sources = [b["runtimeCheckpoint"]["sources"] for _, verb, b in messages(tmp_path) if verb == "startCommit"][-1]
    assert {name.split(";")[0]: s["readThrough"] for name, s in sources.items()} == {
        "acmeCo/users/acmeCo%2Fin": "2", "acmeCo/users/acmeCo%2Fsecond": "2"}


def test_another_data_directory_is_told(firth, tmp_path, data_dir):
    path = put(firth, tmp_path, {"id": 1, "n": 1}, {"id": 2, "n": 1})
    materialize(firth, path)
    shutil.rmtree(data_dir)
    path = put(firth, tmp_path, {"id": 1, "n": 1})
    error = failure(materialize(firth, path, expect=1))
    assert "has read 2 documents" in error["message"] and "'backfill'" in error["message"]


@pytest.mark.parametrize("how", ["dropped", "emptied"])
@pytest.mark.parametrize("endpoint", ["endpoint", "runtime", "airbyte"])
def test_a_capture_that_began_anew_is_told_however_much_it_wrote(firth, tmp_path, data_dir, how, endpoint):
    """Positions count in one writer's log: in another's they would skip as many documents."""
    more = {"config": {"authority": "runtime"} if endpoint == "runtime" else {}}
    table = {"table": "users"}
    if endpoint == "airbyte":
        more = {"endpoint": local("scripted_destination", {"out": str(tmp_path / "out")})}
        table = {"stream": "users", "destinationSyncMode": "append"}

    def arrived():
        if endpoint == "airbyte":
            return [m["record"]["data"]["id"] for m in received(tmp_path) if m.get("type") == "RECORD"]
        return [r["id"] for r in rows(tmp_path)]

    def bound(backfill):
        return {"bindings": [{"source": "acmeCo/users", "resource": table, "backfill": backfill}], **more}

    path = put(firth, tmp_path, {"id": 1}, {"id": 2}, **bound(0))
    materialize(firth, path)
    path = put(firth, tmp_path, {"id": 3}, **bound(0))
    materialize(firth, path)
    assert arrived() == [1, 2, 3]
    if how == "dropped":
        firth("drop", "acmeCo/in", "--yes", expect=0)
    else:
        for folder in ("tasks/acmeCo%2Fin", "collections/acmeCo%2Fusers"):
            shutil.rmtree(data_dir / folder)
    path = put(firth, tmp_path, *({"id": i} for i in range(11, 17)), **bound(0))
    error = failure(materialize(firth, path, expect=1))
    assert "has read 3 documents that acmeCo/in wrote to acmeCo/users" in error["message"]
    assert "raise the binding's 'backfill'" in error["message"]
    assert arrived() == [1, 2, 3]
    materialize(firth, catalog(tmp_path, **bound(1)))
    assert arrived()[-6:] == [11, 12, 13, 14, 15, 16]


def before_identities(tmp_path, data_dir):
    """The capture's log and the position at the endpoint, as versions before the identities left them."""
    (log,) = (data_dir / "tasks/acmeCo%2Fin").glob("commits-*")
    page = bytearray(log.read_bytes())  # src/store/FORMAT.md
    header = 64 + int.from_bytes(page[40:42], "little")
    found, page[12:16] = page[12:16], bytes(4)
    assert found == crc32c(page[:header]).to_bytes(4, "little")
    page[42:44], page[48:56] = bytes(2), bytes(8)
    page[12:16] = crc32c(page[:header]).to_bytes(4, "little")
    log.write_bytes(page)
    with contextlib.closing(sqlite3.connect(tmp_path / "out.db")) as db:
        (saved,), = db.execute("select checkpoint from flow_checkpoints")
        saved = json.loads(saved)
        assert saved.pop("ackIntents")
        db.execute("update flow_checkpoints set checkpoint = ?", (json.dumps(saved),))
        db.commit()


def test_positions_without_an_identity_are_taken(firth, tmp_path, data_dir):
    """In a log that had none either; the next commit has it."""
    path = put(firth, tmp_path, {"id": 1}, {"id": 2})
    materialize(firth, path)
    (tmp_path / "messages").unlink()

    def begun():
        return [body["runtimeCheckpoint"] for _, verb, body in messages(tmp_path) if verb == "startCommit"]

    before_identities(tmp_path, data_dir)
    path = put(firth, tmp_path, {"id": 3})
    materialize(firth, path)
    assert [r["id"] for r in rows(tmp_path)] == [1, 2, 3]
    (checkpoint,) = begun()
    assert set(checkpoint["ackIntents"]) == {*checkpoint["sources"], "materialize/acmeCo/mat/users;documents"}


def test_positions_without_an_identity_are_refused_after_a_drop(firth, tmp_path, data_dir):
    """A log that has had an identity from its beginning is none that such a position counts in."""
    path = put(firth, tmp_path, {"id": 1}, {"id": 2})
    materialize(firth, path)
    before_identities(tmp_path, data_dir)
    firth("drop", "acmeCo/in", "--yes", expect=0)
    path = put(firth, tmp_path, *({"id": i} for i in range(11, 17)))
    error = failure(materialize(firth, path, expect=1))
    assert "has read 2 documents that acmeCo/in wrote to acmeCo/users" in error["message"]
    assert [r["id"] for r in rows(tmp_path)] == [1, 2]
    path = put(firth, tmp_path, {"id": 17})
    assert "has read 2 documents" in failure(materialize(firth, path, expect=1))["message"]


def test_an_airbyte_destination(firth, tmp_path):
    endpoint = local("scripted_destination", {"out": str(tmp_path / "out")})
    bindings = [{"source": "acmeCo/users", "resource": {"stream": "people", "destinationSyncMode": "append"}}]
    path = put(firth, tmp_path, {"id": 1, "n": 1}, {"id": 2, "n": 1}, endpoint=endpoint, bindings=bindings)
    materialize(firth, path)
    path = put(firth, tmp_path, {"id": 1, "n": 5}, endpoint=endpoint, bindings=bindings)
    materialize(firth, path)
    records = [m["record"] for m in received(tmp_path) if m.get("type") == "RECORD"]
    assert [(r["stream"], r["data"]) for r in records] == [
        ("people", {"id": 1, "n": 1}), ("people", {"id": 2, "n": 1}), ("people", {"id": 1, "n": 5})]
    states = [m["state"]["stream"]["stream_state"] for m in received(tmp_path) if m.get("type") == "STATE"]
    journal = "acmeCo/users/acmeCo%2Fin;materialize/acmeCo/mat/people.v0"
    assert states[-1]["sources"] == {journal: {"readThrough": "3"}}
    assert list(states[-1]["ackIntents"]) == [journal]
    identities = [base64.b64decode(s["ackIntents"][journal])[:8] for s in states]
    assert identities[0] == identities[-1] != bytes(8)


# --- fields ---------------------------------------------------------------------------------------------


def selected(tmp_path):
    return [b["fieldSelection"] for _, verb, body in messages(tmp_path) if verb == "apply"
            for b in body["materialization"]["bindings"]][-1]


NESTED = {"type": "object", "required": ["id"], "properties": {
    "id": {"type": "integer"}, "name": {"type": "string"}, "mixed": {"type": ["string", "object"]},
    "address": {"type": "object", "properties": {"city": {"type": "string"}, "geo": {
        "type": "object", "properties": {"lat": {"type": "number"}}}}}}}


@pytest.mark.parametrize("fields,values", [
    ({"recommended": False}, []),
    ({"recommended": 1}, ["address", "flow_published_at", "mixed", "name"]),
    ({"recommended": 2}, ["address/city", "address/geo", "flow_published_at", "mixed", "name"]),
    ({"recommended": True}, ["address/city", "address/geo/lat", "flow_published_at", "mixed", "name"]),
    ({"recommended": False, "require": {"address/geo/lat": {"type": "x"}}}, ["address/geo/lat"]),
    ({"recommended": 1, "exclude": ["name", "flow_published_at"]}, ["address", "mixed"])])
def test_fields(firth, tmp_path, fields, values):
    bindings = [{"source": "acmeCo/users", "resource": {"table": "t"}, "fields": fields}]
    more = {"program": "scripted_materialize.py", "schema": NESTED, "bindings": bindings,
            "config": {"constraints": {"flow_document": {"type": "LOCATION_REQUIRED"}}}}
    path = put(firth, tmp_path, {"id": 1, "address": {"geo": {"lat": 1.5}}}, **more)
    materialize(firth, path)
    selection = selected(tmp_path)
    assert (selection["keys"], selection.get("values", []), selection["document"]) == (["id"], values, "flow_document")
    if "require" in fields:
        assert selection["fieldConfig"] == fields["require"]
        assert [b["values"] for _, verb, b in messages(tmp_path) if verb == "store"] == [[1.5]]


def test_group_by(firth, tmp_path):
    schema = {"type": "object", "required": ["id", "team"], "reduce": {"strategy": "merge"}, "properties": {
        "id": {"type": "integer"}, "team": {"type": "string"}, "n": {"type": "integer", "reduce": {"strategy": "sum"}}}}
    bindings = [{"source": "acmeCo/users", "resource": {"table": "users"}, "fields": {
        "recommended": 1, "groupBy": ["team"], "exclude": ["id"]}}]
    path = put(firth, tmp_path, {"id": 1, "team": "a", "n": 1}, {"id": 2, "team": "b", "n": 2},
               {"id": 3, "team": "a", "n": 4}, schema=schema, bindings=bindings)
    materialize(firth, path)
    assert [(r["team"], r["n"]) for r in rows(tmp_path)] == [("a", 5), ("b", 2)]


@pytest.mark.parametrize("constraints,fields,said", [
    ({"name": {"type": "FIELD_REQUIRED", "reason": "we need it"}}, {"recommended": True, "exclude": ["name"]},
     ["the field 'name' is required by the connector: we need it, but the catalog excludes it", "take it from 'exclude'"]),
    ({"name": {"type": "FIELD_FORBIDDEN", "reason": "too long"}}, {"recommended": True, "require": {"name": {}}},
     ["the field 'name' is required by the catalog, but the connector forbids it: too long", "'require'"]),
    ({"id": {"type": "FIELD_FORBIDDEN", "reason": "no keys"}}, {"recommended": True},
     ["the field 'id' is part of the key, but the connector forbids it: no keys", "groupBy"]),
    ({}, {"recommended": True, "require": {"nmae": {}}}, ["'require' names the field 'nmae'", "did you mean 'name'?"]),
    ({"name": {"type": "FIELD_REQUIRED", "foldedField": "X"}, "mixed": {"type": "FIELD_REQUIRED", "foldedField": "X"}},
     {"recommended": True}, ["the fields 'mixed' and 'name' are both 'X' at the endpoint"]),
])
def test_conflicts_are_explained(firth, tmp_path, constraints, fields, said):
    bindings = [{"source": "acmeCo/users", "resource": {"table": "t"}, "fields": fields}]
    path = put(firth, tmp_path, {"id": 1}, program="scripted_materialize.py", schema=NESTED, bindings=bindings,
               config={"constraints": constraints})
    error = failure(materialize(firth, path, expect=1))
    assert not error["retriable"] and all(text in error["message"] for text in ["acmeCo/users to t", *said]), error


def test_case_is_folded(firth, tmp_path):
    schema = {"type": "object", "required": ["id"], "properties": {
        "id": {"type": "integer"}, "Name": {"type": "string"}, "name": {"type": "string"}}}
    path = put(firth, tmp_path, {"id": 1}, program="scripted_materialize.py", schema=schema,
               config={"case_insensitive": True})
    lines = materialize(firth, path)
    assert [f for f in selected(tmp_path)["values"] if f.lower() == "name"] == ["Name"]
    (told,) = [log["message"] for log in events(lines, "log") if "is left out" in log["message"]]
    assert "the field 'name' is left out: the endpoint cannot tell it from 'Name'" in told


def test_fields_that_are_forbidden_for_one_another_are_told(firth, tmp_path):
    schema = {"type": "object", "required": ["id"], "properties": {
        "id": {"type": "integer"}, "Name": {"type": "string"}, "name": {"type": "string"}}}
    both = {"type": "FIELD_FORBIDDEN", "reason": "they are ambiguous"}
    path = put(firth, tmp_path, {"id": 1}, program="scripted_materialize.py", schema=schema,
               config={"case_insensitive": True, "constraints": {"Name": both, "name": both}})
    lines = materialize(firth, path)
    told = [log["message"] for log in events(lines, "log") if "is left out" in log["message"]]
    assert len(told) == 2 and all(log["level"] == "warn" for log in events(lines, "log") if "is left out" in log["message"])
    assert "the field 'Name' is left out: the endpoint cannot tell it from 'name': they are ambiguous" in told[0]


WANTED = {"type": "object", "required": ["id"], "properties": {
    "id": {"type": "integer"}, "name": {"type": "string"}, "price": {"type": "number"}, "ok": {"type": ["boolean", "null"]},
    "mixed": {"type": ["string", "object"]}, "never": {"type": "null"}, "list": {"type": "array"}}}


@pytest.mark.parametrize("fields,said", [
    ({"groupBy": ["flow_published_at"]}, "'groupBy' names the field 'flow_published_at', which is the time of a document"),
    ({"groupBy": ["flow_document"]}, "'groupBy' names the field 'flow_document', which may be of the type object"),
    ({"groupBy": ["name", "price"]}, "'groupBy' names the field 'price', which may be of the type number"),
    ({"groupBy": ["mixed"]}, "'groupBy' names the field 'mixed', which may be of the type object"),
    ({"groupBy": ["list"]}, "'groupBy' names the field 'list', which may be of the type array"),
    ({"groupBy": ["never"]}, "'groupBy' names the field 'never', which has no value that a key is made of"),
    ({"groupBy": ["name", "ok", "name"]}, "'groupBy' names the field 'name' twice"),
    ({"groupBy": ["naem"]}, "'groupBy' names the field 'naem', which acmeCo/users does not have; did you mean 'name'?"),
    ({"exclude": ["pirce"]}, "'exclude' names the field 'pirce', which acmeCo/users does not have; did you mean 'price'?"),
    ({"require": {"pirce": {}}}, "'require' names the field 'pirce', which acmeCo/users does not have; did you mean 'price'?"),
    ({"exclude": ["id"]}, "the field 'id' is part of the key, but the catalog excludes it; take it from 'exclude'"),
    ({"groupBy": ["list"], "require": {"x": {}}, "exclude": ["pirce", "y"]},
     "'groupBy' names the field 'list', which may be of the type array in the schema; a key is made of strings, integers and booleans; "
     "'require' names the field 'x', which acmeCo/users does not have; "
     "'exclude' names the field 'pirce', which acmeCo/users does not have; did you mean 'price'?; "
     "'exclude' names the field 'y', which acmeCo/users does not have"),
    ({"groupBy": ["name"], "exclude": ["id"]}, None),
    ({"groupBy": ["name", "ok", "id"], "exclude": ["price"], "require": {"list": {}}}, None)])
def test_what_cannot_be_wanted(firth, tmp_path, fields, said):
    """By the check and by the run, before the connector is asked what it makes of it."""
    more = {"program": "scripted_materialize.py", "schema": WANTED,
            "bindings": [{"source": "acmeCo/users", "resource": {"table": "t"}, "fields": {"recommended": True, **fields}}]}
    path = put(firth, tmp_path, {"id": 1}, **more)
    checked = firth("check", str(path), expect=3 if said else 0)
    lines = materialize(firth, path, expect=1 if said else 0)
    if said:
        assert "acmeCo/users to t: " + said in checked.err
        error = failure(lines)
        assert said in error["message"] and not error["retriable"] and ">validate" not in verbs(tmp_path)


# --- schemas that change --------------------------------------------------------------------------------

BEFORE = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "x": {"type": "integer"}}}
AFTER = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "x": {"type": ["string", "integer"]}},
         "allOf": [{"properties": {"x": {"type": "string"}}}]}


def changed(firth, tmp_path, on, **more):
    put(firth, tmp_path, {"id": 1}, {"id": 2}, schema=BEFORE)
    materialize(firth, catalog(tmp_path, schema=BEFORE))
    return catalog(tmp_path, schema=AFTER, onIncompatibleSchemaChange=on, **more)


def test_incompatible_backfill(firth, tmp_path):
    path = changed(firth, tmp_path, "backfill")
    lines = materialize(firth, path)
    assert [r["id"] for r in rows(tmp_path)] == [1, 2]
    told = [log["message"] for log in events(lines, "log") if log["level"] == "warn"]
    assert any("'x' does not fit what the endpoint has" in m and "backfill counter 1" in m for m in told), told
    applied = [b for _, verb, body in messages(tmp_path) if verb == "apply" for b in body["materialization"]["bindings"]]
    assert [(b.get("backfill", 0), b["stateKey"]) for b in applied] == [(0, "users"), (1, "users.v1")]
    # The counter holds; and the catalog's own still means something.
    (tmp_path / "messages").unlink()
    materialize(firth, path)
    assert verbs(tmp_path).startswith(">open")
    materialize(firth, catalog(tmp_path, schema=AFTER, bindings=[
        {"source": "acmeCo/users", "resource": {"table": "users"}, "backfill": 1}]))
    assert [b["stateKey"] for _, verb, body in messages(tmp_path) if verb == "apply"
            for b in body["materialization"]["bindings"]] == ["users.v2"]


@pytest.mark.parametrize("on,said", [("abort", "onIncompatibleSchemaChange: backfill"),
                                     ("disableTask", "until the catalog changes")])
def test_incompatible_stops(firth, tmp_path, on, said):
    error = failure(materialize(firth, changed(firth, tmp_path, on), expect=1))
    assert not error["retriable"] and said in error["message"] and "'x' does not fit" in error["message"]


@pytest.mark.parametrize("on", ["abort", "disableTask", "disableBinding", "backfill"])
def test_check_tells_what_is_incompatible(firth, tmp_path, on):
    """Every field, at its binding, before a run stops at it; what a run mends by itself is no error."""
    path = changed(firth, tmp_path, on)
    checked = firth("check", str(path), "-o", "json", expect=3 if on == "abort" else 0)
    (told,) = json.loads(checked.out)["errors" if on == "abort" else "warnings"]
    assert "the field 'x' does not fit what the endpoint has of it" in told["message"]
    assert f"onIncompatibleSchemaChange: {'backfill' if on == 'abort' else on}" in told["message"]
    assert told["file"].endswith("flow.json") and told["line"]
    both = {"constraints": {field: {"type": "INCOMPATIBLE", "reason": "it was text"} for field in ("id", "x")}}
    checked = firth("check", str(catalog(tmp_path, schema=AFTER, onIncompatibleSchemaChange=on, config=both)))
    for field in ("id", "x"):
        assert f"the field '{field}' does not fit what the endpoint has of it: it was text" in checked.err


def test_incompatible_disables_the_binding(firth, tmp_path):
    more = {"collections": ("users", "other"), "schema": BEFORE}
    put(firth, tmp_path, {"id": 1}, **more)
    materialize(firth, catalog(tmp_path, **more))
    put(firth, tmp_path, {"id": 2}, **more)
    put(firth, tmp_path, {"id": 7}, stream="other", **more)
    bindings = [{"source": "acmeCo/users", "resource": {"table": "users"}, "onIncompatibleSchemaChange": "disableBinding",
                 "fields": {"recommended": True, "require": {"x": {}}}},
                {"source": "acmeCo/other", "resource": {"table": "other"}}]
    config = {"constraints": {"x": {"type": "INCOMPATIBLE", "reason": "it was text"}}}
    bindings[1]["fields"] = {"recommended": True, "exclude": ["x"]}
    for _ in range(2):
        materialize(firth, catalog(tmp_path, collections=("users", "other"), schema=BEFORE, bindings=bindings, config=config))
        assert [r["id"] for r in rows(tmp_path)] == [1] and [r["id"] for r in rows(tmp_path, "other")] == [7]


# --- connectors that break the protocol -----------------------------------------------------------------


@pytest.mark.parametrize("say,code,said", [
    ({"open": [[{"acknowledged": {}}]]}, "protocol", "'acknowledged' before it had answered 'open'"),
    ({"acknowledge": [[{"flushed": {}}]]}, "protocol", "'flushed' before 'acknowledged'"),
    ({"acknowledge": [[{"acknowledged": {}}, {"acknowledged": {}}]]}, "protocol", "it sent 'acknowledged' while"),
    ({"flush": [[{"startedCommit": {}}]]}, "protocol", "'startedCommit' while it flushes"),
    ({"flush": [[{"loaded": {"doc": {"id": 99}}}]]}, "protocol", "with the key [99], which was not asked for"),
    ({"flush": [[{"loaded": {"binding": 7, "doc": {"id": 1}}}]]}, "protocol", "'loaded' of binding 7, but there is 1"),
    ({"flush": [[{"loaded": {"doc": {"id": 1}}}, {"loaded": {"doc": {"id": 1}}}]]}, "invalid", "acmeCo/users"),
    ({"startCommit": [[{"text": "panic: no"}]]}, "protocol", "panic: no"),
    ({"startCommit": [[{"log": "disk is full"}, {"exit": 1}]]}, "connector", "disk is full"),
    ({"startCommit": [[{"exit": 0}]]}, "protocol", "ended, with status 0, where the answer to 'startCommit' was due"),
    ({"startCommit": [[{"log": "fenced off"}, {"exit": 1}]]}, "connector",
     "fenced off (it exited with status 1, where the answer to 'startCommit' was due)"),
    ({"startCommit": [[{"part": '{"startedC'}, {"log": "killed"}, {"exit": 3}]]}, "connector", "killed"),
    ({"open": [[{"opened": {"runtimeCheckpoint": 7}}]]}, "protocol", "'opened': the runtime checkpoint is none"),
    ({"open": [[{"opened": {"runtimeCheckpoint": {"sources": []}}}]]}, "protocol", "'sources' is to be an object"),
    ({"open": [[{"opened": {"runtimeCheckpoint": {"sources": {"acmeCo/users/acmeCo%2Fin;materialize/acmeCo/other/users": {
        "readThrough": "2"}}}}}]]}, "invalid", "is not acmeCo/mat's: it has read 'acmeCo/users/acmeCo%2Fin;materialize/acmeCo/other/"),
    ({"open": [[{"opened": {"runtimeCheckpoint": {"sources": {"acmeCo/users/pivot=00": {}}}}}]]}, "invalid",
     "remove that checkpoint there, and it begins from the first document"),
    ({"open": [[{"opened": {"runtimeCheckpoint": {"sources": {"acmeCo/users/region=a/pivot=00;materialize/acmeCo/mat/users": {
        "readThrough": "812"}}}}}]]}, "invalid", "which no task of this program wrote"),
    ({"open": [[{"opened": {"runtimeCheckpoint": {"positions": {}}}}]]}, "invalid", "keeps has no 'sources'"),
    ({"validate": [[{"validated": {"bindings": []}}]]}, "protocol", "validated 0 bindings of 1"),
    ({"spec": [[{"spec": {"protocol": 1}}]]}, "unsupported", "speaks version 1"),
])
def test_deviations(firth, tmp_path, say, code, said):
    path = put(firth, tmp_path, {"id": 1, "n": 1}, program="scripted_materialize.py", config={"say": say})
    error = failure(materialize(firth, path, expect=1))
    assert said in error["message"] and error["code"] == code, error


def test_states_are_kept_at_the_right_moment(firth, tmp_path):
    def state(**updated):
        return {"state": {"updated": updated, "mergePatch": True}}

    say = {"apply": [[{"applied": state(applied=1)}]], "flush": [[{"flushed": state(flushed=1)}]],
           "startCommit": [[{"startedCommit": state(started=1, flushed=None)}]],
           "acknowledge": [None, [{"acknowledged": state(acknowledged=1)}]]}
    config = {"say": say}
    path = put(firth, tmp_path, {"id": 1, "n": 1}, program="scripted_materialize.py", config=config)
    materialize(firth, path)
    materialize(firth, path)
    states = [body.get("state") for _, verb, body in messages(tmp_path) if verb in ("apply", "open")]
    assert states == [{}, {"applied": 1}, {"applied": 1, "started": 1, "acknowledged": 1}]


def test_a_flushed_state_is_durable_before_the_stores(firth, tmp_path):
    say = {"flush": [[{"flushed": {"state": {"updated": {"a": 1}}}}]], "startCommit": [[{"exit": 1}]]}
    path = put(firth, tmp_path, {"id": 1, "n": 1}, program="scripted_materialize.py", config={"say": say})
    materialize(firth, path, expect=1)
    materialize(firth, path, expect=1)
    opened = [body for _, verb, body in messages(tmp_path) if verb == "open"]
    assert opened[1]["state"] == {"a": 1}
    assert "".join(verbs(tmp_path)).count(">store") == 2


# --- firth check ----------------------------------------------------------------------------------------


def test_check_asks_the_connector(firth, tmp_path):
    config = {"constraints": {"name": {"type": "FIELD_FORBIDDEN", "reason": "too long"}}, "seen": str(tmp_path / "messages")}
    bindings = [{"source": "acmeCo/users", "resource": {"table": "t"}, "fields": {"recommended": True, "require": {"name": {}}}}]
    path = catalog(tmp_path, program="scripted_materialize.py", bindings=bindings, config=config)
    result = firth("check", str(path), expect=3)
    assert "the field 'name' is required by the catalog, but the connector forbids it: too long" in result.err
    bindings[0]["fields"] = {"recommended": True}
    firth("check", str(catalog(tmp_path, program="scripted_materialize.py", bindings=bindings, config=config)), expect=0)
    assert verbs(tmp_path) == ">spec <spec >validate <validated >spec <spec >validate <validated"
