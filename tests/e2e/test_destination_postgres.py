"""destination-postgres against a real server: what only PostgreSQL has."""

import concurrent.futures
import json
import random

import pytest

import sql_endpoints
from conftest import until
from test_sql_flow import Materialization, begin, commit


@pytest.fixture
def endpoint(request, tmp_path):
    made = sql_endpoints.PostgreSQL(tmp_path)
    made.start(request)
    return made


@pytest.fixture
def sync(endpoint, firth):
    return sql_endpoints.Sync(endpoint, firth.path)


def test_namespaces_are_schemas(endpoint, sync):
    """They are made if need be; a config's schema is that of streams without one."""
    for space in ("sales", 'odd "one"', "s" * 70):
        sync.good([{"id": 1}], namespace=space)
    sync.good([{"id": 2}], config=endpoint.config(schema="mine"))
    schemas = {name for name, in endpoint.database.rows("SELECT nspname FROM pg_namespace")}
    assert {"sales", 'odd "one"', "mine"} <= schemas and any(name.startswith("s" * 50 + "_") or name.startswith("s" * 54)
                                                            for name in schemas)
    assert [row["id"] for row in endpoint.read("users", "sales")] == [1]
    assert [row["id"] for row in endpoint.read("users", "mine")] == [2]


def test_overwrite_under_a_view(endpoint, sync):
    """A view hangs on the table: that one stays, and has the new rows."""
    sync.good([{"id": 1}], mode="overwrite")
    endpoint.execute("CREATE VIEW seen AS SELECT id FROM users")
    sync.good([{"id": 2, "name": "b"}, {"id": 3}], {"id": {"type": "integer"}, "name": {"type": "string"}}, mode="overwrite")
    assert endpoint.database.rows("SELECT id FROM seen ORDER BY id") == [["2"], ["3"]]
    assert [(row["id"], row["name"]) for row in endpoint.read("users")] == [(2, "b"), (3, None)]
    assert endpoint.tables() == ["users"]


@pytest.mark.parametrize("mode, theirs", [("overwrite", "SELECT count(*) FROM users"),
                                          ("append", "LOCK TABLE users IN SHARE MODE")])
def test_a_table_that_somebody_has_locked(endpoint, sync, mode, theirs):
    """It is waited for; the log says for whom, and readers get through meanwhile."""
    sync.good([{"id": 1}], mode=mode)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT l.pid%'"
    psql = endpoint.database.interactive()
    psql.stdin.write(f"BEGIN; {theirs}; SELECT 'process ' || pg_backend_pid();\n")
    process = next(line.strip() for line in psql.stdout if line.startswith("process"))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(sync, [{"id": 2}], mode=mode, generation=2)
        try:
            until(lambda: endpoint.database.value(waiting) != "0", "the sync to wait for the table")
            assert endpoint.database.value("SELECT count(*) FROM users") == "1"
            assert not running.done()
        finally:
            psql.communicate("COMMIT;\n\\q\n")
        session = running.result()
    assert session.rc == 0, session
    assert any(process in json.dumps(message) and '"WARN"' in json.dumps(message) for message in session.of("LOG")), session
    assert sorted(row["id"] for row in endpoint.read("users")) == ([2] if mode == "overwrite" else [1, 2])


def test_a_view_on_a_column_that_is_to_be_widened(endpoint, sync):
    """PostgreSQL refuses; the error names the view and says what to do."""
    sync.good([{"id": 1}])
    endpoint.execute("CREATE VIEW seen AS SELECT id FROM users")
    for record, type_ in (({"id": "x"}, "string"), ({"id": 10**30}, "integer")):
        session = sync([record], {"id": {"type": type_}})
        error = session.errors()[0]
        assert session.rc != 0 and error["failure_type"] == "config_error", session
        assert "view public.seen depends on column" in error["message"] and "drop what depends on" in error["message"], session
    assert [row["id"] for row in endpoint.read("users")] == [1]


def test_limits_of_the_server(endpoint, sync):
    """The same rows would fail again."""
    names = [f"c{n}" for n in range(1600)]
    for records, properties, more, says in (
            ([{}], {name: {"type": "string"} for name in names}, {}, "tables can have at most 1600 columns"),
            ([{"id": random.randbytes(9000).hex()}], {"id": {"type": "string"}}, {"mode": "append_dedup", "key": [["id"]]}, "index row")):
        session = sync(records, properties, **more)
        error = session.errors()[0]
        assert session.rc != 0 and error["failure_type"] == "config_error" and says in error["message"], session


def test_a_user_with_few_rights(endpoint, sync):
    """It needs to create tables in its schema, not schemas."""
    endpoint.execute("CREATE ROLE few LOGIN PASSWORD 'few'; CREATE SCHEMA its AUTHORIZATION few; CREATE SCHEMA other;")
    config = endpoint.config(username="few", password="few", schema="its")
    sync.good([{"id": 1}], config=config)
    sync.good([{"id": 2}], config=config, mode="overwrite")
    assert [row["id"] for row in endpoint.read("users", "its")] == [2]
    session = sync.runner("check", config={**config, "schema": "other"})
    status = session.one("CONNECTION_STATUS")["connectionStatus"]
    assert status["status"] == "FAILED" and "permission denied for schema other" in status["message"]
    endpoint.execute("DROP SCHEMA its CASCADE; DROP ROLE few")


