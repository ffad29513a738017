"""Jobs of connections in the daemon: attempts, retries, cancelling, restarts, schedules, webhooks, refresh and clear."""

import http.server
import json
import signal
import socket
import sqlite3
import threading

import pytest

import api
import job_driving as driving
from conftest import FULL, until
from job_driving import apply, ids, received, records, serve, show, start, stream, wait, write
from processes import descendants


def configured(tmp_path, name="test"):
    catalog = json.loads((tmp_path / f"{name}.out.catalog").read_text())
    return {each["stream"]["name"]: each for each in catalog["streams"]}


def states(tmp_path):
    """The states that the source was given, `read` by `read`."""
    lines = [json.loads(line) for line in (tmp_path / "seen").read_text().splitlines()]
    return [(line["state"] or [{}])[0].get("stream", {}).get("stream_state") for line in lines if line["verb"] == "read"]


def test_connections_that_were_never_synced(firth, tmp_path):
    firth("apply", write(tmp_path, [], schedule={"every": 2, "unit": "days"}, status="inactive"), expect=0)
    shown, = firth("status", "-o", "json", expect=0).json()["connections"]
    assert (shown["status"], shown["schedule"], shown["job"]) == ("inactive", "every 2 days", None)
    assert "inactive" in firth("status", expect=0).out


def test_states_are_counted(firth, tmp_path):
    """Those of a stream for it and for the attempt; one of all streams for the attempt alone."""
    descriptor = {"stream_descriptor": {"name": "users"}, "stream_state": {"n": 3}}
    apply(firth, write(tmp_path, [*records(1, 1), *records(2, 2), *records(3, 3)], name="each"))
    of_all = {"message": {"type": "STATE", "state": {"type": "GLOBAL", "global": {"shared_state": {}, "stream_states": [descriptor]}}}}
    firth("apply", write(tmp_path, [records(1, 1)[0], of_all, of_all]), expect=0)
    client = api.serve(firth).api
    for name, counted in ("each", (3, 3)), ("test", (2, 0)):
        job = wait(firth, start(firth, name))
        attempt = client.config("jobs/get", {"id": job["id"]})["attempts"][0]["attempt"]
        stream, = attempt["streamStats"]
        assert (attempt["totalStats"]["stateMessagesEmitted"], stream["stats"]["stateMessagesEmitted"]) == counted
        assert job["stats"]["stateMessagesEmitted"] == counted[0]
    listed = [json.loads(line)["type"] for line in firth("job", "list", "--type", "sync", expect=0).out.splitlines()]
    assert listed == ["sync", "sync"] and firth("job", "list", "--type", "clear", expect=0).out == ""


@pytest.mark.parametrize("kind", ["STREAM", "GLOBAL"])
def test_what_the_destination_rejects_is_not_committed(firth, tmp_path, kind):
    """It says so with the states that it echoes. What does not fit its stream's schema is written all the same."""
    wrong = {"records": {"stream": "users", "from": 1, "to": 4, "data": {"id": "no number"}}}

    def state(n):
        body = {"stream_descriptor": {"name": "users"}, "stream_state": {"n": n}}
        return {"message": {"type": "STATE", "state": {"type": kind, **({"stream": body} if kind == "STREAM" else {"global": {"shared_state": {}, "stream_states": [body]}})}}}
    steps = [wrong, state(4), records(5, 7)[0], state(7)]
    apply(firth, write(tmp_path, steps, destination={"rejected": 2}, streams=[stream("users"), stream("other")], source={"streams": ["users", "other"]}))
    client = api.serve(firth).api
    job = wait(firth, start(firth))
    shown = client.config("jobs/get", {"id": job["id"]})
    users, = [each for each in shown["attempts"][0]["attempt"]["streamStats"] if each["streamName"] == "users"]
    for stats in job["stats"], users["stats"], shown["attempts"][0]["attempt"]["totalStats"]:
        assert (stats["recordsEmitted"], stats["recordsCommitted"], stats["recordsRejected"]) == (7, 3, 4), stats
    assert len(ids(tmp_path)) == 7


