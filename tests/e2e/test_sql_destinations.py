"""Destinations that are databases, under Airbyte's protocol: sync modes, names, evolution, what a kill leaves; read back
by other programs."""

import decimal
import json
import re

import pytest

import scripted
import sql_endpoints
from api import WORKSPACE, register, serve
from conftest import until
from sql_endpoints import changes, meta, without_own


@pytest.fixture(params=sql_endpoints.ENDPOINTS, ids=lambda e: e.name)
def endpoint(request, tmp_path):
    made = request.param(tmp_path)
    if hasattr(made, "start"):
        made.start(request)
    return made


@pytest.fixture
def sync(endpoint, firth):
    return sql_endpoints.Sync(endpoint, firth.path)


@pytest.fixture
def dev_sync(endpoint, firth_dev):
    return sql_endpoints.Sync(endpoint, firth_dev.path)


ID_NAME = {"id": {"type": "integer"}, "name": {"type": ["null", "string"]}}


def pairs(endpoint, table="users", names=("id", "name")):
    return sorted(tuple(row[name] for name in names) for row in endpoint.read(table))


def test_own_columns(endpoint, sync):
    sync.good([{"id": 1, "name": "a"}], ID_NAME, generation=3, emitted_at=1700000000123)
    sync.good([{"id": 2}], ID_NAME, generation=3, emitted_at=1700000000)  # in seconds, as PyAirbyte's cache gives it
    first, second = endpoint.read("users")
    assert list(first)[:4] == ["_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta", "_airbyte_generation_id"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
                        first["_airbyte_raw_id"])
    assert first["_airbyte_raw_id"] != second["_airbyte_raw_id"]
    assert str(first["_airbyte_extracted_at"]).startswith("2023-11-14 22:13:20.123000")
    assert str(second["_airbyte_extracted_at"]).startswith("2023-11-14 22:13:20")
    assert meta(first) == {"sync_id": 9, "changes": []} and first["_airbyte_generation_id"] == 3
    assert without_own([first, second]) == [{"id": 1, "name": "a"}, {"id": 2, "name": None}]


# --- sync modes ------------------------------------------------------------------------------------------


def test_overwrite_dedup(endpoint, sync):
    for value in ("a", "b"):
        sync.good([{"id": n, "name": value + str(n)} for n in (1, 2, 1)], ID_NAME, mode="overwrite_dedup", key=[["id"]])
        assert pairs(endpoint) == [(1, value + "1"), (2, value + "2")]
    sync([{"id": 3}], ID_NAME, mode="overwrite_dedup", key=[["id"]], complete=False)
    assert pairs(endpoint) == [(1, "b1"), (2, "b2")]
    assert not [name for name in endpoint.tables() if name.startswith("_firth")]


