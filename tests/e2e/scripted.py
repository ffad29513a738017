"""Catalogs around the scripted source and destination, and what `firth run -o json` tells."""

import json
import pathlib
import sys

from conftest import binary

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
ANY = {"type": "object"}


def command(program):
    """How a program of programs/ is started, in the least time: one in C was built with the tests, and Python looks for no packages."""
    if program.endswith(".py"):
        return [sys.executable, "-S", "-E", str(PROGRAMS / program)]
    return [str(pathlib.Path(binary("FIRTH_DEV_BIN", "build-dev/firth")).parent / "tests" / program)]


def local(program, config, **more):
    return {"local": {"command": command(program), "protocol": "airbyte", "config": config, **more}}


def write(path, catalog):
    path.write_text(json.dumps(catalog))
    return path


def capture(tmp_path, steps, bindings=None, streams=None, schema=None, **more):
    """A catalog of one capture, acmeCo/test: `bindings` maps streams to collections (default: each of its own name)."""
    streams = streams or ["users"]
    names = [each if isinstance(each, str) else each["name"] for each in streams]
    bindings = bindings or {name: f"acmeCo/{name}" for name in names}
    source = {"streams": streams, "steps": steps, "seen": str(tmp_path / "seen"), **more.pop("source", {})}
    resources = more.pop("resources", {})
    return write(tmp_path / "flow.json", {
        "collections": {target: {"key": ["/id"], "schema": schema or {
            "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}
            for target in bindings.values()},
        "captures": {"acmeCo/test": {
            "endpoint": local("scripted_source", source),
            "bindings": [{"resource": {"stream": name, **resources.get(name, {})}, "target": target,
                          **more.get("binding", {})} for name, target in bindings.items()],
            **{key: value for key, value in more.items() if key != "binding"}}}})


def connection(tmp_path, steps, streams=None, destination=None, **more):
    source_streams = more.pop("source_streams", ["users"])
    source = {"streams": source_streams, "steps": steps, "seen": str(tmp_path / "seen"), **more.pop("source", {})}
    return write(tmp_path / "flow.json", {"connections": {"acmeCo/sync": {
        "source": local("scripted_source", source),
        "destination": local("scripted_destination", {"out": str(tmp_path / "out"), **(destination or {})}),
        "streams": streams or "all", **more}}})


def seen(tmp_path, verb="read"):
    """What the source was given, each time that it ran `verb`."""
    lines = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    return [line for line in lines if line["verb"] == verb]


def state_of(read, stream):
    """The state that a `read` was given for a stream, or None."""
    for each in read["state"] or []:
        if each["stream"]["stream_descriptor"]["name"] == stream:
            return each["stream"]["stream_state"]
    return None


def received(tmp_path):
    return [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]


def run(firth, catalog, *args, expect=0, **more):
    """`firth run --once -o json`: its events."""
    result = firth("run", str(catalog), "--once", "-o", "json", *args, expect=expect, **more)
    return result.lines()


def events(lines, kind):
    return [line for line in lines if line["event"] == kind]


def failure(lines):
    """The one error of the one task that failed."""
    ended = events(lines, "ended")
    assert [line["outcome"] for line in ended] == ["failed"], lines
    return ended[0]["error"]


def counters(lines):
    """The last progress: {binding: its counters}."""
    return {each["name"]: each for each in events(lines, "progress")[-1]["bindings"]}


# --- steps of the scripted source, and what came of them -------------------------------------------------


def records(first, last, stream="users", fill=0, **data):
    return {"records": {"stream": stream, "from": first, "to": last, "data": data, "fill": fill}}


def state(n, stream="users"):
    return {"state": {"stream": stream, "n": n}}


def ids(firth, collection="acmeCo/users"):
    return [document["id"] for document in firth.read(collection)]
