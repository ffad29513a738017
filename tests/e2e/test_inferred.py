"""flow://inferred-schema: what was captured says what is materialized."""

import json
import signal
import sqlite3
import sys

import pytest

from conftest import until
from e2e import serving
from e2e.scripted import run, write
from e2e.test_autodiscover import SQLITE
from e2e.test_flow_capture import PROGRAM, patch

WRITE = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
READ = {"allOf": [{"$ref": "flow://write-schema"}, {"$ref": "flow://inferred-schema"}]}


def captured(*documents):
    return [{"captured": {"doc": document}} for document in documents]


def catalog(tmp_path, *sessions, read=None, interval="1h", write_schema=None, **capture):
    return write(tmp_path / "flow.json", {
        "collections": {"acmeCo/users": {"key": ["/id"], "writeSchema": write_schema or WRITE, "readSchema": read or READ}},
        "captures": {"acmeCo/flow": {
            "endpoint": {"local": {"command": [sys.executable, "-S", "-E", PROGRAM],
                                   "config": {"seen": str(tmp_path / "seen"), "sessions": list(sessions)}}},
            "interval": interval, "bindings": [{"resource": {"path": ["users"]}, "target": "acmeCo/users"}], **capture}},
        "materializations": {"acmeCo/out": {
            "endpoint": {"local": {"command": [sys.executable, "-S", "-E", SQLITE],
                                   "config": {"path": str(tmp_path / "out.db"), "seen": str(tmp_path / "messages")}}},
            "bindings": [{"source": "acmeCo/users", "resource": {"table": "users"}}]}}})


def inferred(firth):
    """The schema that the capture has learned."""
    [path] = (firth.data_dir / "inferred").rglob("*.json")
    return json.loads(path.read_text())["schema"]


def rows(tmp_path, *columns):
    with sqlite3.connect(tmp_path / "out.db") as db:
        return db.execute(f"select {', '.join(columns)} from users order by id").fetchall()


def columns(tmp_path):
    with sqlite3.connect(tmp_path / "out.db") as db:
        return {row[1] for row in db.execute("pragma table_info(users)")}


def test_fields_come_from_documents(firth, tmp_path):
    path = catalog(tmp_path, [*captured({"id": 1, "name": "ann"}, {"id": 2, "name": None}), patch(n=1)],
                   [*captured({"id": 3, "name": "bob", "age": 7}), patch(n=2)])
    run(firth, path)
    assert inferred(firth)["properties"]["name"]["type"] == ["null", "string"]
    assert rows(tmp_path, "id", "name") == [(1, "ann"), (2, None)]
    run(firth, path)
    assert inferred(firth)["properties"]["age"]["type"] == "integer"
    assert rows(tmp_path, "id", "name", "age") == [(1, "ann", None), (2, None, None), (3, "bob", 7)]


def test_it_only_becomes_wider(firth, tmp_path):
    path = catalog(tmp_path, [*captured({"id": 1, "x": "a", "y": 1}), patch(n=1)], [*captured({"id": 2, "x": 5}), patch(n=2)])
    run(firth, path)
    first = inferred(firth)
    run(firth, path)
    second = inferred(firth)
    assert first["properties"]["x"]["type"] == "string" and set(second["properties"]["x"]["type"]) == {"integer", "string"}
    assert "y" in second["properties"] and second["required"] == ["id", "x"]


def test_what_the_connector_says_counts_as_well(firth, tmp_path):
    """A sourced schema, as far as the write schema allows it, beside the documents."""
    sourced = {"type": "object", "properties": {"id": {"type": ["string", "integer"]}, "later": {"type": "boolean"}}}
    path = catalog(tmp_path, [{"sourcedSchema": {"documentSchema": sourced}}, *captured({"id": 1}), patch(n=1)])
    run(firth, path)
    schema = inferred(firth)
    assert schema["properties"]["later"]["type"] == "boolean" and schema["properties"]["id"]["type"] == "integer"
    assert "later" in columns(tmp_path)


def test_a_materialization_that_runs_learns_of_it(firth, tmp_path):
    gate = tmp_path / "gate"
    path = catalog(tmp_path, [*captured({"id": 1}), patch(n=1), {"wait_file": str(gate)},
                              *captured({"id": 2, "name": "bob"}), patch(n=2), {"for_ever": 1}])
    running = firth.start("run", str(path), "-o", "json", "--retry-after", "100ms")

    def reached(count):
        try:
            return len(rows(tmp_path, "id")) == count
        except sqlite3.Error:
            return False
    until(lambda: reached(1), "the first document")
    assert "name" not in columns(tmp_path)
    gate.touch()
    until(lambda: reached(2), "the second document")
    assert rows(tmp_path, "id", "name") == [(1, None), (2, "bob")]
    running.kill()


def test_a_daemon_plans_anew(firth, tmp_path):
    gate = tmp_path / "gate"
    path = catalog(tmp_path, [*captured({"id": 1}), patch(n=1), {"wait_file": str(gate)},
                              *captured({"id": 2, "name": "bob"}), patch(n=2), {"for_ever": 1}])
    serving.deploy(firth, path)
    # So long a backoff that only a new plan can begin the session in time.
    daemon = serving.serve(firth, "--retry-after", "10m")

    def reached(count):
        try:
            return len(rows(tmp_path, "id")) == count
        except sqlite3.Error:
            return False
    until(lambda: reached(1), "the first document")
    gate.touch()
    until(lambda: reached(2), "the second document")
    assert rows(tmp_path, "id", "name") == [(1, None), (2, "bob")]
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def test_redacted_values_are_not_learned(firth, tmp_path):
    schema = {**WRITE, "properties": {**WRITE["properties"], "secret": {"redact": {"strategy": "block"}}}}
    run(firth, catalog(tmp_path, [*captured({"id": 1, "secret": "hunter2"}), patch(n=1)], write_schema=schema))
    assert "secret" not in inferred(firth)["properties"]


def test_nothing_is_learned_where_nobody_asks(firth, tmp_path):
    run(firth, catalog(tmp_path, [*captured({"id": 1}), patch(n=1)], read={"$ref": "flow://write-schema"}))
    assert not (firth.data_dir / "inferred").exists()


@pytest.mark.parametrize("point", ["task.inferred", "task.commit.before", "task.commit.after"])
def test_killed_at(firth_dev, tmp_path, point):
    """What is committed fits what is inferred, whenever the capture dies."""
    path = catalog(tmp_path, [*captured({"id": 1, "name": "ann"}), patch(n=1), *captured({"id": 2, "age": 7}), patch(n=2)])
    firth_dev("run", str(path), "--once", "--task", "acmeCo/flow", env={"FIRTH_FAULT_KILL": point}, expect=1)
    check_committed(firth_dev)
    run(firth_dev, path)
    check_committed(firth_dev)


def check_committed(firth):
    result = firth("read", "acmeCo/users")
    documents = [json.loads(line) for line in result.out.splitlines()] if result.rc == 0 else []
    known = inferred(firth)["properties"] if (firth.data_dir / "inferred").exists() else {}
    for document in documents:
        assert set(document) <= set(known), (document, known)
    return documents


def test_a_planted_bug_is_caught(firth_dev, tmp_path):
    path = catalog(tmp_path, [*captured({"id": 1, "name": "ann"}), patch(n=1)])
    firth_dev("run", str(path), "--once", "--task", "acmeCo/flow", env={"FIRTH_FAULT_PLANT": "infer-late"}, expect=0)
    with pytest.raises(AssertionError):
        check_committed(firth_dev)
