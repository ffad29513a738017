"""PyAirbyte runs the built-in connectors as programs of its own, and drives the daemon as it drives Airbyte's cloud."""

import json

import pytest

from api import WORKSPACE, serve
from clients import smoke
from conftest import FULL
from clients.conftest import environment, program
from e2e.postgres_source import airbyte_config

CONFIG = {"count": 30, "seed": 7, "always_updated": False}
STREAMS = ["products", "purchases", "users"]


@pytest.fixture
def source(firth, tmp_path):
    return str(smoke.wrapper(tmp_path / "source-faker", firth, "source-faker", tmp_path / "root"))


def reads(source, config, cache):
    """Check, discover, read into DuckDB twice; the rows as JSON."""
    import json
    from decimal import Decimal
    import airbyte as ab
    into = ab.caches.DuckDBCache(db_path=cache)
    connector = ab.get_source("source-faker", config=config, local_executable=source, streams="*")
    connector.check()
    found = {"available": sorted(connector.get_available_streams()), "read": []}
    for _ in range(2):
        found["read"].append(connector.read(cache=into).processed_records)
    with into.get_sql_engine().connect() as db:
        for stream in found["available"]:
            rows = db.exec_driver_sql(f'select * from main."{stream}" order by id').mappings()
            found[stream] = [{name: value for name, value in row.items() if not name.startswith("_airbyte")} for row in rows]
    return json.loads(json.dumps(found, default=lambda value: float(value) if isinstance(value, Decimal) else str(value)))


def offered(firth, tmp_path, stream):
    """What the source says by itself."""
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [{
        "stream": {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "full_refresh", "destination_sync_mode": "append"}]}))
    read = firth("connector", "source-faker", "read", "--config", tmp_path / "config.json", "--catalog",
                 tmp_path / "catalog.json", expect=0)
    return [line["record"]["data"] for line in read.lines() if line["type"] == "RECORD"]


def plain(value):
    """As the cache shows it: objects as text, times without zone and T."""
    if isinstance(value, str) and value[:2] in ("{\"", "{'"):
        return json.loads(value)
    if isinstance(value, str) and value[:2] == "20" and len(value) >= 19 and value[10] in "T ":
        return value[:19].replace("T", " ")
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def plain_row(row):
    return {name: plain(value) for name, value in row.items() if value is not None}


def test_reads_a_source(pyairbyte, source, firth, tmp_path):
    found = pyairbyte(reads, source=source, config=CONFIG, cache=str(tmp_path / "cache.duckdb"))
    assert found["available"] == STREAMS
    assert found["read"] == [sum(len(found[stream]) for stream in STREAMS), 0]  # the second began where the first ended
    for stream in STREAMS:
        wanted = [plain_row(row) for row in offered(firth, tmp_path, stream)]
        assert len(wanted) > 0 and [plain_row(row) for row in found[stream]] == wanted, stream


def reads_a_table(source, config, cache):
    """Into DuckDB, from where the last read ended: how many records, and the rows by their key."""
    import airbyte as ab
    into = ab.caches.DuckDBCache(db_path=cache)
    connector = ab.get_source("source-postgres", config=config, local_executable=source, streams=["t"])
    connector.check()
    count = connector.read(cache=into).processed_records
    with into.get_sql_engine().connect() as db:
        rows = db.exec_driver_sql("select id, amount, name from main.t order by id").fetchall()
    return [count, [[row[0], None if row[1] is None else str(row[1]), row[2]] for row in rows]]


def test_reads_a_database(pyairbyte, firth, tmp_path, database):
    """By xmin: each stream has a state of its own. One for all, as change data capture has, PyAirbyte's cache keeps, but does
    not give back: it reads everything again."""
    database.run("CREATE TABLE t (id int PRIMARY KEY, amount numeric(12,2), name text);"
                 "INSERT INTO t SELECT i, i + 0.25, 'n' || i FROM generate_series(1, 100) i")
    program_of_it = smoke.wrapper(tmp_path / "source-postgres", firth, "source-postgres", tmp_path / "root")
    config = airbyte_config(database, {"method": "Xmin"})

    def read():
        return pyairbyte(reads_a_table, source=str(program_of_it), config=config, cache=str(tmp_path / "cache.duckdb"))

    count, rows = read()
    assert count == 100 and [(float(amount), name) for _, amount, name in rows] == [(i + 0.25, f"n{i}") for i in range(1, 101)]
    assert read()[0] == 0
    database.run("UPDATE t SET amount = NULL WHERE id = 7; INSERT INTO t VALUES (101, -1.50, 'new')")
    count, rows = read()
    assert count == 2
    found = {row[0]: row[1:] for row in rows}
    assert found[7] == [None, "n7"] and found[8][1] == "n8" and float(found[101][0]) == -1.5 and len(found) == 101


