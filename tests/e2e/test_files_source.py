"""source-file and source-s3: what is read of which files, once; from a real S3 server, also where it is slow, breaks off
or refuses."""

import bz2
import contextlib
import gzip
import http.client
import http.server
import json
import os
import threading
import time

import pytest
import yaml

from conftest import FULL, ROOT
from connector_suite.protocol import Runner, configured

CSV = "id;name;price\n1;Ann;1.50\n2;\"B;b\";\n"
ROWS = [{"id": 1, "name": "Ann", "price": 1.5}, {"id": 2, "name": "B;b", "price": None}]


@pytest.fixture
def source_file(firth):
    return Runner([firth.path, "connector", "source-file"])


@pytest.fixture
def source_s3(firth):
    return Runner([firth.path, "connector", "source-s3"])


def streams_of(run, config):
    session = run("discover", config=config)
    assert session.rc == 0, session
    return session.one("CATALOG")["catalog"]["streams"]


def read(run, config, streams=None, state=None, mode="incremental", rc=0):
    streams = streams or streams_of(run, config)
    session = run("read", config=config, catalog=configured(streams, mode), state=state and json.dumps(state))
    assert session.rc == rc, session
    return session


def plain(records):
    """The data without what says where it comes from."""
    return [{k: v for k, v in r["data"].items() if not k.startswith("_ab_")} for r in records]


def last_state(session):
    return session.states()[-1:]


