"""destination-files and destination-s3: what is in the files, that they are whole, and that nothing is left behind."""

import csv
import datetime
import gzip
import http.server
import io
import json
import os
import re
import subprocess
import threading
import urllib.parse

import pyarrow.parquet
import pytest

from connector_suite.flow import FlowRunner, collection
from connector_suite.protocol import Runner, configured
from s3 import InFront

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


def write(run, config, rows=ROWS, mode="append", stream=STREAM, **catalog):
    text = b"".join(message(row) for row in rows) + state(1) + COMPLETE
    session = run("write", stdin=text, config=config,
                  catalog=configured([stream], "full_refresh", destination_sync_mode=mode, **catalog))
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


@pytest.mark.parametrize("kind", ["CSV", "JSONL"])
def test_names_of_ours(local, tmp_path, kind):
    names = ["_airbyte_raw_id", "_airbyte_raw_id_2", "_airbyte_meta"]
    write(local, {"destination_path": "/local/out", "format": a_format(kind, flattening="Root level flattening")},
          rows=[b'{"_airbyte\\u005fraw_id":"a","_airbyte_raw_id_2":"b","_airbyte_meta":"c"}'],
          stream={**STREAM, "json_schema": {"type": "object", "properties": {name: {"type": "string"} for name in names}}})
    text = written(tmp_path)[0].read_text()
    [row] = csv.DictReader(io.StringIO(text, newline="")) if kind == "CSV" else [json.loads(text)]
    assert len(row) == 7 and len(row["_airbyte_raw_id"]) == 36
    assert [row[name] for name in ("_airbyte_raw_id_3", "_airbyte_raw_id_2", "_airbyte_meta_2")] == ["a", "b", "c"]


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


class PagedUploads(InFront):
    """Lists uploads one a page, as a real server does a thousand a page."""

    def change(self, status, text):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query, keep_blank_values=True)
        if self.command != "GET" or "uploads" not in query:
            return status, text
        uploads = re.findall(rb"<Upload>.*?</Upload>", text, re.S)
        after = query.get("upload-id-marker", [""])[0].encode()
        at = next((i + 1 for i, upload in enumerate(uploads) if after and after in upload), 0)
        one = b"".join(uploads[at:at + 1])
        markers = b"".join(b"<Next%sMarker>%s</Next%sMarker>" % (to, re.search(b"<%s>(.*?)</%s>" % (of, of), one)[1], to)
                           for to, of in ((b"Key", b"Key"), (b"UploadId", b"UploadId"))) if one else b""
        return status, b"<ListMultipartUploadsResult><IsTruncated>%s</IsTruncated>%s%s</ListMultipartUploadsResult>" % (
            b"true" if at + 1 < len(uploads) else b"false", markers, one)


def test_uploads_of_many_pages(firth, s3):
    """What killed syncs left is ended on whichever page of the listing it is."""
    bucket = s3.bucket()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), PagedUploads) as server:
        server.behind = s3.port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config = {"s3_bucket_name": bucket, "s3_bucket_path": "x", "s3_endpoint": f"http://127.0.0.1:{server.server_port}",
                  "access_key_id": s3.key_id, "secret_access_key": s3.secret, "format": {"format_type": "JSONL"}}
        run = Runner([firth.path, "connector", "destination-s3"])
        write(run, config)
        [key] = s3.keys(bucket)
        for number in range(3):
            s3.client.create_multipart_upload(Bucket=bucket, Key=f"{key}.{number}")
        other = s3.client.create_multipart_upload(Bucket=bucket, Key="x/shop/users/of-others")
        write(run, config)
        server.shutdown()
    assert [u["UploadId"] for u in s3.uploads(bucket)] == [other["UploadId"]] and len(s3.keys(bucket)) == 2


def test_large_object(firth, s3):
    """Several parts."""
    bucket = s3.bucket()
    config = {"s3_bucket_name": bucket, "s3_bucket_path": "", "s3_endpoint": s3.url, "access_key_id": s3.key_id,
              "secret_access_key": s3.secret, "format": a_format("JSONL")}
    rows = [b'{"id":%d,"pad":"%s"}' % (n, b"x" * 100_000) for n in range(200)]
    write(Runner([firth.path, "connector", "destination-s3"]), config, rows=rows, mode="overwrite", generation=1, minimum=1)
    lines = b"".join(s3.get(bucket, key) for key in s3.keys(bucket)).splitlines()
    assert [json.loads(line)["_airbyte_data"]["id"] for line in lines] == list(range(200))


