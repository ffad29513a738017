"""Databases that a destination writes to: how each is configured and read back by a program that is not ours."""

import contextlib
import decimal
import json
import pathlib
import re
import sqlite3

import duckdb

from connector_suite.flow import FlowRunner
from connector_suite.protocol import Runner


def row_dicts(cursor):
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


class SQLite:
    name = "destination-sqlite"
    folds_case = True
    schemas = False

    def __init__(self, folder):
        self.folder = folder
        self.env = {"FIRTH_LOCAL_ROOT": str(folder)}
        self.path = pathlib.Path(folder, "out.db")

    def config(self, **more):
        return {"destination_path": "/local/out.db", **more}

    def command(self, binary):
        return [str(binary), "connector", self.name]

    def read(self, table, schema=None):
        """Rows in the order in which they were added; None: there is no such table."""
        if table not in self.tables():
            return None
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            return row_dicts(db.execute(f"SELECT * FROM {quoted(table)} ORDER BY rowid"))

    def read_text(self, table, columns):
        return [tuple(str(row[name]) for name in columns) for row in self.read(table)]

    def execute(self, sql):
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            db.executescript(sql)

    def tables(self):
        if not self.path.exists():
            return []
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            return [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def types(self, table):
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            return dict(db.execute("SELECT name, type FROM pragma_table_info(?)", [table]))


def quoted(name):
    return '"%s"' % name.replace('"', '""')


def padded(text):
    """A time with its microseconds, and minutes in its offset."""
    if text is None or "infinity" in text:
        return text
    found = re.fullmatch(r"(.*\d\d:\d\d:\d\d)(?:\.(\d+))?([+-]\d\d(?::\d\d)*)?( BC)?", text)
    clock, fraction, offset, era = found.groups()
    offset = offset and (offset if ":" in offset else offset + ":00")
    return f"{clock}.{(fraction or ''):0<6}{offset or ''}{era or ''}"


class PostgreSQL:
    name = "destination-postgres"
    folds_case = False
    schemas = True
    values = {"bigint": int, "integer": int, "numeric": decimal.Decimal, "boolean": lambda v: v == "true",
              "bytea": lambda v: bytes.fromhex(v[2:]), "time without time zone": padded, "time with time zone": padded,
              "timestamp without time zone": padded, "timestamp with time zone": padded}

    def __init__(self, folder):
        self.env = {}

    def start(self, request):
        self.database = request.getfixturevalue("database")

    def config(self, **more):
        db = self.database
        return {"host": db.host, "port": db.port, "database": db.name, "username": db.user, "password": db.password,
                **more}

    def command(self, binary):
        return [str(binary), "connector", self.name]

    def types(self, table, schema="public"):
        return dict(json.loads(row) for row, in self.database.rows(
            "SELECT json_build_array(attname, format_type(atttypid, atttypmod)) FROM pg_attribute WHERE attnum > 0 AND "
            f"NOT attisdropped AND attrelid = $t${quoted(schema)}.{quoted(table)}$t$::regclass ORDER BY attnum"))

    def read(self, table, schema="public"):
        if table not in self.tables(schema):
            return None
        types = self.types(table, schema)
        texts = "to_json(ARRAY[" + ", ".join(f"{quoted(name)}::text" for name in types) + "])::text"
        found = []
        for row, in self.database.rows("SET timezone = 'UTC'; SET datestyle = 'ISO'; SET bytea_output = 'hex'; "
                                       f"SELECT {texts} FROM {quoted(schema)}.{quoted(table)} ORDER BY ctid"):
            found.append({name: None if value is None else self.values.get(type_, str)(value)
                          for (name, type_), value in zip(types.items(), json.loads(row))})
        return found

    def read_text(self, table, columns):
        return [tuple(str(row[name]) for name in columns) for row in self.read(table)]

    def execute(self, sql):
        self.database.run(sql)

    def tables(self, schema="public"):
        return [json.loads(name) for name, in self.database.rows(
            f"SELECT to_json(tablename::text) FROM pg_tables WHERE schemaname = '{schema}'")]


class DuckDB:
    name = "destination-duckdb"
    folds_case = True
    schemas = True
    values = {"BIGINT": int, "HUGEINT": int, "INTEGER": int, "DOUBLE": decimal.Decimal, "BOOLEAN": lambda v: v == "true",
              "BLOB": bytes.fromhex, "TIME": padded, "TIME WITH TIME ZONE": padded, "TIMESTAMP": padded,
              "TIMESTAMP WITH TIME ZONE": padded}

    def __init__(self, folder):
        self.env = {"FIRTH_LOCAL_ROOT": str(folder)}
        self.path = pathlib.Path(folder, "out.duckdb")

    def config(self, **more):
        return {"destination_path": "/local/out.duckdb", **more}

    def command(self, binary):
        return [str(binary), "connector", self.name]

    def connect(self):
        db = duckdb.connect(self.path)
        db.execute("SET TimeZone = 'UTC'")
        return contextlib.closing(db)

    def types(self, table, schema="main"):
        with self.connect() as db:
            return self.types_by(db, table, schema)

    @staticmethod
    def types_by(db, table, schema):
        """None of them: there is no such table."""
        return dict(db.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND "
                               "table_name = ? ORDER BY column_index", [schema, table]).fetchall())

    def read(self, table, schema="main"):
        if not self.path.exists():
            return None
        with self.connect() as db:
            types = self.types_by(db, table, schema)
            if not types:
                return None
            texts = [f"hex({quoted(name)})" if type_ == "BLOB" else f"{quoted(name)}::VARCHAR" for name, type_ in types.items()]
            rows = db.execute(f"SELECT {', '.join(texts)} FROM {quoted(schema)}.{quoted(table)} ORDER BY rowid").fetchall()
        return [{name: None if value is None else self.values.get(type_, str)(value)
                 for (name, type_), value in zip(types.items(), row)} for row in rows]

    def read_text(self, table, columns):
        return [tuple(str(row[name]) for name in columns) for row in self.read(table)]

    def execute(self, sql):
        with self.connect() as db:
            db.execute(sql)

    def tables(self, schema="main"):
        if not self.path.exists():
            return []
        with self.connect() as db:
            return [name for name, in db.execute(
                "SELECT table_name FROM duckdb_tables() WHERE schema_name = ? AND NOT temporary", [schema]).fetchall()]


