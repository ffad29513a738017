"""Catalogs of a capture and a materialization, and what came of them at the endpoint."""

import json
import pathlib
import sqlite3

from e2e.scripted import command, local, run, write

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
TASK = "acmeCo/mat"
SCHEMA = {"type": "object", "required": ["id"], "reduce": {"strategy": "merge"}, "properties": {
    "id": {"type": "integer"}, "name": {"type": ["string", "null"]},
    "n": {"type": "number", "reduce": {"strategy": "sum"}}}}


def flow(program, config, **more):
    return {"local": {"command": command(program), "config": config, **more}}


def catalog(tmp_path, config=None, collections=("users",), schema=None, key=("/id",), bindings=None,
            program="sqlite_materialize.py", collection=None, endpoint=None, **more):
    """flow.json: acmeCo/in writes documents that `put` has set into collections, acmeCo/mat takes them to SQLite."""
    steps = tmp_path / "steps.json"
    if not steps.exists():
        steps.write_text("[]")
    config = {"path": str(tmp_path / "out.db"), "seen": str(tmp_path / "messages"), **(config or {})}
    return write(tmp_path / "flow.json", {
        "collections": {f"acmeCo/{name}": {"schema": schema or SCHEMA, "key": list(key), **(collection or {})}
                        for name in collections},
        "captures": {"acmeCo/in": {
            "endpoint": local("scripted_source", {"streams": list(collections), "seen": str(tmp_path / "seen"),
                                                     "steps": json.loads(steps.read_text())}),
            "bindings": [{"resource": {"stream": name}, "target": f"acmeCo/{name}"} for name in collections]}},
        "materializations": {TASK: {
            "endpoint": endpoint or flow(program, config),
            "bindings": bindings if bindings is not None else [{"source": f"acmeCo/{name}", "resource": {"table": name}}
                                     for name in collections], **more}}})


def put(firth, tmp_path, *documents, stream="users", steps=(), **more):
    """Append documents to a collection, as one transaction."""
    steps = list(steps) + [{"message": {"type": "RECORD", "record": {"stream": stream, "data": d, "emitted_at": 1}}} for d in documents]
    (tmp_path / "steps.json").write_text(json.dumps(steps))
    path = catalog(tmp_path, **more)
    run(firth, path, "--task", "acmeCo/in")
    return path


def materialize(firth, path, expect=0, **more):
    return run(firth, path, "--task", TASK, expect=expect, **more)


def rows(tmp_path, table="users", columns="*"):
    with sqlite3.connect(tmp_path / "out.db") as db:
        names = [c[1] for c in db.execute(f"pragma table_info('{table}')")]
        wanted = names if columns == "*" else columns
        return [dict(zip(names, row)) if columns == "*" else tuple(row) for row in db.execute(
            f"select {', '.join(json.dumps(n) for n in wanted)} from '{table}' order by 1")]


def documents(tmp_path, table="users"):
    return [json.loads(row[0]) for row in rows(tmp_path, table, ["flow_document"])]


def messages(tmp_path):
    """What the connector was sent and what it said, in order: [(way, verb, body)]."""
    out = []
    for line in (tmp_path / "messages").read_text().splitlines():
        entry = json.loads(line)
        way = "<" if "<" in entry else ">"
        (verb, body), = entry[way].items()
        out.append((way, verb, body))
    return out


def verbs(tmp_path):
    return " ".join(way + verb for way, verb, _ in messages(tmp_path))