def test_overwrite_dedup_of_a_connection(endpoint, firth, tmp_path):
    """The spec says it in a member of its own, since Airbyte's models of the protocol do not know the word; both APIs offer it."""
    client = serve(firth, env=endpoint.env).api
    rows = [{"records": {"stream": "users", "from": first, "to": last}} for first, last in ((1, 3), (2, 3))]
    source = client.config("sources/create", {
        "workspaceId": WORKSPACE, "name": "users", "connectionConfiguration": {"streams": ["users"], "steps": rows},
        "sourceDefinitionId": register(firth, scripted.command("scripted_source"))})["sourceId"]
    name = endpoint.name
    definition, = [each["destinationDefinitionId"] for each in client.config("destination_definitions/list")["destinationDefinitions"]
                   if each["dockerRepository"].endswith(name)]
    spec = client.config("destination_definition_specifications/get", {"destinationDefinitionId": definition, "workspaceId": WORKSPACE})
    assert "overwrite_dedup" in spec["supportedDestinationSyncModes"]
    own = json.loads(firth("connector", name, "spec", expect=0).out)["spec"]
    assert own["supported_destination_sync_modes"] == ["overwrite", "append", "append_dedup"]
    destination = client.config("destinations/create", {"workspaceId": WORKSPACE, "name": "tables", "destinationDefinitionId": definition,
                                                        "connectionConfiguration": endpoint.config()})["destinationId"]
    offered, = client.public("GET", f"streams?sourceId={source}&destinationId={destination}")
    assert "full_refresh_overwrite_deduped" in offered["syncModes"]
    offered, = client.public("GET", f"streams?sourceId={source}&destinationId={client.destination()}")  # files
    assert "full_refresh_overwrite_deduped" not in offered["syncModes"] and "full_refresh_append" in offered["syncModes"]
    made = client.public("POST", "connections", {"sourceId": source, "destinationId": destination, "configurations": {"streams": [
        {"name": "users", "syncMode": "full_refresh_overwrite_deduped", "primaryKey": [["id"]]}]}})
    for _ in range(2):
        job = client.config("connections/sync", {"connectionId": made["connectionId"]})["job"]["id"]
        until(lambda: client.config("jobs/get", {"id": job})["job"]["status"] == "succeeded", "the sync to succeed")  # noqa: B023
        assert sorted(int(row["id"]) for row in endpoint.read("users")) == [1, 2, 3]


