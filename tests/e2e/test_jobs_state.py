"""What a connection goes on from: a refresh that was cut short, a connection that was deleted, one that is another now."""

import json
import signal
import sqlite3

import pytest

import api
import job_driving as driving
from conftest import until
from job_driving import apply, rows, start, wait, write


def to_sqlite(path):
    """The file's destination is the real one, which removes generations."""
    text = json.loads(path.read_text())
    text["destinations"][0].update(definition="destination-sqlite", config={"destination_path": "/local/out.db"})
    path.write_text(json.dumps(text))
    return path


def there(tmp_path):
    with sqlite3.connect(f"file:{tmp_path}/files/out.db?mode=ro", uri=True) as db:
        return sorted(number for number, in db.execute("select id from users"))


def reads(tmp_path):
    """Of each `read`: the state that the source was given, and what its stream replaces."""
    lines = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    return [((line["state"] or [{}])[0].get("stream", {}).get("stream_state"), line["catalog"]["streams"][0])
            for line in lines if line["verb"] == "read"]


def replaces(tmp_path):
    stream = reads(tmp_path)[-1][1]
    return 0 < stream["minimum_generation_id"] == stream["generation_id"]


def records(first, last, state=True):
    return driving.records(first, last)[:2 if state else 1]


ERROR = [{"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1.0, "error": {
    "message": "wrong key", "failure_type": "config_error"}}}}, {"exit": 1}]


def synced(firth, tmp_path, steps):
    """A connection whose first sync has six rows; then its source does these steps."""
    (tmp_path / "files").mkdir()
    apply(firth, to_sqlite(write(tmp_path, records(1, 6))))
    daemon = api.serve(firth, env={"FIRTH_LOCAL_ROOT": str(tmp_path / "files")})
    assert wait(firth, start(firth))["status"] == "succeeded" and there(tmp_path) == list(range(1, 7))
    firth("apply", to_sqlite(write(tmp_path, steps)), expect=0)
    return daemon


def sync(firth, tmp_path, steps):
    firth("apply", to_sqlite(write(tmp_path, steps)), expect=0)
    assert wait(firth, start(firth))["status"] == "succeeded"


def test_refresh_that_fails_is_finished_by_the_next_sync(firth, tmp_path):
    synced(firth, tmp_path, ERROR)
    assert wait(firth, start(firth, "test", "--type", "refresh"))["status"] == "failed"
    assert there(tmp_path) == list(range(1, 7))
    sync(firth, tmp_path, records(1, 6))
    assert reads(tmp_path)[-1][0] is None and replaces(tmp_path)
    assert there(tmp_path) == list(range(1, 7))
    sync(firth, tmp_path, records(7, 8))  # and that is all
    assert reads(tmp_path)[-1][0] == {"n": 6} and not replaces(tmp_path)
    assert there(tmp_path) == list(range(1, 9))


@pytest.mark.parametrize("state", [True, False])
def test_refresh_that_is_cancelled_midway(firth, tmp_path, state):
    ready = tmp_path / "ready"
    synced(firth, tmp_path, records(1, 3, state) + [{"touch": str(ready)}, {"hang": True}])
    number = start(firth, "test", "--type", "refresh")
    until(ready.exists, "the source to hang")
    if state:
        until(lambda: wait(firth, number, "running")["stats"]["recordsCommitted"] == 3, "its first rows to be committed")
    firth("job", "cancel", str(number), expect=0)
    assert wait(firth, number)["status"] == "cancelled"
    sync(firth, tmp_path, records(4 if state else 1, 6))
    assert reads(tmp_path)[-1][0] == ({"n": 3} if state else None) and replaces(tmp_path)
    assert there(tmp_path) == list(range(1, 7))


def test_state_that_is_set_ends_a_refresh_that_failed(firth, tmp_path):
    """Who sets it says that the rows before it are there: none of them goes."""
    daemon = synced(firth, tmp_path, ERROR)
    body = {"connectionId": one(firth)[0]}
    before = daemon.api.config("state/get", body)
    assert wait(firth, start(firth, "test", "--type", "refresh"))["status"] == "failed"
    daemon.api.config("state/create_or_update", {**body, "connectionState": before})
    sync(firth, tmp_path, records(7, 8))
    assert reads(tmp_path)[-1][0] == {"n": 6} and not replaces(tmp_path)
    assert there(tmp_path) == list(range(1, 9))