def test_sync(firth, tmp_path):
    apply(firth, write(tmp_path, records(1, 3)))
    serve(firth)
    job = wait(firth, start(firth))
    assert (job["status"], job["attempts"], job["stats"]["recordsCommitted"]) == ("succeeded", 1, 3)
    users = job["attemptList"][0]["streams"][0]
    assert users["name"] == "users" and users["stats"]["recordsEmitted"] == 3 and users["stats"]["bytesCommitted"] > 0
    assert ids(tmp_path) == [1, 2, 3]
    assert configured(tmp_path)["users"]["sync_id"] == job["id"]
    second = wait(firth, start(firth))
    assert second["status"] == "succeeded" and second["id"] > job["id"]
    shown, = firth("status", "-o", "json", expect=0).json()["connections"]
    assert (shown["name"], shown["status"], shown["schedule"], shown["breaking_change"]) == ("test", "active", "manual", False)
    assert (shown["job"]["id"], shown["job"]["status"], shown["job"]["records"]) == (second["id"], "succeeded", second["stats"]["recordsCommitted"])
    line, = (line for line in firth("status", expect=0).out.splitlines() if line.startswith("test "))
    assert line.split()[:6] == ["test", "active", "manual", str(second["id"]), "sync", "succeeded"]
    task, = (task["task"] for task in firth("status", "-o", "json").json()["tasks"])
    assert firth("status", "-o", "json", task, expect=0).json()["connections"] == []
    assert states(tmp_path) == [None, {"n": 3}]
    log = firth("job", "log", str(job["id"]), expect=0).out
    assert f"attempt 1 of job {job['id']} succeeded" in log
    # The connection has a schema of its own: the source is not asked for one.
    assert "discover" not in {json.loads(line)["verb"] for line in (tmp_path / "seen").read_text().splitlines()}
    driving.check(firth)


def test_first_attempt_is_visible_before_anything_runs(firth, tmp_path):
    apply(firth, write(tmp_path, []))
    job = show(firth, start(firth))
    assert job["status"] == "pending" and [each["status"] for each in job["attemptList"]] == ["running"]
    refused = firth("job", "start", "test")
    assert refused.rc != 0 and f"job {job['id']} is not over" in refused.err
    driving.check(firth)
    serve(firth)  # and it is done once a daemon is there
    assert wait(firth, job["id"])["status"] == "succeeded"


TRACE = {"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1.0, "error": {
    "message": "the database is gone, password hunter22", "internal_message": "ECONNRESET", "stack_trace": "a\nb",
    "failure_type": "transient_error"}}}}


def test_retries_until_it_succeeds(firth, tmp_path):
    gate = tmp_path / "gate"
    apply(firth, write(tmp_path, records(1, 2) + [{"sleep_until": str(gate)}, TRACE, {"exit": 1}],
                       source={"password": "hunter22"}), partial_max=1000)
    serve(firth)
    number = start(firth)
    gate.write_text("")
    until(lambda: show(firth, number)["attempts"] >= 2, "a second attempt")
    firth("apply", write(tmp_path, records(1, 2)), expect=0)  # it is mended
    job = wait(firth, number)
    assert job["status"] == "succeeded"
    first = job["attemptList"][0]
    assert first["status"] == "failed" and first["stats"]["recordsCommitted"] == 2
    failure, = first["failures"]
    assert (failure["origin"], failure["type"], failure["stack"], failure["retriable"]) == (
        "source", "transient_error", "a\nb", True)
    assert failure["message"].startswith("the database is gone") and "hunter22" not in json.dumps(job)
    assert states(tmp_path)[:2] == [None, {"n": 2}]  # the second attempt goes on
    driving.check(firth)


def test_gives_up(firth, tmp_path):
    apply(firth, write(tmp_path, [{"exit": 3}]), attempts_max=3)
    serve(firth)
    job = wait(firth, start(firth))
    assert (job["status"], job["attempts"]) == ("failed", 3)
    assert {each["failures"][0]["origin"] for each in job["attemptList"]} == {"source"}
    driving.check(firth)


