"""A materialization under the daemon: it follows, its lag is shown, and whatever dies, the endpoint has in the end exactly
what the collections reduce to."""

import json
import os
import pathlib
import random
import signal
import sqlite3
import sys
import time

import pytest

import serving
from conftest import until
from e2e.materialize import SCHEMA, TASK, flow, rows
from e2e.scripted import local
from faults.test_kills import children, kill, seed

FULL = os.environ.get("FIRTH_TEST_LEVEL") == "full"
SECONDS = 120 if FULL else 8
COUNTING = pathlib.Path(__file__).resolve().parent.parent / "faults" / "counting_flow.py"
# A key that comes again and again, and a sum that tells each document that is lost or counted twice.
SUMMED = {"type": "object", "required": ["text"], "reduce": {"strategy": "merge"}, "properties": {
    "text": {"type": "string"}, "id": {"type": "integer", "reduce": {"strategy": "sum"}}, "stream": {"type": "string"}}}


def task(firth, name=TASK):
    found = [t for t in firth("status", "-o", "json", expect=0).json()["tasks"] if t["task"] == name]
    return found[0] if found else {}


def behind(firth):
    return {s["stream"]: s["behind"] for s in task(firth).get("streams") or []}


# --- lag -------------------------------------------------------------------------------------------------


def write_catalog(tmp_path, steps):
    path = tmp_path / "flow.json"
    path.write_text(json.dumps({
        "collections": {"acmeCo/users": {"schema": SCHEMA, "key": ["/id"]}},
        "captures": {"acmeCo/in": {"interval": "1h", "endpoint": local("scripted_source", {"streams": ["users"], "steps": steps}),
                                   "bindings": [{"resource": {"stream": "users"}, "target": "acmeCo/users"}]}},
        "materializations": {TASK: {"endpoint": flow("sqlite_materialize.py", {"path": str(tmp_path / "out.db")}),
                                    "bindings": [{"source": "acmeCo/users", "resource": {"table": "users"}}]}}}))
    return path


def connector_of(daemon):
    """The process of the materialization's connector."""
    def find():
        for each in children(daemon.pid):
            for pid in children(each):
                if b"sqlite_materialize.py" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return None
    return until(find, "the connector")


def test_status_shows_how_far_behind_it_is(firth, tmp_path):
    serving.deploy(firth, write_catalog(tmp_path, serving.records(1, 5)))
    daemon = serving.serve(firth, "--commit-every", "50ms")
    shown = until(lambda: task(firth) if (task(firth).get("live") or {}).get("documents") == 5 else None, "the first commit")
    assert shown["live"]["lag_ms"] >= 0 and shown["state"] == "running" and behind(firth) == {"users": 0}
    # The endpoint hangs, and the collection grows.
    connector = connector_of(daemon)
    os.kill(connector, signal.SIGSTOP)
    assert serving.deploy(firth, write_catalog(tmp_path, serving.records(6, 8))) == {"acmeCo/in": "change", TASK: "none"}
    until(lambda: behind(firth) == {"users": 3}, "the lag to be shown")
    assert "acmeCo/users to users, 3 behind" in firth("status", expect=0).out and task(firth)["state"] == "running"
    os.kill(connector, signal.SIGCONT)
    until(lambda: behind(firth) == {"users": 0}, "the endpoint to catch up")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert [r["id"] for r in rows(tmp_path)] == list(range(1, 9))
    assert serving.log(firth, TASK)[-1]["outcome"] == "stopped"


# --- deaths ----------------------------------------------------------------------------------------------


class World:
    def __init__(self, firth, folder, authority):
        self.firth, self.folder = firth, folder
        self.finish, self.random = folder / "finish", random.Random(seed())
        (folder / "log").mkdir()
        (folder / "flow.json").write_text(json.dumps({
            "collections": {f"acmeCo/{n}": {"schema": SUMMED, "key": ["/text"]} for n in "ab"},
            "captures": {"acmeCo/in": {"interval": "1s", "endpoint": {"local": {
                "command": [sys.executable, "-S", "-E", str(COUNTING)],
                "config": {"log": str(folder / "log"), "finish": str(self.finish)}}},
                "bindings": [{"resource": {"name": n}, "target": f"acmeCo/{n}"} for n in "ab"]}},
            "materializations": {TASK: {
                "endpoint": flow("sqlite_materialize.py", {"path": str(folder / "out.db"), "authority": authority}),
                "bindings": [{"source": f"acmeCo/{n}", "resource": {"table": n}} for n in "ab"]}}}))
        self.deaths = {}
        serving.deploy(firth, folder / "flow.json")
        self.start()

    def start(self):
        self.daemon = serving.serve(self.firth, "--retry-after", "10ms", "--commit-every", "50ms", "--log-level", "info")

    def strike(self):
        what = self.random.choice(["task", "connector", "daemon"])
        tasks = children(self.daemon.pid)
        if what == "task" and tasks:
            kill(self.random.choice(tasks))
        elif what == "connector" and tasks:
            for pid in children(self.random.choice(tasks)):
                kill(pid)
        elif what == "daemon":
            self.daemon.signal(signal.SIGKILL)
            self.daemon.process.wait()
            self.start()
        else:
            return
        self.deaths[what] = self.deaths.get(what, 0) + 1

    def commits(self):
        """How many stores the endpoint has taken, roughly: it grows with each transaction."""
        try:
            with sqlite3.connect(self.folder / "out.db") as db:
                return db.execute("select coalesce(sum(id), 0) from a").fetchone()[0]
        except sqlite3.OperationalError:  # it is not there yet, or busy
            return 0

    def wanted(self, name):
        sums = {}
        for document in self.firth.read(f"acmeCo/{name}"):
            sums[document["text"]] = sums.get(document["text"], 0) + document["id"]
        return sums

    def there(self, name):
        with sqlite3.connect(self.folder / "out.db") as db:
            return dict(db.execute(f"select text, id from {name}").fetchall())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("authority", ["endpoint", "runtime"])
def test_whatever_dies_the_result_is_exact(firth, tmp_path, authority):
    world = World(firth, tmp_path, authority)
    until(world.commits, "the first transaction")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end or not {"task", "connector", "daemon"} <= set(world.deaths):
        before = world.commits()
        world.strike()
        # Between two deaths something is committed, else nothing would be cut in the middle of anything.
        until(lambda: world.commits() > before, "it to go on")
    world.finish.touch()
    until(lambda: task(firth, "acmeCo/in")["session"]["outcome"] == "completed", "the capture's end", 120)
    until(lambda: set(behind(firth).values()) == {0}, "the endpoint to catch up", 120)
    world.daemon.signal(signal.SIGTERM)
    assert world.daemon.wait() == 0
    for name in "ab":
        assert world.there(name) == world.wanted(name)