def writes(source, source_config, destination, config, cache):
    """Twice: what has been read once is not sent again."""
    import airbyte as ab
    state = ab.caches.DuckDBCache(db_path=cache)
    read = ab.get_source("source-faker", config=source_config, local_executable=source, streams=["users"])
    write = ab.get_destination("destination-local-json", config=config, local_executable=destination)
    write.check()
    return [write.write(read, cache=False, state_cache=state).processed_records for _ in range(2)]


def test_writes_to_a_destination(pyairbyte, source, firth, tmp_path):
    destination = smoke.wrapper(tmp_path / "destination-local-json", firth, "destination-local-json", tmp_path)
    counts = pyairbyte(writes, source=source, source_config=CONFIG, destination=str(destination),
                       config={"destination_path": "/local/out"}, cache=str(tmp_path / "state.duckdb"))
    assert counts == [30, 0]
    lines = (tmp_path / "out" / "_airbyte_raw_users.jsonl").read_text().splitlines()
    assert [json.loads(line)["_airbyte_data"] for line in lines] == offered(firth, tmp_path, "users")


@pytest.fixture(scope="module")
def recorded():
    """Folders of what the tool sent, in the order of the tests."""
    return []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("destination", smoke.DESTINATIONS, ids=lambda each: each.name)
def test_smoke_test_with_every_value_compared(destination, firth, tmp_path, request, recorded):
    """The tool itself takes half a minute and sends each destination the same: the others get what it sent the first,
    unless tests are to be thorough."""
    place = destination.place(tmp_path, request)
    if recorded and not FULL:
        sent = smoke.replay(destination, firth, tmp_path, place, recorded[0])
    else:
        summary, sent = smoke.run(destination, firth, tmp_path, place, program("pyairbyte", "pyab"), environment(tmp_path))
        assert summary["success"] is True and summary["preflight_passed"] is True
        recorded.append(tmp_path / "record")
    assert len(sent) >= 22 and sum(len(stream.rows) for stream in sent.values()) >= 1050
    assert {name for _, name in sent} >= {"large_decimals_and_numbers", "duplicate_primary_keys", "large_batch_stream",
                                          "unicode_and_special_strings", "empty_stream"}
    assert smoke.differences(destination, place, sent) == []


def test_comparison_sees_what_is_wrong(tmp_path):
    """A digit, a row too few, rows exchanged."""
    destination = smoke.DESTINATIONS[0]
    stream = smoke.Sent({"stream": {"name": "s", "json_schema": {}}, "destination_sync_mode": "append"},
                        [smoke.exact('{"n": 1.10}'), smoke.exact('{"n": 2}')])
    held = []
    destination = smoke.Destination("x", None, lambda *_: held, deduplicates=False)
    for rows, wrong in ((['{"n": 1.10}', '{"n": 2}'], 0), (['{"n": 1.11}', '{"n": 2}'], 1), (['{"n": 1.10}'], 1),
                        (['{"n": 2}', '{"n": 1.10}'], 2)):
        held[:] = [smoke.exact(row) for row in rows]
        assert len(smoke.differences(destination, tmp_path, {(None, "s"): stream})) == wrong


