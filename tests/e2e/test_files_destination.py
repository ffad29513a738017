"""destination-files and destination-s3: what is in the files, that they are whole, and that nothing is left behind."""

import csv
import gzip
import io
import json
import subprocess

import pytest

from connector_suite.protocol import Runner, configured

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": ["null", "string"]},
                                           "more": {"type": "object"}}}
STREAM = {"name": "users", "namespace": "shop", "json_schema": SCHEMA, "supported_sync_modes": ["full_refresh"]}
ROWS = [b'{"id":1.50,"name":"a,\\"b\\"\\n","more":{"x":[1]}}', b'{"id":2,"name":"","extra":true}', b'{"id":3,"name":null}']


def message(row):
    return b'{"type":"RECORD","record":{"stream":"users","namespace":"shop","data":%s,"emitted_at":1700000000000}}\n' % row


def state(n):
    return json.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": {
        "stream_descriptor": {"name": "users", "namespace": "shop"}, "stream_state": {"n": n}}}}).encode() + b"\n"


COMPLETE = json.dumps({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1.5, "stream_status": {
    "stream_descriptor": {"name": "users", "namespace": "shop"}, "status": "COMPLETE"}}}).encode() + b"\n"


@pytest.fixture
def local(firth, tmp_path):
    return Runner([firth.path, "connector", "destination-files"], {"FIRTH_LOCAL_ROOT": str(tmp_path)})


def write(run, config, rows=ROWS, mode="append", **catalog):
    text = b"".join(message(row) for row in rows) + state(1) + COMPLETE
    session = run("write", stdin=text, config=config,
                  catalog=configured([STREAM], "full_refresh", destination_sync_mode=mode, **catalog))
    assert session.rc == 0, session
    return session


def written(tmp_path):
    return sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file() and not path.name.startswith("."))


def a_format(kind, compression="No Compression", flattening="No flattening"):
    return {"format_type": kind, "compression": {"compression_type": compression}, "flattening": flattening}


def test_json_lines(local, tmp_path):
    write(local, {"destination_path": "/local/out", "format": a_format("JSONL", "GZIP")})
    [path] = written(tmp_path)
    assert path.parent == tmp_path / "out" / "shop" / "users" and path.name.endswith(".jsonl.gz")
    lines = gzip.decompress(path.read_bytes()).splitlines()
    assert [line[line.index(b'"_airbyte_data":') + 16:-1] for line in lines] == ROWS
    first = json.loads(lines[0])
    assert first["_airbyte_extracted_at"] == 1700000000000 and len(first["_airbyte_raw_id"]) == 36
    assert first["_airbyte_meta"]["changes"] == []


def test_flattened(local, tmp_path):
    write(local, {"destination_path": "/local/out", "format": a_format("JSONL", flattening="Root level flattening")},
          rows=[*ROWS, b"{ }"])
    [path] = written(tmp_path)
    lines = path.read_bytes().splitlines()
    assert [{k: v for k, v in json.loads(line).items() if not k.startswith("_airbyte")} for line in lines] == [
        *map(json.loads, ROWS), {}]
    assert b'"id":1.50' in lines[0]


def test_csv(local, tmp_path):
    write(local, {"destination_path": "/local/out", "format": a_format("CSV", flattening="Root level flattening")})
    [path] = written(tmp_path)
    text = path.read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [{k: row[k] for k in ("id", "name", "more")} for row in rows] == [
        {"id": "1.50", "name": 'a,"b"\n', "more": '{"x":[1]}'}, {"id": "2", "name": "", "more": ""},
        {"id": "3", "name": "", "more": ""}]
    assert ',2,"",' in text and ",3,,\r\n" in text  # an empty text is no null


@pytest.mark.parametrize("ending, unpack", [
    ("GZIP", gzip.decompress),
    ("ZSTD", lambda data: subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout)])
