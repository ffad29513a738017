"""destination-duckdb: what only it has, a loader that works in a thread of its own."""

import json
import os
import resource
import signal
import subprocess

import pytest

import sql_endpoints

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


def test_an_empty_file_is_none(firth, tmp_path):
    """As a full disk leaves the one that was to be made."""
    endpoint = sql_endpoints.DuckDB(tmp_path)
    endpoint.path.touch()
    sql_endpoints.Sync(endpoint, firth.path).good([{"id": 1, "pad": "x"}], PROPERTIES)
    assert [row["id"] for row in endpoint.read("users")] == [1]
    endpoint.path.write_text("mine")  # what is not empty is somebody's
    assert sql_endpoints.Sync(endpoint, firth.path)([{"id": 1, "pad": "x"}], PROPERTIES).rc != 0
    assert endpoint.path.read_text() == "mine"
