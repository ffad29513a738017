"""Type by type: PostgreSQL's edge values through a connection to each destination and back, read by other programs and
compared exactly. What source-postgres makes of them is in test_postgres_source.py."""

import base64
import decimal
import json
import re
import uuid

import duckdb
import pytest

import sheets as spreadsheets
import sql_endpoints
import written_files
from e2e.postgres_source import airbyte_config
from e2e.test_postgres_source import VALUES, make_values, members, unsaid
from postgres import drop

TIMES = {"date", "time", "timetz", "timestamp", "timestamptz"}
# Beyond the microseconds since 1970 that 64 bits hold, though PostgreSQL, which counts from 2000, holds it.
TOO_LATE = ("timestamp", b'"294276-12-31 23:59:59.999999"')


@pytest.fixture
def source(postgres_shared):
    """A database beside the one that destination-postgres writes to."""
    name, maintenance = "s" + uuid.uuid4().hex[:12], postgres_shared.database("postgres")
    maintenance.run(f"CREATE DATABASE {name}")
    yield postgres_shared.database(name)
    drop(maintenance, name)


def sync(firth, tmp_path, source, destination, env=None):
    path = tmp_path / "types.json"
    path.write_text(json.dumps({"connections": {"acmeCo/types": {
        "source": {"connector": {"image": "airbyte/source-postgres", "config": airbyte_config(source)}},
        "destination": {"connector": destination},
        "streams": [{"name": "vals", "namespace": "public", "syncMode": "full_refresh", "destinationSyncMode": "overwrite"}]}}}))
    firth("run", str(path), "--once", env={"FIRTH_LOCAL_ROOT": str(tmp_path), **(env or {})}, expect=0)


def exact(text):
    return json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)


def moment(text):
    """However a program writes a time: one way. A time with a zone is UTC's."""
    era = " BC" if "BC" in text else ""
    text = re.sub(r" \(?BC\)?", "", text)
    if ":" not in text:
        return text + era
    clock, fraction, zone = re.fullmatch(r"(.*?)(?:\.(\d+))?(Z|[+-]\d\d(?::\d\d)*)?", text.replace("T", " ")).groups()
    zone = "+00" if zone == "Z" else re.sub(r"(:00)+$", "", zone or "")
    fraction = (fraction or "").rstrip("0")
    return f"{clock}{'.' + fraction if fraction else ''}{zone}{era}"


def is_document(kind):
    return kind.endswith("[]") or kind in ("json", "jsonb", "positives")


def wanted(kind, raw):
    value = exact(raw)
    if isinstance(value, str) and kind in TIMES:
        return moment(value)
    if isinstance(value, str) and kind == "bytea":
        return base64.b64decode(value)
    return value


def found(kind, expected, back):
    """What came back, as `wanted` gives it."""
    if back is None:
        return None
    if is_document(kind):
        return exact(back)
    if isinstance(expected, bool):
        return bool(back)
    if isinstance(expected, decimal.Decimal):
        return decimal.Decimal(repr(back) if isinstance(back, float) else str(back))
    if isinstance(expected, bytes):
        return bytes(back)
    return moment(back) if kind in TIMES else back


def check(values, row, meta, lost):
    """`lost`: what the destination cannot hold, by type and JSON value; null there, and named."""
    named = {f"v{n}" for n, value in enumerate(values) if (value[0], value[2]) in lost}
    assert len(named) >= len(lost)
    for n, value in enumerate(values):
        kind, expected = value[0], wanted(value[0], value[2])
        got = found(kind, expected, row[f"v{n}"])
        assert got == (None if f"v{n}" in named else expected), (value[:2], row[f"v{n}"])
    assert {change["field"] for change in meta["changes"]} == named | unsaid(values).keys()


@pytest.mark.parametrize("kind", sql_endpoints.ENDPOINTS, ids=lambda e: e.name)
def test_database(firth, tmp_path, request, source, kind):
    endpoint = kind(tmp_path)
    if hasattr(endpoint, "start"):
        endpoint.start(request)
    values = make_values(source)
    sync(firth, tmp_path, source, {"image": "airbyte/" + endpoint.name, "config": endpoint.config()}, endpoint.env)
    [row] = endpoint.read("vals", "public") if endpoint.schemas else endpoint.read("public_vals")
    lost = {TOO_LATE}
    if not sql_endpoints.keeps_nul(endpoint):
        lost |= {(value[0], value[2]) for value in values if value[0] == "json" and rb" \u0000 " in value[2]}
    check(values, row, sql_endpoints.meta(row), lost)