@pytest.mark.parametrize("side", ["source", "destination"])
def test_wrong_config_is_told_from_a_failure(firth, tmp_path, side):
    no = {"status": "FAILED", "message": "no such user"}
    more = {"source": {"check": [{"message": {"type": "CONNECTION_STATUS", "connectionStatus": no}}]},
            "destination": {"check": no}}[side]
    apply(firth, write(tmp_path, records(1, 1), **{side: more}), attempts_max=1)
    serve(firth)
    job = wait(firth, start(firth))
    failure = job["attemptList"][0]["failures"][0]
    assert (job["status"], failure["origin"], failure["type"]) == ("failed", side, "config_error")
    assert "no such user" in failure["message"]


def test_config_error_is_not_tried_again(firth, tmp_path):
    error = {"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1.0, "error": {
        "message": "wrong table", "failure_type": "config_error"}}}}
    apply(firth, write(tmp_path, [error, {"exit": 1}]))
    serve(firth)
    job = wait(firth, start(firth))
    assert (job["status"], job["attempts"]) == ("failed", 1)
    assert job["attemptList"][0]["failures"][0]["type"] == "config_error"


# --- cancelling ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stubborn", [False, True])
def test_cancel_ends_its_processes(firth, tmp_path, stubborn):
    ready = tmp_path / "ready"
    deaf = [{"ignore_sigterm": True}] if stubborn else []
    apply(firth, write(tmp_path, deaf + records(1, 2) + [{"touch": str(ready)}, {"hang": True}]))
    daemon = serve(firth)
    number = start(firth)
    until(ready.exists, "the source to hang")
    running = descendants(daemon.pid)
    assert running
    firth("job", "cancel", str(number), expect=0)
    job = wait(firth, number)
    assert job["status"] == "cancelled"
    assert job["attemptList"][-1]["failures"][0]["type"] == "manual_cancellation"
    until(lambda: not descendants(daemon.pid), "its processes to be gone")
    driving.check(firth)
    firth("apply", write(tmp_path, []), expect=0)
    assert wait(firth, start(firth))["status"] == "succeeded"  # and what was echoed is kept
    assert states(tmp_path)[-1] == {"n": 2}


def test_cancel_what_waits(firth, tmp_path):
    apply(firth, write(tmp_path, [{"exit": 1}]))
    driving.settings(firth, backoff_ms=10**7, backoff_max_ms=10**7)
    serve(firth)
    number = start(firth)
    wait(firth, number, "incomplete")
    firth("job", "cancel", str(number), expect=0)
    assert wait(firth, number)["status"] == "cancelled"
    driving.check(firth)


# --- restarts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["job-begun", "job-starting", "job-ending", "job-ended"])
def test_daemon_killed_at(firth_dev, tmp_path, point):
    """Whatever it was killed at, nothing is lost, nothing is said that is not so, and the job goes on to its end."""
    apply(firth_dev, write(tmp_path, records(1, 5)))
    daemon = serve(firth_dev, env={"FIRTH_FAULT_KILL": point})
    number = start(firth_dev)
    assert daemon.wait() == -signal.SIGKILL
    driving.check(firth_dev)
    serve(firth_dev)
    job = wait(firth_dev, number)
    driving.check(firth_dev)
    assert job["status"] == "succeeded"
    assert set(ids(tmp_path)) == {1, 2, 3, 4, 5}
    for each in job["attemptList"][:-1]:
        assert each["status"] == "failed" and "daemon ended" in each["failures"][0]["message"]


def test_daemon_stopped_in_the_middle(firth, tmp_path):
    ready = tmp_path / "ready"
    apply(firth, write(tmp_path, records(1, 2) + [{"touch": str(ready)}, {"hang": True}]))
    daemon = serve(firth)
    number = start(firth)
    until(ready.exists, "the source to hang")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    driving.check(firth)
    job = show(firth, number)
    assert job["status"] == "incomplete" and "daemon was stopped" in job["attemptList"][0]["failures"][0]["message"]
    firth("apply", write(tmp_path, records(3, 4)), expect=0)
    serve(firth)
    job = wait(firth, number)
    assert (job["status"], job["attempts"]) == ("succeeded", 2)
    assert states(tmp_path)[-1] == {"n": 2}