class Sync:
    """A destination under Airbyte's protocol: one stream (or several) written at a time."""

    def __init__(self, endpoint, binary):
        self.endpoint = endpoint
        self.runner = Runner(endpoint.command(binary), endpoint.env)

    def __call__(self, records, properties=None, mode="append", stream="users", complete=True, config=None, states=1,
                 kill=None, **more):
        """`records`: of this stream, or {stream: records}, and then `key` may be by stream, too. The session; its return code is
        checked by the caller."""
        streams, keys = records if isinstance(records, dict) else {stream: records}, more.get("key", [])
        catalog, lines = [], []
        for name, data in streams.items():
            space = more.get("namespace")
            descriptor = {"name": name, **({"namespace": space} if space else {})}
            catalog.append({
                "stream": {**descriptor, "supported_sync_modes": ["full_refresh", "incremental"],
                           "json_schema": {"type": "object", "properties": properties[name] if isinstance(
                               records, dict) else properties or {"id": {"type": "integer"}}}},
                "sync_mode": "incremental", "destination_sync_mode": mode,
                "cursor_field": more.get("cursor", []), "primary_key": keys[name] if isinstance(keys, dict) else keys,
                "generation_id": more.get("generation", 1),
                "minimum_generation_id": more.get("minimum", 1 if mode.startswith("overwrite") else 0), "sync_id": 9})
            lines += [encode_record(name, record, space, more.get("emitted_at", 1700000000000)) for record in data]
            lines += [json.dumps({"type": "STATE", "state": {"type": "STREAM", "stream": {
                "stream_descriptor": descriptor, "stream_state": {"n": n}}}}).encode() for n in range(states)]
            if complete:
                lines.append(json.dumps({"type": "TRACE", "trace": {
                    "type": "STREAM_STATUS", "emitted_at": 1.5, "stream_status": {
                        "stream_descriptor": descriptor, "status": "COMPLETE"}}}).encode())
        runner = self.runner
        if kill:
            runner = Runner(runner.command, {**runner.env, "FIRTH_FAULT_KILL": kill})
        return runner("write", stdin=b"\n".join(lines) + b"\n", config=config or self.endpoint.config(),
                      catalog={"streams": catalog})

    def good(self, *arguments, **more):
        session = self(*arguments, **more)
        assert session.rc == 0, session
        return session


def encode_record(stream, data, space=None, emitted_at=1700000000000):
    """Bytes go as they are: Python's own numbers would lose digits."""
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    space = b'"namespace":%s,' % json.dumps(space).encode() if space else b""
    return b'{"type":"RECORD","record":{"stream":%s,%s"data":%s,"emitted_at":%d}}' % (
        json.dumps(stream).encode(), space, data, emitted_at)


def flow_runner(endpoint, binary, **env):
    return FlowRunner(Runner(endpoint.command(binary), {**endpoint.env, **env}))


def without_own(rows):
    """The columns that the schema names."""
    return [{name: value for name, value in row.items() if not name.startswith("_airbyte")} for row in rows]


def meta(row):
    value = row["_airbyte_meta"]
    return json.loads(value) if isinstance(value, str) else value


def changes(row):
    return {change["field"]: (change["change"], change["reason"]) for change in meta(row)["changes"]}


def keeps_nanoseconds(endpoint):
    return endpoint.name == "destination-sqlite"


def keeps_nul(endpoint):
    return endpoint.name != "destination-postgres"


ENDPOINTS = [SQLite, PostgreSQL, DuckDB]
