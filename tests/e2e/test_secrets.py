"""Nothing that a connector says shows its secrets: not on the terminal, in -o json, in files, in serve's logs and status."""

import importlib.util
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys

import pytest

import scripted
import serving

PROGRAM = pathlib.Path(__file__).resolve().parent / "programs" / "leaky.py"
SPEC = importlib.util.spec_from_file_location("leaky", PROGRAM)
leaky = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(leaky)

USERS = {"acmeCo/users": {"key": ["/id"], "schema": {"type": "object", "required": ["id"],
                                                      "properties": {"id": {"type": "integer"}}}}}
ENDS = [f"401 for {form}" for secret in leaky.SECRETS for form in (secret, leaky.forms(secret)[9])]


def endpoint(what, place, end=None, protocol="airbyte"):
    config = {**leaky.CONFIG, "place": place, "end": end or " and ".join(ENDS)}
    return {"local": {"command": [sys.executable, "-S", "-E", str(PROGRAM), what], "protocol": protocol, "config": config}}


def bindings(name):
    return [{"resource": {name: "users"}, "target": "acmeCo/users"}]


def catalog(tmp_path, what, place):
    good = scripted.local("scripted_source", {"streams": ["users"], "seen": str(tmp_path / "seen"),
                                                 "steps": serving.records(1, 3)})
    sections = {
        "source": lambda: {"collections": USERS, "captures": {"acmeCo/leak": {
            "endpoint": endpoint("source", place), "bindings": bindings("stream")}}},
        "destination": lambda: {"connections": {"acmeCo/leak": {
            "source": good, "destination": endpoint("destination", place),
            "streams": [{"name": "users", "syncMode": "full_refresh", "destinationSyncMode": "append"}]}}},
        "capture": lambda: {"collections": USERS, "captures": {"acmeCo/leak": {
            "endpoint": endpoint("capture", place, protocol="flow"), "bindings": bindings("table")}}},
        "materialization": lambda: {
            "collections": USERS,
            "captures": {"acmeCo/in": {"endpoint": good, "bindings": bindings("stream")}},
            "materializations": {"acmeCo/leak": {"endpoint": endpoint("materialization", place, protocol="flow"), "bindings": [
                {"source": "acmeCo/users", "resource": {"table": "users"}}]}}},
    }
    return scripted.write(tmp_path / "flow.json", sections[what]())


def every_text(text):
    """As it is, and every string of what is JSON in it."""
    yield text
    for line in text.splitlines():
        try:
            found = [json.loads(line)]
        except ValueError:
            continue
        while found:
            value = found.pop()
            if isinstance(value, dict):
                found.extend([*value, *value.values()])
            elif isinstance(value, list):
                found.extend(value)
            elif isinstance(value, str):
                yield value


def assert_hidden(text):
    for part in every_text(text):
        for secret in leaky.SECRETS:
            for form in (secret, *leaky.forms(secret)):
                at = part.find(form)
                assert at < 0, f"{secret!r} is told: {part[max(0, at - 200):at + 100]}"
    # A line that was cut off shows no beginning, one of two reads no half.
    for part in ("M4ter", "h3ade", "lue\n."):
        assert part not in text


def assert_kept_hidden(folder):
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file():
            assert_hidden(path.read_bytes().decode("utf-8", "replace"))


PLACES = [("source", "check"), ("source", "discover"), ("source", "read"), ("destination", "check"), ("destination", "write"),
          ("capture", "spec"), ("capture", "validate"), ("capture", "apply"), ("capture", "open"),
          ("materialization", "spec"), ("materialization", "validate"), ("materialization", "apply"), ("materialization", "open")]


@pytest.mark.parametrize("what, place", PLACES)
def test_a_run(firth, tmp_path, what, place):
    path = catalog(tmp_path, what, place)
    if what == "materialization":
        firth("run", str(path), "--once", "--task", "acmeCo/in", expect=0)
    for machine in (True, False):
        result = firth("run", str(path), "--once", "--task", "acmeCo/leak", "--log-level", "trace",
                       *(["-o", "json"] if machine else []), expect=1)
        said = result.out + result.err
        assert_hidden(said)
        assert "connecting: <***>" in said and "postgres://user:***@db.example/x?password=***" in said, said
        if place != "spec":  # there everything of the config is hidden, for nothing says yet what is secret
            assert re.search(r"401 for \*\*\*", said), said
            if what in ("capture", "materialization"):
                assert "text" in said
    assert_kept_hidden(firth.data_dir)


@pytest.mark.parametrize("what, place", [("capture", "spec"), ("capture", "validate"), ("materialization", "spec"),
                                         ("materialization", "validate")])
