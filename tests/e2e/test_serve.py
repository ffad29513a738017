"""firth serve and firth deploy: what runs when, over restarts, deploys, signals and kills."""

import contextlib
import json
import os
import pty
import signal
import socket
import sqlite3
import subprocess

import pytest

import serving
from conftest import until
from processes import descendants, gone
from serving import capture, deploy, log, records, serve, wait_for, wait_for_facts

HANG = [{"hang": True}]


def runs(tmp_path, name):
    """How often the source of a capture was told to read."""
    path = tmp_path / f"{name}.seen"
    if not path.exists():
        return 0
    return sum(json.loads(line)["verb"] == "read" for line in path.read_text().splitlines())


# --- deploying --------------------------------------------------------------------------------------------


def test_deploy_then_serve(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 5)))
    assert deploy(firth, catalog) == {"acmeCo/a": "add"}
    daemon = serve(firth)
    wait_for(firth, "acmeCo/a", event="ended", outcome="completed", documents=5)
    assert [d["id"] for d in firth.read("acmeCo/a-users")] == [1, 2, 3, 4, 5]
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert not os.path.exists(tmp_path / "data" / "firth.sock")


def test_deploy_without_yes_and_without_terminal_changes_nothing(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 5)))
    result = firth("deploy", catalog, expect=1)
    assert "--yes" in result.err and "1 to add" in result.out
    assert deploy(firth, catalog, "--dry-run") == {"acmeCo/a": "add"}
    assert deploy(firth, catalog) == {"acmeCo/a": "add"}
    assert deploy(firth, catalog) == {"acmeCo/a": "none"}


def test_dry_run_makes_nothing(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 5)))
    deploy(firth, catalog, "--dry-run")
    assert not (tmp_path / "data").exists()


def test_running_daemon_takes_a_deploy_over_and_disturbs_nothing_else(firth, tmp_path):
    one, two = capture(tmp_path, "a", HANG), capture(tmp_path, "b", HANG)
    catalog = serving.write(tmp_path / "flow.json", one, two)
    deploy(firth, catalog)
    daemon = serve(firth)
    for name in ("acmeCo/a", "acmeCo/b"):
        wait_for(firth, name, event="started")
    serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 3) + HANG), two,
                  capture(tmp_path, "c", records(1, 2)))
    assert deploy(firth, catalog) == {"acmeCo/a": "change", "acmeCo/b": "none", "acmeCo/c": "add"}
    wait_for(firth, "acmeCo/a", count=2, event="started")
    wait_for(firth, "acmeCo/c", event="ended", outcome="completed")
    until(lambda: firth("read", "acmeCo/a-users").out.count("\n") == 3, "documents")
    assert [line["outcome"] for line in log(firth, "acmeCo/a") if line["event"] == "ended"] == ["stopped"]
    assert [line["event"] for line in log(firth, "acmeCo/b")] == ["started"]
    assert daemon.process.poll() is None


def test_what_makes_no_difference_restarts_nothing(firth, tmp_path):
    schema = tmp_path / "users.schema.yaml"
    schema.write_text("type: object\nrequired: [id]\n")
    catalog = tmp_path / "flow.yaml"
    text = """
collections:
  acmeCo/a-users: {{key: [/id], schema: users.schema.yaml}}
captures:
  acmeCo/a:
    interval: 1h
    endpoint:
      local: {{command: [{program}], protocol: airbyte, config: {{streams: [users], steps: [{{hang: true}}]}}}}
    bindings: [{{resource: {{stream: users}}, target: acmeCo/a-users}}]
""".format(program=serving.scripted.command("scripted_source")[0])
    catalog.write_text(text)
    deploy(firth, catalog)
    schema.write_text("# a comment\nrequired: [id]\ntype: object\n")
    catalog.write_text("# another\n" + text.replace("streams: [users], steps: [{hang: true}]",
                                                     "steps: [{hang: true}], streams: [users]"))
    assert deploy(firth, catalog) == {"acmeCo/a": "none"}
    schema.write_text("required: [id, name]\ntype: object\n")
    result = firth("deploy", catalog, "--dry-run", expect=0)
    assert "~ acmeCo/a  schema\n" in result.out, result