def test_local_json(firth, tmp_path, source):
    """Byte for byte."""
    values = make_values(source)
    sync(firth, tmp_path, source, {"image": "airbyte/destination-local-json", "config": {"destination_path": "/local/out"}})
    [line] = (tmp_path / "out" / "_airbyte_raw_vals.jsonl").read_bytes().splitlines()
    data = members(members(line)["_airbyte_data"])
    assert [data[f"v{n}"] for n in range(len(values))] == [value[2] for value in values]


def test_parquet(firth, tmp_path, source):
    values = make_values(source)
    sync(firth, tmp_path, source, {"image": "destination-files", "config": {
        "destination_path": "/local/out", "format": {"format_type": "Parquet"}}})
    [path] = (tmp_path / "out").rglob("*.parquet")
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        types = {name: kind for name, kind, *_ in db.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()}
        texts = ", ".join(f"hex({name})" if kind == "BLOB" else f"{name}::VARCHAR" for name, kind in types.items())
        row = dict(zip(types, db.execute(f"SELECT {texts} FROM read_parquet(?)", [str(path)]).fetchone()))
    for name, kind in types.items():
        if kind == "BLOB":
            row[name] = bytes.fromhex(row[name])
        elif kind == "BOOLEAN":
            row[name] = row[name] == "true"
    check(values, row, json.loads(row["_airbyte_meta"]), {TOO_LATE, ("time", b'"24:00:00"')} | {
        (value[0], value[2]) for value in values if value[0] in TIMES and b"infinity" in value[2] or value is VALUES[6]})


def file_config(kind, format_):
    return {"format": {"format_type": kind, "compression": {"compression_type": "No Compression"}, "flattening": format_}}


@pytest.mark.parametrize("name", ["destination-files", "destination-s3"])
def test_json_lines(firth, tmp_path, request, source, name):
    """Byte for byte."""
    values, config = make_values(source), file_config("JSONL", "No flattening")
    if name == "destination-files":
        sync(firth, tmp_path, source, {"image": name, "config": {"destination_path": "/local/out", **config}})
        [line] = [path.read_bytes() for path in (tmp_path / "out").rglob("*.jsonl")]
    else:
        s3 = request.getfixturevalue("s3")
        bucket = s3.bucket()
        sync(firth, tmp_path, source, {"image": name, "config": {
            "s3_bucket_name": bucket, "s3_bucket_path": "out", "s3_endpoint": s3.url, "access_key_id": s3.key_id,
            "secret_access_key": s3.secret, "s3_bucket_region": s3.region, **config}})
        [line] = [s3.get(bucket, key) for key in s3.keys(bucket)]
    data = members(members(line.rstrip(b"\n"))["_airbyte_data"])
    assert [data[f"v{n}"] for n in range(len(values))] == [value[2] for value in values]


def test_csv(firth, tmp_path, source):
    """Texts as they are, the rest as JSON writes it."""
    values = make_values(source)
    sync(firth, tmp_path, source, {"image": "destination-files", "config": {
        "destination_path": "/local/out", **file_config("CSV", "Root level flattening")}})
    [path] = (tmp_path / "out").rglob("*.csv")
    [row] = written_files.csv_rows(path.read_bytes().decode())
    for n, value in enumerate(values):
        parsed = exact(value[2])
        wants = parsed if parsed is None or isinstance(parsed, str) else value[2].decode()
        assert row[f"v{n}"] == wants, value[:2]
    assert {change["field"]: change["change"] for change in exact(row["_airbyte_meta"])["changes"]} == unsaid(values)


def test_google_sheets(firth, tmp_path, source, sheets):
    """A number is one, or a text of all its digits; what is neither text nor number is JSON."""
    values = make_values(source)
    sync(firth, tmp_path, source, {"image": "airbyte/destination-google-sheets", "config": sheets.config()})
    [row] = sheets.records("vals")
    for n, value in enumerate(values):
        wants, cell = exact(value[2]), row[f"v{n}"]
        if isinstance(wants, decimal.Decimal):
            assert decimal.Decimal(str(cell)) == wants, (value[:2], cell)
        elif isinstance(wants, (list, dict)):
            assert exact(cell) == wants, (value[:2], cell)
        else:
            assert cell == ("" if wants is None else wants if isinstance(wants, bool) else spreadsheets.cell_of(wants)), (value[:2], cell)