DEDUP = {"id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}, "name": {"type": "string"}}


def test_append_dedup_by_cursor(endpoint, sync):
    def write(*records):
        sync.good([{"id": i, "at": at and f"2024-01-0{at}T00:00:00Z", "name": name} for i, at, name in records], DEDUP,
                  mode="append_dedup", key=[["id"]], cursor=["at"])

    write((1, 1, "a"), (1, 3, "c"), (1, 2, "b"), (2, None, "x"), (3, 1, "same"), (3, 1, "later"))
    assert pairs(endpoint) == [(1, "c"), (2, "x"), (3, "later")]
    write((1, 2, "late"), (2, 1, "y"), (3, 1, "again"), (4, 1, "new"))
    assert pairs(endpoint) == [(1, "c"), (2, "y"), (3, "again"), (4, "new")]
    write((4, None, "nothing"), (1, 3, "equal"))
    assert pairs(endpoint) == [(1, "equal"), (2, "y"), (3, "again"), (4, "new")]


def test_dedup_keys(endpoint, sync):
    """Keys of several parts, of parts inside objects; a key with a null in it is nobody else's."""
    properties = {"a": {"type": "string"}, "o": {"type": "object", "properties": {"b": {"type": "integer"}}},
                  "v": {"type": "integer"}}
    for v in (1, 2):
        sync.good([{"a": "x", "o": {"b": 1}, "v": v}, {"a": "x", "o": {"b": 2}, "v": v}, {"a": "y", "o": {}, "v": v},
                   {"a": "y", "o": {}, "v": v}], properties, mode="append_dedup", key=[["a"], ["o", "b"]])
    found = sorted((row["a"], row["o.b"], row["v"]) for row in endpoint.read("users") if row["o.b"])
    assert found == [("x", "1", 2), ("x", "2", 2)]
    assert len(endpoint.read("users")) == 6


def test_dedup_without_a_key(endpoint, sync):
    session = sync.good([{"id": 1}, {"id": 1}], mode="append_dedup")
    assert len(endpoint.read("users")) == 2
    assert any("has no primary key" in json.dumps(m) for m in session.of("LOG"))


@pytest.mark.parametrize("mode", ["Hard delete", "Soft delete"])
def test_cdc_deletion(endpoint, sync, mode):
    properties = {"id": {"type": "integer"}, "lsn": {"type": "integer"},
                  "_ab_cdc_deleted_at": {"type": ["null", "string"], "format": "date-time"}}

    def write(*records):
        sync.good([{"id": i, "lsn": lsn, "_ab_cdc_deleted_at": "2024-01-01T00:00:00Z" if gone else None}
                   for i, lsn, gone in records], properties, mode="append_dedup", key=[["id"]], cursor=["lsn"],
                  config=endpoint.config(cdc_deletion_mode=mode))

    write((1, 1, False), (2, 1, False), (3, 1, False), (3, 2, True))
    write((1, 2, True), (2, 0, True))
    found = [(row["id"], row["_ab_cdc_deleted_at"] is not None) for row in endpoint.read("users")]
    assert sorted(found) == ([(2, False)] if mode == "Hard delete" else [(1, True), (2, False), (3, True)])


def test_generations(endpoint, sync):
    """Rows of older generations go when the stream is complete, and not before."""
    sync.good([{"id": 1}], generation=1)
    sync.good([{"id": 2}], generation=2)
    sync.good([{"id": 3}], generation=3, minimum=3, complete=False)
    assert [row["id"] for row in endpoint.read("users")] == [1, 2, 3]
    sync.good([{"id": 4}], generation=3, minimum=3)
    assert [row["id"] for row in endpoint.read("users")] == [3, 4]


def test_several_streams_interleaved(endpoint, sync, firth):
    names = [f"s{n}" for n in range(5)]
    sync.good({name: [{"id": n} for n in range(300)] for name in names}, {name: ID_NAME for name in names})
    for name in names:
        assert sorted(row["id"] for row in endpoint.read(name)) == list(range(300))


@pytest.mark.parametrize("mode", ["append", "overwrite"])
def test_many_rows_of_two_streams(endpoint, sync, mode):
    """More than DuckDB's appender takes at once, texts short and long, nulls, and a column that is widened among them:
    each row is there once with its own values."""
    def row(n):
        return {"id": 10**20 if n == 15000 else n, "name": None if n % 7 == 0 else f"{n}-" + "x" * (n % 40), "half": n / 2}

    names, rows = ("users", "others"), [row(n) for n in range(20000)]
    sync.good({name: rows for name in names}, {name: {**ID_NAME, "half": {"type": "number"}} for name in names}, mode=mode)
    for name in names:
        found = [(int(each["id"]), each["name"], float(each["half"])) for each in endpoint.read(name)]
        assert sorted(found, key=lambda each: each[2]) == [tuple(each.values()) for each in rows]


def test_rows_larger_than_a_chunk(endpoint, sync):
    rows = [{"id": n, "name": chr(97 + n % 26) * (1 << 20)} for n in range(20)]
    sync.good(rows, ID_NAME)
    assert [(row["id"], row["name"]) for row in endpoint.read("users")] == [tuple(row.values()) for row in rows]


def test_raw_tables(endpoint, sync):
    data = [b'{"id":12345678901234567890.10,"b":1E400}', '{"s":"grün \\u0041","deep":[[],{}]}'.encode()]
    for _ in range(2):
        sync.good(data, config=endpoint.config(tables="raw"))
    rows = endpoint.read("_airbyte_raw_users")
    assert [set(row) for row in rows] == [{"_airbyte_ab_id", "_airbyte_emitted_at", "_airbyte_data"}] * 4
    assert [json.loads(row["_airbyte_data"], parse_float=str) for row in rows] == \
        [json.loads(d, parse_float=str) for d in data] * 2


# --- names -----------------------------------------------------------------------------------------------


def test_names(endpoint, sync):
    """Any text can be a field's name and a stream's; each keeps its column and its table, whatever comes beside it."""
    fields = ["id", "_firth_row", "_FIRTH_operation", "x" * 300, "x" * 299 + "y", 'quo"ted', "naïve ключ 😀", "with space", "select", "a.b", "a/b", "semi;'--",
              "_airbyte_raw_id", "ctid", "nul\0x", "nul"]
    wrote = {name: str(position) for position, name in enumerate(fields)}
    for order in (fields, fields[::-1]):
        sync.good([wrote], {name: {"type": "string"} for name in order}, mode="append_dedup", key=[["x" * 300], ["missing"]])
    first, second = endpoint.read("users")
    assert without_own([first]) == without_own([second])
    assert sorted(value for name, value in first.items() if value in wrote.values()) == sorted(wrote.values())
    for name in ("id", 'quo"ted', "naïve ключ 😀", "with space", "select", "a.b", "a/b", "semi;'--"):
        assert first[name] == wrote[name]
    assert (first["nul␀x"], first["nul"]) == (wrote["nul\0x"], wrote["nul"])
    sync.good([wrote, {**wrote, "id": "last"}], {name: {"type": "string"} for name in fields}, mode="append_dedup",
              key=[["nul\0x"]], stream="others")
    assert [row["id"] for row in endpoint.read("others")] == ["last"]


def test_names_that_differ_in_case(endpoint, sync):
    for fields in (["Name", "name", "NAME"], ["NAME", "name", "Name"], ["name"]):
        sync.good([{name: name for name in fields}], {name: {"type": "string"} for name in fields})
    rows = endpoint.read("users")
    for column in without_own(rows)[0]:
        assert len({row[column] for row in rows if row[column]}) == 1, column
    streams = ["Orders", "orders"]
    for order in (streams, streams[::-1]):
        sync.good({name: [{"id": name}] for name in order}, {name: {"id": {"type": "string"}} for name in order})
    tables = [name for name in endpoint.tables() if name.lower().startswith("orders")]
    assert len(tables) == 2
    assert sorted(tuple(row["id"] for row in endpoint.read(name)) for name in tables) == [
        ("Orders", "Orders"), ("orders", "orders")]


def test_somebody_elses_table(endpoint, sync):
    sync.good([{"id": 1}], stream="first")
    endpoint.execute("CREATE TABLE users (mine INTEGER); INSERT INTO users VALUES (7);")
    for mode in ("append", "overwrite"):
        session = sync([{"id": 1}], mode=mode)
        assert session.rc == 3 and "not one of this connector's" in session.errors()[0]["message"], session
    assert [row["mine"] for row in endpoint.read("users")] == [7]


# --- evolution -------------------------------------------------------------------------------------------


def test_added_columns(endpoint, sync):
    sync.good([{"id": 1}])
    sync.good([{"id": 2, "name": "b"}], ID_NAME)
    sync.good([{"id": 3}])
    assert pairs(endpoint) == [(1, None), (2, "b"), (3, None)]


@pytest.mark.parametrize("before, value, after, new, text", [
    ({"type": "integer"}, 12, {"type": "string"}, "x", "12"),
    ({"type": "boolean"}, True, {"type": "string"}, "x", "true"),
    ({"type": "number"}, 0.1, {"type": "string"}, "x", "0.1"),
    ({"type": "string", "format": "date"}, "2024-02-29", {"type": "string"}, "x", "2024-02-29"),
    ({"type": "string"}, "grün\"'", {"type": "integer"}, 5, "grün\"'"),
])
def test_widened_to_text(endpoint, sync, before, value, after, new, text):
    sync.good([{"v": value}, {"v": None}], {"v": before})
    sync.good([{"v": new}], {"v": after})
    assert [row["v"] for row in endpoint.read("users")] == [text, None, str(new)]


def test_widened_to_json(endpoint, sync):
    sync.good([{"v": "a\"b", "n": 1.5, "b": False}, {}],
              {"v": {"type": "string"}, "n": {"type": "number"}, "b": {"type": "boolean"}})
    union = {"type": ["object", "string", "number", "boolean"]}
    sync.good([{"v": {"x": [1]}, "n": "one", "b": 3}], {"v": union, "n": union, "b": union})
    rows = [[endpoint_json(row[name]) for name in "vnb"] for row in endpoint.read("users")]
    assert rows == [["a\"b", 1.5, False], [None, None, None], [{"x": [1]}, "one", 3]]


def endpoint_json(value):
    return json.loads(value) if isinstance(value, str) else value


def test_integer_to_number(endpoint, sync):
    sync.good([{"v": 9007199254740993}], {"v": {"type": "integer"}})
    sync.good([{"v": 0.5}], {"v": {"type": "number"}})
    assert [str(row["v"]) for row in endpoint.read("users")] == ["9007199254740993", "0.5"]


def test_integers_beyond_64_bits(endpoint, sync):
    """A column grows for a number that it cannot hold, in the middle of a sync, keys too."""
    big = [2**63 - 1, 2**63, -2**63 - 1, 10**30, 10**60 + 1]
    records = [{"id": 1}, *({"id": n} for n in big), {"id": 1}, {"id": 10**30}]
    sync.good(records, mode="append_dedup", key=[["id"]])
    assert sorted(int(row["id"]) for row in endpoint.read("users")) == sorted([1, *big])
    assert all(not changes(row) for row in endpoint.read("users"))


NUMBER = {"type": "number"}


def numbered(endpoint, key="id"):
    return sorted((decimal.Decimal(repr(row[key]) if isinstance(row[key], float) else str(row[key])), row["v"])
                  for row in endpoint.read("users"))


def test_numbers_as_keys(endpoint, sync):
    """Equal numbers are one key, however they are written, before and after their column was widened to text."""
    def write(*numbers, v):
        sync.good([b'{"id":%s,"v":%d}' % (number.encode(), v) for number in numbers], {"id": NUMBER, "v": {"type": "integer"}},
                  mode="append_dedup", key=[["id"]])
        return numbered(endpoint)

    first = ["1", "2.0", "10", "0.5", "-0.0", "3e+20", "1e300"]
    found = write(*first, v=1)
    assert found == sorted((decimal.Decimal(number), 1) for number in first)
    big = ["1795337344112358413", "12345678901234567890.10"]
    found = write("2", *big, "1.0", "1", "12345678901234567890.1", v=2)
    kept = {**dict.fromkeys(map(decimal.Decimal, first), 1), **dict.fromkeys(map(decimal.Decimal, [*big, "1", "2"]), 2)}
    assert found == sorted(kept.items())
    again = ["1e0", "2", "1e1", "5e-1", "0", "300000000000000000000", "10e299", *big]
    assert write(*again, v=3) == sorted((decimal.Decimal(number), 3) for number in again)
    # As earlier versions left them: 1.0 for 1 beside what came later.
    if endpoint.name == "destination-postgres":
        return
    old = {"destination-duckdb": ("'1.0'", "'2.0'"), "destination-sqlite": ("3e20", "'0.50'")}[endpoint.name]
    endpoint.execute(f"INSERT INTO users (id, v) VALUES ({old[0]}, 1); DELETE FROM users WHERE id IN ('2', 0.5); "
                     f"INSERT INTO users (id, v) VALUES ({old[1]}, 3)" if endpoint.name == "destination-sqlite" else
                     f"INSERT INTO users (id, v) VALUES ({old[0]}, 1); UPDATE users SET id = {old[1]} WHERE id = '2'")
    assert write("77", v=3) == sorted((decimal.Decimal(number), 3) for number in [*again, "77"])


def test_numbers_as_cursors(endpoint, sync):
    """The highest number counts, of a column that was widened to text too, and of a key that is there twice."""
    def write(*numbers):
        sync.good([b'{"id":1,"rev":%s,"v":%d}' % (number.encode(), n) for n, number in enumerate(numbers)],
                  {"id": NUMBER, "rev": NUMBER, "v": {"type": "integer"}}, mode="append_dedup", key=[["id"]], cursor=["rev"])
        (key, _), = numbered(endpoint)
        (rev, v), = numbered(endpoint, "rev")
        assert key == 1 and v == [n for n, number in enumerate(numbers) if decimal.Decimal(number) == rev][-1]
        return str(rev)

    assert write("-3", "9.5", "9") == "9.5"
    assert write("9.600000000000000000001", "9.60000000000000000000099") == "9.600000000000000000001"
    assert write("10.25", "9") == "10.25"
    assert write("100", "99.5", "100.0") in ("100", "1E+2", "100.0")
    sync.good([{"id": 1, "rev": 99, "v": 7}], {"id": NUMBER, "rev": NUMBER, "v": {"type": "integer"}}, mode="append_dedup",
              key=[["id"]], cursor=["rev"])
    assert numbered(endpoint, "rev") == [(100, 2)]


# --- kills -----------------------------------------------------------------------------------------------


def kills():
    """Each database in each mode, and at each point; what is left to `make test-full` is shown by another database."""
    for e, endpoint in enumerate(sql_endpoints.ENDPOINTS):
        for m, mode in enumerate(["append", "overwrite", "append_dedup", "overwrite_dedup"]):
            for p, point in enumerate(["sql.commit.before", "sql.commit.after", "sql.finish.before"]):
                yield pytest.param(endpoint, mode, point, id=f"{endpoint.name}-{mode}-{point}", marks=[] if (m + p) % 3 == e else pytest.mark.full)


@pytest.mark.parametrize("endpoint, mode, point", list(kills()), indirect=["endpoint"])
def test_killed_and_run_again(endpoint, dev_sync, mode, point):
    """Whatever the moment: the old rows are whole or the new ones are, and another sync makes it right."""
    dedup = mode.endswith("dedup")
    dev_sync.good([{"id": 1, "name": "old"}, {"id": 2, "name": "old"}], ID_NAME, mode=mode, key=[["id"]])
    session = dev_sync([{"id": n, "name": "new"} for n in (2, 3)], ID_NAME, mode=mode, key=[["id"]], kill=point)
    assert session.rc == -9 or (point == "sql.finish.before" and session.rc == 0), session
    found = set(pairs(endpoint))
    old = {(1, "old"), (2, "old")}
    if mode.startswith("overwrite"):
        assert found == old and not session.states()
    elif point == "sql.commit.before":
        assert found == old and not session.states()
    else:
        assert found == ({(1, "old"), (2, "new"), (3, "new")} if dedup else old | {(2, "new"), (3, "new")})
    dev_sync.good([{"id": n, "name": "new"} for n in (2, 3)], ID_NAME, mode=mode, key=[["id"]])
    found = set(pairs(endpoint))
    assert found == {"append": old | {(2, "new"), (3, "new")}, "append_dedup": {(1, "old"), (2, "new"), (3, "new")},
                     }.get(mode, {(2, "new"), (3, "new")})
    assert not [name for name in endpoint.tables() if name.startswith("_firth")]


def test_killed_after_tables_changed(endpoint, dev_sync):
    """What a database writes of added and widened columns, swaps and deletions can be read again after a crash."""
    dev_sync.good([{"id": 1, "v": 1}], {"id": {"type": "integer"}, "v": {"type": "integer"}})
    changed = {"id": {"type": "integer"}, "v": {"type": "string"}, "w": {"type": ["integer", "string"]}}
    for attempt in range(2):
        session = dev_sync([{"id": 2, "v": "x", "w": 3}, {"id": 10**30}], changed, kill="sql.commit.after")
        assert session.rc == -9, session
        rows = [(int(row["id"]), row["v"], row["w"]) for row in endpoint.read("users")]
        assert rows == [(1, "1", None)] + (attempt + 1) * [(2, "x", "3"), (10**30, None, None)]
    for mode in ("overwrite", "overwrite_dedup", "append_dedup"):
        session = dev_sync([{"id": 1}], mode=mode, key=[["id"]], kill="sql.commit.after", stream="other")
        assert session.rc == -9, session
        dev_sync.good([{"id": 2}], mode=mode, key=[["id"]], stream="other")
        assert 2 in [row["id"] for row in endpoint.read("other")]
