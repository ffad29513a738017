"""`pyab destination-smoke-test` and what it does not do itself: every value sent is compared with what the destination holds.

A program between records what the destination gets. DESTINATIONS says of each destination how it is configured and read back; a
new one is a row there.
"""

import contextlib
import dataclasses
import decimal
import gzip
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import types
import typing

import sheets
import sql_endpoints
import written_files


SOURCE = pathlib.Path(__file__).parent / "programs" / "smoke_source.py"


def exact(text):
    """JSON with numbers as their text says: 1 is not 1.0, and no digit is lost."""
    return json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)


def wrapper(path, firth, connector, root, record=None):
    """A program that is one of Firth's connectors: what PyAirbyte calls a local executable."""
    run = f'exec {firth.path} connector {connector} "$@"'
    if record:
        run = f"""case $1 in
write)
    number=$(ls {record} | grep -c messages)
    for word; do [ "$last" = --catalog ] && cp "$word" "{record}/$number.catalog"; last=$word; done
    tee "{record}/$number.messages" | {firth.path} connector {connector} "$@" ;;
*) {run} ;;
esac"""
    path.write_text(f"#!/bin/sh\nexport FIRTH_LOCAL_ROOT={root}\n{run}\n")
    path.chmod(0o755)
    return path


@dataclasses.dataclass
class Sent:
    """A stream as the destination was given it, in one or more writes."""
    configured: dict
    rows: list = dataclasses.field(default_factory=list)

    def has_key(self, deduplicates):
        return bool(deduplicates and self.configured.get("primary_key")
                    and self.configured["destination_sync_mode"] == "append_dedup")

    def expected(self, deduplicates):
        """Its rows in order; with keys, and where the destination heeds them, the last of each key."""
        if not self.has_key(deduplicates):
            return self.rows
        return list({same_key(row, self.configured["primary_key"]): row for row in self.rows}.values())


def sent(record):
    """{(namespace, stream): Sent} of all the recorded writes."""
    streams = {}
    for catalog in sorted(record.glob("*.catalog"), key=lambda path: int(path.stem)):
        for each in json.loads(catalog.read_text())["streams"]:
            streams.setdefault((each["stream"].get("namespace"), each["stream"]["name"]), Sent(each))
        for line in catalog.with_suffix(".messages").read_bytes().splitlines():
            message = exact(line)
            if message["type"] == "RECORD":
                found = message["record"]
                streams[found.get("namespace"), found["stream"]].rows.append(found["data"])
    return streams


@dataclasses.dataclass
class Destination:
    name: str
    config: typing.Callable  # of the place it writes to
    rows: typing.Callable  # (place, namespace, stream) -> the rows, in the order they have there
    deduplicates: bool
    differ: typing.Callable = lambda sent, held, schema: [] if sent == held else [f"{sent} is {held}"]
    place: typing.Callable = lambda folder, request: folder  # of the folder that is the test's own, and pytest's request


def local_json_rows(folder, _namespace, stream):
    path = folder / "out" / f"_airbyte_raw_{re.sub('[^A-Za-z0-9_]', '_', stream)}.jsonl"
    return [exact(line)["_airbyte_data"] for line in path.read_bytes().splitlines()]


def sqlite_rows(folder, namespace, stream):
    with contextlib.closing(sqlite3.connect(folder / "out.db")) as db:
        db.row_factory = sqlite3.Row
        table = f"{namespace}_{stream}".replace('"', '""')
        return [dict(row) for row in db.execute(f'select * from "{table}" order by rowid')]


def database(endpoint):
    """Its place: what tests know of that database."""
    def make(folder, request):
        made = endpoint(folder)
        if hasattr(made, "start"):
            made.start(request)
        return made
    return make


def database_rows(endpoint, namespace, stream):
    return endpoint.read(stream, namespace)


