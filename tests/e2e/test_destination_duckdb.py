"""destination-duckdb: what only it has, a loader that works in a thread of its own."""

import json
import os
import resource
import signal
import subprocess

import duckdb
import pytest

import sql_endpoints
from conftest import until
from test_sql_flow import Materialization, begin, commit

RECORD = b'{"type":"RECORD","record":{"stream":"users","data":{"id":%d,"pad":"%s"},"emitted_at":1700000000000}}\n'
PROPERTIES = {"id": {"type": "integer"}, "pad": {"type": "string"}}


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_the_disk_is_full_while_rows_are_appended(firth, tmp_path, mode):
    """The loader's error ends the session before its input does; what was there before is there, and nothing else."""
    endpoint = sql_endpoints.DuckDB(tmp_path)
    sql_endpoints.Sync(endpoint, firth.path).good([{"id": -1, "pad": "before"}], PROPERTIES)
    size = endpoint.path.stat().st_size

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + (1 << 20), size + (1 << 20)))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    (tmp_path / "config.json").write_text(json.dumps(endpoint.config()))
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [{
        "stream": {"name": "users", "json_schema": {"type": "object", "properties": PROPERTIES},
                   "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "full_refresh", "destination_sync_mode": mode, "generation_id": 2,
        "minimum_generation_id": 2 if mode == "overwrite" else 0, "sync_id": 9}]}))
    with open(tmp_path / "out", "wb") as out:
        process = subprocess.Popen([*endpoint.command(firth.path), "write", "--config", tmp_path / "config.json", "--catalog",
                                    tmp_path / "catalog.json"], stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE,
                                   env={**os.environ, **endpoint.env}, preexec_fn=limit)
    sent = 0
    try:  # texts that do not compress, until it has had enough
        while sent < 2_000_000:
            process.stdin.write(b"".join(RECORD % (n, os.urandom(40).hex().encode()) for n in range(sent, sent + 2000)))
            sent += 2000
    except BrokenPipeError:
        pass
    assert sent < 2_000_000
    process.communicate(timeout=60)
    messages = [json.loads(line) for line in (tmp_path / "out").read_bytes().splitlines()]
    assert process.returncode != 0
    assert any(m["type"] == "TRACE" and "File too large" in m["trace"]["error"]["message"] for m in messages), messages
    assert not [m for m in messages if m["type"] == "STATE"]
    assert [(row["id"], row["pad"]) for row in endpoint.read("users")] == [(-1, "before")]
    # With room again, the next sync is as if nothing had been.
    sql_endpoints.Sync(endpoint, firth.path).good([{"id": 1, "pad": "after"}], PROPERTIES, mode=mode, generation=2)
    assert [row["id"] for row in endpoint.read("users")] == ([-1, 1] if mode == "append" else [1])
    assert endpoint.tables() == ["users"]  # and no table that was being made


@pytest.mark.parametrize("room", [0, 4096, 6000, 8192, 11000])
def test_the_disk_is_full_while_the_file_is_made(firth, tmp_path, room):
    """What is left of it is none, and does not keep the next sync from making one."""
    endpoint = sql_endpoints.DuckDB(tmp_path)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    (tmp_path / "config.json").write_text(json.dumps(endpoint.config()))
    done = subprocess.run([*endpoint.command(firth.path), "check", "--config", tmp_path / "config.json"], capture_output=True,
                          env={**os.environ, **endpoint.env}, preexec_fn=limit, timeout=60, check=False)
    assert b'"FAILED"' in done.stdout, done
    assert endpoint.path.stat().st_size <= room
    sql_endpoints.Sync(endpoint, firth.path).good([{"id": 1, "pad": "x"}], PROPERTIES)
    assert [row["id"] for row in endpoint.read("users")] == [1]


def test_what_is_somebodys_stays(firth, tmp_path):
    endpoint = sql_endpoints.DuckDB(tmp_path)
    endpoint.path.write_text("mine")
    assert sql_endpoints.Sync(endpoint, firth.path)([{"id": 1, "pad": "x"}], PROPERTIES).rc != 0
    assert endpoint.path.read_text() == "mine"


def test_a_file_that_another_program_has_open(firth, tmp_path):
    """It is waited for, the log says for whom, and for how long the config says."""
    endpoint = sql_endpoints.DuckDB(tmp_path)
    sync = sql_endpoints.Sync(endpoint, firth.path)
    sync.good([{"id": 1, "pad": "x"}], PROPERTIES)
    catalog = {"streams": [{"stream": {"name": "users", "json_schema": {"type": "object", "properties": PROPERTIES},
                                       "supported_sync_modes": ["full_refresh"]},
                            "sync_mode": "full_refresh", "destination_sync_mode": "append", "generation_id": 1,
                            "minimum_generation_id": 0, "sync_id": 9}]}
    with duckdb.connect(endpoint.path) as theirs:
        failed = sync([{"id": 2, "pad": "x"}], PROPERTIES, config=endpoint.config(lock_wait=0))
        error = failed.errors()[0]
        assert failed.rc != 0 and error["failure_type"] == "transient_error", failed
        assert "another sync, or another program, has it open" in error["message"] and f"PID {os.getpid()}" in error["message"]
        process = sync.runner.start(tmp_path, "write", config=endpoint.config(), catalog=catalog)
        line = process.stdout.readline()
        assert b"waiting for" in line and b"which process %d (" % os.getpid() in line, line
        assert theirs.execute("SELECT count(*) FROM users").fetchone() == (1,)
    process.communicate(RECORD % (3, b"x"), timeout=60)
    assert process.returncode == 0
    assert [row["id"] for row in endpoint.read("users")] == [1, 3]


def test_a_materialization_with_nothing_to_do_lets_others_read(firth, tmp_path):
    """They are waited for in turn."""
    endpoint = sql_endpoints.DuckDB(tmp_path)
    mat = Materialization(endpoint, firth.path)
    talk, _ = mat.open()
    begin(talk)
    commit(talk, [mat.store({"id": 1, "name": "a", "sum": 1})], 1)

    def opened():
        try:
            return duckdb.connect(endpoint.path)
        except duckdb.IOException as error:
            assert "Could not set lock" in str(error)
            return None
    with until(opened, "the file to be let go") as theirs:
        assert theirs.execute("SELECT id FROM sums").fetchall() == [(1,)]
        talk.say({"acknowledge": {}})
        talk.expect("acknowledged")
        talk.say({"load": {"key": [1]}})
        assert next(line for line in talk.process.stderr if b"waiting for" in line)
    talk.say({"flush": {}})
    assert talk.expect("loaded")["doc"] == {"id": 1, "name": "a", "sum": 1}
    talk.expect("flushed")
    commit(talk, [mat.store({"id": 2, "name": "b", "sum": 2})], 2)
    assert talk.end()[0] == 0 and [row["id"] for row in endpoint.read("sums")] == [1, 2]
