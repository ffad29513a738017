"""Connectors take less than 100 MB, whatever they read and write. (source-postgres: test_postgres_endurance.py. DuckDB's library
has a limit of its own.)"""

import gzip
import json
import pathlib

import pytest

import sql_endpoints
from conftest import FULL
from connector_suite.protocol import Runner, configured

LIMIT_KB = 100 * 1024
ROWS, TEXT = 150_000 if FULL else 115_000, "some words, again and again; " * 35  # 1 KB each


def peak(process):
    words = pathlib.Path(f"/proc/{process.pid}/status").read_text().split()
    return int(words[words.index("VmHWM:") + 1]) if "VmHWM:" in words else 0


def pieces(row, between="\n", count=1000):
    """`ROWS` rows, a thousand at a time."""
    for first in range(0, ROWS, count):
        yield between.join(row % n for n in range(first, first + count)).encode() + between.encode()


def json_lines(path):
    with open(path, "wb") as file:
        file.writelines(pieces('{"id":%d,"text":"' + TEXT + '"}'))


def json_array(path):
    with open(path, "wb") as file:
        file.write(b"[")
        file.writelines(pieces('{"id":%d,"text":"' + TEXT + '"}', ",\n"))
        file.write(b'{"id":-1}]')


def packed_csv(path):
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"id,text\n")
        file.writelines(pieces('%d,"' + TEXT + '"'))


@pytest.mark.parametrize("name, write", [("a.jsonl", json_lines), ("a.json", json_array), ("a.csv.gz", packed_csv)])
def test_files_that_are_read(firth, tmp_path, name, write):
    write(tmp_path / name)
    run = Runner([str(firth.path), "connector", "source-file"])
    config = {"streams": [{"name": "s", "globs": [str(tmp_path / name)]}]}
    [stream] = run("discover", config=config).one("CATALOG")["catalog"]["streams"]
    process = run.start(tmp_path, "read", config=config, catalog=configured([stream], "full_refresh"))
    count, memory = 0, 0
    for line in process.stdout:
        if line.startswith(b'{"type":"RECORD"'):
            count += 1
            if count % 10_000 == 0:
                memory = max(memory, peak(process))
    assert process.wait() == 0 and count - ROWS in (0, 1)
    assert 1000 < memory < LIMIT_KB


class Files:
    name = "destination-files"

    def __init__(self, folder):
        self.env = {"FIRTH_LOCAL_ROOT": str(folder)}

    def config(self):
        return {"destination_path": "/local/out", "format": {"format_type": "JSONL", "compression": {"compression_type": "No Compression"}}}

    def command(self, binary):
        return [str(binary), "connector", self.name]


@pytest.mark.parametrize("kind, mode", [(sql_endpoints.SQLite, "append_dedup"), (sql_endpoints.PostgreSQL, "append_dedup"), (Files, "append")],
                         ids=lambda value: getattr(value, "name", value))
def test_what_is_written(firth, tmp_path, request, kind, mode):
    endpoint = kind(tmp_path)
    if hasattr(endpoint, "start"):
        endpoint.start(request)
    run = Runner(endpoint.command(firth.path), endpoint.env)
    stream = {"name": "s", "supported_sync_modes": ["full_refresh"], "json_schema": {"type": "object", "properties": {
        "id": {"type": "integer"}, "text": {"type": "string"}}}, "source_defined_primary_key": [["id"]]}
    process = run.start(tmp_path, "write", config=endpoint.config(), catalog=configured([stream], "full_refresh", mode))
    for piece in pieces('{"type":"RECORD","record":{"stream":"s","emitted_at":1,"data":{"id":%d,"text":"' + TEXT + '"}}}'):
        process.stdin.write(piece)
    process.stdin.write(json.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": {
        "stream_descriptor": {"name": "s"}, "stream_state": {"n": 1}}}}).encode() + b"\n" + json.dumps(
            {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": {
                "stream_descriptor": {"name": "s"}, "status": "COMPLETE"}}}).encode() + b"\n")
    process.stdin.flush()
    if kind is not Files:  # whose commits are few
        assert any(b'"STATE"' in line for line in iter(process.stdout.readline, b""))
    memory = peak(process)
    process.communicate(timeout=120)
    assert process.returncode == 0 and 1000 < memory < LIMIT_KB