def test_prune(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", HANG), capture(tmp_path, "b", records(1, 2)))
    deploy(firth, catalog)
    daemon = serve(firth)
    wait_for(firth, "acmeCo/b", event="ended")
    pids = descendants(daemon.pid)
    serving.write(tmp_path / "flow.json", capture(tmp_path, "a", HANG))
    assert deploy(firth, catalog) == {"acmeCo/a": "none", "acmeCo/b": "leave"}
    assert deploy(firth, catalog, "--prune") == {"acmeCo/a": "none", "acmeCo/b": "remove"}
    until(lambda: not (tmp_path / "data/logs/acmeCo%2Fb").exists(), "the removed task's log to go")
    assert len(firth.read("acmeCo/b-users")) == 2
    catalog.write_text(json.dumps({"collections": {"acmeCo/x": serving.USERS}}))
    assert deploy(firth, catalog, "--prune") == {"acmeCo/a": "remove"}
    until(lambda: all(gone(pid) for pid in pids), "the removed task to end")


def test_tasks_belong_to_the_deployment_that_brought_them(firth, tmp_path):
    one = serving.write(tmp_path / "one.json", capture(tmp_path, "a", HANG))
    two = serving.write(tmp_path / "two.json", capture(tmp_path, "a", HANG), capture(tmp_path, "b", HANG))
    deploy(firth, one)
    result = firth("deploy", two, "--yes", expect=3)
    assert "two.json:" in result.err and "the task 'acmeCo/a' belongs to the deployment" in result.err
    assert str(one) in result.err
    assert deploy(firth, two, "--name", str(one)) == {"acmeCo/a": "none", "acmeCo/b": "add"}


def test_a_task_that_cannot_run_is_refused_at_deploy(firth, tmp_path):
    name, broken = capture(tmp_path, "a", HANG)
    broken["endpoint"] = {"connector": {"image": "acme/no-such-connector-here", "config": {}}}
    catalog = serving.write(tmp_path / "flow.json", (name, broken))
    result = firth("deploy", catalog, "--yes")
    if result.rc != 0:  # where no container engine could run it either
        assert "flow.json:" in result.err and "no-such-connector-here" in result.err


def test_variables_and_files_are_those_of_the_deploy(firth, tmp_path):
    name, one = capture(tmp_path, "a", [])
    one["endpoint"]["local"]["config"] = "config.json"
    (tmp_path / "config.json").write_text(json.dumps(
        {"streams": ["users"], "seen": str(tmp_path / "a.seen"),
         "steps": [{"records": {"stream": "users", "from": 1, "to": 1, "data": {"word": "${SECRET_WORD}"}}}]}))
    catalog = serving.write(tmp_path / "flow.json", (name, one))
    firth("deploy", catalog, "--yes", expect=0, env={"SECRET_WORD": "hush-42"})
    (tmp_path / "config.json").write_text("{}")
    catalog.unlink()
    for path in (tmp_path / "data").iterdir():
        assert b"hush-42" not in path.read_bytes(), path
    serve(firth)
    wait_for(firth, "acmeCo/a", event="ended", outcome="completed")
    assert firth.read("acmeCo/a-users")[0]["word"] == "hush-42"


def test_disabled_and_enabled_again(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", HANG, shards={"disable": True}))
    deploy(firth, catalog)
    daemon = serve(firth)
    assert not descendants(daemon.pid)
    serving.write(tmp_path / "flow.json", capture(tmp_path, "a", HANG))
    assert deploy(firth, catalog) == {"acmeCo/a": "change"}
    wait_for(firth, "acmeCo/a", event="started")
    serving.write(tmp_path / "flow.json", capture(tmp_path, "a", HANG, shards={"disable": True}))
    deploy(firth, catalog)
    wait_for(firth, "acmeCo/a", event="ended", outcome="stopped")
    until(lambda: not descendants(daemon.pid), "the disabled task to end")


def at_a_terminal(firth, *args, answer):
    """What the command says to a person who answers so, and its exit code."""
    controller, terminal = pty.openpty()
    with subprocess.Popen([firth.path, *map(str, args)], stdin=terminal, stdout=terminal, stderr=terminal,
                          env=firth.environment(), cwd=firth.cwd) as process:
        os.close(terminal)
        os.write(controller, answer)
        said = b""
        try:
            while chunk := os.read(controller, 4096):
                said += chunk
        except OSError:  # the other side is closed
            pass
        process.wait(60)
    os.close(controller)
    return process.returncode, said.decode()


def test_a_person_is_asked(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 2)))
    for answer in (b"n\n", b"\n", b"\x04"):
        code, said = at_a_terminal(firth, "deploy", catalog, answer=answer)
        assert code == 1 and "1 to add" in said and "deploy this? [y/N]" in said and "nothing was deployed" in said
    code, said = at_a_terminal(firth, "deploy", catalog, answer=b"y\n")
    assert code == 0 and "deployed; no daemon runs" in said
    assert deploy(firth, catalog) == {"acmeCo/a": "none"}


