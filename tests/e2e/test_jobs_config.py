"""A connector changes its config while it runs (CONTROL): an OAuth token that was exchanged works no more."""

import json
import signal

import pytest

import job_driving
import scripted
from job_driving import apply, serve, start, wait, write


def token(n, **more):
    return {"message": {"type": "CONTROL", "control": {"type": "CONNECTOR_CONFIG", "emitted_at": 1.0, "connectorConfig": {
        "config": {"refresh_token": f"token-{n}-xyzzy", **more}}}}}


def state(n):
    return {"state": {"stream": "users", "n": n}}


def tokens(tmp_path):
    """That `read` was given, each time."""
    return [json.loads(line)["token"] for line in (tmp_path / "tokens").read_text().splitlines()]


def source(tmp_path, **more):
    """`tells`: the scripted source keeps the token that each `read` gets."""
    return {"refresh_token": "token-0-xyzzy", "tokens": str(tmp_path / "tokens"), **more}


def exported(firth):
    return firth("export", "--with-secrets", "--file", "-", expect=0).out


def test_is_written_back(firth, tmp_path):
    apply(firth, write(tmp_path, [token(1, extra={"a": 1.50}), state(1)], source=source(tmp_path)))
    serve(firth)
    number = start(firth)
    assert wait(firth, number)["status"] == "succeeded"
    assert '"refresh_token":"token-1-xyzzy"' in exported(firth) and '"extra":{"a":1.5' in exported(firth)
    assert "token-0-xyzzy" not in exported(firth)
    wait(firth, start(firth))
    assert tokens(tmp_path) == ["token-0-xyzzy", "token-1-xyzzy"]
    log = firth("job", "log", str(number), expect=0).out
    assert "changed its config" in log and "xyzzy" not in log


def test_of_a_check(firth, tmp_path):
    """A token that `check` has exchanged is the one that `read` gets."""
    succeeded = {"message": {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}}
    apply(firth, write(tmp_path, [state(1)], source=source(tmp_path, check=[token(1), succeeded])))
    serve(firth)
    assert wait(firth, start(firth))["status"] == "succeeded"
    assert tokens(tmp_path) == ["token-1-xyzzy"]
    assert "token-1-xyzzy" in exported(firth)


@pytest.mark.parametrize("point", ["task.config.kept", "job-config"])
def test_survives_a_kill_right_after(firth_dev, tmp_path, point):
    """Whether it is the task or the daemon that is killed before the control store has it."""
    apply(firth_dev, write(tmp_path, [token(1), state(1)], source=source(tmp_path)), partial_max=1000)
    daemon = serve(firth_dev, env={"FIRTH_FAULT_KILL": point})
    number = start(firth_dev)
    if point == "job-config":
        assert daemon.wait() == -signal.SIGKILL
        serve(firth_dev)
    job = wait(firth_dev, number)
    assert (job["status"], job["attempts"]) == ("succeeded", 2)
    assert tokens(tmp_path)[0] == "token-0-xyzzy" and tokens(tmp_path)[-1] == "token-1-xyzzy"
    assert "token-1-xyzzy" in exported(firth_dev)
    for file in (firth_dev.data_dir / "tasks").rglob("*"):  # and nowhere in clear
        assert not file.is_file() or b"xyzzy" not in file.read_bytes(), file


def test_with_a_key_of_the_environment(firth_dev, tmp_path):
    """The daemon hides it from its children; tasks seal with one made of it."""
    env = {"FIRTH_SECRET_KEY": "5a" * 32}
    firth_dev("apply", write(tmp_path, [token(1), state(1)], source=source(tmp_path)), env=env, expect=0)
    job_driving.settings(firth_dev, backoff_ms=50, backoff_max_ms=200)
    daemon = serve(firth_dev, env={**env, "FIRTH_FAULT_KILL": "job-config"})
    number = int(firth_dev("job", "start", "test", env=env, expect=0).out)
    assert daemon.wait() == -signal.SIGKILL
    assert not (firth_dev.data_dir / "secret.key").exists()
    serve(firth_dev, env=env)
    assert wait(firth_dev, number)["status"] == "succeeded"
    assert tokens(tmp_path) == ["token-0-xyzzy", "token-1-xyzzy"]
    assert "token-1-xyzzy" in firth_dev("export", "--with-secrets", "--file", "-", env=env, expect=0).out


def test_somebody_else_changed_it_since(firth, tmp_path):
    path = write(tmp_path, [token(1), state(1)], source=source(tmp_path))
    apply(firth, path)
    serve(firth)
    wait(firth, start(firth))
    apply(firth, write(tmp_path, [state(1)], source=source(tmp_path, refresh_token="token-9-xyzzy")))
    wait(firth, start(firth))
    assert tokens(tmp_path)[-1] == "token-9-xyzzy"


def test_of_a_destination(firth, tmp_path):
    line = json.dumps(token(5)["message"])
    apply(firth, write(tmp_path, [state(1)], destination={"refresh_token": "token-4-xyzzy", "lines": [line]}))
    serve(firth)
    assert wait(firth, start(firth))["status"] == "succeeded"
    assert "token-5-xyzzy" in exported(firth) and "token-4-xyzzy" not in exported(firth)


def test_what_the_spec_does_not_allow_fails_the_sync(firth, tmp_path):
    apply(firth, write(tmp_path, [token(7), state(1)], source=source(tmp_path)))
    spec = {"connectionSpecification": {"type": "object", "properties": {"refresh_token": {"type": "string", "maxLength": 3}}}}
    with job_driving.sqlite3.connect(f"{firth.data_dir}/control.db") as db:
        assert db.execute("update definitions set spec = ? where name = 'scripted source'", (json.dumps(spec),)).rowcount == 1
    serve(firth)
    job = wait(firth, start(firth))
    assert (job["status"], job["attempts"]) == ("failed", 1)
    failure, = job["attemptList"][0]["failures"]
    assert (failure["origin"], failure["type"]) == ("source", "config_error")
    assert "own spec does not allow" in failure["message"] and "xyzzy" not in json.dumps(job)
    assert '"refresh_token":"token-0-xyzzy"' in exported(firth)


def test_of_a_catalog(firth, tmp_path):
    """There the file is its owner's: what the connector made of its config is the task's, until the file changes."""
    def connection(first, *steps):
        return scripted.connection(tmp_path, [*steps, scripted.state(1)], source=source(tmp_path, refresh_token=f"token-{first}-xyzzy"))
    steps = [token(1)]
    scripted.run(firth, connection(0, *steps))
    lines = scripted.run(firth, connection(0, *steps))
    assert tokens(tmp_path) == ["token-0-xyzzy", "token-1-xyzzy"]
    assert "xyzzy" not in json.dumps(lines)
    scripted.run(firth, connection(9, *steps))
    assert tokens(tmp_path)[-1] == "token-9-xyzzy"


def test_of_a_capture(firth, tmp_path):
    steps = [token(1), scripted.records(1, 1), scripted.state(1)]
    catalog = scripted.capture(tmp_path, steps, source=source(tmp_path))
    scripted.run(firth, catalog)
    scripted.run(firth, catalog)
    assert tokens(tmp_path) == ["token-0-xyzzy", "token-1-xyzzy"]
