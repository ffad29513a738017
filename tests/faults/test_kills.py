"""SIGKILL at random moments: of the task, a connector, the supervisor, all of it. Whatever dies, the next start
goes on, and in the end the checker finds nothing lost and nothing doubled."""

import json
import os
import random
import signal
import sys
import time

import pytest

import memory
from conftest import FULL, until
from faults.checker import check_collection, check_destination, last_run, said
from processes import children

memory.leave()

KILLS, KILLS_OF_REFRESHES = (1000, 30) if FULL else (30, 15)
HERE = os.path.dirname(os.path.abspath(__file__))


def reads(log):
    return sum(name.endswith(".jsonl") for name in os.listdir(log))


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Victim:
    """A `firth run` that is started again whenever it has died, and what of it to kill."""

    def __init__(self, firth, catalog, seed, env):
        self.firth, self.catalog, self.env = firth, catalog, env
        self.random = random.Random(seed)
        self.running = None
        self.faults, self.reads = {}, 0
        self.kills = {"task": 0, "connector": 0, "supervisor": 0, "all": 0}

    def start(self):
        self.running = self.firth.start("run", str(self.catalog), "--retry-after", "1ms", "--commit-every",
                                        "10ms", "-o", "json", env={**(self.env or {}), **self.faults})

    def alive(self):
        return self.running is not None and self.running.process.poll() is None

    def parts(self):
        """(supervisor, tasks, connectors), as they live now."""
        tasks = children(self.running.pid)
        connectors = [pid for task in tasks for pid in children(task) if command(pid) != command(task)]
        return self.running.pid, tasks, connectors

    def strike(self):
        """Kill something; what, or None if it was not there."""
        what = self.random.choices(["task", "connector", "supervisor", "all"], [5, 4, 2, 2])[0]
        supervisor, tasks, connectors = self.parts()
        targets = {"task": tasks, "connector": self.random.sample(connectors, min(1, len(connectors))),
                   "supervisor": [supervisor], "all": [supervisor, *tasks, *connectors]}[what]
        if not targets or (what == "all" and not connectors):
            return None
        for pid in targets:
            kill(pid)
        if what in ("supervisor", "all"):
            self.running.process.wait()
        self.kills[what] += 1
        return what

    def torment(self, kills, log):
        """So many kills, at random moments of runs of which most get somewhere."""
        done, end = 0, time.monotonic() + 2 * KILLS
        while done < kills:
            assert time.monotonic() < end, f"only {done} kills in time: {self.kills}"
            if not self.alive():
                self.start()
            if self.random.random() < 0.8:
                # Each strike ends a read, so that a new one must begin; but the delay doubles with every session that
                # fails, up to minutes, and only a new supervisor begins small.
                patience = time.monotonic() + (5 if self.faults else 10)
                until(lambda: reads(log) > self.reads or not self.alive() or time.monotonic() > patience,
                      "the source to read")
                if time.monotonic() > patience:
                    self.running.kill()
                    continue
            time.sleep(self.random.expovariate(1 / 0.03))  # the random moment itself
            self.reads = reads(log)
            done += self.strike() is not None

    def finish(self, finish):
        """Let the source come to its end, and everything with it; from here on nothing is made to die."""
        if self.faults or not self.alive():
            self.running.kill()
            self.faults = {}
            self.start()
        finish.touch()
        self.running.wait_for_line('"outcome":"completed"')
        self.running.signal(signal.SIGTERM)
        self.running.wait()


def setting(tmp_path):
    log, finish = tmp_path / "log", tmp_path / "finish"
    log.mkdir()
    source = {"local": {"command": [sys.executable, "-S", "-E", os.path.join(HERE, "counting_source.py")], "protocol": "airbyte",
                        "config": {"log": str(log), "finish": str(finish)}}}
    return log, finish, source