@pytest.mark.parametrize("pace, files", [({}, "one"), ({"commit_size": 1}, "several"), ({"commit_interval": 1}, "several")])
def test_few_files(local, tmp_path, pace, files):
    """What comes in pieces, with pauses between, becomes one file, unless the config says otherwise."""
    config, catalog = tmp_path / "config.json", tmp_path / "catalog.json"
    config.write_text(json.dumps({"destination_path": "/local/out", "format": a_format("JSONL"), **pace}))
    catalog.write_text(json.dumps(configured([STREAM], "full_refresh", destination_sync_mode="append")))
    process = subprocess.Popen([*local.command, "write", "--config", config, "--catalog", catalog], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, env={**os.environ, **local.env})
    rows = [b'{"id":%d,"name":"%s"}' % (n, b"x" * 400_000) for n in range(9)]
    for n in range(0, 9, 3):
        process.stdin.write(b"".join(map(message, rows[n:n + 3])) + state(n))
        process.stdin.flush()
        if pace and n == 0:
            assert b'"STATE"' in process.stdout.readline()  # at once, or after a second, without more input
    process.stdin.close()
    states = process.stdout.read().count(b'"STATE"') + bool(pace)
    assert process.wait() == 0 and states == 3
    paths = written(tmp_path)
    assert (len(paths) == 1) == (files == "one")
    lines = b"".join(path.read_bytes() for path in sorted(paths, key=lambda path: path.name.split("_")[3:5])).splitlines()
    assert sorted(json.loads(line)["_airbyte_data"]["id"] for line in lines) == list(range(9))


# --- Parquet ----------------------------------------------------------------------------------------------------------

TYPED = {
    "b": ({"type": "boolean"}, b"true", True),
    "i": ({"type": ["null", "integer"]}, b"9223372036854775807", 2**63 - 1),
    "n": ({"type": "number"}, b"1.50", 1.5),
    "s": ({"type": "string"}, b'"a\\u0000\\"gr\\u00fcn\\""', 'a\0"grün"'),
    "empty": ({"type": "string"}, b'""', ""),
    "day": ({"type": "string", "format": "date"}, b'"2024-02-29"', datetime.date(2024, 2, 29)),
    "at": ({"type": "string", "format": "date-time"}, b'"2024-02-29T01:02:03.000045+01:00"',
           datetime.datetime(2024, 2, 29, 0, 2, 3, 45, datetime.timezone.utc)),
    "before": ({"type": "string", "format": "date-time"}, b'"1969-12-31T23:59:59.5Z"',
               datetime.datetime(1969, 12, 31, 23, 59, 59, 500_000, datetime.timezone.utc)),
    "local": ({"type": "string", "format": "date-time", "airbyte_type": "timestamp_without_timezone"},
              b'"2024-02-29T01:02:03"', datetime.datetime(2024, 2, 29, 1, 2, 3)),
    "t": ({"type": "string", "format": "time", "airbyte_type": "time_without_timezone"}, b'"23:59:59.000001"',
          datetime.time(23, 59, 59, 1)),
    "bytes": ({"type": "string", "contentEncoding": "base64"}, b'"AP8="', b"\0\xff"),
    "o": ({"type": "object"}, b'{"x":[1.50,null]}', '{"x":[1.50,null]}'),
    "any": ({}, b'"text"', '"text"'),
    "S": ({"type": "string"}, b'"other"', "other"),
    "": ({"type": "string"}, b'"nameless"', "nameless"),
}
TYPED_STREAM = {**STREAM, "json_schema": {"type": "object", "properties": {k: kind for k, (kind, _, _) in TYPED.items()}}}
PARQUET = {"format_type": "Parquet", "compression_codec": "ZSTD"}


def write_parquet(run, config, rows, mode="append", stream=TYPED_STREAM, **catalog):
    text = b"".join(message(row) for row in rows) + state(1) + COMPLETE
    session = run("write", stdin=text, config=config,
                  catalog=configured([stream], "full_refresh", destination_sync_mode=mode, **catalog))
    assert session.rc == 0, session