# --- many ---------------------------------------------------------------------------------------------------


def test_two_at_once(firth, tmp_path):
    gates = {name: tmp_path / f"{name}.gate" for name in ("a", "b")}
    for name in gates:
        steps = records(1, 1) + [{"touch": str(tmp_path / f"{name}.ready")}, {"sleep_until": str(gates[name])}]
        apply(firth, write(tmp_path, steps, name=name))
    serve(firth)
    jobs = {name: start(firth, name) for name in gates}
    for name in gates:
        until((tmp_path / f"{name}.ready").exists, f"{name} to run while the other does")
    for name, gate in gates.items():
        gate.write_text("")
        assert wait(firth, jobs[name])["status"] == "succeeded"
    assert ids(tmp_path, "a") == ids(tmp_path, "b") == [1]


SOURCE = """#!/bin/sh
case $1 in
spec) echo '{"type":"SPEC","spec":{"connectionSpecification":{"type":"object"}}}' ;;
check) echo '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}' ;;
read) echo '{"type":"RECORD","record":{"stream":"users","emitted_at":1,"data":{"id":1}}}' ;;
esac
"""
DESTINATION = """#!/bin/sh
case $1 in
spec) echo '{"type":"SPEC","spec":{"connectionSpecification":{"type":"object"}}}' ;;
check) echo '{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}' ;;
write) cat >/dev/null ;;
esac
"""


