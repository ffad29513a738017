"""Avro: every type, exactly, as fastavro writes it; codecs; going on at a record; what is broken or hostile."""

import datetime
import decimal
import io
import json
import struct
import uuid

import fastavro
import pytest

from conftest import FULL
from connector_suite.protocol import Runner, configured

UTC = datetime.timezone.utc
D = decimal.Decimal
AT = datetime.datetime(2024, 2, 29, 1, 2, 3, 45_000, UTC)
BEFORE = datetime.datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC)

# type, what is written, what is read
COLUMNS = {
    "z": ("null", None, None),
    "b": ("boolean", True, True),
    "i": ("int", -2**31, -2**31),
    "l": ("long", 2**63 - 1, 2**63 - 1),
    "l2": ("long", -2**63, -2**63),
    "f": ("float", 0.5, 0.5),
    "d": ("double", 0.1, 0.1),
    "nan": ("double", float("nan"), None),
    "by": ("bytes", b"\x00\xffx", "AP94"),
    "s": ("string", 'grün "x"\n', 'grün "x"\n'),
    "fx": ({"type": "fixed", "name": "four", "size": 4}, b"abcd", "YWJjZA=="),
    "e": ({"type": "enum", "name": "suit", "symbols": ["SPADES", "HEARTS"]}, "HEARTS", "HEARTS"),
    "list": ({"type": "array", "items": ["null", "long"]}, [1, None, 3], [1, None, 3]),
    "none": ({"type": "array", "items": "long"}, [], []),
    "m": ({"type": "map", "values": {"type": "array", "items": "string"}}, {"k": ["a"], "": []}, {"k": ["a"], "": []}),
    "o": ({"type": "record", "name": "inner", "namespace": "x.y", "fields": [
        {"name": "p", "type": "a.b.suit"}, {"name": "q", "type": ["null", "inner"]}]},
        {"p": "SPADES", "q": {"p": "HEARTS", "q": None}}, {"p": "SPADES", "q": {"p": "HEARTS", "q": None}}),
    "u": (["null", "string", "long", {"type": "map", "values": "int"}], {"a": 1}, {"a": 1}),
    "u0": (["null", "long"], None, None),
    "day": ({"type": "int", "logicalType": "date"}, datetime.date(2024, 2, 29), "2024-02-29"),
    "day0": ({"type": "int", "logicalType": "date"}, datetime.date(1, 1, 1), "0001-01-01"),
    "tms": ({"type": "int", "logicalType": "time-millis"}, datetime.time(1, 2, 3, 4000), "01:02:03.004000"),
    "tus": ({"type": "long", "logicalType": "time-micros"}, datetime.time(23, 59, 59, 999_999), "23:59:59.999999"),
    "ms": ({"type": "long", "logicalType": "timestamp-millis"}, AT, "2024-02-29T01:02:03.045000Z"),
    "us": ({"type": "long", "logicalType": "timestamp-micros"}, BEFORE, "1969-12-31T23:59:59.999000Z"),
    "ns": ({"type": "long", "logicalType": "timestamp-nanos"}, 1_709_168_523_000_000_045, "2024-02-29T01:02:03.000000045Z"),
    "local": ({"type": "long", "logicalType": "local-timestamp-micros"}, datetime.datetime(2024, 2, 29, 1, 2, 3, 7),
              "2024-02-29T01:02:03.000007"),
    "dec": ({"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": 10},
            D("-123456789012345678901234567890.0123456789"), "-123456789012345678901234567890.0123456789"),
    "dec0": ({"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}, D("-0.05"), "-0.05"),
    "dec9": ({"type": "bytes", "logicalType": "decimal", "precision": 30}, D("1000000000000000000000"),
             "1000000000000000000000"),
    "decf": ({"type": "fixed", "name": "dec_fixed", "size": 8, "logicalType": "decimal", "precision": 18, "scale": 4},
             D("-0.0001"), "-0.0001"),
    "id": ({"type": "string", "logicalType": "uuid"}, uuid.UUID(int=5), str(uuid.UUID(int=5))),
    "idf": ({"type": "fixed", "name": "id_fixed", "size": 16, "logicalType": "uuid"}, uuid.UUID(int=2**127 + 1).bytes,
            str(uuid.UUID(int=2**127 + 1))),
    "dur": ({"type": "fixed", "name": "dur", "size": 12, "logicalType": "duration"}, struct.pack("<III", 1, 2, 3004),
            "P1M2DT3.004S"),
    "odd": ({"type": "string", "logicalType": "of-nobody"}, "x", "x"),
}
SCHEMA = {"type": "record", "name": "row", "namespace": "a.b", "fields": [
    {"name": name, "type": kind} for name, (kind, _, _) in COLUMNS.items()]}
ROW = {name: value for name, (_, value, _) in COLUMNS.items()}
READ = {name: value for name, (_, _, value) in COLUMNS.items()}


def packed(schema, rows, codec="null", **more):
    out = io.BytesIO()
    fastavro.writer(out, schema, rows, codec=codec, **more)
    return out.getvalue()


@pytest.fixture
def run(firth):
    return lambda verb, name="source-file", **files: Runner([firth.path, "connector", name])(verb, **files)


def read(run, config, state=None, streams=None, name="source-file", good=True):
    streams = streams or run("discover", name, config=config).one("CATALOG")["catalog"]["streams"]
    session = run("read", name, config=config, catalog=configured(streams, "incremental"), state=state)
    assert (session.rc == 0) == good, session
    return session


def plain(session):
    return [{k: v for k, v in r["data"].items() if not k.startswith("_ab_")} for r in session.records()]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2"])
def test_types(run, tmp_path, codec):
    (tmp_path / "x.avro").write_bytes(packed(SCHEMA, [ROW] * 300, codec, sync_interval=4000))
    config = {"url": str(tmp_path / "x.avro")}
    session = read(run, config)
    assert plain(session) == [READ] * 300
    assert b'"l":9223372036854775807' in session.out
    [stream] = run("discover", config=config).one("CATALOG")["catalog"]["streams"]
    properties = stream["json_schema"]["properties"]
    assert properties["l"] == {"type": ["null", "integer"]}
    assert properties["ms"] == {"type": ["null", "string"], "format": "date-time"}
    assert properties["day"] == {"type": ["null", "string"], "format": "date"}


def test_doubles_as_text(run, tmp_path):
    schema = {"type": "record", "name": "r", "fields": [{"name": "d", "type": "double"}, {"name": "f", "type": "float"}]}
    (tmp_path / "x.avro").write_bytes(packed(schema, [{"d": 0.1, "f": 0.5}, {"d": float("inf"), "f": 1.0}]))
    config = {"streams": [{"name": "s", "globs": [str(tmp_path / "*")],
                           "format": {"filetype": "avro", "double_as_string": True}}]}
    assert plain(read(run, config)) == [{"d": "0.1", "f": 0.5}, {"d": None, "f": 1.0}]


NUMBERS = {"type": "record", "name": "r", "fields": [{"name": "n", "type": "long"}, {"name": "pad", "type": "string"}]}


@pytest.mark.parametrize("name", ["n.avro", "n.avro.gz"])
def test_goes_on_at_a_record(run, tmp_path, name):
    """From each state, in the middle of blocks too, the rest is read, and nothing twice."""
    import gzip
    data = packed(NUMBERS, ({"n": n, "pad": "x" * 20} for n in range(30_000)), "deflate", sync_interval=50_000)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    config = {"url": str(tmp_path / name)}
    session = read(run, config)
    seen, points = 0, []
    for message in session.messages:
        seen += message["type"] == "RECORD"
        if message["type"] == "STATE":
            points.append((seen, message["state"]))
    assert seen == 30_000 and len(points) > 4 and 0 < points[0][0] < seen
    for count, state in points[:3 if FULL else 2]:
        rest = read(run, config, state=[state])
        assert [r["n"] for r in plain(rest)] == list(range(count, 30_000))


def test_from_a_bucket(run, s3):
    """And a read that goes on asks for the rest of the object alone."""
    bucket = s3.bucket()
    data = packed(NUMBERS, ({"n": n, "pad": "x" * 500} for n in range(20_000)))
    s3.put(bucket, "a/x.avro", data)
    config = {"bucket": bucket, "aws_access_key_id": s3.key_id, "aws_secret_access_key": s3.secret, "endpoint": s3.url,
              "streams": [{"name": "s", "globs": ["**"]}]}
    session = read(run, config, name="source-s3")
    assert [r["n"] for r in plain(session)] == list(range(20_000))
    count = 0
    for message in session.messages:
        count += message["type"] == "RECORD"
        if message["type"] == "STATE":
            break
    rest = read(run, config, state=[message["state"]], name="source-s3")
    assert [r["n"] for r in plain(rest)] == list(range(count, 20_000)) and 0 < count < 20_000


def long(value):
    value = value << 1 ^ value >> 63
    out = b""
    while value > 0x7f:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


def a_file(schema, *blocks, codec=b"null"):
    """By hand: blocks are (records, bytes)."""
    text = json.dumps(schema).encode()
    head = long(2) + long(11) + b"avro.schema" + long(len(text)) + text + long(10) + b"avro.codec" + long(len(codec)) + codec
    sync = b"s" * 16
    return b"Obj\x01" + head + long(0) + sync + b"".join(
        long(count) + long(len(data)) + data + sync for count, data in blocks)


def of(kind):
    return {"type": "record", "name": "r", "fields": [{"name": "a", "type": kind}]}


GOOD = packed(NUMBERS, [{"n": n, "pad": "x"} for n in range(10)])


@pytest.mark.parametrize("data, why", [
    (GOOD[:-5], "its last block is not whole"),
    (GOOD[:-1] + b"?", "a block does not end as one"),
    (GOOD[:60], "its header is not whole"),
    (b"Obj\x01" + b"\xff" * 30, "its header is not whole"),
    (a_file("long", (1, long(1))), "must hold records"),
    (a_file(of("strange"), (1, b"")), "has no type 'strange'"),
    (a_file(of("string"), (1, long(-1))), "a length is negative"),
    (a_file(of("string"), (1, long(2**62) + b"x")), "a value ends too early"),
    (a_file(of("string"), (1, long(1) + b"\xff")), "a text is not UTF-8"),
    (a_file(of("int"), (1, long(2**40))), "an int has more than 32 bits"),
    (a_file(of(["null", "long"]), (1, long(7))), "a union has no such branch"),
    (a_file(of("long"), (2, long(1))), "ends too early"),
    (a_file(of("long"), (1, long(1) * 2)), "bytes behind its last record"),
    (a_file(of("null"), (2**50, b"")), "more records than bytes"),
    (a_file(of({"type": "array", "items": "null"}), (1, long(2**50) + long(0))), "a record is larger than"),
    (a_file({"type": "record", "name": "r", "fields": [{"name": "a", "type": "r"}]}, (1, b"")), "nested more than"),
    (a_file(of("long"), (1, b"\x00\x00\x00"), codec=b"deflate"), "deflate data is broken"),
    (a_file(of("long"), (1, long(5)), codec=b"xz"), "compressed by 'xz'"),
    (a_file(of("long"), (1, b"\x05\x10hello\x00\x00\x00\x00"), codec=b"snappy"), "snappy data is broken"),
])
def test_broken(firth_dev, tmp_path, data, why):
    run = lambda verb, name, **files: Runner([firth_dev.path, "connector", name])(verb, **files)
    (tmp_path / "x.avro").write_bytes(data)
    config = {"url": str(tmp_path / "x.avro")}
    session = read(run, config, good=False, streams=[{"name": "x", "json_schema": {}, "supported_sync_modes": ["incremental"]}])
    assert why in session.errors()[0]["message"], session


def test_a_bomb(run, tmp_path):
    """Half a gigabyte of nothing in half a megabyte."""
    import zlib
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    data = b"".join(packer.compress(bytes(1 << 20)) for _ in range(512)) + packer.flush()
    (tmp_path / "x.avro").write_bytes(a_file(of("long"), (1, data), codec=b"deflate"))
    session = read(run, {"url": str(tmp_path / "x.avro")}, good=False,
                   streams=[{"name": "x", "json_schema": {}, "supported_sync_modes": ["incremental"]}])
    assert "larger than 256 MiB when decompressed" in session.errors()[0]["message"]