def test_parquet_types(local, tmp_path):
    row = b"{" + b",".join(b'"%s":%s' % (k.encode(), value) for k, (_, value, _) in TYPED.items()) + b"}"
    write_parquet(local, {"destination_path": "/local/out", "format": PARQUET}, [row, b"{}"])
    [path] = written(tmp_path)
    assert path.name.endswith(".parquet")
    first, second = pyarrow.parquet.read_table(path).to_pylist()
    names = [{"S": "S_2", "": "_38d394c2"}.get(name, name) for name in TYPED]
    assert {k: first[k] for k in names} == dict(zip(names, (read for _, _, read in TYPED.values())))
    assert {k: second[k] for k in names} == dict.fromkeys(names)
    assert first["_airbyte_extracted_at"] == 1700000000000 and len(first["_airbyte_raw_id"]) == 36
    assert json.loads(first["_airbyte_meta"])["changes"] == []
    kinds = {field.name: str(field.type) for field in pyarrow.parquet.read_schema(path)}
    assert (kinds["i"], kinds["n"], kinds["day"], kinds["b"]) == ("int64", "double", "date32[day]", "bool")
    assert pyarrow.parquet.ParquetFile(path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_parquet_what_does_not_fit(local, tmp_path):
    """Null, and named."""
    rows = [b'{"i":9223372036854775808,"n":0.12345678901234567890123,"b":"no","day":"31.12.2024","s":{"a":1}}']
    write_parquet(local, {"destination_path": "/local/out", "format": PARQUET}, rows)
    [path] = written(tmp_path)
    [row] = pyarrow.parquet.read_table(path).to_pylist()
    changes = {c["field"]: (c["change"], c["reason"]) for c in json.loads(row["_airbyte_meta"])["changes"]}
    assert changes == {"i": ("NULLED", "DESTINATION_FIELD_SIZE_LIMITATION"), "n": ("NULLED", "DESTINATION_FIELD_SIZE_LIMITATION"),
                       "b": ("NULLED", "DESTINATION_TYPECAST_ERROR"), "day": ("NULLED", "DESTINATION_TYPECAST_ERROR")}
    assert [row[k] for k in ("i", "n", "b", "day")] == [None] * 4 and row["s"] == '{"a":1}'


def test_parquet_many_rows(local, firth, tmp_path):
    """In order, in row groups that are bounded, read back by source-file."""
    rows = [b'{"i":%d,"s":"%s"}' % (n, b"x" * (n % 50)) for n in range(120_000)]
    write_parquet(local, {"destination_path": "/local/out", "format": PARQUET}, rows, mode="overwrite", generation=1, minimum=1)
    paths = written(tmp_path)
    assert [row["i"] for path in paths for row in pyarrow.parquet.read_table(path, columns=["i"]).to_pylist()] == list(range(120_000))
    groups = pyarrow.parquet.ParquetFile(max(paths, key=lambda p: p.stat().st_size)).metadata
    assert all(groups.row_group(i).num_rows <= 102_400 for i in range(groups.num_row_groups))
    source = Runner([firth.path, "connector", "source-file"])
    config = {"streams": [{"name": "s", "globs": [f"{tmp_path}/out/**"]}]}
    streams = source("discover", config=config).one("CATALOG")["catalog"]["streams"]
    session = source("read", config=config, catalog=configured(streams))
    assert sum(r["data"]["i"] for r in session.records()) == sum(range(120_000))


def test_parquet_in_a_bucket(firth, s3):
    bucket = s3.bucket()
    config = {"s3_bucket_name": bucket, "s3_bucket_path": "x", "s3_endpoint": s3.url, "access_key_id": s3.key_id,
              "secret_access_key": s3.secret, "format": {"format_type": "Parquet", "compression_codec": "UNCOMPRESSED"}}
    rows = [b'{"i":%d,"s":"%s"}' % (n, b"%06d" % n * 500) for n in range(5000)]
    write_parquet(Runner([firth.path, "connector", "destination-s3"]), config, rows)
    tables = [pyarrow.parquet.read_table(io.BytesIO(s3.get(bucket, key))) for key in s3.keys(bucket)]
    assert sorted(n for table in tables for n in table["i"].to_pylist()) == list(range(5000)) and s3.uploads(bucket) == []


def test_parquet_refused(local, tmp_path):
    config = {"destination_path": "/local/out", "format": {"format_type": "Parquet", "compression_codec": "LZO"}}
    status = local("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]
    assert status["status"] == "FAILED" and "LZO cannot be written" in status["message"]
    config["format"] = PARQUET
    session = local("write", stdin=message(b"{}"), config=config, catalog=configured(
        [{**STREAM, "json_schema": {"type": "object"}}], "full_refresh", destination_sync_mode="append"))
    assert session.rc != 0 and "names no properties" in session.errors()[0]["message"]


# --- kills -----------------------------------------------------------------------------------------------------------

POINTS = ["files.sealed", "files.committed", "files.published"]


def ids(path):
    """Of a whole file; half a one cannot be read."""
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path)["i"].to_pylist()
    return [json.loads(line)["_airbyte_data"]["i"] for line in gzip.decompress(path.read_bytes()).splitlines()]


@pytest.mark.parametrize("point", POINTS)
def test_killed(firth_dev, tmp_path, point):
    """What is seen is whole, whatever the moment; another sync makes it right, and leaves nothing of the one that died."""
    for mode in ("append", "overwrite"):
        for kind, format_ in ("jsonl", {}), ("parquet", {"format": PARQUET}):
            root = tmp_path / mode / kind
            config = {"destination_path": "/local/out", **format_}

            def run(numbers, rc=0, **env):
                session = Runner([firth_dev.path, "connector", "destination-files"], {"FIRTH_LOCAL_ROOT": str(root), **env})(
                    "write", config=config, stdin=b"".join(message(b'{"i":%d}' % n) for n in numbers) + state(1) + COMPLETE,
                    catalog=configured([TYPED_STREAM], "full_refresh", destination_sync_mode=mode))
                assert session.rc == rc, session
                return sorted(ids(path) for path in written(root)), session.states()

            seen, states = run([1, 2])
            assert seen == [[1, 2]] and len(states) == 1
            seen, states = run([3, 4], -9, FIRTH_FAULT_KILL=point)
            assert seen == ([[1, 2], [3, 4]] if point == "files.published" else [[1, 2]]) and not states
            seen, states = run([3, 4])
            again = [[3, 4]] if mode == "overwrite" else [[1, 2], [3, 4]] + [[3, 4]] * (point == "files.published")
            assert seen == again and len(states) == 1
            assert not [path for path in root.rglob(".firth-*") if not path.name.endswith("lock")]


@pytest.mark.parametrize("point", POINTS)
def test_a_materialization_killed(firth_dev, tmp_path, point):
    """Each document once."""
    made = collection("acmeCo/users", ["/i"], {})
    binding = {"resourceConfig": {"stream": "users"}, "resourcePath": ["users"], "collection": made, "deltaUpdates": True,
               "fieldSelection": {"keys": ["i"], "values": [], "document": "flow_document"}}
    spec = {"name": "acmeCo/mat", "connectorType": "LOCAL", "config": {"destination_path": "/local/out"}, "bindings": [binding]}

    def transactions(first, kill=None):
        env = {"FIRTH_LOCAL_ROOT": str(tmp_path), **({"FIRTH_FAULT_KILL": kill} if kill else {})}
        talk = FlowRunner(Runner([firth_dev.path, "connector", "destination-files"], env)).start(
            {"open": {"materialization": spec, "version": "1", "range": {}}})
        at = talk.expect("opened")["runtimeCheckpoint"].get("n", 0)
        assert at == first or first is None, at
        for n in range(at, 3):
            talk.say({"acknowledge": {}}, {"flush": {}}, {"store": {"key": [n], "values": [], "doc": {"i": n}}},
                     {"startCommit": {"runtimeCheckpoint": {"n": n + 1}}})
            try:
                talk.expect("acknowledged")
                talk.expect("flushed")
                talk.expect("startedCommit")
            except (AssertionError, TypeError):
                assert kill and talk.kill()[0] == -9
                return n
        assert talk.end()[0] == 0
        return 3

    assert transactions(0, point + ":2") == 1
    last = max(tmp_path.glob("out/.firth.*.json"))
    last.with_name(last.name + ".0badcafe.tmp").write_text("{")  # as a killed one leaves it
    if point == "files.committed":  # as older versions called it, which had no other
        [path.unlink() for path in tmp_path.glob("out/.firth.*.json") if path != last]
        last.rename(last.with_name(".".join(last.name.split(".")[:3]) + ".json"))
    assert transactions(None) == 3
    assert sorted(path.suffix for path in tmp_path.glob("out/.firth*")) == [".json", ".lock"]
    found = [json.loads(line)["i"] for path in written(tmp_path) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert sorted(found) == [0, 1, 2]


def test_a_materialization_anew_after_a_crash(firth_dev, tmp_path):
    """What was committed and not yet seen goes with what was seen."""
    made = collection("acmeCo/users", ["/i"], {})
    binding = {"resourceConfig": {"stream": "users"}, "resourcePath": ["users"], "collection": made, "deltaUpdates": True,
               "fieldSelection": {"keys": ["i"], "values": [], "document": "flow_document"}}
    spec = {"name": "acmeCo/mat", "connectorType": "LOCAL", "config": {"destination_path": "/local/out"}, "bindings": [binding]}
    anew = {**spec, "bindings": [{**binding, "backfill": 1}]}

    def runner(**env):
        return FlowRunner(Runner([firth_dev.path, "connector", "destination-files"], {"FIRTH_LOCAL_ROOT": str(tmp_path), **env}))

    talk = runner(FIRTH_FAULT_KILL="files.committed:2").start({"open": {"materialization": spec, "version": "1", "range": {}}})
    for n in range(2):
        talk.say({"acknowledge": {}}, {"flush": {}}, {"store": {"key": [n], "values": [], "doc": {"i": n}}},
                 {"startCommit": {"runtimeCheckpoint": {"n": n + 1}}})
    assert talk.process.wait(60) == -9 and len(written(tmp_path)) == 1
    applied = runner()({"apply": {"materialization": anew, "version": "2", "lastMaterialization": spec, "lastVersion": "1"}})
    assert "removed 2 files" in applied.one("applied")["actionDescription"]
    assert runner()({"open": {"materialization": anew, "version": "2", "range": {}}}).one("opened")["runtimeCheckpoint"] == {"n": 2}
    assert written(tmp_path) == []