def test_a_deploy_killed_behind_its_commit_is_heard_of(firth_dev, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 2)))
    serve(firth_dev)
    result = firth_dev("deploy", catalog, "--yes", env={"FIRTH_FAULT_KILL": "deploy.after-commit"})
    assert result.rc == -signal.SIGKILL
    wait_for(firth_dev, "acmeCo/a", event="ended", outcome="completed")


# --- over restarts ----------------------------------------------------------------------------------------


def test_an_interval_that_has_not_passed_is_waited_for(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 2), interval="1h"),
                            capture(tmp_path, "b", records(1, 2), interval="1s"))
    deploy(firth, catalog)
    daemon = serve(firth)
    wait_for(firth, "acmeCo/a", event="ended")
    wait_for(firth, "acmeCo/b", event="ended")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    before = runs(tmp_path, "b")
    serve(firth)
    until(lambda: runs(tmp_path, "b") >= before + 2, "the due task to run")
    assert runs(tmp_path, "a") == 1


def test_a_session_cut_short_goes_on(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 2) + HANG))
    deploy(firth, catalog)
    for stop in (signal.SIGTERM, signal.SIGKILL):
        daemon = serve(firth)
        before = runs(tmp_path, "a")
        until(lambda: runs(tmp_path, "a") > before, "the source to run")
        children = descendants(daemon.pid)
        daemon.signal(stop)
        daemon.wait()
        until(lambda: all(gone(pid) for pid in children), "what the daemon started to end")
    serve(firth)
    until(lambda: runs(tmp_path, "a") == 3, "the source to run again")


def test_backoff_is_waited_for_and_counted_on(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", [{"exit": 7}]))
    deploy(firth, catalog)
    daemon = serve(firth, "--retry-after", "1m")
    row = wait_for_facts(firth, "acmeCo/a", lambda row: row["session"] == "failed" and row["due_ms"])
    assert row["failures"] == 1 and row["retriable"] == 1
    daemon.kill()
    daemon = serve(firth, "--retry-after", "1m")
    deploy(firth, serving.write(tmp_path / "other.json", capture(tmp_path, "z", records(1, 1))))
    wait_for(firth, "acmeCo/z", event="ended")
    assert runs(tmp_path, "a") == 1
    assert abs(wait_for_facts(firth, "acmeCo/a", lambda row: True)["due_ms"] - row["due_ms"]) < 5000


def test_failures_count_on_although_each_session_commits(firth, tmp_path):
    """What status counts is what the backoff counts, over a restart too: a commit resets neither."""
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 2) + [{"exit": 7}]))
    deploy(firth, catalog)
    daemon = serve(firth, "--retry-after", "250ms")
    wait_for_facts(firth, "acmeCo/a", lambda row: row["session"] == "failed" and row["failures"] == 3)
    daemon.kill()
    began = [line["attempt"] for line in wait_for(firth, "acmeCo/a", event="started")]
    assert began[:3] == [0, 1, 2]
    (task,) = firth("status", "-o", "json", expect=0).json()["tasks"]
    assert task["failures"] >= 3
    assert f", {task['failures']} failures in a row: " in firth("status", expect=0).out
    serve(firth, "--retry-after", "250ms")
    lines = wait_for(firth, "acmeCo/a", count=len(began) + 1, event="started")
    assert lines[3]["attempt"] == 3


def test_a_failure_for_good_is_tried_again_at_a_hangup(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", [{"records": {
        "stream": "users", "from": 1, "to": 1, "data": {"id": "no number"}}}]))
    deploy(firth, catalog)
    daemon = serve(firth)
    ended = wait_for(firth, "acmeCo/a", event="ended", outcome="failed")[0]
    assert ended["retriable"] is False and "id" in ended["message"]
    daemon.signal(signal.SIGHUP)
    wait_for(firth, "acmeCo/a", count=2, event="ended", outcome="failed")
    assert daemon.process.poll() is None