def test_refresh_with_merge_replaces_nothing(firth, tmp_path):
    synced(firth, tmp_path, ERROR)
    assert wait(firth, start(firth, "test", "--type", "refresh", "--merge"))["status"] == "failed"
    sync(firth, tmp_path, records(1, 6))
    assert not replaces(tmp_path) and there(tmp_path) == sorted(2 * list(range(1, 7)))


# --- connections that go ----------------------------------------------------------------------------------------


def one(firth):
    return rows(firth, "select id, source, destination, workspace from connections")[0]


def kept(firth):
    folder = firth.data_dir / "tasks"
    return [each.name for each in folder.iterdir() if one(firth)[0] in each.name] if folder.exists() else []


def begun(firth, tmp_path, **more):
    """A daemon with its API, and a connection that has a state."""
    apply(firth, write(tmp_path, driving.records(1, 3), **more))
    daemon = api.serve(firth)
    assert wait(firth, start(firth))["status"] == "succeeded" and len(kept(firth)) == 1
    return daemon


def begins_anew(firth, tmp_path, **more):
    firth("apply", write(tmp_path, driving.records(1, 3), **more), expect=0)
    assert wait(firth, start(firth))["status"] == "succeeded"
    assert [state for state, _ in reads(tmp_path)] == [None, None] and len(kept(firth)) == 1


def empty(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("{}")
    return path


@pytest.mark.parametrize("what", ["connection", "source", "destination", "workspace"])
def test_deleted_by_the_api(firth, tmp_path, what):
    more = {"workspaces": [{"name": "other", "slug": "other"}]} if what == "workspace" else {}
    path = write(tmp_path, driving.records(1, 3), **more)
    if more:
        text = json.loads(path.read_text())
        for kind in ("sources", "destinations", "connections"):
            text[kind][0]["workspace"] = "other"
        path.write_text(json.dumps(text))
    apply(firth, path)
    daemon = api.serve(firth)
    connection = dict(zip(("connection", "source", "destination", "workspace"), one(firth)))
    assert wait(firth, start(firth))["status"] == "succeeded" and len(kept(firth)) == 1
    daemon.api.config(f"{what}s/delete", {f"{what}Id": connection[what]}, 204)
    assert kept(firth) == []
    firth("apply", path, expect=0)
    assert wait(firth, start(firth))["status"] == "succeeded"
    assert [state for state, _ in reads(tmp_path)] == [None, None]


def test_deleted_by_prune(firth, tmp_path):
    begun(firth, tmp_path)
    firth("apply", empty(tmp_path), "--prune", "--dry-run", expect=0)
    assert len(kept(firth)) == 1
    firth("apply", empty(tmp_path), "--prune", "--yes", expect=0)
    assert kept(firth) == []
    begins_anew(firth, tmp_path)


def deleted_only(firth):
    """As one who died before the state was dropped."""
    with sqlite3.connect(f"{firth.data_dir}/control.db") as db:
        db.execute("update connections set status = 2, revision = revision + 1")


def test_made_again_before_the_state_was_dropped(firth, tmp_path):
    begun(firth, tmp_path)
    deleted_only(firth)
    begins_anew(firth, tmp_path)


def test_the_daemon_drops_what_is_left(firth, tmp_path):
    daemon = begun(firth, tmp_path)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    deleted_only(firth)
    assert len(kept(firth)) == 1
    api.serve(firth)
    assert kept(firth) == []


@pytest.mark.parametrize("side", ["source", "destination"])
def test_another_source_or_destination_is_refused(firth, tmp_path, side):
    begun(firth, tmp_path)
    path = write(tmp_path, driving.records(1, 3))
    text = json.loads(path.read_text())
    text[f"{side}s"].append({**text[f"{side}s"][0], "name": "another"})
    text["connections"][0][side] = "another"
    path.write_text(json.dumps(text))
    refused = firth("apply", path)
    assert refused.rc != 0 and f"the connection 'test' has another {side} now" in refused.err and "--prune" in refused.err
    assert one(firth)[1 if side == "source" else 2] and len(kept(firth)) == 1
    assert rows(firth, "select count(*) from actors") == [(2,)]