def test_estuarys_spelling(endpoint, firth):
    db = endpoint.database
    config = {"address": f"{db.host}:{db.port}", "user": db.user, "database": db.name, "schema": "flow",
              "credentials": {"auth_type": "UserPassword", "password": db.password}, "hardDelete": True,
              "advanced": {"sslmode": "disable"}}
    mat = Materialization(endpoint, firth.path, config=config)
    assert set(mat.flow({"spec": {}}).one("spec")["configSchema"]["required"]) == {"address", "user"}
    mat.apply()
    talk, _ = mat.open()
    begin(talk)
    commit(talk, [mat.store({"id": n, "name": "a", "sum": 1}) for n in (1, 2)], 1)
    begin(talk, [[1]])
    commit(talk, [mat.store({"id": 1, "name": None, "sum": 1}, exists=True, delete=True)], 2)
    assert talk.end()[0] == 0
    assert [row["id"] for row in endpoint.read("sums", "flow")] == [2]
    assert endpoint.types("sums", "flow") == {"id": "bigint", "name": "text", "sum": "numeric", "flow_document": "json"}
    assert db.rows("SELECT task, fence, checkpoint FROM flow.firth_checkpoints") == [["acmeCo/mat", "1", '{"n": 2}']]


def test_a_table_of_airbytes(endpoint, sync):
    """What Airbyte's connector has made goes on being used."""
    endpoint.execute("CREATE TABLE users (_airbyte_raw_id varchar NOT NULL, _airbyte_extracted_at timestamptz NOT NULL, "
                     "_airbyte_meta jsonb NOT NULL, _airbyte_generation_id bigint, id bigint, name varchar)")
    sync.good([{"id": 1, "name": "é"}], {"id": {"type": "integer"}, "name": {"type": "string"}})
    assert [(row["id"], row["name"]) for row in endpoint.read("users")] == [(1, "é")]


def test_limits_of_airbytes_columns(endpoint, sync):
    """Lengths and precisions go where a value may not keep to them; an id of ours has room."""
    endpoint.execute("CREATE TABLE users (_airbyte_raw_id varchar(36) NOT NULL, _airbyte_extracted_at timestamptz NOT NULL, "
                     "_airbyte_meta jsonb NOT NULL, _airbyte_generation_id bigint, id numeric(38,9), name varchar(3), "
                     "at timestamp(3) with time zone); INSERT INTO users VALUES ('x', now(), '{}', 0, 1, 'abc', now())")
    properties = {"id": {"type": "number"}, "name": {"type": "string"}, "at": {"type": "string", "format": "date-time"}}
    for mode in ("append", "append_dedup"):
        sync.good([b'{"id":1.0123456789,"name":"abcdef","at":"2024-01-01T00:00:00.123456Z"}'], properties, mode=mode, key=[["id"]])
    rows = endpoint.read("users")
    assert [(str(row["id"]), row["name"]) for row in rows] == [("1.000000000", "abc"), ("1.0123456789", "abcdef")]
    assert rows[1]["at"].startswith("2024-01-01 00:00:00.123456")
    types = endpoint.types("users")
    assert (types["_airbyte_raw_id"], types["id"], types["name"]) == ("character varying(36)", "numeric", "text")


def test_a_column_of_another_type(endpoint, sync):
    sync.good([{"id": 1}])
    endpoint.execute("ALTER TABLE users ADD COLUMN place point")
    session = sync([{"id": 1, "place": "x"}], {"id": {"type": "integer"}, "place": {"type": "string"}})
    assert session.rc == 3 and 'the column "place"' in session.errors()[0]["message"], session


def test_the_password_is_never_shown(endpoint, sync):
    for config in (endpoint.config(password="swordfish"), endpoint.config(database="nowhere", password="swordfish")):
        session = sync([{"id": 1}], config=config)
        assert session.rc != 0 and b"swordfish" not in session.out + session.err, session


def test_a_server_that_goes(postgres, firth, tmp_path):
    """The connection breaks in the middle: an error that says it may pass, and nothing half-written."""
    endpoint = sql_endpoints.PostgreSQL(tmp_path)
    endpoint.database = postgres
    mat = Materialization(endpoint, firth.path)
    talk, _ = mat.open()
    begin(talk)
    commit(talk, [mat.store({"id": 1, "name": "a", "sum": 1})], 1)
    begin(talk)
    postgres.server.restart()
    talk.say(mat.store({"id": 2, "name": "a", "sum": 1}), {"startCommit": {"runtimeCheckpoint": {"n": 2}}})
    rc, rest, err = talk.end()
    assert rc == 1 and not rest and "connection to the database broke" in err, (rc, rest, err)
    talk, number = mat.open()
    assert number == 1 and begin(talk, [[1], [2]]) == [{"id": 1, "name": "a", "sum": 1}]
    talk.kill()


def test_wide_and_large(endpoint, sync):
    """As many columns as are likely, and values of megabytes, in turns over several streams."""
    names = [f"c{n}" for n in range(400)]
    properties = {name: {"type": "string"} for name in names}
    data = [{name: name * n for name in names} for n in range(20)] + [{"c1": "x" * 5_000_000, "c2": "\\" * 1_000_000}]
    sync.good({"a": data, "b": data}, {"a": properties, "b": properties})
    for table in "ab":
        rows = sql_endpoints.without_own(endpoint.read(table))
        assert [row["c7"] for row in rows[:20]] == ["c7" * n for n in range(20)]
        assert rows[20]["c1"] == "x" * 5_000_000 and rows[20]["c2"] == "\\" * 1_000_000
    assert endpoint.types("a")["c399"] == "text"