def test_a_manual_connection_runs_once_for_each_deploy(firth, tmp_path):
    source = {"streams": ["users"], "steps": records(1, 2), "seen": str(tmp_path / "a.seen")}
    sync = {"source": serving.scripted.local("scripted_source", source),
            "destination": serving.scripted.local("scripted_destination", {"out": str(tmp_path / "out")}),
            "streams": "all", "schedule": "manual"}
    catalog = tmp_path / "flow.json"
    catalog.write_text(json.dumps({"connections": {"acmeCo/sync": sync}}))
    deploy(firth, catalog)
    daemon = serve(firth)
    wait_for(firth, "acmeCo/sync", event="ended", outcome="completed")
    wait_for_facts(firth, "acmeCo/sync", lambda row: row["session"] == "completed")
    daemon.signal(signal.SIGTERM)
    daemon.wait()
    daemon = serve(firth)
    deploy(firth, serving.write(tmp_path / "other.json", capture(tmp_path, "z", records(1, 1))))
    wait_for(firth, "acmeCo/z", event="ended")
    assert runs(tmp_path, "a") == 1
    source["steps"] = records(1, 3)
    catalog.write_text(json.dumps({"connections": {"acmeCo/sync": sync}}))
    deploy(firth, catalog)
    wait_for(firth, "acmeCo/sync", count=2, event="ended", outcome="completed")


# --- signals and kills ------------------------------------------------------------------------------------


