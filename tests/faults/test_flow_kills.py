"""SIGKILL at random moments of captures whose connector speaks Flow's protocol. Groups are whole or not there, states
are what the patches of the committed groups make, and what the connector heard to be durable is."""

import json
import os
import sys

import pytest

from conftest import FULL, until
from faults.checker import check_flow, flow_sessions
from faults.test_kills import HERE, POINTS, Victim, seed

KILLS = 500 if FULL else 50


def setting(tmp_path, reduce=False):
    """`reduce`: the documents go through the combiner, though each has a key of its own and stays as it is."""
    log, finish, path = tmp_path / "log", tmp_path / "finish", tmp_path / "flow.json"
    log.mkdir()
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    schema |= {"reduce": {"strategy": "merge"}} if reduce else {}
    path.write_text(json.dumps({
        "collections": {f"acmeCo/{name}": {"key": ["/id"], "schema": schema} for name in "ab"},
        "captures": {"acmeCo/kills": {
            "endpoint": {"local": {"command": [sys.executable, "-S", "-E", os.path.join(HERE, "counting_flow.py")],
                                   "config": {"log": str(log), "finish": str(finish)}}},
            "interval": "1h",
            "bindings": [{"resource": {"name": name}, "target": f"acmeCo/{name}"} for name in "ab"]}}}))
    return log, finish, path


def check(firth, catalog, log, env=None):
    collections = {name: firth("read", f"acmeCo/{name}", expect=0).out_bytes.splitlines() for name in "ab"}
    before = len(flow_sessions(log))
    firth("run", str(catalog), "--once", expect=0, env=env)  # is given the state that the last one ended with
    sessions = sorted(log.glob("*.jsonl"))
    assert len(sessions) == before + 1
    final = json.loads(sessions[-1].with_suffix(".state").read_text())
    for suffix in (".jsonl", ".state", ".acks"):
        sessions[-1].with_suffix(suffix).unlink()
    return check_flow(collections, final, log)


def with_kills(firth, tmp_path, kills, env=None, reduce=False):
    log, finish, catalog = setting(tmp_path, reduce)
    number = seed()
    victim = Victim(firth, catalog, number, env)
    victim.torment(kills, log)
    victim.finish(finish)
    return check(firth, catalog, log, env), f"seed {number}, {victim.kills}"


def test_flow_capture_survives_kills(firth, tmp_path):
    problems, how = with_kills(firth, tmp_path, KILLS)
    assert not problems, (how, problems)
    # It was about something: sessions that went on from others, documents, acknowledgements.
    sessions = flow_sessions(tmp_path / "log")
    assert len(sessions) > KILLS / 4 and sum(heard > 0 for *_, heard in sessions) > 5, how
    assert len(firth.read("acmeCo/a")) > 100


@pytest.mark.parametrize("point,reduce", [*((point, False) for point in POINTS if "open" not in point),
                                          ("task.combined", True), ("task.commit.after", True)])
def test_flow_capture_survives_death_at(firth_dev, tmp_path, point, reduce):
    log, finish, catalog = setting(tmp_path, reduce)
    victim = Victim(firth_dev, catalog, 1, None)
    victim.start()
    until(lambda: any('"commits":3' in line for line in list(victim.running.out)), "three commits")
    victim.running.kill()
    victim.faults = {"FIRTH_FAULT_KILL": point + ":2"}
    victim.start()
    for _ in range(3):  # a point that is never passed fails the test here
        victim.running.wait_for_line("signal 9")
    victim.finish(finish)
    problems = check(firth_dev, catalog, log)
    assert not problems


def test_what_is_reduced_survives_kills(firth, tmp_path):
    problems, how = with_kills(firth, tmp_path, KILLS // 2, reduce=True)
    assert not problems, (how, problems)


@pytest.mark.parametrize("plant,reduce", [("acknowledge-ahead", False), ("checkpoint-ahead", False),
                                          ("combine-twice", True)])
def test_planted_bug_is_caught(firth_dev, tmp_path, plant, reduce):
    for attempt, kills in enumerate([10, 40, 120]):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        firth_dev.data_dir = folder / "data"
        problems, how = with_kills(firth_dev, folder, kills, {"FIRTH_FAULT_PLANT": plant}, reduce)
        if problems:
            return
        firth_dev.stop_all()
    pytest.fail(f"'{plant}' was not caught: {how}")