def test_compressed(local, tmp_path, ending, unpack):
    rows = [b'{"id":%d,"pad":"%s"}' % (n, b"x" * n) for n in range(2000)]
    write(local, {"destination_path": "/local/out", "format": a_format("JSONL", ending)}, rows=rows)
    [path] = written(tmp_path)
    lines = unpack(path.read_bytes()).splitlines()
    assert [json.loads(line)["_airbyte_data"]["id"] for line in lines] == list(range(2000))


def test_reads_back(local, firth, tmp_path):
    """What is written is read by source-file, value by value."""
    rows = [b'{"id":%d,"name":"n%d"}' % (n, n) for n in range(100)]
    for kind in ("JSONL", "CSV"):
        write(local, {"destination_path": f"/local/out/{kind}", "format": a_format(kind, "ZSTD", "Root level flattening")},
              rows=rows)
        source = Runner([firth.path, "connector", "source-file"])
        config = {"streams": [{"name": "s", "globs": [f"{tmp_path}/out/{kind}/**"]}]}
        streams = source("discover", config=config).one("CATALOG")["catalog"]["streams"]
        session = source("read", config=config, catalog=configured(streams))
        assert [{k: r["data"][k] for k in ("id", "name")} for r in session.records()] == [json.loads(row) for row in rows]


def test_others_files_stay(local, tmp_path):
    """An overwrite removes what this stream has written, and nothing else."""
    config = {"destination_path": "/local/out", "path_template": "all/{stream}/{date}/"}
    write(local, config, rows=ROWS[:1])
    [old] = written(tmp_path)
    mine = old.parent / "mine.jsonl.gz"
    mine.write_bytes(b"mine")
    write(local, config, rows=ROWS[1:], mode="overwrite", generation=2, minimum=2)
    left = written(tmp_path)
    assert mine in left and old not in left and len(left) == 2


def test_uploads_are_not_left(firth, s3):
    """In a bucket: an overwrite that does not complete leaves no object, and no upload that would cost money; and a sync
    ends those that a killed one left."""
    bucket = s3.bucket()
    config = {"s3_bucket_name": bucket, "s3_bucket_path": "x", "s3_endpoint": s3.url, "access_key_id": s3.key_id,
              "secret_access_key": s3.secret, "format": {"format_type": "JSONL"}}
    run = Runner([firth.path, "connector", "destination-s3"])
    catalog = configured([STREAM], "full_refresh", destination_sync_mode="overwrite", generation=1, minimum=1)
    session = run("write", stdin=message(ROWS[0]) + state(1), config=config, catalog=catalog)
    assert not session.states() and s3.keys(bucket) == [] and s3.uploads(bucket) == []
    write(run, config, mode="overwrite", generation=1, minimum=1)
    [key] = s3.keys(bucket)
    assert key.startswith("x/shop/users/")
    left = s3.client.create_multipart_upload(Bucket=bucket, Key=key + ".left")
    other = s3.client.create_multipart_upload(Bucket=bucket, Key="x/shop/users/of-others")
    write(run, config)
    assert [u["UploadId"] for u in s3.uploads(bucket)] == [other["UploadId"]] and left["UploadId"] != other["UploadId"]
    assert len(s3.keys(bucket)) == 2


def test_large_object(firth, s3):
    """Several parts."""
    bucket = s3.bucket()
    config = {"s3_bucket_name": bucket, "s3_bucket_path": "", "s3_endpoint": s3.url, "access_key_id": s3.key_id,
              "secret_access_key": s3.secret, "format": a_format("JSONL")}
    rows = [b'{"id":%d,"pad":"%s"}' % (n, b"x" * 100_000) for n in range(200)]
    write(Runner([firth.path, "connector", "destination-s3"]), config, rows=rows, mode="overwrite", generation=1, minimum=1)
    lines = b"".join(s3.get(bucket, key) for key in s3.keys(bucket)).splitlines()
    assert [json.loads(line)["_airbyte_data"]["id"] for line in lines] == list(range(200))