def test_a_killed_task_is_started_again(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", HANG))
    deploy(firth, catalog)
    daemon = serve(firth, "--retry-after", "10ms")
    wait_for(firth, "acmeCo/a", event="started")
    until(lambda: runs(tmp_path, "a") == 1, "the source to run")
    for pid in descendants(daemon.pid):
        os.kill(pid, signal.SIGKILL)
    wait_for(firth, "acmeCo/a", event="ended", outcome="failed")
    wait_for(firth, "acmeCo/a", count=2, event="started")


@pytest.mark.parametrize("by", ["commit", "time"])
def test_an_error_that_is_mended_is_forgotten(firth, tmp_path, by):
    """A session that never ends has no end to clear it."""
    go_on = tmp_path / "go"
    steps = [{"sleep_until": str(go_on)}] + records(1, 2) + HANG
    deploy(firth, serving.write(tmp_path / "flow.json", capture(tmp_path, "a", steps)))
    daemon = serve(firth, "--retry-after", "1s")
    until(lambda: runs(tmp_path, "a") == 1, "the source to run")
    for pid in descendants(daemon.pid):
        os.kill(pid, signal.SIGKILL)
    assert wait_for_facts(firth, "acmeCo/a", lambda row: row["error"])["failures"] == 1
    until(lambda: runs(tmp_path, "a") == 2, "the source to run again")
    if by == "commit":
        go_on.touch()
        row = wait_for_facts(firth, "acmeCo/a", lambda row: not row["error"])
        assert (row["session"], row["failures"]) == ("running", 1)
    else:
        assert "acmeCo/a, " in firth("status", expect=0).out
        with contextlib.closing(sqlite3.connect(tmp_path / "data/control.db")) as db:
            db.execute("update facts set started_ms = started_ms - 300001")
            db.commit()
    (task,) = firth("status", "-o", "json", expect=0).json()["tasks"]
    assert (task["state"], task["error"], task["failures"]) == ("running", None, 1 if by == "commit" else 0)
    assert " ago" not in firth("status", expect=0).out


def test_graceful_stop_has_a_deadline(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json",
                            capture(tmp_path, "a", [{"ignore_sigterm": True}, {"touch": str(tmp_path / "up")}] + HANG))
    deploy(firth, catalog)
    daemon = serve(firth, "--stop-after", "300ms")
    until((tmp_path / "up").exists, "the source")
    children = descendants(daemon.pid)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0
    until(lambda: all(gone(pid) for pid in children), "what the daemon started to end")


def test_a_second_signal_stops_at_once(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json",
                            capture(tmp_path, "a", [{"ignore_sigterm": True}, {"touch": str(tmp_path / "up")}] + HANG))
    deploy(firth, catalog)
    daemon = serve(firth, "--stop-after", "1h")
    until((tmp_path / "up").exists, "the source")
    daemon.signal(signal.SIGTERM)
    daemon.wait_for_line("finishes its transaction")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(20) == 0


def test_systemd_is_told(firth, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        # A unix socket's path is short; a test's folder may not be.
        where = os.getcwd()
        os.chdir(tmp_path)
        listener.bind("notify")
        os.chdir(where)
        listener.settimeout(60)
        os.symlink(tmp_path, link := f"/tmp/firth-notify-{os.getpid()}")
        try:
            daemon = serve(firth, env={"NOTIFY_SOCKET": f"{link}/{path.name}"})
            assert listener.recv(1000).startswith(b"READY=1")
            daemon.signal(signal.SIGHUP)
            assert listener.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert listener.recv(1000).startswith(b"READY=1")
            daemon.signal(signal.SIGTERM)
            assert listener.recv(1000) == b"STOPPING=1"
            assert daemon.wait() == 0
        finally:
            os.unlink(link)


def test_one_at_a_time(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", HANG))
    deploy(firth, catalog)
    daemon = serve(firth)
    second = firth("serve", expect=4)
    assert "(firth serve)" in second.err and "--data-dir" in second.err
    run = firth("run", catalog, expect=4)
    assert "firth deploy CATALOG" in run.err
    daemon.signal(signal.SIGTERM)
    daemon.wait()
    before = runs(tmp_path, "a")
    running = firth.start("run", catalog)
    until(lambda: runs(tmp_path, "a") > before, "firth run's source")
    third = firth("serve", expect=4)
    assert "(firth run " in third.err and "stop it first" in third.err
    assert deploy(firth, catalog) == {"acmeCo/a": "none"}
    running.signal(signal.SIGTERM)
    running.wait()


def test_more_tasks_than_places(firth, tmp_path):
    names = [f"t{n}" for n in range(5)]
    catalog = serving.write(tmp_path / "flow.json", *[capture(tmp_path, name, records(1, 2)) for name in names])
    deploy(firth, catalog)
    serve(firth, "--parallel", "2")
    for name in names:
        wait_for(firth, f"acmeCo/{name}", event="ended", outcome="completed")


# --- what may be wrong with the files ---------------------------------------------------------------------


@pytest.mark.parametrize("damage, said", [
    (lambda path: path.write_bytes(b"not a database at all" * 500), "is damaged"),
    (lambda path: path.write_bytes(b""), "it is empty"),
    (lambda path: path.write_bytes(path.read_bytes()[:4096 + 100]), "control.db"),
    (lambda path: path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096)), "control.db"),
])
def test_a_damaged_control_store_is_refused_and_left_alone(firth, tmp_path, damage, said):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 2)))
    deploy(firth, catalog)
    path = tmp_path / "data" / "control.db"
    damage(path)
    before = path.read_bytes()
    for command in (["serve"], ["deploy", catalog, "--yes"]):
        result = firth(*command, expect=5)
        assert said in result.err and "backup" in result.err, result
    assert path.read_bytes() == before


def test_another_programs_database_is_refused(firth, tmp_path):
    import sqlite3
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 2)))
    deploy(firth, catalog)
    path = tmp_path / "data" / "control.db"
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("create table t (a)")
    assert "another program" in firth("serve", expect=5).err


def test_keys(firth, tmp_path):
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 2)))
    deploy(firth, catalog)
    key = tmp_path / "data" / "secret.key"
    assert key.stat().st_mode & 0o777 == 0o600
    good = key.read_text()
    key.chmod(0o640)
    assert "chmod 600" in firth("serve", expect=3).err
    key.chmod(0o600)
    key.write_text("0" * 64 + "\n")
    result = firth("serve", expect=3)
    assert "another key" in result.err and "0000" not in result.err
    key.write_text("short\n")
    assert "holds no key" in firth("serve", expect=3).err
    key.unlink()
    assert "its key is missing" in firth("serve", expect=3).err
    assert not key.exists()
    elsewhere = tmp_path / "elsewhere.key"
    elsewhere.write_text(good)
    elsewhere.chmod(0o600)
    for env in ({"FIRTH_SECRET_KEY": good.strip()}, {"FIRTH_SECRET_KEY_FILE": str(elsewhere)}):
        daemon = serve(firth, env=env)
        daemon.signal(signal.SIGTERM)
        assert daemon.wait() == 0
    assert "FIRTH_SECRET_KEY holds no key" in firth("serve", env={"FIRTH_SECRET_KEY": "x"}, expect=3).err


