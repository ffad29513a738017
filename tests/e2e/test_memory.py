"""A million documents do not take more memory than a few: captures and materializations, of both protocols."""

import pathlib
import signal
import sys

import pytest

from e2e.materialize import TASK
from e2e.scripted import command, events, local, run, write

COUNT, LIMIT = 1_000_000, 64 << 20
FLOW = """
import json, sys
for line in sys.stdin:
    (verb, body), = json.loads(line).items()
    if verb == "open":
        sys.stdout.write('{"opened":{}}\\n')
        for n in range(%d):
            sys.stdout.write('{"captured":{"doc":{"id":%%d,"name":"a name that is not short"}}}\\n' %% n)
            if n %% 1000 == 999:
                sys.stdout.write('{"checkpoint":{"state":{"updated":{"n":%%d}}}}\\n' %% n)
        break
    print(json.dumps({"spec": {"spec": {"protocol": 3032023, "configSchema": {}, "resourceConfigSchema": {}}},
                      "validate": {"validated": {"bindings": [{"resourcePath": ["s"]}]}}, "apply": {"applied": {}}}[verb]),
          flush=True)
""" % COUNT


def endpoint(kind, tmp_path):
    if kind == "flow":
        (tmp_path / "source.py").write_text(FLOW)
        return {"local": {"command": [sys.executable, "-S", "-E", str(tmp_path / "source.py")], "config": {}}}
    return local("scripted_source", {"streams": ["s"], "steps": [
        {"records": {"stream": "s", "from": 0, "to": COUNT - 1, "data": {"name": "a name that is not short"}}}]})


def memory(pid):
    """Bytes of it that are in memory, libraries and all."""
    (line,) = [line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) << 10


def peak(lines):
    return max(line["memoryPeak"] for line in events(lines, "progress"))


def catalog(tmp_path, kind):
    return write(tmp_path / "flow.json", {
        "collections": {"acmeCo/s": {"key": ["/id"], "schema": {"type": "object", "required": ["id"], "properties": {
            "id": {"type": "integer"}, "name": {"type": "string"}}}}},
        "captures": {"acmeCo/in": {"endpoint": endpoint(kind, tmp_path), "bindings": [
            {"resource": {"stream": "s"}, "target": "acmeCo/s"}]}},
        "materializations": {TASK: {"endpoint": {"local": {
            "command": command("counting_materialize.py"),
            "config": {"counts": str(tmp_path / "counts")}}}, "bindings": [{"source": "acmeCo/s", "resource": {"table": "t"}}]}}})


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["airbyte", "flow"])
def test_a_million_documents(firth, tmp_path, kind):
    path = catalog(tmp_path, kind)
    captured = run(firth, path, "--task", "acmeCo/in", timeout=300)
    assert peak(captured) < LIMIT
    # All keys are others, and each is asked for.
    stored = run(firth, path, "--task", TASK, "--commit-every", "1m", timeout=300)
    assert (tmp_path / "counts").read_text() == str(COUNT)
    assert peak(stored) < LIMIT


def test_a_firth_that_waits_is_small(firth, tmp_path):
    path = write(tmp_path / "flow.json", {
        "collections": {"acmeCo/s": {"key": ["/id"], "schema": {"type": "object", "required": ["id"]}}},
        "captures": {"acmeCo/in": {"interval": "1h", "endpoint": {"connector": {"image": "airbyte/source-faker", "config": {}}},
                                   "bindings": [{"resource": {"stream": "users"}, "target": "acmeCo/s"}]}}})
    running = firth.start("run", str(path), "-o", "json")
    running.wait_for_line('"waiting"')
    assert memory(running.pid) < 10 << 20
    running.signal(signal.SIGTERM)
    running.wait()
