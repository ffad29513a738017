"""zip archives: members as files, one after the other; those that are wanted; going on within one; what is refused."""

import gzip
import io
import json
import random
import struct
import zipfile

import pyarrow
import pyarrow.parquet
import pytest

from connector_suite.protocol import Runner, configured

STREAM = [{"name": "s", "json_schema": {}, "supported_sync_modes": ["incremental"]}]


def lines(*numbers):
    return "".join(json.dumps({"n": n, "pad": f"{n:030}"}) + "\n" for n in numbers)


def archive(members, **options):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            with file.open(name, "w", **options) as member:
                member.write(data.encode() if isinstance(data, str) else data)
    return out.getvalue()


@pytest.fixture
def run(firth):
    return lambda verb, name="source-file", **files: Runner([firth.path, "connector", name])(verb, **files)


def read(run, config, state=None, name="source-file", good=True):
    session = run("read", name, config=config, catalog=configured(STREAM, "incremental"), state=state)
    assert (session.rc == 0) == good, session
    return session


def numbers(session):
    return [int(r["data"]["n"]) for r in session.records()]


def config_of(folder, **more):
    return {"streams": [{"name": "s", "globs": [f"{folder}/*"], **more}]}


def test_members(run, tmp_path):
    """Each is recognised by itself, with a header of its own; what a system adds is left out."""
    parquet = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"n": [7, 8]}), parquet)
    (tmp_path / "a.zip").write_bytes(archive({
        "deep/er/1.csv": "n;m\n1;x\n2;ü\n".encode("cp1252"), "2.jsonl": lines(3, 4), "3.json.gz": gzip.compress(b'[{"n":5},{"n":6}]'),
        "4.parquet": parquet.getvalue(), "empty/": "", "__MACOSX/._1.csv": "no", ".hidden.csv": "no", "5.csv": ""}))
    session = read(run, config_of(tmp_path))
    assert numbers(session) == [1, 2, 3, 4, 5, 6, 7, 8]
    told = [m["log"]["message"] for m in session.of("LOG") if m["log"]["level"] == "WARN"]
    assert len(told) == 1 and "a.zip is read as Windows-1252" in told[0]
    [stream] = run("discover", config=config_of(tmp_path)).one("CATALOG")["catalog"]["streams"]
    assert stream["json_schema"]["properties"]["n"] == {"type": ["null", "integer"]}
    assert read(run, config_of(tmp_path), state=session.states()[-1:]).records() == []
    assert numbers(read(run, config_of(tmp_path, archive_members=["**/*.csv", "{2,9}.jsonl"]))) == [1, 2, 3, 4]
    assert numbers(read(run, config_of(tmp_path, archive_members=["*.csv"]))) == []


def test_zip64(run, tmp_path):
    (tmp_path / "a.zip").write_bytes(archive({f"{n}.jsonl": lines(n) for n in range(3)}, force_zip64=True))
    assert numbers(read(run, config_of(tmp_path))) == [0, 1, 2]


@pytest.mark.parametrize("name", ["source-file", "source-s3"])
def test_goes_on_within_a_member(run, request, tmp_path, name):
    data = archive({f"{n}.jsonl": lines(*range(n * 4000, n * 4000 + 4000)) for n in range(4)})
    (tmp_path / "a.zip").write_bytes(data)
    config = config_of(tmp_path)
    if name == "source-s3":
        s3 = request.getfixturevalue("s3")
        bucket = s3.bucket()
        s3.put(bucket, "x/a.zip", data)
        config = {"bucket": bucket, "aws_access_key_id": s3.key_id, "aws_secret_access_key": s3.secret, "endpoint": s3.url,
                  "streams": [{"name": "s"}]}
    session = read(run, config, name=name)
    assert numbers(session) == list(range(16_000))
    seen, points = 0, []
    for message in session.messages:
        seen += message["type"] == "RECORD"
        if message["type"] == "STATE" and seen < 16_000:
            points.append((seen, message["state"]))
    assert any(seen % 4000 for seen, _ in points)
    for seen, state in points[:3]:
        assert numbers(read(run, config, state=[state], name=name)) == list(range(seen, 16_000))


def encrypted():
    data = bytearray(archive({"a.jsonl": lines(1)}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    return bytes(data)


def overlapping():
    """Two entries of the directory that are one member: how bombs are made."""
    data = archive({"a.jsonl": lines(*range(1000))})
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[start:end]
    tail = bytearray(data[end:])
    struct.pack_into("<HHI", tail, 8, 50, 50, 50 * len(entry))
    return data[:start] + entry * 50 + bytes(tail)


def damaged():
    out = bytearray(archive({"a.bin.jsonl": json.dumps({"x": random.Random(1).randbytes(3000).hex()}) + "\n"}))
    out[500] ^= 0xff
    return bytes(out)


@pytest.mark.parametrize("data, why", [
    (encrypted(), "a.jsonl of the zip archive is encrypted"),
    (archive({"b.zip": archive({"a.jsonl": lines(1)})}), "it is an archive itself"),
    (archive({"a.jsonl": lines(1)})[:-10], "the zip archive cannot be read"),
    (overlapping(), "its members lie in one another"),
    (damaged(), "broken"),
], ids=["encrypted", "nested", "cut", "overlapping", "damaged"])
def test_refused(firth_dev, tmp_path, data, why):
    (tmp_path / "a.zip").write_bytes(data)
    run = lambda verb, name, **files: Runner([firth_dev.path, "connector", name])(verb, **files)
    session = read(run, config_of(tmp_path / "."), good=False)
    assert why in session.errors()[0]["message"], session