def test_a_very_long_data_directory(firth, tmp_path):
    """A unix socket's path has 107 bytes at most."""
    firth.data_dir = tmp_path / ("long" * 30) / "data"
    firth.data_dir.parent.mkdir()
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 2)))
    deploy(firth, catalog)
    serve(firth)
    wait_for(firth, "acmeCo/a", event="ended", outcome="completed")
    catalog = serving.write(tmp_path / "flow.json", capture(tmp_path, "a", records(1, 3)))
    deploy(firth, catalog)
    wait_for(firth, "acmeCo/a", count=2, event="ended", outcome="completed")


# --- what is told ---------------------------------------------------------------------------------------------


def status(firth, task):
    return next(each for each in firth("status", "-o", "json", expect=0).json()["tasks"] if each["task"] == task)


def test_what_is_deployed_is_told_before_it_has_moved_anything(firth, tmp_path):
    """Bindings come from the catalog; numbers that nobody knows are null, and those of a session that runs are the daemon's."""
    name, a = capture(tmp_path, "a", records(1, 3) + HANG)
    a["bindings"].append({"resource": {"stream": "teams"}, "target": "acmeCo/a-teams", "disable": True})
    sink = {"endpoint": {"local": {"command": ["/bin/true"], "config": {}}},
            "bindings": [{"source": "acmeCo/a-users", "resource": {"table": "people"}}]}
    catalog = serving.write(tmp_path / "flow.json", (name, a), materializations={"acmeCo/sink": {**sink, "shards": {"disable": True}}})
    config = json.loads(catalog.read_text())
    config["collections"]["acmeCo/a-teams"] = config["collections"]["acmeCo/a-users"]
    catalog.write_text(json.dumps(config))
    deploy(firth, catalog)

    told = status(firth, name)
    assert told["streams"] == [
        {"stream": "users", "target": "acmeCo/a-users", "bound": True, "enabled": True, "documents": 0, "bytes": 0, "invalid": 0},
        {"stream": "teams", "target": "acmeCo/a-teams", "bound": True, "enabled": False, "documents": 0, "bytes": 0, "invalid": 0}]
    assert [(each["collection"], each["documents"], each["committed_at"]) for each in told["collections"]] == [("acmeCo/a-users", 0, None)]
    assert [(each["stream"], each["source"], each["target"], each["behind"]) for each in status(firth, "acmeCo/sink")["streams"]] == [
        ("people", "acmeCo/a-users", "people", 0)]

    daemon = serve(firth)
    until(lambda: (status(firth, name)["live"] or {}).get("documents") == 3, "what is committed")
    told = status(firth, name)
    assert (told["session"]["outcome"], told["session"]["documents"]) == ("running", 3)
    assert [each["documents"] for each in told["streams"]] == [3, 0]
    assert status(firth, "acmeCo/sink")["streams"][0]["behind"] == 3
    daemon.process.kill()
    daemon.wait()
    told = status(firth, name)
    assert (told["session"]["outcome"], told["session"]["documents"], told["session"]["bytes"]) == ("running", None, None)
    assert [each["documents"] for each in told["streams"]] == [3, 0]
    # What the catalog has no more is told as long as it has moved something.
    a["bindings"] = [{"resource": {"stream": "users"}, "target": "acmeCo/a-others"}]
    config["captures"][name], config["collections"]["acmeCo/a-others"] = a, config["collections"]["acmeCo/a-users"]
    catalog.write_text(json.dumps(config))
    deploy(firth, catalog)
    assert [(each["target"], each["bound"], each["documents"]) for each in status(firth, name)["streams"]] == [
        ("acmeCo/a-others", True, 0), ("acmeCo/a-users", False, 3)]
    assert [(each["collection"], each["documents"]) for each in status(firth, name)["collections"]] == [
        ("acmeCo/a-users", 3), ("acmeCo/a-others", 0)]
