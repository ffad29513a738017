"""Parquet, by firth-parquet: every type, exactly; going on at a row; from a bucket; what is broken."""

import datetime
import decimal
import zipfile

import pyarrow
import pyarrow.parquet
import pytest

from connector_suite.protocol import Runner, configured

UTC = datetime.timezone.utc
COLUMNS = {
    "i": (pyarrow.int64(), 2**63 - 1, 2**63 - 1),
    "u": (pyarrow.uint64(), 2**64 - 1, 2**64 - 1),
    "d": (pyarrow.decimal128(38, 10), decimal.Decimal("1234567890123456789012345678.0123456789"),
          "1234567890123456789012345678.0123456789"),
    "f": (pyarrow.float64(), 0.1, 0.1),
    "nan": (pyarrow.float64(), float("nan"), None),
    "b": (pyarrow.bool_(), True, True),
    "s": (pyarrow.string(), 'grün "x"\n', 'grün "x"\n'),
    "bytes": (pyarrow.binary(), b"\x00\xff", "AP8="),
    "day": (pyarrow.date32(), datetime.date(2024, 2, 29), "2024-02-29"),
    "at": (pyarrow.timestamp("us", tz="UTC"), datetime.datetime(2024, 2, 29, 1, 2, 3, 45, UTC), "2024-02-29T01:02:03.000045Z"),
    "local": (pyarrow.timestamp("ms"), datetime.datetime(2024, 2, 29, 1, 2, 3), "2024-02-29T01:02:03.000000"),
    "list": (pyarrow.list_(pyarrow.decimal128(5, 2)), [decimal.Decimal("1.50"), None], ["1.50", None]),
    "o": (pyarrow.struct([("x", pyarrow.list_(pyarrow.timestamp("us")))]), {"x": [datetime.datetime(2024, 1, 1)]},
          {"x": ["2024-01-01T00:00:00.000000"]}),
    "m": (pyarrow.map_(pyarrow.string(), pyarrow.decimal128(5, 2)), [("k", decimal.Decimal("2.00"))], {"k": "2.00"}),
    'odd "name\'s': (pyarrow.string(), "x", "x"),
}


def write(path, count=1):
    table = pyarrow.table({name: pyarrow.array([value] * count + [None], type=kind)
                           for name, (kind, value, _) in COLUMNS.items()})
    pyarrow.parquet.write_table(table, path, row_group_size=1000)
    return path.read_bytes()


@pytest.fixture
def run(firth):
    return lambda name, verb, **files: Runner([firth.path, "connector", name])(verb, **files)


def read(run, name, config, state=None):
    streams = run(name, "discover", config=config).one("CATALOG")["catalog"]["streams"]
    return run(name, "read", config=config, catalog=configured(streams, "incremental"), state=state)


def plain(session):
    return [{k: v for k, v in r["data"].items() if not k.startswith("_ab_")} for r in session.records()]


def test_types(run, tmp_path):
    write(tmp_path / "x.parquet")
    session = read(run, "source-file", {"url": str(tmp_path / "x.parquet")})
    expected = {name: value for name, (_, _, value) in COLUMNS.items()}
    assert session.rc == 0 and plain(session) == [expected, dict.fromkeys(expected)], session


def test_goes_on_at_a_row(run, tmp_path):
    table = pyarrow.table({"n": list(range(12_000))})
    pyarrow.parquet.write_table(table, tmp_path / "n.parquet", row_group_size=1000)
    config = {"url": str(tmp_path / "n.parquet")}
    session = read(run, "source-file", config)
    seen, points = 0, []
    for message in session.messages:
        seen += message["type"] == "RECORD"
        if message["type"] == "STATE":
            points.append((seen, message["state"]))
    assert seen == 12_000 and 0 < points[0][0] < seen
    rest = read(run, "source-file", config, state=[points[0][1]])
    assert [r["n"] for r in plain(rest)] == list(range(points[0][0], 12_000))


def test_from_a_bucket(run, s3, tmp_path):
    bucket = s3.bucket()
    s3.put(bucket, "x.parquet", write(tmp_path / "x.parquet", 3))
    config = {"bucket": bucket, "aws_access_key_id": s3.key_id, "aws_secret_access_key": s3.secret, "endpoint": s3.url,
              "streams": [{"name": "s", "globs": ["**"]}]}
    session = read(run, "source-s3", config)
    assert session.rc == 0 and [row["u"] for row in plain(session)] == [2**64 - 1] * 3 + [None], session


def test_broken(run, tmp_path):
    (tmp_path / "x.parquet").write_bytes(write(tmp_path / "y.parquet")[:-5])
    session = run("source-file", "discover", config={"url": str(tmp_path / "x.parquet")})
    assert session.rc != 0 and "it cannot be read as Parquet" in session.errors()[0]["message"], session


def test_empty(run, tmp_path):
    """Without rows, row groups or columns, and of no bytes, whatever the kind: nothing to read, and no error; what lies
    beside them is read."""
    names = ["empty.csv", "empty.jsonl", "empty.json", "empty.avro", "empty.parquet", "empty.csv.gz", "empty.zip"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    schema = pyarrow.schema([("n", pyarrow.int64())])
    pyarrow.parquet.write_table(schema.empty_table(), tmp_path / "rows.parquet")
    pyarrow.parquet.ParquetWriter(tmp_path / "groups.parquet", schema).close()
    pyarrow.parquet.write_table(pyarrow.table({}), tmp_path / "columns.parquet")
    zipfile.ZipFile(tmp_path / "members.zip", "w").close()
    (tmp_path / "z.csv").write_text("n\n1\n")
    config = {"streams": [{"name": "s", "globs": [f"{tmp_path}/*"]}]}
    session = read(run, "source-file", config)
    assert session.rc == 0 and [str(row["n"]) for row in plain(session)] == ["1"], session
    for name in (*names, "rows.parquet", "groups.parquet", "columns.parquet", "members.zip"):
        session = read(run, "source-file", {"url": str(tmp_path / name)})
        assert session.rc == 0 and plain(session) == [], (name, session)