def moment(text):
    """Date, time, fraction and zone of a time in any of its spellings."""
    date, time, fraction, zone = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)?[T ]?(\d\d:\d\d:\d\d)?(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?", text).groups()
    return date, time, (fraction or "").rstrip("0"), "+00:00" if zone == "Z" else zone


def column_differs(sent, held, schema):
    """Of a typed column: what it holds is what was sent, in the column's own way of writing it."""
    kinds = schema.get("type", [])
    kinds = {kinds} - {"null"} if isinstance(kinds, str) else set(kinds) - {"null"}
    if sent is None or held is None:
        return sent is not held
    if isinstance(sent, bool):
        return bool(held) is not sent
    if kinds <= {"integer", "number"} and kinds:
        return decimal.Decimal(str(held)) != sent
    if schema.get("format") in ("date-time", "time", "date"):
        return moment(held) != moment(sent)
    if kinds == {"string"}:
        return held != (sent if isinstance(sent, str) else json.dumps(sent))
    return exact(held) != sent


def column_of(name, held):
    """A name that is too long for the database is there cut short, and with what tells it from its like."""
    if name in held or len(name) <= 63:
        return held[name]
    cut, = [each for each in held if len(each) <= 63 and each.startswith(name[:40])]
    return held[cut]


def columns_differ(sent, held, schema):
    """What `_airbyte_meta` names as not to be had is null, and nothing else."""
    changed = {each["field"] for each in json.loads(held["_airbyte_meta"])["changes"] if each["change"] == "NULLED"}
    found = []
    for name, of in schema["properties"].items():
        value = column_of(name, held)
        if value is not None if name in changed else column_differs(sent.get(name), value, of):
            found.append(f"{name}: {sent.get(name)!r} is {value!r}")
    return found


def cell_differs(sent, cell, null, of_text):
    """Of a cell of CSV or of a spreadsheet, which has no types. `null`: what null is there; `of_text`: what a text is."""
    if sent is None:
        return cell != null
    if isinstance(sent, str):
        return cell != of_text(sent)
    if isinstance(sent, bool):
        return str(cell).lower() != str(sent).lower()
    return decimal.Decimal(str(cell)) != sent if isinstance(sent, decimal.Decimal) else exact(cell) != sent


def cells_differ(null, of_text=str):
    def differ(sent, held, schema):
        return [f"{name}: {sent.get(name)!r} is {held[name]!r}" for name in schema["properties"]
                if cell_differs(sent.get(name), held[name], null, of_text)]
    return differ


def files_of(folder, namespace, stream, ending):
    """In the order in which they were written."""
    return sorted(pathlib.Path(folder, "out", namespace, stream).glob(f"firth_*{ending}"))


def json_lines_rows(folder, namespace, stream):
    return [exact(line)["_airbyte_data"] for path in files_of(folder, namespace, stream, ".jsonl.gz")
            for line in gzip.decompress(path.read_bytes()).splitlines()]


def csv_rows(folder, namespace, stream):
    return [row for path in files_of(folder, namespace, stream, ".csv") for row in written_files.csv_rows(path.read_bytes().decode())]


def parquet_rows(folder, namespace, stream):
    return [row for path in files_of(folder, namespace, stream, ".parquet") for row in written_files.parquet_rows(path)]


def s3_rows(place, namespace, stream):
    keys = sorted(place.server.keys(place.bucket, f"out/{namespace}/{stream}/"))
    return [exact(line)["_airbyte_data"] for key in keys
            for line in gzip.decompress(place.server.get(place.bucket, key)).splitlines()]


def s3_bucket(_folder, request):
    server = request.getfixturevalue("s3")
    return types.SimpleNamespace(server=server, bucket=server.bucket())


def s3_config(place):
    return {"s3_bucket_name": place.bucket, "s3_bucket_path": "out", "s3_endpoint": place.server.url, "access_key_id": place.server.key_id,
            "secret_access_key": place.server.secret, "s3_bucket_region": place.server.region, "format": {"format_type": "JSONL"}}


def files_config(kind, **more):
    return lambda _folder: {"destination_path": "/local/out", "format": {"format_type": kind, **more}}


def sheets_rows(server, _namespace, stream):
    return server.records(stream)


def same_key(row, key):
    return json.dumps([str(row[path[0]]) for path in key])


DESTINATIONS = [
    Destination("destination-local-json", lambda folder: {"destination_path": "/local/out"}, local_json_rows, deduplicates=False),
    Destination("destination-sqlite", lambda folder: {"destination_path": "/local/out.db"}, sqlite_rows, deduplicates=True,
                differ=columns_differ),
    Destination("destination-files", files_config("JSONL"), json_lines_rows, deduplicates=False),
    Destination("destination-files", files_config("CSV", flattening="Root level flattening", compression={
        "compression_type": "No Compression"}), csv_rows, deduplicates=False, differ=cells_differ(None)),
    Destination("destination-files", files_config("Parquet"), parquet_rows, deduplicates=False, differ=columns_differ),
    Destination("destination-s3", s3_config, s3_rows, deduplicates=False, place=s3_bucket),
    Destination("destination-google-sheets", lambda server: server.config(), sheets_rows, deduplicates=True, differ=cells_differ("", sheets.cell_of),
                place=lambda _folder, request: request.getfixturevalue("sheets")),
    *(Destination(endpoint.name, lambda place: place.config(), database_rows, deduplicates=True, differ=columns_differ,
                  place=database(endpoint)) for endpoint in (sql_endpoints.PostgreSQL, sql_endpoints.DuckDB)),
]


def run(destination, firth, folder, place, pyab, env):
    """The tool's summary, and what it sent."""
    record = folder / "record"
    record.mkdir()
    program = wrapper(folder / destination.name, firth, destination.name, folder, record)
    source = folder / "bin" / "source-smoke-test"
    source.parent.mkdir()
    source.write_text(f'#!/bin/sh\nexec {pyab.parent / "python"} {SOURCE} "$@"\n')
    source.chmod(0o755)
    done = subprocess.run(
        [str(pyab), "destination-smoke-test", f"--destination={program}", f"--config={json.dumps(destination.config(place))}",
         "--scenarios=all"], cwd=folder, env={**env, "PATH": f"{source.parent}{os.pathsep}{env['PATH']}"},
        capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(done.stdout[done.stdout.index("{"):]), sent(record)


def replay(destination, firth, folder, place, record):
    """The writes that `record` holds of another destination, to this one; what was sent."""
    program = wrapper(folder / destination.name, firth, destination.name, folder)
    config = folder / "config.json"
    config.write_text(json.dumps(destination.config(place)))
    for catalog in sorted(record.glob("*.catalog"), key=lambda path: int(path.stem)):
        with open(catalog.with_suffix(".messages"), "rb") as messages:
            done = subprocess.run([program, "write", "--config", config, "--catalog", catalog], stdin=messages, cwd=folder,
                                  capture_output=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
    return sent(record)


def differences(destination, place, streams):
    """What the destination holds otherwise than it was sent, as text."""
    found = []
    for (namespace, name), stream in streams.items():
        schema = stream.configured["stream"]["json_schema"]
        wanted, held = stream.expected(destination.deduplicates), destination.rows(place, namespace, name)
        if stream.has_key(destination.deduplicates):
            wanted, held = (sorted(rows, key=lambda row: same_key(row, stream.configured["primary_key"])) for rows in (wanted, held))
        if len(wanted) != len(held):
            found.append(f"{name}: {len(held)} rows of {len(wanted)}")
        for row, there in zip(wanted, held):
            found += [f"{name}: {each}" for each in destination.differ(row, there, schema)]
    return found