def capture_catalog(tmp_path, source):
    path = tmp_path / "capture.json"
    path.write_text(json.dumps({
        "collections": {f"acmeCo/{name}": {"key": ["/id"], "schema": {
            "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}} for name in "ab"},
        "captures": {"acmeCo/kills": {"endpoint": source, "interval": "1h", "bindings": [
            {"resource": {"stream": name}, "target": f"acmeCo/{name}"} for name in "ab"]}}}))
    return path


def connection_catalog(tmp_path, source):
    path = tmp_path / "connection.json"
    path.write_text(json.dumps({"connections": {"acmeCo/kills": {
        "source": source,
        "destination": {"connector": {"image": "airbyte/destination-local-json",
                                      "config": {"destination_path": "/local/out"}}},
        "streams": [{"name": name, "syncMode": "incremental", "destinationSyncMode": "append"} for name in "ab"],
        "schedule": {"every": "1h"}}}}))
    return path


def seed():
    return int(os.environ.get("FIRTH_TEST_SEED", random.SystemRandom().randrange(1 << 32)))


def check_captured(firth, log):
    problems = []
    for stream in "ab":
        collection = firth("read", f"acmeCo/{stream}", expect=0).out_bytes.splitlines()
        problems += check_collection(stream, collection, log)
    return problems


def check_delivered(tmp_path, log):
    problems = []
    for stream in "ab":
        with open(tmp_path / "local" / "out" / f"_airbyte_raw_{stream}.jsonl", "rb") as file:
            lines = file.read().splitlines()
        rows = [line[line.index(b'"_airbyte_data":') + 16:-1] for line in lines]
        problems += check_destination(stream, rows, log)
    return problems


def final_state_is_right(firth, catalog, log, finish, env):
    """One more run is given the state that the last one ended with."""
    ended_at = last_run(log)
    firth("run", str(catalog), "--once", expect=0, env=env)
    _, given = said(log)
    return [] if given[-1] == ended_at else [f"the final state is {given[-1]}, it should be {ended_at}"]


def capture_with_kills(firth, tmp_path, kills, env=None, **faults):
    log, finish, source = setting(tmp_path)
    catalog, number = capture_catalog(tmp_path, source), seed()
    victim = Victim(firth, catalog, number, env)
    victim.faults = faults
    victim.torment(kills, log)
    victim.finish(finish)
    problems = check_captured(firth, log) + final_state_is_right(firth, catalog, log, finish, env)
    return problems, f"seed {number}, {victim.kills}"


def connection_with_kills(firth, tmp_path, kills, env=None, **faults):
    log, finish, source = setting(tmp_path)
    (tmp_path / "local").mkdir()
    env = {"FIRTH_LOCAL_ROOT": str(tmp_path / "local"), **(env or {})}
    catalog, number = connection_catalog(tmp_path, source), seed()
    victim = Victim(firth, catalog, number, env)
    victim.faults = faults
    victim.torment(kills, log)
    victim.finish(finish)
    problems = check_delivered(tmp_path, log) + final_state_is_right(firth, catalog, log, finish, env)
    return problems, f"seed {number}, {victim.kills}"


def test_capture_survives_kills(firth, tmp_path):
    problems, how = capture_with_kills(firth, tmp_path, KILLS)
    assert not problems, (how, problems)


def test_connection_survives_kills(firth, tmp_path):
    problems, how = connection_with_kills(firth, tmp_path, KILLS)
    assert not problems, (how, problems)


def test_full_refresh_survives_kills(firth, tmp_path):
    """Each session reads all of it again: it is there whole, or not at all."""
    log, finish, source = setting(tmp_path)
    records = 700
    source["local"]["config"]["refresh"] = records
    path = capture_catalog(tmp_path, source)
    catalog = json.loads(path.read_text())
    del catalog["captures"]["acmeCo/kills"]["bindings"][1]
    catalog["captures"]["acmeCo/kills"]["interval"] = "1s"
    path.write_text(json.dumps(catalog))
    victim = Victim(firth, path, seed(), None)
    victim.torment(KILLS_OF_REFRESHES, log)
    victim.finish(finish)
    runs = {}
    for document in firth.read("acmeCo/a"):
        runs.setdefault(document["run"], []).append(document["id"])
    assert runs and len(runs) < reads(log), victim.kills  # some were whole, some were cut
    assert all(ids == list(range(1, records + 1)) for ids in runs.values()), {run: len(ids) for run, ids in runs.items()}


# --- death at each named point of a transaction -------------------------------------------------------------

POINTS = ["task.commit.before", "store.commit.before-write", "store.commit.after-blocks", "store.commit.after-sync",
          "store.commit.after-record", "store.commit.after-publish", "task.commit.after", "store.open.after-log",
          "store.open.after-cut"]


@pytest.mark.parametrize("point", POINTS)
def test_capture_survives_death_at(firth_dev, tmp_path, point):
    log, finish, source = setting(tmp_path)
    victim = Victim(firth_dev, capture_catalog(tmp_path, source), 1, None)
    victim.start()
    until(lambda: any('"commits":2' in line for line in list(victim.running.out)), "two commits")
    victim.running.kill()
    victim.faults = {"FIRTH_FAULT_KILL": point + (":1" if "open" in point else ":2")}
    victim.start()
    for _ in range(3 if FULL else 2):  # a point that is never passed fails the test here
        victim.running.wait_for_line("signal 9")
    victim.finish(finish)
    problems = check_captured(firth_dev, log) + final_state_is_right(firth_dev, victim.catalog, log, finish, None)
    assert not problems


# --- the checker catches bugs -----------------------------------------------------------------------------


def caught(kind, firth, tmp_path, plant, **faults):
    """A planted bug need not show at the first kill: more of them until it does."""
    for attempt, kills in enumerate([10, 15, 40, 120]):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        firth.data_dir = folder / "data"
        problems, how = kind(firth, folder, kills, {"FIRTH_FAULT_PLANT": plant}, **faults)
        if problems:
            return problems
        firth.stop_all()
    pytest.fail(f"'{plant}' was not caught: {how}")
    return None


@pytest.mark.parametrize("plant, faults", [
    ("checkpoint-ahead", {}),
    ("checkpoint-before-documents", {"FIRTH_FAULT_KILL": "store.commit.after-blocks:2"}),
    ("no-cut", {"FIRTH_FAULT_KILL": "store.commit.after-blocks:2"}),
])
def test_planted_bug_in_captures_is_caught(firth_dev, tmp_path, plant, faults):
    assert caught(capture_with_kills, firth_dev, tmp_path, plant, **faults)


def test_planted_bug_in_connections_is_caught(firth_dev, tmp_path):
    assert caught(connection_with_kills, firth_dev, tmp_path, "ack-before-echo")