def test_many_queued_sixteen_running(firth, tmp_path):
    """First come, first served, and never more at once than allowed."""
    count = 200 if FULL else 60
    for name, text in (("source", SOURCE), ("destination", DESTINATION)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    path = tmp_path / "many.yaml"
    path.write_text(json.dumps({
        "definitions": [{"name": kind, "kind": kind, "command": [str(tmp_path / kind)]} for kind in ("source", "destination")],
        "sources": [{"name": "s", "definition": "source", "config": {}}],
        "destinations": [{"name": "d", "definition": "destination", "config": {}}],
        "connections": [{"name": f"c{n:03}", "source": "s", "destination": "d", "catalog": {"streams": [stream("users")]}}
                        for n in range(count)]}))
    apply(firth, path)
    jobs = [start(firth, f"c{n:03}") for n in range(count)]
    serve(firth, "--jobs", "16")
    most = 0

    def left():
        nonlocal most
        by_status = dict(driving.rows(firth, "select status, count(*) from jobs group by status"))
        most = max(most, by_status.get(1, 0))
        return sum(by_status.get(each, 0) for each in (0, 1, 2)) == 0
    until(left, "all jobs to be over", deadline=240)
    assert 2 <= most <= 16
    begun = [job for job, in driving.rows(firth, "select id from jobs order by started_ms, id")]
    assert begun == jobs
    assert driving.rows(firth, "select distinct status from jobs") == [(4,)]
    driving.check(firth)


# --- schedules and webhooks -----------------------------------------------------------------------------------


def test_schedules(firth, tmp_path):
    serve_path = write(tmp_path, records(1, 1), schedule={"cron": "* * * * * ?", "timeZone": "Europe/Berlin"})
    apply(firth, serve_path)
    serve(firth)
    until(lambda: len(driving.rows(firth, "select 1 from jobs where scheduled = 1 and status = 4")) >= 2, "two syncs by schedule")
    firth("apply", write(tmp_path, records(1, 1)), expect=0)  # manual from now on
    until(lambda: not driving.rows(firth, "select 1 from jobs where status < 3"), "the last one to end")
    before = driving.rows(firth, "select count(*) from jobs")
    assert wait(firth, start(firth))["status"] == "succeeded"  # takes its time, and no other comes between
    assert driving.rows(firth, "select count(*) from jobs where scheduled = 1") == before


def test_new_basic_schedule_begins_at_once_and_missed_times_are_one(firth, tmp_path):
    apply(firth, write(tmp_path, records(1, 1), schedule={"every": 1, "unit": "hours"}))
    daemon = serve(firth)
    first, = until(lambda: driving.rows(firth, "select id from jobs where status = 4"), "the first sync")[0]
    daemon.signal(signal.SIGTERM)
    daemon.wait()
    with driving.sqlite3.connect(f"{firth.data_dir}/control.db") as db:
        db.execute("update jobs set created_ms = created_ms - 10 * 3600000")  # ten times were missed
    serve(firth)
    until(lambda: len(driving.rows(firth, "select id from jobs where status = 4")) == 2, "one sync for all of them")
    assert wait(firth, start(firth))["id"] == first + 2


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.told.append(body)
        self.send_response(200 if len(self.server.told) != 1 else 503)  # the first one is told again
        self.end_headers()

    def log_message(self, *_):
        pass


def test_webhooks(firth, tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.told = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/hooks/secret"
    setting = {"notificationType": ["slack"], "slackConfiguration": {"webhook": url}}
    workspace = {"id": "5ae6b09b-fdec-41af-aaf7-7d94cfc33ef6", "name": "Default Workspace",
                 "notifications": {"sendOnSuccess": setting, "sendOnFailure": setting}}
    apply(firth, write(tmp_path, [{"exit": 3}], workspaces=[workspace]), attempts_max=1)
    serve(firth)
    failed = wait(firth, start(firth))
    until(lambda: len(server.told) >= 2, "the failure to be told, and told again")
    firth("apply", write(tmp_path, records(1, 2)), expect=0)
    good = wait(firth, start(firth))
    until(lambda: len(server.told) >= 3, "the success to be told")
    assert server.told[0] == server.told[1]
    data = server.told[1]["data"]
    assert (data["jobId"], data["success"], data["errorOrigin"]) == (failed["id"], False, "source")
    assert "test" in server.told[1]["text"]
    assert server.told[2]["data"]["jobId"] == good["id"] and server.told[2]["data"]["recordsCommitted"] == 2
    server.shutdown()


def test_a_webhook_that_is_not_reached_is_told_with_its_connection(firth, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        setting = {"notificationType": ["slack"], "slackConfiguration": {"webhook": f"http://127.0.0.1:{closed.getsockname()[1]}/secret"}}
        workspace = {"id": "5ae6b09b-fdec-41af-aaf7-7d94cfc33ef6", "name": "Default Workspace", "notifications": {"sendOnSuccess": setting}}
        apply(firth, write(tmp_path, records(1, 1), workspaces=[workspace]))
        daemon = serve(firth)
        start(firth)
        line = daemon.wait_for_line(lambda text: "was not told" in text)
        assert "of the connection 'test', after 3 tries" in line and "secret" not in line


# --- what a sync means --------------------------------------------------------------------------------------------


def test_names_and_columns(firth, tmp_path):
    streams = [stream("users", stream={"namespace": "shop"}, fieldSelectionEnabled=True, selectedFields=[{"fieldPath": ["name"]}],
                      primaryKey=[["id"]]), stream("left", selected=False)]
    steps = [{"message": {"type": "RECORD", "record": {"data": {"id": 1, "x": "no", "name": "Ann"}, "stream": "users",
                                                     "namespace": "shop", "emitted_at": 1}}}]
    apply(firth, write(tmp_path, steps, streams=streams, prefix="p_", namespace="customformat",
                       namespaceFormat="to_${SOURCE_NAMESPACE}_x", source={"streams": [{"name": "users", "namespace": "shop"}]}))
    serve(firth)
    assert wait(firth, start(firth))["status"] == "succeeded"
    record, = [line["record"] for line in received(tmp_path) if line["type"] == "RECORD"]
    assert (record["stream"], record["namespace"]) == ("p_users", "to_shop_x")
    assert record["data"] == {"id": 1, "name": "Ann"}  # the key comes along
    assert set(configured(tmp_path)["p_users"]["stream"]["json_schema"]["properties"]) == {"id", "name"}


def test_destination_namespace(firth, tmp_path):
    apply(firth, write(tmp_path, [{"message": {"type": "RECORD", "record": {"stream": "users", "namespace": "shop", "data": {"id": 1},
                                                                         "emitted_at": 1}}},
                                 {"message": {"type": "STATE", "state": {"type": "STREAM", "stream": {
                                     "stream_descriptor": {"name": "users", "namespace": "shop"}, "stream_state": {"n": 1}}}}}],
                       streams=[stream("users", stream={"namespace": "shop"})], namespace="destination",
                       source={"streams": [{"name": "users", "namespace": "shop"}]}))
    serve(firth)
    assert wait(firth, start(firth))["status"] == "succeeded"
    assert "namespace" not in configured(tmp_path)["users"]["stream"]
    lines = received(tmp_path)
    record, = [line["record"] for line in lines if line["type"] == "RECORD"]
    assert record == {"stream": "users", "data": {"id": 1}, "emitted_at": 1}  # as in the catalog: no namespace, not an empty one
    state, = [line["state"] for line in lines if line["type"] == "STATE"]
    assert state["stream"]["stream_descriptor"] == {"name": "users"}


@pytest.mark.parametrize("mode", ["overwrite", "overwrite_dedup"])
def test_incremental_does_not_overwrite(firth, tmp_path, mode):
    path = write(tmp_path, records(1, 1), streams=[stream("others"), stream("users", "incremental", mode)])
    result = firth("apply", path)
    assert result.rc != 0 and "the stream 'users' is read incrementally and overwrites" in result.err and "test.yaml:1:" in result.err
    left_out = {"stream": stream("users")["stream"], "config": {"syncMode": "incremental", "destinationSyncMode": mode, "selected": False}}
    firth("apply", write(tmp_path, records(1, 1), streams=[stream("others"), left_out]), expect=0)


def test_clear_and_refresh(firth, tmp_path):
    apply(firth, write(tmp_path, records(1, 2)))
    serve(firth)
    wait(firth, start(firth))
    first = configured(tmp_path)["users"]
    assert (first["generation_id"], first["minimum_generation_id"]) == (1, 0)
    cleared = wait(firth, start(firth, "test", "--type", "clear"))
    assert (cleared["status"], cleared["type"]) == ("succeeded", "reset_connection")
    after = configured(tmp_path)["users"]
    assert (after["generation_id"], after["minimum_generation_id"], after["destination_sync_mode"]) == (2, 2, "overwrite")
    assert len(ids(tmp_path)) == 2  # nothing was sent
    wait(firth, start(firth))
    assert states(tmp_path) == [None, None]
    refreshed = wait(firth, start(firth, "test", "--type", "refresh", "--stream", "users"))
    assert (refreshed["status"], refreshed["type"]) == ("succeeded", "refresh")
    after = configured(tmp_path)["users"]
    assert (after["generation_id"], after["minimum_generation_id"], after["destination_sync_mode"]) == (3, 3, "append")
    assert states(tmp_path)[-1] is None
    wait(firth, start(firth, "test", "--type", "refresh", "--merge"))
    after = configured(tmp_path)["users"]
    assert (after["generation_id"], after["minimum_generation_id"]) == (4, 0)
    wait(firth, start(firth))
    assert configured(tmp_path)["users"]["generation_id"] == 4 and states(tmp_path)[-1] == {"n": 2}


def test_refresh_begins_anew_once_a_job(firth, tmp_path):
    """A second attempt of a refresh goes on with the first one's generation and state."""
    gate = tmp_path / "gate"
    apply(firth, write(tmp_path, records(1, 2)), partial_max=1000)
    serve(firth)
    wait(firth, start(firth))
    firth("apply", write(tmp_path, records(1, 3) + [{"sleep_until": str(gate)}, {"exit": 1}]), expect=0)
    number = start(firth, "test", "--type", "refresh")
    gate.write_text("")
    until(lambda: show(firth, number)["attempts"] >= 2, "a second attempt")
    firth("apply", write(tmp_path, records(4, 4)), expect=0)
    assert wait(firth, number)["status"] == "succeeded"
    assert configured(tmp_path)["users"]["generation_id"] == 2
    assert states(tmp_path)[1] is None and states(tmp_path)[-1] == {"n": 3}


def test_full_refresh_overwrite_is_a_generation_a_job(firth, tmp_path):
    apply(firth, write(tmp_path, records(1, 1), streams=[stream("users", "full_refresh", "overwrite")]))
    serve(firth)
    for generation in (1, 2):
        assert wait(firth, start(firth))["status"] == "succeeded"
        users = configured(tmp_path)["users"]
        assert (users["generation_id"], users["minimum_generation_id"]) == (generation, generation)


@pytest.mark.parametrize("words, said", [
    (["start", "test", "--stream", "users"], "--stream is of --type clear or refresh"),
    (["start", "test", "--type", "sync", "--merge"], "--merge is of --type refresh"),
    (["start", "test", "--type", "clear", "--merge"], "--merge is of --type refresh"),
    (["show", "1", "--type", "sync"], "of 'firth job start' and 'firth job list' alone"),
    (["list", "--type", "reload"], "sync, clear or refresh, not 'reload'"),
    (["cancel", "1", "--merge"], "of 'firth job start' alone")])
def test_options_that_would_be_ignored(firth, tmp_path, words, said):
    apply(firth, write(tmp_path, []))
    assert said in firth("job", *words, expect=2).err
    assert driving.rows(firth, "select id from jobs") == []


# --- schema changes ---------------------------------------------------------------------------------------------


def offered(**properties):
    return {"streams": [{"name": "users", "schema": {"type": "object", "properties": properties}}]}


@pytest.mark.parametrize("preference, status", [("ignore", "succeeded"), ("propagate_columns", "succeeded"), ("disable", "failed")])
def test_schema_change(firth, tmp_path, preference, status):
    more = {"id": {"type": "integer"}, "name": {}, "email": {"type": "string"}}
    apply(firth, write(tmp_path, records(1, 1), source=offered(**more), schemaChanges=preference), discover_minutes=0)
    serve(firth)
    job = wait(firth, start(firth))
    assert job["status"] == status
    if status == "failed":
        assert job["attemptList"][0]["failures"][0]["type"] == "refresh_schema"
        assert "inactive" in firth("job", "start", "test").err
    else:
        columns = set(configured(tmp_path)["users"]["stream"]["json_schema"]["properties"])
        assert columns == {"id", "name"} | ({"email"} if preference == "propagate_columns" else set())


def test_breaking_change_pauses(firth, tmp_path):
    users = stream("users", "incremental", "append_dedup", primaryKey=[["id"]])
    apply(firth, write(tmp_path, records(1, 1), streams=[users], source=offered(name={})), discover_minutes=0)
    serve(firth)
    job = wait(firth, start(firth))
    assert (job["status"], job["attempts"]) == ("failed", 1)
    assert "primary key" in job["attemptList"][0]["failures"][0]["message"]
    assert "does not fit it" in firth("job", "start", "test").err



def broken(firth, tmp_path):
    """A connection whose source has lost its key; a client of the daemon's API, and its id."""
    users = stream("users", "incremental", "append_dedup", primaryKey=[["id"]])
    apply(firth, write(tmp_path, records(1, 1), streams=[users], source=offered(name={})), discover_minutes=0)
    client = api.serve(firth).api
    assert wait(firth, start(firth))["status"] == "failed"
    told = firth("job", "start", "test").err
    (connection, source), = driving.rows(firth, "select id, source from connections")
    assert "firth apply" in told and "syncCatalog" in told and "discover_schema" in told and connection in told
    return client, connection, source


def is_broken(firth):
    return driving.rows(firth, "select breaking_change from connections") == [(1,)]


def test_a_source_that_has_its_key_again(firth, tmp_path):
    client, connection, source = broken(firth, tmp_path)
    ask = {"sourceId": source, "connectionId": connection, "disable_cache": True}
    assert client.config("sources/discover_schema", ask)["breakingChange"] is True and is_broken(firth)
    users = stream("users", "incremental", "append_dedup", primaryKey=[["id"]])
    firth("apply", write(tmp_path, records(1, 1), streams=[users], source=offered(id={"type": "integer"}, name={})), expect=0)
    assert is_broken(firth)  # nobody has asked the source yet
    assert client.config("sources/discover_schema", ask)["breakingChange"] is False and not is_broken(firth)
    assert wait(firth, start(firth))["status"] == "succeeded"


def test_a_refreshed_catalog_frees_too(firth, tmp_path):
    client, connection, _ = broken(firth, tmp_path)
    ask = {"connectionId": connection, "withRefreshedCatalog": True}
    assert client.config("web_backend/connections/get", ask)["schemaChange"] == "breaking" and is_broken(firth)
    users = stream("users", "incremental", "append_dedup", primaryKey=[["id"]])
    firth("apply", write(tmp_path, records(1, 1), streams=[users], source=offered(id={"type": "integer"}, name={})), expect=0)
    found = client.config("web_backend/connections/get", ask)
    assert (found["schemaChange"], found["breakingChange"]) == ("no_change", False) and not is_broken(firth)


@pytest.mark.parametrize("path", ["connections/update", "web_backend/connections/update"])
def test_streams_chosen_anew_by_an_update(firth, tmp_path, path):
    client, connection, _ = broken(firth, tmp_path)
    read = client.config("connections/get", {"connectionId": connection})
    assert read["breakingChange"] is True
    update = {"connectionId": connection, "syncCatalog": read["syncCatalog"], "breakingChange": True}
    assert client.config(path, {"connectionId": connection, "prefix": "p_"})["breakingChange"] is True
    assert client.config(path, update)["breakingChange"] is True and is_broken(firth)  # as it was
    update["syncCatalog"]["streams"][0]["config"].update(destinationSyncMode="append", primaryKey=[])
    assert client.config(path, update)["breakingChange"] is False and not is_broken(firth)
    start(firth)


def test_streams_chosen_anew_by_apply(firth, tmp_path):
    broken(firth, tmp_path)
    again = stream("users", "incremental", "append_dedup", primaryKey=[["id"]], aliasName="people")
    told = firth("apply", write(tmp_path, records(1, 1), streams=[again], source=offered(name={})), expect=0)
    assert "does not fit" in told.err and is_broken(firth)
    told = firth("apply", write(tmp_path, records(1, 1), streams=[stream("users")], source=offered(name={})), expect=0)
    assert "does not fit" not in told.err and not is_broken(firth)
    start(firth)


def test_the_look_before_a_sync_frees(firth, tmp_path):
    apply(firth, write(tmp_path, records(1, 1), source=offered(id={"type": "integer"}, name={})), discover_minutes=0)
    number = start(firth)
    with sqlite3.connect(f"{firth.data_dir}/control.db") as db:  # another's look, while the job waits
        db.execute("update connections set breaking_change = 1")
    serve(firth)
    assert wait(firth, number)["status"] == "succeeded" and not is_broken(firth)


# --- what is kept -----------------------------------------------------------------------------------------------


def test_old_jobs_go_with_their_logs(firth, tmp_path):
    """Of each connection so many are kept; what is more goes when a daemon starts, and after every 200 jobs."""
    apply(firth, write(tmp_path, records(1, 1)), keep=2)
    daemon = serve(firth)
    jobs = [start_and_wait(firth) for _ in range(4)]
    daemon.signal(signal.SIGTERM)
    daemon.wait()
    serve(firth)
    until(lambda: [row for row, in driving.rows(firth, "select id from jobs order by id")] == jobs[2:], "the older two to go")
    until(lambda: sorted(int(each.name) for each in (firth.data_dir / "jobs").iterdir()) == jobs[2:], "their logs to go")


def start_and_wait(firth):
    number = start(firth)
    assert wait(firth, number)["status"] == "succeeded"
    return number