# --- files of this machine ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, pack", [
    ("a.csv", lambda text: text.encode()),
    ("a.csv.gz", lambda text: gzip.compress(text[:9].encode()) + gzip.compress(text[9:].encode())),
    ("a.csv.bz2", lambda text: bz2.compress(text[:9].encode()) + bz2.compress(text[9:].encode())),
    ("no-ending", lambda text: gzip.compress(text.encode())),
    ("a.txt", lambda text: text.encode("utf-16")),
    ("b.txt", lambda text: text.replace("\n", "\r\n").encode("utf-8-sig")),
])
def test_one_file(source_file, tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(CSV))
    config = {"url": str(tmp_path / name), "dataset_name": "people"}
    assert source_file("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
    [stream] = streams_of(source_file, config)
    assert stream["name"] == "people"
    assert [stream["json_schema"]["properties"][c]["type"] for c in ("id", "name", "price")] == [
        ["null", "integer"], ["null", "string"], ["null", "number"]]
    session = read(source_file, config)
    assert plain(session.records()) == ROWS
    assert {r["data"]["_ab_source_file_url"] for r in session.records()} == {str(tmp_path / name)}
    assert b'"price":1.50' in session.out  # to the digit


def test_reader_options(source_file, tmp_path):
    (tmp_path / "x.data").write_bytes("# a comment\n1|M\xfcller|NA\n".encode("latin1"))
    config = {"dataset_name": "x", "format": "csv", "url": str(tmp_path / "x.data"), "provider": {"storage": "local"},
              "reader_options": json.dumps({"sep": "|", "encoding": "latin1", "skiprows": 1, "names": ["a", "b", "c"],
                                            "na_values": ["NA"]})}
    assert plain(read(source_file, config).records()) == [{"a": 1, "b": "Müller", "c": None}]
    config["reader_options"] = json.dumps({"seperator": "|"})
    status = source_file("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]
    assert status["status"] == "FAILED" and "seperator" in status["message"]


def globs(folder, *patterns, **more):
    return {"streams": [{"name": "s", "globs": [f"{folder}/{p}" for p in patterns], **more}]}


def put(path, *rows, at=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    if at:
        os.utime(path, (at, at))


def test_only_what_is_new(source_file, tmp_path):
    """Once each: also files that come later with an earlier time, or with the time of one that was read."""
    now = time.time() - 10
    put(tmp_path / "b.jsonl", {"n": 1}, at=now)
    put(tmp_path / "sub" / "c.jsonl", {"n": 2}, at=now - 86400)
    put(tmp_path / "sub" / "ignored.txt", {"n": 99}, at=now)
    config = globs(tmp_path, "**/*.jsonl")
    first = read(source_file, config)
    assert [r["n"] for r in plain(first.records())] == [1, 2]
    assert plain(read(source_file, config, state=last_state(first)).records()) == []
    put(tmp_path / "a.jsonl", {"n": 3}, at=now)           # of the same time, with a name before
    put(tmp_path / "late.jsonl", {"n": 4}, at=now - 600)  # written before, seen later
    second = read(source_file, config, state=last_state(first))
    assert [r["n"] for r in plain(second.records())] == [3, 4]
    put(tmp_path / "b.jsonl", {"n": 1}, {"n": 5})         # a file that changes is read anew
    put(tmp_path / "old.jsonl", {"n": 6}, at=1000000000)  # as cp -p, tar and mv leave it
    third = read(source_file, config, state=last_state(second))
    assert [r["n"] for r in plain(third.records())] == [1, 5, 6]
    assert plain(read(source_file, config, state=last_state(third)).records()) == []
    again = read(source_file, config, mode="full_refresh")
    assert sorted(r["n"] for r in plain(again.records())) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("name, pack", [("a.jsonl", bytes), ("a.jsonl.gz", gzip.compress)])
def test_goes_on_within_a_file(source_file, tmp_path, name, pack):
    rows = [{"n": n, "text": "x" * 20} for n in range(30_000)]
    (tmp_path / name).write_bytes(pack("".join(json.dumps(row) + "\n" for row in rows).encode()))
    config = {"url": str(tmp_path / name)}
    session = read(source_file, config)
    seen, points = 0, []
    for message in session.messages:
        if message["type"] == "RECORD":
            seen += 1
        elif message["type"] == "STATE":
            points.append((seen, message["state"]))
    assert seen == len(rows) and len(points) > 3
    for count, state in points[:3 if FULL else 2]:
        rest = read(source_file, config, state=[state])
        assert [r["n"] for r in plain(rest.records())] == list(range(count, len(rows)))
    # What has changed since is read from its beginning, and that is said.
    changed = [{"n": -1}] + rows
    (tmp_path / name).write_bytes(pack("".join(json.dumps(row) + "\n" for row in changed).encode()))
    rest = read(source_file, config, state=[points[0][1]])
    assert plain(rest.records()) == changed
    assert b"has changed since it was begun: it is read anew" in rest.out + rest.err
    (tmp_path / name).unlink()
    rest = read(source_file, config, state=[points[0][1]], streams=[
        {"name": "a", "json_schema": {}, "supported_sync_modes": ["incremental"]}])
    assert plain(rest.records()) == [] and b"is gone before it was read to its end" in rest.out + rest.err


def test_bad_records(source_file, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"n":1}\n{"n":\n[3]\n{"n":4}\n')
    streams = [{"name": "s", "json_schema": {}, "supported_sync_modes": ["incremental"]}]
    failed = read(source_file, globs(tmp_path, "*.jsonl"), streams, rc=3)
    [error] = failed.errors()
    assert f"{tmp_path}/a.jsonl: line 2" in error["message"], error
    session = read(source_file, globs(tmp_path, "*.jsonl", bad_records="skip"), streams)
    assert [r["n"] for r in plain(session.records())] == [1, 4]
    assert b"2 records of" in session.out + session.err


def test_what_is_wrong(source_file, tmp_path):
    def message(config):
        status = source_file("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]
        assert status["status"] == "FAILED", config
        return status["message"]

    assert "url is required" in message({})
    assert "no file matches" in message({"url": str(tmp_path / "nothing.csv")})
    assert "streams[0].name is required" in message({"streams": [{"globs": ["/x"]}]})
    assert "streams[1] must be an object, got a number" in message({"streams": [{"name": "a", "globs": ["/x"]}, 7]})
    assert "did you mean" in message({"url": "/x", "format": "jsnl"})
    csv = {"filetype": "csv", "delimiter": "ab"}
    assert "delimiter must be one ASCII character" in message(
        {"streams": [{"name": "s", "globs": ["/x"], "format": csv}]})
    (tmp_path / "x.csv").write_text(CSV)
    config = globs(tmp_path, "*.csv", format={"filetype": "csv", "encoding": "klingon"})
    assert "unknown encoding 'klingon'" in message(config)
    failed = source_file("discover", config=config)
    assert failed.rc != 0 and "unknown encoding 'klingon'" in failed.errors()[0]["message"]
    [stream] = globs(tmp_path, "*.csv")["streams"]
    assert "two have the name s" in message({"streams": [stream, stream]})
    for schema, says in (("{", "input_schema"), ("[]", "must be an object"), ('{"id": "strin"}', '"id" is "strin", which is no type'),
                         ('{"id": ["string"]}', '"id" is ["string"]'), ('{"properties": {"id": {"type": "strin"}}}', "strin"),
                         ('{"properties": {"id": {"type": "object", "properties": 7}}}', "properties")):
        told = message({"streams": [{**stream, "input_schema": schema}]})
        assert told.startswith("stream s: input_schema: ") and says in told, told
    right = {"streams": [{**stream, "input_schema": '{"id": "integer", "more": {"type": ["string", "null"]}}'}]}
    assert source_file("check", config=right).one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"


@pytest.mark.parametrize("name, content, says", [
    ("a.csv", b'{"n": 1, "b": 2}\n{"n": 2, "b": 3}\n', "line 1 is JSON, where the names of a CSV file's columns are to stand"),
    ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xfe\x01", "it is no text"),
    ("a.txt", bytes(range(256)) * 9, "it is no text"),
    ("a.bin", b"\x00\x01\xff\x02" * 99, "it is no text"),
    ("a.jsonl", b'{"n": 1}\n\0\0\0\n{"n": 2}\n', "line 2"),
])
def test_what_is_not_what_its_name_says(source_file, tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    failed = read(source_file, globs(tmp_path, "*"), STREAM, rc=3)
    assert says in failed.errors()[0]["message"], failed


def test_a_guessed_encoding_is_told(source_file, tmp_path):
    (tmp_path / "a.csv").write_bytes("id,v\n1,\u20ac ü\n".encode("cp1252"))
    (tmp_path / "b.csv").write_bytes("id,v\n2,a\0\x01é\n".encode())  # UTF-8: whatever is in it
    session = read(source_file, globs(tmp_path, "*"), STREAM)
    assert plain(session.records()) == [{"id": "1", "v": "\u20ac ü"}, {"id": "2", "v": "a\0\x01é"}]
    told = [m["log"] for m in session.of("LOG") if "is read as" in m["log"]["message"]]
    assert len(told) == 1 and "a.csv is read as Windows-1252" in told[0]["message"] and told[0]["level"] == "WARN"
    assert "the option encoding" in told[0]["message"]
    named = read(source_file, globs(tmp_path, "a.csv", format={"filetype": "csv", "encoding": "cp1252"}), STREAM)
    assert not [m for m in named.of("LOG") if "is read as" in m["log"]["message"]]


# --- S3 -----------------------------------------------------------------------------------------------------------


def s3_config(s3, bucket, **stream):
    return {"bucket": bucket, "aws_access_key_id": s3.key_id, "aws_secret_access_key": s3.secret, "endpoint": s3.url,
            "region_name": s3.region, "streams": [{"name": "s", "globs": ["**"], **stream}]}


def lines(*numbers):
    return "".join(json.dumps({"n": n}) + "\n" for n in numbers).encode()


def test_bucket(source_s3, s3):
    bucket = s3.bucket()
    s3.put(bucket, "in/a.jsonl", lines(1, 2))
    s3.put(bucket, "in/x y+ü&%.jsonl.gz", gzip.compress(lines(3)))
    s3.put(bucket, "in/empty.jsonl", b"")
    s3.put(bucket, "other/b.jsonl", lines(4))
    s3.put(bucket, "in/folder/", b"")
    config = s3_config(s3, bucket, globs=["in/**"])
    first = read(source_s3, config)
    assert [r["n"] for r in plain(first.records())] == [1, 2, 3]
    assert first.records()[2]["data"]["_ab_source_file_url"] == "in/x y+ü&%.jsonl.gz"
    s3.put(bucket, "in/0.jsonl", lines(5))
    second = read(source_s3, config, state=last_state(first))
    assert [r["n"] for r in plain(second.records())] == [5]


def test_more_than_a_page(source_s3, s3, faulty):
    """Of a thousand objects, or of as few as the server likes."""
    bucket = s3.bucket()
    objects, faulty.page = (1100, None) if FULL else (70, 30)
    for n in range(objects):
        s3.put(bucket, f"{n:05}.jsonl", lines(n))
    config = {**s3_config(s3, bucket, input_schema='{"n": "integer"}'), "endpoint": faulty.url}
    session = read(source_s3, config)
    assert [r["n"] for r in plain(session.records())] == list(range(objects))
    assert any("start-after" in path for path, _ in faulty.asked)
    # From any state the rest, and nothing twice.
    seen, points = 0, []
    for message in session.messages:
        seen += message["type"] == "RECORD"
        if message["type"] == "STATE":
            points.append((seen, message["state"]))
    count, state = points[len(points) // 2]
    rest = read(source_s3, config, state=[state])
    assert [r["n"] for r in plain(rest.records())] == list(range(count, objects))


def flow_documents(firth, name):
    return [{k: v for k, v in d.items() if k != "_meta"} for d in firth.read(name)]


def test_the_example_runs(firth, s3):
    """examples/s3-pull as it stands: an image of Estuary's, two prefixes of a bucket."""
    config = yaml.safe_load((ROOT / "examples/s3-pull/path/to/connector-config.yaml").read_text())
    with contextlib.suppress(s3.client.exceptions.BucketAlreadyOwnedByYou):
        s3.client.create_bucket(Bucket=config["bucket"])
    s3.put("a-bucket", "and-prefix/1.jsonl", b'{"n":1,"_meta":{"mine":true}}\n{"n":2}\n')
    s3.put("a-bucket", "another-prefix/1.csv", b"a,b\n1,x\n")
    env = {"AWS_ACCESS_KEY_ID": s3.key_id, "AWS_SECRET_ACCESS_KEY": s3.secret, "AWS_ENDPOINT_URL": s3.url}
    catalog = ROOT / "examples" / "s3-pull" / "flow.yaml"
    firth("run", catalog, "--once", env=env, expect=0)
    assert firth.read("acmeCo/example/collection") == [
        {"n": 1, "_meta": {"mine": True, "file": "a-bucket/and-prefix/1.jsonl", "offset": 0}},
        {"n": 2, "_meta": {"file": "a-bucket/and-prefix/1.jsonl", "offset": 1}}]
    assert flow_documents(firth, "acmeCo/example/another-collection") == [{"a": 1, "b": "x"}]
    s3.put("a-bucket", "and-prefix/0.json", b'[{"n":3},\n {"n":4}]')
    firth("run", catalog, "--once", env=env, expect=0)
    assert [d["n"] for d in flow_documents(firth, "acmeCo/example/collection")] == [1, 2, 3, 4]


class Faulty(http.server.ThreadingHTTPServer):
    """A server before the S3 server, which does what `faults` say to the next requests whose path they match."""

    def __init__(self, s3):
        super().__init__(("127.0.0.1", 0), Handler)
        self.s3, self.faults, self.asked, self.page = s3, [], [], None
        self.url = f"http://127.0.0.1:{self.server_port}"

    def fault(self, part, times, status=None, body=b"", cut=None, headers=()):
        self.faults.append({"part": part, "times": times, "status": status, "body": body, "cut": cut, "headers": headers})


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers.get("Range")))
        fault = next((f for f in server.faults if f["part"] in self.path and f["times"]), None)
        if fault:
            fault["times"] -= 1
        if fault and fault["status"]:
            self.answer(fault["status"], fault["headers"], fault["body"])
            return
        there = http.client.HTTPConnection("127.0.0.1", server.s3.port)
        paged = f"&max-keys={server.page}" if server.page and "list-type" in self.path else ""
        there.putrequest(self.command, self.path + paged, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            there.putheader(name, value)
        there.endheaders()
        answer = there.getresponse()
        body = answer.read()
        kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in ("content-length", "connection", "transfer-encoding")]
        if self.command == "HEAD":
            kept.append(("Content-Length", answer.getheader("Content-Length")))
        self.answer(answer.status, kept, body, cut=fault and fault["cut"])
        there.close()

    do_HEAD = do_GET

    def answer(self, status, headers, body, cut=None):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True


@pytest.fixture
def faulty(s3):
    server = Faulty(s3)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def refusal(code, message="Please."):
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


STREAM = [{"name": "s", "json_schema": {}, "supported_sync_modes": ["incremental"]}]


def test_throttled_and_cut_off(source_s3, s3, faulty):
    """503 SlowDown is waited for; a connection that breaks is gone on with at the byte where it broke."""
    bucket = s3.bucket()
    s3.put(bucket, "a.jsonl", lines(*range(20_000)))
    faulty.fault("list-type", 1, status=503, body=refusal("SlowDown"))
    faulty.fault("a.jsonl", 1, status=503, body=refusal("SlowDown"))
    faulty.fault("a.jsonl", 1, cut=100_003)
    config = {**s3_config(s3, bucket), "endpoint": faulty.url}
    session = read(source_s3, config, STREAM)
    assert [r["n"] for r in plain(session.records())] == list(range(20_000))
    assert ("/%s/a.jsonl" % bucket, "bytes=100003-") in faulty.asked, faulty.asked


def test_keys_with_dots(source_s3, s3, faulty):
    """A key is a text, in which ./ and ../ are no steps."""
    bucket = s3.bucket()
    keys = ["dots/../x.jsonl", "dots/./y.jsonl"]
    contents = "".join(f"<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
                       f"<Size>{len(lines(1))}</Size></Contents>" for key in keys)
    faulty.fault("list-type", 1, status=200, body=f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}"
                                                  "</ListBucketResult>".encode())
    for n, key in enumerate(keys):
        faulty.fault(f"/{bucket}/{key}", 9, status=200, body=lines(n))
    session = read(source_s3, {**s3_config(s3, bucket), "endpoint": faulty.url}, STREAM)
    assert [r["n"] for r in plain(session.records())] == [0, 1]


def test_changed_while_read(source_s3, s3, faulty):
    """The part that was read belongs to other bytes than the rest: from the beginning, of what is there now."""
    bucket = s3.bucket()
    s3.put(bucket, "a.jsonl", lines(*range(60_000)))
    faulty.fault("a.jsonl", 1, cut=400_003)
    faulty.fault("a.jsonl", 1, status=412, body=refusal("PreconditionFailed"))
    session = read(source_s3, {**s3_config(s3, bucket), "endpoint": faulty.url}, STREAM)
    numbers = [r["n"] for r in plain(session.records())]
    assert numbers[-60_000:] == list(range(60_000)) and 60_000 < len(numbers) < 120_000
    assert b"it is read anew" in session.out + session.err


def test_added_while_listing(source_s3, s3, faulty):
    """Names behind the place that a listing has come to are read at once, names before it by the next read."""
    bucket = s3.bucket()
    s3.put(bucket, "m.jsonl", lines(*range(10)))
    real = Handler.do_GET

    def adding(self):
        if "m.jsonl" in self.path:
            s3.put(bucket, "a.jsonl", lines(100))
            s3.put(bucket, "z.jsonl", lines(200))
        real(self)

    Handler.do_GET = adding
    try:
        session = read(source_s3, {**s3_config(s3, bucket), "endpoint": faulty.url}, STREAM)
    finally:
        Handler.do_GET = real
    rest = read(source_s3, s3_config(s3, bucket), STREAM, state=last_state(session))
    both = [r["n"] for r in plain(session.records())] + [r["n"] for r in plain(rest.records())]
    assert sorted(both) == list(range(10)) + [100, 200]


@pytest.mark.parametrize("status, body, headers, says", [
    (403, refusal("InvalidAccessKeyId"), (), "is the access key id right?"),
    (403, refusal("SignatureDoesNotMatch"), (), "is the secret access key right?"),
    (403, refusal("AccessDenied"), (), "s3:ListBucket"),
    (301, refusal("PermanentRedirect"), (("x-amz-bucket-region", "eu-west-1"),), "is in the region eu-west-1, not in us-east-1"),
    (404, refusal("NoSuchBucket"), (), "is the bucket's name right?"),
    (200, b"<html>hello</html>", (), "is no S3 server"),
])
def test_refused(source_s3, s3, faulty, status, body, headers, says):
    faulty.fault("list-type", 99, status=status, body=body, headers=headers)
    config = {**s3_config(s3, "some-bucket"), "endpoint": faulty.url}
    found = source_s3("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]
    assert found["status"] == "FAILED" and says in found["message"], found
    assert "s3://some-bucket" in found["message"] and s3.secret not in found["message"]


def test_no_such_bucket(source_s3, s3):
    found = source_s3("check", config=s3_config(s3, "nobody-has-this")).one("CONNECTION_STATUS")["connectionStatus"]
    assert found["status"] == "FAILED" and "NoSuchBucket" in found["message"], found


@pytest.mark.parametrize("form", ["by name", "by day", "cursor alone"])
def test_airbytes_states(source_s3, s3, form):
    """Who comes from Airbyte's source-s3 with its state reads nothing again, and what is new."""
    bucket = s3.bucket()
    for n in range(3):
        s3.put(bucket, f"x/{n}.jsonl", lines(n))
    at = max(o["LastModified"] for o in s3.client.list_objects_v2(Bucket=bucket)["Contents"])
    names = [f"x/{n}.jsonl" for n in range(3)]
    state = {
        "by name": {"history": {name: at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") for name in names},
                    "_ab_source_file_last_modified": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ_") + names[-1]},
        "by day": {"history": {at.strftime("%Y-%m-%d"): names}, "schema": {"n": "integer"},
                   "_ab_source_file_last_modified": at.strftime("%Y-%m-%dT%H:%M:%SZ")},
        "cursor alone": {"_ab_source_file_last_modified": at.strftime("%Y-%m-%dT%H:%M:%S+0000")}}[form]
    config = s3_config(s3, bucket)
    stream = {"stream_descriptor": {"name": config["streams"][0]["name"]}, "stream_state": state}
    first = read(source_s3, config, state=[{"type": "STREAM", "stream": stream}])
    assert plain(first.records()) == []
    late = int(at.timestamp()) + 2
    while int(time.time()) < late:  # what S3 says of times is whole seconds
        s3.put(bucket, "x/new.jsonl", lines(7))
    s3.put(bucket, "x/new.jsonl", lines(7))
    for given in ([{"type": "STREAM", "stream": stream}], last_state(first)):
        assert [r["n"] for r in plain(read(source_s3, config, state=given).records())] == [7]


def test_airbytes_old_config(source_s3, s3):
    """As it was before version 4: one stream."""
    bucket = s3.bucket()
    for name in ("in/a.csv", "in/sub/b.csv", "in/c.txt", "out/d.csv"):
        s3.put(bucket, name, b"x;y\n1;'2;3'\n")
    config = {"dataset": "old", "path_pattern": "**/*.csv|in/*.tsv", "schema": "{}",
              "format": {"filetype": "csv", "delimiter": ";", "quote_char": "'", "block_size": 10000, "advanced_options": "{}"},
              "provider": {"bucket": bucket, "aws_access_key_id": s3.key_id, "aws_secret_access_key": s3.secret,
                           "path_prefix": "in/", "endpoint": s3.url}}
    session = read(source_s3, config)
    assert plain(session.records()) == [{"x": 1, "y": "2;3"}] * 2
    assert {r["stream"] for r in session.records()} == {"old"}
    assert "provider" not in source_s3("spec").one("SPEC")["spec"]["connectionSpecification"]["properties"]
    config["format"]["advanced_options"] = '{"column_names": ["a"]}'
    refused = source_s3("check", config=config)
    assert "advanced_options of the old config are not taken up" in refused.out.decode() + refused.err.decode()


def test_estuary_options(firth, s3):
    bucket = s3.bucket()
    s3.put(bucket, "d/1.json", lines(1))
    s3.put(bucket, "d/2.txt", lines(2))
    s3.put(bucket, "d/3.csv", b"x|y\n1|2\n")

    def run(bindings, **config):
        config = {"region": s3.region, "bucket": bucket, "advanced": {"endpoint": s3.url}, "credentials": {
            "auth_type": "AWSAccessKey", "aws_access_key_id": s3.key_id, "aws_secret_access_key": s3.secret}, **config}
        schema = {"type": "object", "properties": {"_meta": {"type": "object", "properties": {
            "file": {"type": "string"}, "offset": {"type": "integer"}}, "required": ["file", "offset"]}},
            "required": ["_meta"]}
        catalog = {"captures": {"a/c": {"endpoint": {"connector": {"image": "ghcr.io/estuary/source-s3:v2", "config": config}},
                                        "bindings": [{"resource": {"stream": f"{bucket}/{prefix}"}, "target": f"a/{name}"}
                                                     for prefix, name in bindings]}},
                   "collections": {f"a/{name}": {"schema": schema, "key": ["/_meta/file", "/_meta/offset"]}
                                   for _, name in bindings}}
        path = firth.cwd / "flow.yaml"
        path.write_text(json.dumps(catalog))
        return firth("run", path, "--once")

    assert run([("d/", "json")], matchKeys=r".*\.json$").rc == 0
    assert flow_documents(firth, "a/json") == [{"n": 1}]
    assert run([("d/3", "csv")], parser={"format": {"type": "csv", "config": {"delimiter": "|", "headers": ["p", "q"]}}}).rc == 0
    assert flow_documents(firth, "a/csv") == [{"p": "x", "q": "y"}, {"p": "1", "q": "2"}]
    wrong = run([("d/", "json")], credentials={"auth_type": "AWSIAM", "aws_region": "x", "aws_role_arn": "y"})
    none = run([("none", "none")], prefix="none")  # yet
    assert none.rc == 0 and f"stream {bucket}/none: no file matches {bucket}/none, so far" in none.err
    assert wrong.rc != 0 and "a role is assumed by somebody: give an access key" in wrong.err


# --- the web ------------------------------------------------------------------------------------------------------


def test_a_url(source_file, s3, faulty):
    """A file of a web server, gone on with at the byte where the connection broke."""
    bucket = s3.bucket()
    s3.client.put_object(Bucket=bucket, Key="in/a b.jsonl", Body=lines(*range(20_000)), ACL="public-read")
    config = {"dataset_name": "web", "format": "jsonl", "provider": {"storage": "HTTPS", "user_agent": True},
              "url": f"{faulty.url}/{bucket}/in/a%20b.jsonl"}
    [stream] = streams_of(source_file, config)
    faulty.fault("a%20b", 1, status=503)
    first = read(source_file, config, [stream])
    assert [r["n"] for r in plain(first.records())] == list(range(20_000))
    assert plain(read(source_file, config, [stream], state=last_state(first)).records()) == []

    real = Handler.answer
    faulty.asked.clear()

    def answer(self, status, headers, body, cut=None):
        real(self, status, headers, body, cut=100_003 if self.command == "GET" and len(faulty.asked) <= 2 else None)

    Handler.answer = answer
    try:
        again = read(source_file, config, [stream], mode="full_refresh")
    finally:
        Handler.answer = real
    assert [r["n"] for r in plain(again.records())] == list(range(20_000))
    assert any(asked == "bytes=100003-" for _, asked in faulty.asked), faulty.asked


class OneFile(http.server.BaseHTTPRequestHandler):
    """A file that is known by its date, or by nothing; the first answer is cut off, and then the file may be another."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        server, status = self.server, 200
        part, body, date = self.headers.get("Range"), server.body, server.date
        server.asked.append((part, self.headers.get("If-Range")))
        if part and self.headers.get("If-Range", date) == date:
            status, body = 206, body[int(part.removeprefix("bytes=").rstrip("-")):]
        self.send_response_only(status)
        if date:
            self.send_header("Last-Modified", date)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.close_connection = len(server.asked) == 2
        self.wfile.write(body[:100_003] if self.close_connection else body)
        if self.close_connection:
            server.body, server.date = server.then

    do_HEAD = do_GET


@pytest.mark.parametrize("known", ["changed", "unchanged", "by nothing"])
def test_a_url_without_an_etag(source_file, known):
    """The end of one file is never put behind the beginning of another."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OneFile)
    first, second = (f"Sat, 2{n} Jan 2024 00:00:00 GMT" for n in (0, 7))
    body, other = lines(*range(20_000)), lines(*range(-20_000, 0))
    server.asked, server.body, server.date = [], body, None if known == "by nothing" else first
    server.then = (other, second) if known == "changed" else (body, server.date)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        config = {"dataset_name": "web", "format": "jsonl", "url": f"http://127.0.0.1:{server.server_port}/a.jsonl"}
        found = [r["n"] for r in plain(read(source_file, config, [dict(STREAM[0], name="web")]).records())]
    finally:
        server.shutdown()
        server.server_close()
    if known == "changed":
        assert found[-20_000:] == list(range(-20_000, 0)) and found[:-20_000] == list(range(len(found) - 20_000))
    else:
        assert found == list(range(20_000))
    assert server.asked[2] == ((None, None) if known == "by nothing" else ("bytes=100003-", first)), server.asked


def test_a_url_that_is_not_there(source_file, faulty):
    faulty.fault("missing", 99, status=404)
    config = {"url": f"{faulty.url}/missing.csv?token=hidden"}
    found = source_file("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]
    assert found["status"] == "FAILED" and "the server answers 404" in found["message"] and "hidden" not in found["message"]


def test_a_secret_in_a_url_is_not_told(source_file, s3, faulty):
    bucket = s3.bucket()
    s3.client.put_object(Bucket=bucket, Key="a.jsonl", Body=b'{"n":1}\n{"n":\n', ACL="public-read")
    config = {"dataset_name": "web", "url": f"{faulty.url}/{bucket}/a.jsonl?token=hidden"}
    failed = read(source_file, config, [dict(STREAM[0], name="web")], rc=3)
    assert "a.jsonl: line 2" in failed.errors()[0]["message"] and b"hidden" not in failed.out + failed.err
