"""SIGKILL of Local JSON at each point of its commit in a materialization: every document is in the file once, and a
planted bug shows that this would be seen."""

import collections
import json
import re
import signal

import pytest

import memory
from conftest import FULL, until

memory.leave()

USERS = 80000 if FULL else 40000
POINTS = ["sdk.flow.commit.before", "local-json.live.before-record", "local-json.live.after-record",
          "sdk.flow.commit.after"]


def start(firth, tmp_path, **faults):
    return firth.start("run", tmp_path / "flow.json", "--retry-after", "1ms", "--commit-every", "10ms", "-o", "json",
                       env={"FIRTH_LOCAL_ROOT": str(tmp_path), **faults})


def written(tmp_path):
    """How often each document is there; of whole lines alone, of which no other can have the id's text."""
    path = tmp_path / "out" / "_airbyte_raw_users.jsonl"
    return collections.Counter(re.findall(rb'"_airbyte_data":\{"id":(\d+),.*\n', path.read_bytes() if path.exists() else b""))


def all_written(tmp_path):
    """Counted by lines first: there are many to look at, again and again."""
    path = tmp_path / "out" / "_airbyte_raw_users.jsonl"
    return path.exists() and path.read_bytes().count(b"\n") >= USERS and len(written(tmp_path)) == USERS


def run_with_deaths(firth, tmp_path, point, **faults):
    (tmp_path / "flow.json").write_text(json.dumps({
        "collections": {"acmeCo/users": {"key": ["/id"], "schema": {
            "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}},
        "captures": {"acmeCo/in": {
            "endpoint": {"connector": {"image": "airbyte/source-faker", "config": {
                "count": USERS, "seed": 1, "records_per_slice": 50, "always_updated": False}}},
            "interval": "1h",
            "bindings": [{"resource": {"stream": "users"}, "target": "acmeCo/users"}]}},
        "materializations": {"acmeCo/out": {
            "endpoint": {"connector": {"image": "airbyte/destination-local-json", "config": {
                "destination_path": "/local/out"}}},
            "bindings": [{"source": "acmeCo/users", "resource": {"stream": "users"}}]}}}))
    # Behind the commit each death leaves less to be written: few of them, before there is nothing left.
    running = start(firth, tmp_path, FIRTH_FAULT_KILL=point + (":1" if "after" in point else ":2"), **faults)
    for _ in range(2):  # a point that is never passed fails the test here
        running.wait_for_line("signal 9")
    running.kill()
    running = start(firth, tmp_path, **faults)
    until(lambda: all_written(tmp_path), "everything to be written")
    running.signal(signal.SIGINT)
    running.wait()
    return [n for n, count in written(tmp_path).items() if count > 1]


@pytest.mark.parametrize("point", POINTS)
def test_live_survives_death_at(firth_dev, tmp_path, point):
    assert not run_with_deaths(firth_dev, tmp_path, point)


def test_planted_bug_is_caught(firth_dev, tmp_path):
    assert run_with_deaths(firth_dev, tmp_path, "local-json.live.before-record", FIRTH_FAULT_PLANT="local-json.no-cut")