@pytest.mark.parametrize("sent, held, kind, differs", [
    ("1.10", 1.1, {"type": "number"}, False), ("1.10", "1.10", {"type": ["null", "number"]}, False),
    ("12345678901234567890.1", 12345678901234567890.1, {"type": "number"}, True), ("null", 0, {"type": "integer"}, True),
    ("true", 1, {"type": "boolean"}, False), ("false", 1, {"type": "boolean"}, True), ('"1"', "1", {"type": "string"}, False),
    ('"2024-01-31T13:05:00Z"', "2024-01-31 13:05:00.000000+00:00", {"type": "string", "format": "date-time"}, False),
    ('"2024-01-31T13:05:01Z"', "2024-01-31 13:05:00.000000+00:00", {"type": "string", "format": "date-time"}, True),
    ('"2024-01-31T13:05:00"', "2024-01-31 13:05:00.000000+00:00", {"type": "string", "format": "date-time"}, True),
    ('{"a": [1.0]}', '{"a":[1.0]}', {"type": "object"}, False), ('{"a": 1}', '{"a":2}', {"type": "object"}, True),
])
def test_comparison_of_columns(sent, held, kind, differs):
    assert smoke.column_differs(smoke.exact(sent), held, kind) is differs


@pytest.mark.parametrize("sent, held, differs", [
    ("null", None, False), ("null", "", True), ('""', "", False), ('""', None, True), ("1.10", "1.1", False), ("1.10", 1.1, False),
    ("12345678901234567890.1", 12345678901234567890.1, True), ("true", "true", False), ("true", True, False), ("false", "true", True),
    ('"a"', "a", False), ('"1.0"', "1", True), ('[1.0, "a"]', '[1.0,"a"]', False), ('{"a": 1}', '{"a":2}', True),
])
def test_comparison_of_cells(sent, held, differs):
    differ = smoke.cells_differ(None)
    assert bool(differ({"v": smoke.exact(sent)}, {"v": held}, {"properties": {"v": {}}})) is differs


def test_what_is_named_as_not_to_be_had():
    schema = {"properties": {"n": {"type": "integer"}}}
    for held, changes, wrong in ((None, ["n"], 0), (1, ["n"], 1), (None, [], 1)):
        meta = json.dumps({"changes": [{"field": each, "change": "NULLED"} for each in changes]})
        assert len(smoke.columns_differ({"n": "abc"}, {"n": held, "_airbyte_meta": meta}, schema)) == wrong


def drives(root, workspace, client, secret, connection, source):
    import airbyte as ab
    from airbyte.cloud import CloudWorkspace
    there = CloudWorkspace(workspace_id=workspace, client_id=client, client_secret=secret, api_root=root)
    there.connect()
    found = {"sources": [each.name for each in there.list_sources()],
             "connections": [each.connection_id for each in there.list_connections()]}
    known = there.get_connection(connection)
    found["streams"] = known.stream_names
    result = known.run_sync(wait=True, wait_timeout=100)
    found["sync"] = [result.get_job_status().value, result.records_synced]
    found["attempts"] = [[each.attempt_id, each.status, each.records_synced] for each in result.get_attempts()]
    found["log"] = result.get_attempts()[0].get_full_log_text()
    found["history"] = len(known.get_previous_sync_logs())
    found["state"] = known.dump_raw_state()
    found["catalog"] = [each["stream"]["name"] for each in known.dump_raw_catalog()["streams"]]
    known.rename("renamed, deleteme")
    known.set_enabled(enabled=False)
    found["enabled"] = there.get_connection(connection).enabled
    known.permanently_delete(cascade_delete_source=False, cascade_delete_destination=False)
    found["left"] = len(there.list_connections())
    there.deploy_source(name="deployed", source=ab.get_source("source-faker", config={"count": 3}, local_executable=source))
    found["deployed"] = sorted(each.name for each in there.list_sources())
    return found


def test_drives_the_daemon(pyairbyte, firth, source):
    api = serve(firth).api
    connection = api.connection("/local/out", source=api.source(count=20, seed=7))
    made = api.public("POST", "applications", {"name": "pyairbyte"})
    found = pyairbyte(drives, root=f"{api.url}/api/public/v1", workspace=WORKSPACE, client=made["clientId"],
                      secret=made["clientSecret"], connection=connection, source=source)
    assert (found["sources"], found["connections"], found["streams"]) == (["faker"], [connection], ["users"])
    assert found["sync"] == ["succeeded", 20] and found["attempts"] == [[0, "succeeded", 20]]
    assert "succeeded" in found["log"] and found["history"] == 1 and found["deployed"] == ["deployed", "faker"]
    assert found["state"][0]["stream"]["stream_descriptor"]["name"] == "users"
    assert found["catalog"] == ["users"] and found["enabled"] is False and found["left"] == 0