def test_a_check(firth, tmp_path, what, place):
    result = firth("check", str(catalog(tmp_path, what, place)), expect=3)
    assert_hidden(result.out + result.err)
    assert "***" in result.out + result.err


@pytest.mark.parametrize("protocol, what, place", [("airbyte", "source", "check"), ("airbyte", "source", "discover"),
                                                   ("flow", "capture", "discover")])
def test_a_discovery(firth, tmp_path, protocol, what, place):
    args = ["discover", "--command", f"{sys.executable} -S -E {PROGRAM} {what}", "--protocol", protocol, "--name", "acmeCo/leak",
            "--yes", str(tmp_path / "flow.yaml")]
    firth(*args)
    [config] = tmp_path.glob("*.config.yaml")
    config.write_text(json.dumps(endpoint(what, place)["local"]["config"]))
    result = firth(*args)
    assert result.rc != 0 and "***" in result.out + result.err, result
    assert_hidden(result.out + result.err)


def test_what_serve_keeps(firth, tmp_path):
    path = catalog(tmp_path, "source", "read")
    serving.deploy(firth, path)
    daemon = serving.serve(firth, "--retry-after", "1h")
    serving.wait_for(firth, "acmeCo/leak", event="waiting")
    facts = serving.wait_for_facts(firth, "acmeCo/leak", lambda row: "401" in str(tuple(row)))
    shown = "".join(firth(*args, expect=0).out for args in (
        ["status"], ["status", "-o", "json"], ["status", "acmeCo/leak"], ["logs"], ["logs", "-o", "json"]))
    daemon.signal(signal.SIGTERM)
    daemon.wait()
    for text in (str(tuple(facts)), shown, "\n".join(daemon.out + daemon.err)):
        assert_hidden(text)
    assert "401 for ***" in shown
    assert_kept_hidden(firth.data_dir)


def test_marks_are_kept_and_asked_anew(firth, tmp_path):
    """What the spec marks is asked once for a config; another config is asked about again."""
    verbs = tmp_path / "verbs"
    program = tmp_path / "source.sh"
    program.write_text(f'#!/bin/sh\necho "$1" >> {verbs}\n[ "$1" != read ] || cat "$3" >&2\n'
                       f'exec {sys.executable} -S -E {PROGRAM} source "$@"\n')
    program.chmod(0o755)
    path = catalog(tmp_path, "source", "never")
    text = json.loads(path.read_text())
    local = text["captures"]["acmeCo/leak"]["endpoint"]["local"]
    local["command"], local["config"]["end"] = [str(program)], "well"
    for change, asked in ((None, ["spec", "check", "discover", "read"]), (None, ["discover", "read"]),
                          ("other-hush", ["spec", "check", "discover", "read"])):
        verbs.write_text("")
        if change:
            local["config"]["hush"] = change
        scripted.write(path, text)
        result = firth("run", str(path), "--once", "-o", "json", expect=0)
        assert verbs.read_text().split() == asked
        assert '"hush":' in "".join(line.get("message", "") for line in result.lines())
        assert_hidden(result.out + result.err)
        assert "other-hush" not in result.out
    assert_kept_hidden(firth.data_dir)


def test_without_a_spec_names_tell(firth, tmp_path):
    path = catalog(tmp_path, "source", "never")
    text = json.loads(path.read_text())
    local = text["captures"]["acmeCo/leak"]["endpoint"]["local"]
    local["command"] = ["/bin/sh", "-c", f'[ "$1" != spec ] || {{ echo "I have none" >&2; exit 1; }}; [ "$1" != read ] || cat "$3" >&2; '
                        f'exec {sys.executable} -S -E {PROGRAM} source "$@"', "x"]
    scripted.write(path, text)
    result = firth("run", str(path), "--once", "-o", "json", expect=0)
    warnings = [line["message"] for line in result.lines() if line.get("level") == "warn"]
    assert any("only values whose names look secret are masked" in each and "I have none" in each for each in warnings)
    assert "named-one" not in result.out and "MIIEvQ" not in result.out


def test_no_core_file(firth, tmp_path):
    """Its memory holds configs: even a crash with the permission to dump leaves none."""
    (tmp_path / "schema.json").write_text("true")
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    process = subprocess.Popen([firth.path, "validate", "--schema", "schema.json"], cwd=tmp_path, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited))
    process.stdin.write(b"1\n" * 100000)  # more than a pipe holds: it is well past its beginning
    process.stdin.flush()
    limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
    os.kill(process.pid, signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = -signal.SIGABRT
    process.stdin.close()
    process.stdout.close()
    assert re.search(r"Max core file size +0 +0 ", limits), limits
    assert os.WTERMSIG(status) == signal.SIGABRT and not os.WCOREDUMP(status)
