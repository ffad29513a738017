"""source-postgres against a real server: discovery, whole tables, by cursor, by xmin."""

import json
import subprocess

import pytest

from e2e.postgres_source import airbyte_config, data, discover, flow_config, last_state, raw_records, read, runner


@pytest.fixture
def run(firth):
    return runner(firth)


# --- connecting -----------------------------------------------------------------------------------------------


def failed(run, config):
    message = run("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]
    assert message["status"] == "FAILED"
    return message["message"]


def test_check(run, database):
    config = airbyte_config(database)
    assert 'the user may read no table in any schema: make one, name others, or run GRANT USAGE ON SCHEMA "public" TO' in failed(run, config)
    database.run("CREATE SCHEMA other; CREATE TABLE t (id int PRIMARY KEY); CREATE VIEW other.v AS SELECT 1 AS one")
    assert run("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
    assert "password authentication failed" in failed(run, {**config, "password": "wrong%word"})
    assert "wrong%word" not in run("check", config={**config, "password": "wrong%word"}).out.decode()
    session = run("check", config={**config, "jdbc_url_params": "connectTimeout=9&a=b%41&options=-c%20statement_timeout%3D0&flag"})
    told = [m["log"]["message"] for m in session.of("LOG") if m["log"]["level"] == "WARN"]
    assert session.one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
    assert told == ["jdbc_url_params: 'a' is left out: it is none of the parameters that are passed on",
                    "jdbc_url_params: 'flag' is left out: it has no value"]
    assert 'database "nothing" does not exist' in failed(run, {**config, "database": "nothing"})
    assert "Connection refused" in failed(run, {**config, "port": 1})
    assert "server does not support SSL" in failed(run, {**config, "ssl_mode": {"mode": "require"}})
    assert "SSH_KEY_AUTH" in failed(run, {**config, "tunnel_method": {
        "tunnel_method": "SSH_PASSWORD_AUTH", "tunnel_host": "h", "tunnel_user": "u", "tunnel_user_password": "p"}})


def test_check_of_schemas(run, database):
    """Where nothing could be read, the check says so, and what would help."""
    user = "u" + database.name
    database.run("CREATE SCHEMA sales; CREATE SCHEMA empty; CREATE TABLE sales.t (id int PRIMARY KEY); CREATE VIEW seen AS SELECT 1 AS one;"
                 f"CREATE ROLE {user} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA empty TO {user}")
    config = airbyte_config(database)
    assert f'the database "{database.name}" has no schema "sale"; did you mean "sales"?' in failed(run, {**config, "schemas": ["sales", "sale"]})
    assert 'GRANT SELECT ON ALL TABLES IN SCHEMA "empty" TO' in failed(run, {**config, "schemas": ["empty"]})
    reader = {**config, "username": user, "password": "p"}
    assert f'the user may not look into the schema "sales": run GRANT USAGE ON SCHEMA "sales" TO "{user}"' in failed(run, {**reader, "schemas": ["sales"]})
    assert "the user may read no table in the schema public" in failed(run, {k: v for k, v in reader.items() if k != "schemas"})
    # Of a view there are no changes.
    assert "no table that the discovery filters let through" in failed(
        run, flow_config(database, discoveryFilters={"include_schemas": ["public"]}))
    database.run(f"DROP OWNED BY {user}; DROP ROLE {user}")


def test_either_spelling(run, database):
    """Estuary's config is taken by Airbyte's verbs, and the other way round."""
    database.run("CREATE TABLE t (id int PRIMARY KEY)")
    assert run("check", config=flow_config(database, "s_" + database.name)).one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
    assert list(discover(run, flow_config(database))) == ["t"]


def test_secrets_are_not_in_arguments_or_output(run, database, tmp_path):
    config = airbyte_config(database)
    session = run("discover", config=config)
    assert database.password not in session.out.decode() + session.err.decode()


# --- discovery ------------------------------------------------------------------------------------------------


def test_discover(run, database):
    database.run("""
        CREATE SCHEMA other; CREATE SCHEMA "Odd ""Name"" ";
        CREATE TABLE keyed (b int, a int, note text, PRIMARY KEY (a, b));
        CREATE TABLE by_unique (x int NOT NULL, y int, UNIQUE (x), UNIQUE (y));
        CREATE TABLE other.keyless (x int, "we/ird ~ \"\"name\"\"" int);
        CREATE VIEW seen AS SELECT note FROM keyed;
        CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one;
        CREATE TABLE parted (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE TABLE including (x int, y int, PRIMARY KEY (x) INCLUDE (y));
        CREATE TABLE generated (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED);
        CREATE TABLE "Odd ""Name"" "."Tab le" ();
        CREATE TABLE dropped (a int, b int, c int); ALTER TABLE dropped DROP COLUMN b;
        CREATE TEMP TABLE mine (x int);
    """)
    found = discover(run, airbyte_config(database))
    assert sorted(found) == ["Tab le", "by_unique", "dropped", "generated", "including", "kept", "keyed", "keyless", "parted", "seen"]
    assert found["keyed"]["source_defined_primary_key"] == [["a"], ["b"]]
    assert found["by_unique"]["source_defined_primary_key"] == found["including"]["source_defined_primary_key"] == [["x"]]
    assert not found["keyless"].get("source_defined_primary_key")
    assert list(found["keyless"]["json_schema"]["properties"]) == ["x", 'we/ird ~ "name"']
    assert found["keyless"]["namespace"] == "other" and found["Tab le"]["namespace"] == 'Odd "Name" '
    assert list(found["generated"]["json_schema"]["properties"]) == ["id", "twice"]
    assert list(found["dropped"]["json_schema"]["properties"]) == ["a", "c"]
    assert found["keyed"]["json_schema"]["properties"] == {
        "b": {"type": "integer", "description": "(source type: non-nullable integer)"},
        "a": {"type": "integer", "description": "(source type: non-nullable integer)"},
        "note": {"type": ["string", "null"], "description": "(source type: text)"}}
    only_public = airbyte_config(database)
    del only_public["schemas"]
    assert "keyless" not in discover(run, only_public) and "keyed" in discover(run, only_public)
    assert sorted(discover(run, airbyte_config(database, schemas=["other"]))) == ["keyless"]


def test_what_may_not_be_read_is_not_there(run, database):
    database.run(f"""
        CREATE TABLE open (a int, b int); CREATE TABLE closed (a int); CREATE TABLE half (a int, secret int, PRIMARY KEY (a, secret));
        INSERT INTO half VALUES (1, 2);
        DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 'r'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT CONNECT ON DATABASE {database.name} TO reader; GRANT SELECT ON open TO reader; GRANT SELECT (a) ON half TO reader;
    """)
    config = airbyte_config(database, username="reader", password="r")
    found = discover(run, config)
    assert sorted(found) == ["half", "open"] and list(found["half"]["json_schema"]["properties"]) == ["a"]
    assert not found["half"].get("source_defined_primary_key")  # by half a key two rows would be one
    assert data(read(run, config, "half")) == [{"a": 1}]


# --- values ---------------------------------------------------------------------------------------------------

# type, SQL value, JSON for Airbyte; and for Flow where it differs
VALUES = [
    ("boolean", "true", b"true"), ("boolean", "false", b"false"),
    ("smallint", "-32768", b"-32768"), ("integer", "2147483647", b"2147483647"),
    ("bigint", "-9223372036854775808", b"-9223372036854775808"), ("oid", "4294967295", b"4294967295"),
    ("numeric", "12345678901234567890.1234567890123456789000", b"12345678901234567890.1234567890123456789000",
     b'"12345678901234567890.1234567890123456789000"'),
    ("numeric(12,2)", "-0.50", b"-0.50", b'"-0.50"'), ("numeric(5,-2)", "12345", b"12300", b'"12300"'),
    ("numeric", "1e-20", b"0.00000000000000000001", b'"0.00000000000000000001"'),
    ("numeric", "'NaN'", b"null", b'"NaN"'), ("numeric", "'-Infinity'", b"null", b'"-Infinity"'),
    ("real", "1.1", b"1.1"), ("real", "1e-10", b"1e-10"), ("double precision", "0.1::float8 + 0.2", b"0.30000000000000004"),
    ("double precision", "1e300", b"1e+300"), ("double precision", "'-0'", b"-0"),
    ("double precision", "'NaN'", b"null", b'"NaN"'), ("real", "'Infinity'", b"null", b'"Infinity"'),
    ("money", "'1234.5'", b'"$1,234.50"'),
    ("text", "'gr\u00fcn \u2603 \U0001f600'", '"gr\u00fcn \u2603 \U0001f600"'.encode()), ("text", "''", b'""'),
    ("text", r"E'a\tb\nc\rd\be\ff\x0bg\\h\"i\x01\x7f'", b'"a\\tb\\nc\\rd\\be\\ff\\u000bg\\\\h\\"i\\u0001\x7f"'),
    ("text", r"'\N'", rb'"\\N"'), ("text", r"'\.'", rb'"\\."'), ("text", "'NULL'", b'"NULL"'), ("text", "NULL", b"null"),
    ("char(5)", "'ab'", b'"ab   "'), ("varchar(3)", "'abc'", b'"abc"'), ('"char"', "'x'", b'"x"'), ("name", "'n'", b'"n"'),
    ("bytea", r"'\x00ff10'", b'"AP8Q"'), ("bytea", "''", b'""'), ("bytea", r"'\x61'", b'"YQ=="'), ("bytea", r"'\x6162'", b'"YWI="'),
    ("date", "'2024-02-29'", b'"2024-02-29"'), ("date", "'infinity'", b'"infinity"', b'"9999-12-31"'),
    ("date", "'0044-03-15 BC'", b'"0044-03-15 BC"', b'"0001-01-01"'), ("date", "'12024-01-01'", b'"12024-01-01"', b'"9999-12-31"'),
    ("timestamp", "'2024-01-31 10:20:30.123456'", b'"2024-01-31T10:20:30.123456"', b'"2024-01-31T10:20:30.123456Z"'),
    ("timestamp", "'2024-01-31 10:20:30'", b'"2024-01-31T10:20:30"', b'"2024-01-31T10:20:30Z"'),
    ("timestamp", "'-infinity'", b'"-infinity"', b'"0001-01-01T00:00:00Z"'),
    ("timestamptz", "'2024-01-31 10:20:30+05:30'", b'"2024-01-31T04:50:30Z"'),
    ("timestamptz", "'2024-01-31 10:20:30.5+00'", b'"2024-01-31T10:20:30.5Z"'),
    ("timestamptz", "'infinity'", b'"infinity"', b'"9999-12-31T23:59:59Z"'),
    ("timestamptz", "'0044-03-15 00:00:00+00 BC'", b'"0044-03-15 00:00:00+00 BC"', b'"0001-01-01T00:00:00Z"'),
    ("time", "'24:00:00'", b'"24:00:00"'), ("time", "'10:20:30.5'", b'"10:20:30.5"'),
    ("timetz", "'10:20:30+02'", b'"10:20:30+02:00"'), ("timetz", "'10:20:30-05:30'", b'"10:20:30-05:30"'),
    ("interval", "'1 year 2 mons 3 days 04:05:06.789'", b'"1 year 2 mons 3 days 04:05:06.789"'),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", b'"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'),
    ("json", "'{\"b\": 1.10, \"a\": [1,\n2], \"b\": 2}'", b'{"b": 1.10, "a": [1, 2], "b": 2}'),
    ("json", r"""'"\ud83d\ude00 \ud83d x \u0000 \\ud800"'""", rb'"\ud83d\ude00 \ufffd x \u0000 \\ud800"'),
    ("jsonb", "'{\"n\": 12345678901234567890.10, \"t\": \"a\\\"b\\\\c\\n\"}'",
     rb'{"n": 12345678901234567890.10, "t": "a\"b\\c\n"}'),
    ("jsonb", "'null'", b"null"), ("jsonb", "NULL", b"null"), ("jsonb", "'\"x\"'", b'"x"'),
    ("integer[]", "'{1,NULL,3}'", b"[1,null,3]"), ("integer[]", "'{{1,2},{3,4}}'", b"[[1,2],[3,4]]"),
    ("integer[]", "'[0:1]={7,8}'", b"[7,8]"), ("integer[]", "'{}'", b"[]"),
    ("text[]", r"""'{a,"b c","",NULL,"NULL","q\"r\\s","x,y","{z}"}'""", rb'["a","b c","",null,"NULL","q\"r\\s","x,y","{z}"]'),
    ("numeric[]", "'{1.10,NaN}'", b"[1.10,null]", b'["1.10","NaN"]'),
    ("timestamptz[]", "'{2024-01-31 10:20:30+00}'", b'["2024-01-31T10:20:30Z"]'),
    ("jsonb[]", r"""ARRAY['{"a": [1, "x"]}'::jsonb, NULL]""", b'[{"a": [1, "x"]},null]'),
    ("bytea[]", r"ARRAY['\x00ff'::bytea]", b'["AP8="]'), ("box[]", "'{(1,1),(0,0);(3,3),(2,2)}'", b'["(1,1),(0,0)","(3,3),(2,2)"]'),
    ("int2vector", "'1 2 3'", b'"1 2 3"'),
    ("int4range", "'[1,10)'", b'"[1,10)"'), ("numrange", "'(1.50,]'", b'"(1.50,)"'),
    ("tstzrange", "'[2024-01-01 00:00+00,)'", rb'"[\"2024-01-01 00:00:00+00\",)"'),
    ("int4multirange", "'{[1,3),[5,7)}'", b'"{[1,3),[5,7)}"'),
    ("mood", "'so \"so\"'", rb'"so \"so\""'), ("mood[]", "ARRAY['sad','so \"so\"']::mood[]", rb'["sad","so \"so\""]'),
    ("positive", "7", b"7"), ("positives", "'{1,2}'", b"[1,2]"), ("amount", "1.50", b"1.50", b'"1.50"'),
    ("pair", "ROW(1, 'a \"b\"')", rb'"(1,\"a \"\"b\"\"\")"'), ("pair[]", "ARRAY[ROW(1,'x')::pair]", b'["(1,x)"]'),
    ("inet", "'192.168.0.1/24'", b'"192.168.0.1/24"'), ("cidr", "'10.0.0.0/8'", b'"10.0.0.0/8"'),
    ("macaddr", "'08:00:2b:01:02:03'", b'"08:00:2b:01:02:03"'), ("bit(3)", "B'101'", b'"101"'), ("varbit", "B'1'", b'"1"'),
    ("point", "'(1.5,2)'", b'"(1.5,2)"'), ("polygon", "'((0,0),(1,1))'", b'"((0,0),(1,1))"'),
    ("xml", "'<a>x &amp; y</a>'", b'"<a>x &amp; y</a>"'), ("tsvector", "'a:1 b:2'", rb'''"'a':1 'b':2"'''),
    ("tsquery", "'a & b'", b'"'b"'a' & 'b'"b'"'), ("pg_lsn", "'0/1D82D10'", b'"0/1D82D10"'), ("xid", "'7'", b'"7"'),
    ("geometry", "'010100000000000000000000000000000000000040'", b'"010100000000000000000000000000000000000040"'),
    ("smallint", "32767", b"32767"), ("bigint", "9223372036854775807", b"9223372036854775807"),
    ("real", "3.4028235e38", b"3.4028235e+38"), ("real", "1e-45", b"1e-45"), ("double precision", "5e-324", b"5e-324"),
    ("double precision", "-1.7976931348623157e308", b"-1.7976931348623157e+308"),
    ("date", "'4714-11-24 BC'", b'"4714-11-24 BC"', b'"0001-01-01"'), ("date", "'5874897-12-31'", b'"5874897-12-31"', b'"9999-12-31"'),
    ("timestamp", "'4714-11-24 00:00:00 BC'", b'"4714-11-24 00:00:00 BC"', b'"0001-01-01T00:00:00Z"'),
    ("timestamp", "'294276-12-31 23:59:59.999999'", b'"294276-12-31 23:59:59.999999"', b'"9999-12-31T23:59:59Z"'),
    ("time", "'00:00:00.000001'", b'"00:00:00.000001"'), ("timetz", "'24:00:00-15:59:59'", b'"24:00:00-15:59:59"'),
    ("interval", "'-178000000 years'", b'"-178000000 years"'), ("text", "repeat('x', 100000)", b'"' + b"x" * 100000 + b'"'),
    ("regclass", "'pg_class'", b'"pg_class"'), ("hstore", "'a=>1, \"b c\"=>NULL'", rb'"\"a\"=>\"1\", \"b c\"=>NULL"'),
]

# What older servers do not know: from which on they do.
SINCE = {("numeric", "'-Infinity'"): 14, ("numeric(5,-2)", "12345"): 15, ("int4multirange", "'{[1,3),[5,7)}'"): 14, ("positives", "'{1,2}'"): 11}

TYPES = """
    CREATE EXTENSION hstore;
    CREATE TYPE mood AS ENUM ('sad', 'so "so"'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    {positives} CREATE DOMAIN money_amount AS numeric(12,2); CREATE DOMAIN amount AS money_amount;
    CREATE TYPE pair AS (a int, b text);
    CREATE TYPE geometry; -- PostGIS's type, as far as it matters: it is not of the system, and has a text
    CREATE FUNCTION geometry_in(cstring) RETURNS geometry LANGUAGE internal IMMUTABLE STRICT AS 'textin';
    CREATE FUNCTION geometry_out(geometry) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
    CREATE TYPE geometry (INPUT = geometry_in, OUTPUT = geometry_out, LIKE = text);
    ALTER DATABASE {name} SET datestyle = 'German'; ALTER DATABASE {name} SET bytea_output = 'escape';
    ALTER DATABASE {name} SET extra_float_digits = -10; ALTER DATABASE {name} SET intervalstyle = 'iso_8601';
    ALTER DATABASE {name} SET timezone = 'Asia/Kolkata';
"""


def make_values(database):
    """The values that this server knows."""
    release = int(database.value("SHOW server_version_num")) // 10000
    values = [value for value in VALUES if release >= SINCE.get(value[:2], 10)]
    positives = "CREATE DOMAIN positives AS positive[];" if release >= 11 else ""
    database.run(TYPES.format(name=database.name, positives=positives))
    columns = ", ".join(f"v{n} {value[0]}" for n, value in enumerate(values))
    # psql's own session has odd settings now too: literals are in ISO.
    database.run(f"SET datestyle = 'ISO'; CREATE TABLE vals (id int PRIMARY KEY, {columns});"
                 f"INSERT INTO vals VALUES (1, {', '.join(value[1] for value in values)})")
    return values


def expected(flow, values):
    return [value[3] if flow and len(value) > 3 else value[2] for value in values]


def unsaid(values):
    """What of them a record's meta.changes names: JSON has no NaN."""
    return {f"v{n}": "NULLED" if value[2] == b"null" else "TRUNCATED" for n, value in enumerate(values)
            if b"null" in value[2] and len(value) > 3}


def members(raw):
    """The members of an object, as they were written: {"v0": b"…"}."""
    text, found, at = raw.decode(), {}, 1
    decoder = json.JSONDecoder()
    while text[at - 1] != "}":
        name, at = decoder.raw_decode(text, at)
        _, end = decoder.raw_decode(text, at + 1)
        found[name] = text[at + 1:end].encode()
        at = end + 1
    return found


def test_every_type_airbyte(run, database):
    values = make_values(database)
    session = read(run, airbyte_config(database), "vals")
    (raw,) = raw_records(session, "vals")
    got = members(raw)
    for n, value in enumerate(expected(False, values)):
        assert got[f"v{n}"] == value, values[n]
    warned = [m["log"]["message"] for m in session.of("LOG") if m["log"]["level"] == "WARN"]
    assert len(warned) == 1 and "column" in warned[0] and "NaN" in warned[0]
    # What could not be said is named with the record.
    wanted = unsaid(values)
    changes = session.records("vals")[0]["meta"]["changes"]
    assert {change["field"]: change["change"] for change in changes} == wanted and len(changes) == len(wanted)
    assert {change["reason"] for change in changes} == {"SOURCE_SERIALIZATION_ERROR"}
    # What discover says of the types holds for the values, but for what has no format.
    properties = discover(run, airbyte_config(database))["vals"]["json_schema"]["properties"]
    kinds = {"timestamptz": "timestamp_with_timezone", "timestamp": "timestamp_without_timezone",
             "time": "time_without_timezone", "timetz": "time_with_timezone"}
    for n, value in enumerate(values):
        assert properties[f"v{n}"].get("airbyte_type") == kinds.get(value[0]), value
    assert properties["v0"] == {"type": ["boolean", "null"], "description": "(source type: boolean)"} and "type" not in properties[f"v{position('jsonb', values)}"]
    assert properties[f"v{position('bytea', values)}"] == {"type": ["string", "null"], "contentEncoding": "base64",
                                                       "description": "(source type: bytea)"}


def position(kind, values):
    return next(n for n, value in enumerate(values) if value[0] == kind)


# --- whole tables -----------------------------------------------------------------------------------------------


def test_full_refresh_of_everything(run, database):
    database.run("""
        CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t SELECT i, 'x' || i FROM generate_series(1, 1000) i;
        CREATE VIEW v AS SELECT id * 2 AS twice FROM t WHERE id < 4;
        CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM t;
        CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
        CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1), (2), (1);
        CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent);
        INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3);
        CREATE TABLE none (); INSERT INTO none DEFAULT VALUES; CREATE TABLE empty (a int);
    """)
    session = read(run, airbyte_config(database))
    assert data(session, "t") == [{"id": i, "x": f"x{i}"} for i in range(1, 1001)]
    assert data(session, "v") == [{"twice": 2}, {"twice": 4}, {"twice": 6}]
    assert data(session, "m") == [{"n": 1000}]
    assert sorted(r["id"] for r in data(session, "p")) == [1, 1, 2]
    assert sorted(r["a"] for r in data(session, "parent")) == [1, 2] and data(session, "child") == [{"a": 2, "b": 3}]
    assert data(session, "none") == [{}] and data(session, "empty") == []
    assert all(s[-1] == "COMPLETE" for s in session.statuses().values())


@pytest.fixture
def wide(database):
    """Of 64 MB: four states of 16 MB each."""
    database.run("""
        CREATE TABLE wide (id int PRIMARY KEY, pad text, n int DEFAULT 0);
        ALTER TABLE wide ALTER pad SET STORAGE PLAIN;
        INSERT INTO wide SELECT i, repeat('x', 3900) FROM generate_series(1, 16000) i; ANALYZE wide;
    """)
    return database


@pytest.mark.parametrize("parallelism", [1, 3])
def test_a_large_table_goes_on_where_it_was(run, wide, parallelism):
    config = airbyte_config(wide, parallelism=parallelism)
    found = discover(run, config)
    assert found["wide"]["is_resumable"]
    session = read(run, config, "wide", found=found)
    assert sorted(r["id"] for r in data(session)) == list(range(1, 16001))
    states = session.states()
    assert len(states) >= (4 if parallelism == 1 else 2)
    # Its last state is of the end: the next read begins anew.
    assert len(data(read(run, config, "wide", found=found, state=[states[-1]]))) == 16000
    # After the first state, some rows move to pages that are read already, some go, some come.
    before = [m for m in session.messages[:session.messages.index(session.of("STATE")[0])] if m["type"] == "RECORD"]
    seen = {m["record"]["data"]["id"] for m in before}
    wide.run("DELETE FROM wide WHERE id <= 400; VACUUM (INDEX_CLEANUP on) wide; UPDATE wide SET n = 1 WHERE id > 15700")
    wide.run("INSERT INTO wide VALUES (20000, 'new')")
    moved = wide.rows("SELECT id FROM wide WHERE n = 1 AND ctid < '(200,0)'")
    assert moved
    rest = read(run, config, "wide", found=found, state=[states[0]])
    got = {r["id"]: r["n"] for r in data(rest)}
    assert seen | set(got) >= set(range(401, 16001)) | {20000} and len(got) < 14000
    assert all(got[i] == 1 for i in range(15701, 16001))
    # Written anew, its pages mean nothing any more.
    wide.run("VACUUM FULL wide")
    assert len(data(read(run, config, "wide", found=found, state=[states[0]]))) == 15601


def test_one_snapshot(run, wide, tmp_path):
    """What is committed while a table is read is not in it."""
    config = airbyte_config(wide)
    found = discover(run, config)
    from connector_suite.protocol import configured
    reader = run.start(str(tmp_path), "read", config=config, catalog=configured([found["wide"]], sync_mode="full_refresh"))
    first = reader.stdout.read(200_000)
    wide.run("UPDATE wide SET n = 7; INSERT INTO wide VALUES (30000, 'late')")
    out = reader.stdout.read()
    assert reader.wait(60) == 0, reader.stderr.read()
    rows = [json.loads(line) for line in (first + out).splitlines()]
    rows = [r["record"]["data"] for r in rows if r["type"] == "RECORD"]
    assert len(rows) == 16000 and {r["n"] for r in rows} == {0}


# --- by cursor ---------------------------------------------------------------------------------------------------


def test_by_cursor(run, database):
    database.run("CREATE TABLE t (id int PRIMARY KEY, at timestamptz);"
                 "INSERT INTO t SELECT i, '2024-01-01 00:00+00'::timestamptz + i * interval '1 s' FROM generate_series(1, 10) i;"
                 "INSERT INTO t VALUES (11, NULL)")
    config = airbyte_config(database)
    session = read(run, config, "t", mode="incremental", cursor="at")
    assert sorted(r["id"] for r in data(session)) == list(range(1, 12))
    state = last_state(session)
    known = {"phase": "cursor", "cursor_field": "at", "cursor_rows": 1, "cursor": "2024-01-01 00:00:10+00",
             "system": database.value("SELECT system_identifier FROM pg_control_system()"), "timeline": 1,
             "database": int(database.value("SELECT oid FROM pg_database WHERE datname = current_database()")),
             "oid": int(database.value("SELECT 't'::regclass::oid"))}
    assert {**state["stream"]["stream_state"], "cursor_sum": ""} == {**known, "cursor_sum": ""}
    again = read(run, config, "t", mode="incremental", cursor="at", state=[state])
    assert data(again) == [] and last_state(again)["stream"] == state["stream"]
    database.run("INSERT INTO t VALUES (12, '2024-01-02'), (13, '2024-01-01 00:00:05+00')")
    later = read(run, config, "t", mode="incremental", cursor="at", state=[state])
    assert [r["id"] for r in data(later)] == [12]
    # A second row with the greatest value: those that have it come again, and no other.
    database.run("INSERT INTO t VALUES (14, '2024-01-02')")
    ties = read(run, config, "t", mode="incremental", cursor="at", state=[last_state(later)])
    assert sorted(r["id"] for r in data(ties)) == [12, 14]
    assert data(read(run, config, "t", mode="incremental", cursor="at", state=[last_state(ties)])) == []
    # Another cursor: from the start.
    assert len(data(read(run, config, "t", mode="incremental", cursor="id", state=[last_state(ties)]))) == 14
    # None, as PyAirbyte asks for: whole, and again whole.
    for state in (last_state(ties), last_state(session := read(run, config, "t", mode="incremental"))):
        session = read(run, config, "t", mode="incremental", state=[state])
        assert len(data(session)) == 14 and session.statuses()["t"][-1] == "COMPLETE"
        assert any(m["log"]["level"] == "WARN" and m["log"]["message"].endswith(
            'the catalog names no cursor_field: it is read whole') for m in session.of("LOG"))


def test_by_cursor_of_a_view(run, database):
    database.run("CREATE TABLE t (id int PRIMARY KEY, k uuid DEFAULT gen_random_uuid());"
                 "INSERT INTO t SELECT i FROM generate_series(1, 45000) i; CREATE VIEW v AS SELECT * FROM t")
    config = airbyte_config(database)
    session = read(run, config, "v", mode="incremental", cursor="id")
    assert [r["id"] for r in data(session)] == list(range(1, 45001))
    states = session.states()
    assert [s["stream"]["stream_state"]["cursor"] for s in states] == ["20000", "40000", "45000"]
    rest = read(run, config, "v", mode="incremental", cursor="id", state=[states[0]])
    assert [r["id"] for r in data(rest)] == list(range(20000, 45001))  # the rows that have the state's value come again
    assert len(data(read(run, config, "v", mode="incremental", cursor="k"))) == 45000


# --- by xmin -----------------------------------------------------------------------------------------------------


def test_by_xmin(run, database):
    database.run("CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT i FROM generate_series(1, 5) i")
    config = airbyte_config(database, "Xmin")
    assert discover(run, config)["t"]["source_defined_cursor"]
    session = read(run, config, "t", mode="incremental")
    assert sorted(r["id"] for r in data(session)) == [1, 2, 3, 4, 5]
    state = last_state(session)
    assert state["stream"]["stream_state"]["phase"] == "xmin"
    assert data(read(run, config, "t", mode="incremental", state=[state])) == []
    # A transaction that is open while another's rows are read is not forgotten.
    slow = database.interactive()
    slow.stdin.write("BEGIN; INSERT INTO t VALUES (6); SELECT 'in';\n")
    assert slow.stdout.readline() == "in\n"
    database.run("UPDATE t SET n = 1 WHERE id = 2; INSERT INTO t VALUES (7)")
    session = read(run, config, "t", mode="incremental", state=[state])
    assert sorted(r["id"] for r in data(session)) == [2, 7]
    slow.stdin.write("COMMIT;\n")
    slow.stdin.close()
    assert slow.wait(30) == 0
    session = read(run, config, "t", mode="incremental", state=[last_state(session)])
    assert 6 in [r["id"] for r in data(session)]
    assert data(read(run, config, "t", mode="incremental", state=[last_state(session)])) == []


def test_a_state_of_another(run, database):
    database.run("CREATE TABLE t (id int PRIMARY KEY)")
    config = airbyte_config(database)
    from connector_suite.protocol import configured
    state = [{"type": "STREAM", "stream": {"stream_descriptor": {"name": "t", "namespace": "public"},
                                           "stream_state": {"version": 2, "cursor": "5"}}}]
    session = run("read", config=config, catalog=configured([discover(run, config)["t"]], sync_mode="full_refresh"), state=state)
    assert session.rc == 3 and "the state of stream t is none of this connector's" in session.errors()[0]["message"]


# --- in a catalog ---------------------------------------------------------------------------------------------


def test_a_catalog_in_estuarys_spelling(firth, tmp_path, database):
    """What Estuary's connector takes in a resource passes the check."""
    database.run("CREATE TABLE orders (id int PRIMARY KEY)")
    path = tmp_path / "flow.json"

    def checked(**resource):
        path.write_text(json.dumps({
            "collections": {"acmeCo/orders": {"key": ["/id"], "schema": {
                "type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}},
            "captures": {"acmeCo/shop": {
                "endpoint": {"connector": {"image": "ghcr.io/estuary/source-postgres:v3",
                                           "config": flow_config(database, "s_" + database.name)}},
                "bindings": [{"resource": {"namespace": "public", **resource}, "target": "acmeCo/orders"}]}}}))
        return firth("check", str(path)).err

    assert checked(stream="orders", mode="Without Primary Key", priority=1) == ""
    assert "stream 'order'" in checked(stream="order", mode="Without Primary Key")
    # A misspelt key would be ignored in silence; the connector's own ones are its to judge.
    assert "unknown member 'priorty' in the resource; did you mean 'priority'?" in \
        checked(stream="orders", mode="Without Primary Key", priorty=1)
    assert "did you mean 'syncMode'?" in checked(stream="orders", syncmode="incremental")
    assert checked(stream="orders", mode="Without Primary Key", extra=1) == ""
