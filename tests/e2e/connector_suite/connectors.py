"""Every connector that the suite is run against."""

import contextlib
import dataclasses
import gzip
import json
import pathlib
import re
import shutil
import sqlite3
import tempfile
import types
import typing
import urllib.request

import duckdb
import front
import postgres
import s3
import sheets
import webflow
from connector_suite.protocol import Runner


@dataclasses.dataclass
class Connector:
    name: str
    kind: str                       # "source" or "destination"
    good: dict                      # a config that works; "{folder}" is replaced in its strings
    bad: list                       # configs that must not pass check
    command: typing.Callable        # request -> argv prefix
    resumes_exactly: bool = True    # a read from a state gives exactly what came after it
    exact_spec: bool = True         # its spec says of a config what its check says
    refuses_unknown_streams: bool = True  # otherwise it leaves them out, and does not say COMPLETE for them
    prepare: typing.Callable = lambda folder: None  # make what the configs name
    flow_good: dict = None          # `good` as Estuary's connector spells it
    server: typing.Callable = None  # request -> what it talks to: {name: value of "{name}" in the configs}
    endless: dict = dataclasses.field(default_factory=dict)  # sources: what makes a read last until it is stopped
    slow: bool = False              # seconds to start: fewer variants of the same thing
    read_back: typing.Callable = None  # (folder) -> {stream: [record bytes, …]}; destinations
    env: dict = dataclasses.field(default_factory=dict)
    flow: bool = True               # it speaks Flow's protocol too
    airbyte: bool = True            # it is run with Airbyte's verbs
    same_faces: bool = True         # sources: the same documents and schemas in Flow's protocol as in Airbyte's
    reads: bool = True              # sources: each stream can be read incrementally, by a state of its own, without more
    checkpoints: bool = True        # sources: the last stream gives states before its end
    names_cursor: bool = True       # sources: a cursor of its own is a field of the records
    replaces: bool = True           # destinations, Flow: another backfill removes what was there
    fences: str = "second"          # destinations, Flow: of two sessions of a task, which is refused: the "second"
                                    # when it opens, the "first" when it commits, or None
    verbatim: bool = True           # destinations: read_back gives the very bytes that were sent
    alone: bool = True              # destinations: while one sync writes a stream, another one is refused
    own_disk: bool = True           # destinations: what they write is written by their own process

    def config(self, folder, flow=False, **changes):
        text = json.dumps({**(flow and self.flow_good or self.good), **changes}).replace("{folder}", str(folder))
        for name, value in self.facts(folder).items():
            text = text.replace(f'"{{{name}}}"', json.dumps(value))
        return json.loads(text)

    def start(self, request, folder):
        """Before everything else: its server, if it has one."""
        if self.server:
            pathlib.Path(folder, "server.json").write_text(json.dumps(self.server(request)))

    def facts(self, folder):
        path = pathlib.Path(folder, "server.json")
        return json.loads(path.read_text()) if self.server else {}

    def runner(self, request, folder):
        self.prepare(folder)
        env = {k: v.replace("{folder}", str(folder)) for k, v in self.env.items()}
        return Runner(self.command(request), env)


def built_in(name):
    return lambda request: [request.getfixturevalue("firth").path, "connector", name]


def read_local_json(folder):
    found = {}
    for path in pathlib.Path(folder, "out").glob("_airbyte_raw_*.jsonl"):
        stream = path.name[len("_airbyte_raw_"):-len(".jsonl")]
        found[stream] = []
        for line in path.read_bytes().splitlines(keepends=True):
            assert line.endswith(b"}\n"), line[-80:]
            row = json.loads(line)
            assert sorted(row) == ["_airbyte_ab_id", "_airbyte_data", "_airbyte_emitted_at"]
            start = line.index(b'"_airbyte_data":') + len(b'"_airbyte_data":')
            found[stream].append(line[start:-2])
    return found


def write_lines(folder):
    pathlib.Path(folder, "short.txt").write_text("".join(f"line {n}\tgr\u00fcn \"{n}\"\n" for n in range(25)))
    pathlib.Path(folder, "long.txt").write_text("some words, again and again\n" * 500_000)


def read_table(folder):
    found, path = {}, pathlib.Path(folder, "table.tsv")
    for line in path.read_bytes().splitlines()[1:] if path.exists() else []:
        stream, _, document = line.split(b"\t")
        found.setdefault(stream.decode(), []).append(document)
    return found


def read_sqlite(folder):
    path = pathlib.Path(folder, "out.db")
    if not path.exists():
        return {}
    with contextlib.closing(sqlite3.connect(path)) as db:
        names = [name for name, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
                 if not name.startswith(("_firth", "firth"))]
        found = {}
        for name in names:
            rows = db.execute(f'SELECT * FROM "{name}" ORDER BY rowid')
            columns = [column[0] for column in rows.description]
            found[name] = [json.dumps(dict(zip(columns, row))).encode() for row in rows]
    return found


def postgres_server(request):
    database = request.getfixturevalue("database")
    return {"host": database.host, "port": database.port, "database": database.name, "username": database.user,
            "password": database.password, "address": f"{database.host}:{database.port}", "folder": str(database.server.folder)}


def postgres_source_server(request):
    """With something to be read."""
    place = postgres_server(request)
    request.getfixturevalue("database").run("CREATE TABLE IF NOT EXISTS something (id int PRIMARY KEY)")
    return place


def postgres_tables(request):
    """A database of tables that is kept from test to test, and one whose last table takes long to read."""
    server = request.getfixturevalue("postgres_shared")
    maintenance = server.database("postgres")
    for name, rows in (("suite", 25), ("endless", 400_000)):
        if not maintenance.rows(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            maintenance.run(f"CREATE DATABASE {name}")
            server.database(name).run(
                "CREATE TABLE kinds (code text, part int, at timestamptz, tags text[], PRIMARY KEY (code, part));"
                "INSERT INTO kinds SELECT 'k' || i % 5, i, timestamptz '2024-01-01 00:00+00' + i * interval '1 day', ARRAY['a', NULL]"
                " FROM generate_series(1, 12) i;"
                "CREATE TABLE \"Unusual \"\" näme\" (id bigint PRIMARY KEY, note text);"
                "INSERT INTO \"Unusual \"\" näme\" VALUES (1, E'tab\\t, \\\\ and \\n'), (2, NULL), (3, '\u2603');"
                f"CREATE TABLE zoo (id int PRIMARY KEY, n int); INSERT INTO zoo SELECT i, i % 7 FROM generate_series(1, {rows}) i")
    return {"host": "127.0.0.1", "port": server.port, "username": postgres.USER, "password": postgres.PASSWORD}


def read_postgres(folder):
    facts = json.loads(pathlib.Path(folder, "server.json").read_text())
    server = types.SimpleNamespace(programs=postgres.programs(), port=facts["port"], folder=facts["folder"])
    database = postgres.Database(server, facts["database"])
    names = [name for name, in database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
             if not name.startswith(("_firth", "firth"))]
    return {name: [row.encode() for row, in database.rows(f'SELECT row_to_json(t) FROM "{name}" t ORDER BY ctid')]
            for name in names}


def read_duckdb(folder):
    """Of a copy: the connector holds the file alone while it runs."""
    files = [path for path in pathlib.Path(folder).glob("out.duckdb*") if path.is_file()]
    if not files:
        return {}
    with tempfile.TemporaryDirectory() as copies:
        for path in files:
            shutil.copy(path, copies)
        with contextlib.closing(duckdb.connect(pathlib.Path(copies, "out.duckdb"))) as db:
            names = [name for name, in db.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'")
                     .fetchall() if not name.startswith(("_firth", "firth"))]
            return {name: [row.encode() for row, in db.execute(f'SELECT to_json(t)::VARCHAR FROM "{name}" t ORDER BY rowid')
                           .fetchall()] for name in names}


def sheets_server(request):
    return {"api_base": request.getfixturevalue("sheets").base}


def filled_sheets_server(request):
    return {"api_base": request.getfixturevalue("filled_sheets").base}


def filled_front_server(request):
    base = request.getfixturevalue("filled_front").base
    return {"api_base": base, "api_endless": base + "/endless"}


def filled_webflow_server(request):
    base = request.getfixturevalue("filled_webflow").base
    return {"api_base": base, "api_endless": base + "/endless"}


def read_sheets(folder):
    facts = json.loads(pathlib.Path(folder, "server.json").read_text())
    with urllib.request.urlopen(facts["api_base"] + "/contents") as answer:
        tabs = json.load(answer)
    return {name: [json.dumps(row).encode() for row in rows] for name, rows in tabs.items()}


SHEETS = {"spreadsheet_id": sheets.SPREADSHEET, "api_base": "{api_base}",
          "credentials": {"auth_type": "oauth2.0", "client_id": "client", "client_secret": "secret",
                          "refresh_token": "refresh"}}


def write_files(folder):
    rows = "".join(json.dumps({"n": n, "text": "gr\u00fcn \"x\"\n", "price": n / 8}, ensure_ascii=n % 2 == 0) + "\n"
                   for n in range(25))
    for name in ("one", "two"):
        pathlib.Path(folder, f"{name}.jsonl").write_text(rows)
    pathlib.Path(folder, "table.csv.gz").write_bytes(gzip.compress(b"id;text\n" + b"".join(b"%d;a\n" % n for n in range(25))))
    pathlib.Path(folder, "long.jsonl").write_text('{"n": 1, "words": "some words, again and again"}\n' * 500_000)


FILE_STREAMS = {"streams": [{"name": "lines", "globs": ["{folder}/{one,two}.jsonl"]},
                            {"name": "table", "globs": ["{folder}/table*"], "primary_key": "id"}]}
LONG_FILE = {"streams": [*FILE_STREAMS["streams"][:1], {"name": "table", "globs": ["{folder}/long.jsonl"]}]}


def s3_server(request):
    server = request.getfixturevalue("s3")
    bucket = server.bucket()
    with tempfile.TemporaryDirectory() as folder:
        write_files(folder)
        for path in pathlib.Path(folder).iterdir():
            server.put(bucket, f"in/{path.name}", path.read_bytes())
    return {"bucket": bucket, "url": server.url, "key_id": server.key_id, "secret": server.secret, "region": server.region}


S3_STREAMS = [{"name": "lines", "globs": ["in/{one,two}.jsonl"]}, {"name": "table", "globs": ["in/table*"], "primary_key": "id"}]
S3_LONG = [S3_STREAMS[0], {"name": "table", "globs": ["in/long*"]}]
SHEETS_SOURCE = {**SHEETS, "credentials": {**SHEETS["credentials"], "auth_type": "Client"}}

def rows_of_files(files):
    """{stream: [record bytes, …]} of {path: bytes}: the files of destination-files and destination-s3, in the order in
    which they were written; the stream is the folder."""
    found = {}
    for path in sorted(files, key=lambda path: re.search(r"_g\d+_(\d+)_(\d+)_", path).groups()):
        rows = found.setdefault(path.split("/")[-2], [])
        for line in (gzip.decompress(files[path]) if path.endswith(".gz") else files[path]).splitlines():
            row = json.loads(line)
            start = line.find(b'"_airbyte_data":') + len(b'"_airbyte_data":')
            rows.append(line[start:-1] if "_airbyte_data" in row else line)
    return found


def read_files(folder):
    return rows_of_files({str(path): path.read_bytes() for path in pathlib.Path(folder, "out").rglob("firth_*")})


def s3_place(request):
    server = request.getfixturevalue("s3")
    return {"bucket": server.bucket(), "url": server.url, "key_id": server.key_id, "secret": server.secret,
            "region": server.region}


def read_s3(folder):
    facts = json.loads(pathlib.Path(folder, "server.json").read_text())
    server = s3.S3(int(facts["url"].rsplit(":", 1)[1]))
    return rows_of_files({key: server.get(facts["bucket"], key) for key in server.keys(facts["bucket"])
                          if "firth_" in key})


SOURCES = [
    Connector("source-file", "source", same_faces=False, exact_spec=False, prepare=write_files,
              good=FILE_STREAMS, endless=LONG_FILE,
              bad=[{}, {"url": "/nonexistent/file"}, {"url": 7}, {"streams": []}, {"streams": [{"globs": ["/x"]}]},
                   {"streams": [{"name": "x"}]}, {"url": "/x", "format": "docx"}],
              command=built_in("source-file")),
    Connector("source-s3", "source", same_faces=False, exact_spec=False, server=s3_server,
              good={"bucket": "{bucket}", "endpoint": "{url}", "aws_access_key_id": "{key_id}",
                    "aws_secret_access_key": "{secret}", "region_name": "{region}", "streams": S3_STREAMS},
              flow_good={"bucket": "{bucket}", "region": "{region}", "advanced": {"endpoint": "{url}"}, "credentials": {
                  "auth_type": "AWSAccessKey", "aws_access_key_id": "{key_id}", "aws_secret_access_key": "{secret}"}},
              endless={"streams": S3_LONG},
              bad=[{}, {"bucket": "b"}, {"bucket": "b", "streams": 7}, {"bucket": "", "streams": S3_STREAMS},
                   {"bucket": "b", "streams": S3_STREAMS, "endpoint": "ftp://x"},
                   {"bucket": "b", "streams": S3_STREAMS, "role_arn": "arn:aws:iam::1:role/x"}],
              command=built_in("source-s3")),
    # By xmin each table has a state of its own, as the suite wants it; in Flow's face: test_postgres_endurance.py.
    Connector("source-postgres-xmin", "source", exact_spec=False, server=postgres_tables,
              good={"host": "{host}", "port": "{port}", "database": "suite", "username": "{username}", "password": "{password}",
                    "ssl_mode": {"mode": "disable"}, "replication_method": {"method": "Xmin"}},
              bad=[{}], command=built_in("source-postgres"), endless={"database": "endless"}, flow=False, names_cursor=False),
    # By a cursor a stream is told which, and changes have one state for all. Its own tests read (test_postgres_*.py).
    Connector("source-postgres", "source", reads=False, flow=False, exact_spec=False, server=postgres_source_server,
              good={"host": "127.0.0.1", "port": "{port}", "database": "{database}", "username": "{username}",
                    "password": "{password}", "ssl_mode": {"mode": "disable"}},
              bad=[{}, {"host": "127.0.0.1", "port": 1, "database": "x", "username": "x"},
                   {"host": "x", "port": 70000, "database": "x", "username": "x"}, {"host": 7}, {"address": "127.0.0.1:1"},
                   {"host": "h", "database": "d", "username": "u", "ssl_mode": {"mode": "maybe"}},
                   {"host": "h", "database": "d", "username": "u", "replication_method": {"method": "CDC"}}],
              command=built_in("source-postgres")),
    Connector("source-faker", "source", good={"count": 25, "seed": 7, "records_per_slice": 10},
              bad=[{"count": 0}, {"count": "many"}, {"records_per_slice": 0}, {"seed": -2}, {"parallelism": 0},
                   {"always_updated": "no"}, []],
              command=built_in("source-faker"), endless={"count": 1_000_000_000}),
    Connector("source-google-sheets", "source", server=filled_sheets_server, good={**SHEETS_SOURCE, "batch_size": 10},
              bad=[{}, {**SHEETS_SOURCE, "spreadsheet_id": "x"}, {**SHEETS_SOURCE, "batch_size": 0},
                   {**SHEETS_SOURCE, "credentials": {"auth_type": "Service"}}, {**SHEETS_SOURCE, "streams": [{}]},
                   {**SHEETS_SOURCE, "stream_name_overrides": [{"source_stream_name": "x"}]}],
              command=built_in("source-google-sheets"), exact_spec=False, same_faces=False, endless={"spreadsheet_id": sheets.ENDLESS}),
    Connector("source-front", "source", server=filled_front_server, exact_spec=False,
              good={"api_key": front.TOKEN, "start_date": "2024-11-15T00:00:00Z", "page_limit": "20", "api_base": "{api_base}"},
              flow_good={"credentials": {"access_token": front.TOKEN}, "start_date": "2024-11-15T00:00:00Z", "api_base": "{api_base}"},
              bad=[{}, {"api_key": ""}, {"api_key": 7}, {"api_key": "x", "start_date": "2024-11-15"},
                   {"api_key": "x", "page_limit": "1000"}, {"credentials": {}}, {"credentials": {"access_token": ""}}],
              command=built_in("source-front"), endless={"api_base": "{api_endless}"}, checkpoints=False),
    Connector("source-webflow", "source", server=filled_webflow_server, exact_spec=False,
              good={"site_id": webflow.SITE, "api_key": webflow.TOKEN, "api_base": "{api_base}"},
              bad=[{}, {"site_id": webflow.SITE}, {"site_id": webflow.SITE, "api_key": ""}, {"site_id": 7, "api_key": "x"},
                   {"site_id": "x", "api_key": "x", "api_base": "nowhere"}],
              command=built_in("source-webflow"), endless={"api_base": "{api_endless}"}, checkpoints=False),
    # Made with the installed SDK, as docs/sdk.md shows.
    Connector("docs:source-lines", "source", good={"path": "{folder}/short.txt", "batch": 10},
              bad=[{}, {"path": 7}, {"path": "/nonexistent/file"}, {"path": "x", "batch": 0}],
              command=lambda request: [str(request.getfixturevalue("sdk_programs")[0] / "source-lines")],
              exact_spec=False, prepare=write_lines, endless={"path": "{folder}/long.txt"}),
    # Airbyte's own, from PyPI: in Python; always reads from the start; leaves out streams that it does not know.
    Connector("pypi:source-faker", "source",
              good={"count": 25, "seed": 7, "records_per_slice": 10, "parallelism": 1}, bad=[{"count": "many"}],
              command=lambda request: [request.getfixturevalue("airbyte_source_faker")],
              resumes_exactly=False, exact_spec=False, refuses_unknown_streams=False, slow=True, flow=False,
              endless={"count": 10_000_000}),
]

DESTINATIONS = [
    Connector("destination-files", "destination",
              good={"destination_path": "/local/out", "commit_interval": 1,
                    "format": {"format_type": "JSONL", "compression": {"compression_type": "No Compression"}}},
              bad=[{}, {"destination_path": ""}, {"destination_path": "/local/../etc"}, {"destination_path": 7},
                   {"destination_path": "/local/out", "path_template": "all/"},
                   {"destination_path": "/local/out", "path_template": "{stream}/{yaer}/"},
                   {"destination_path": "/local/out", "format": {"format_type": "XLSX"}}],
              command=built_in("destination-files"), read_back=read_files, exact_spec=False,
              env={"FIRTH_LOCAL_ROOT": "{folder}"}),
    # A bucket has no locks that a killed sync would let go.
    Connector("destination-s3", "destination", server=s3_place, own_disk=False, fences="first", alone=False,
              good={"s3_bucket_name": "{bucket}", "s3_bucket_path": "some/path", "s3_endpoint": "{url}",
                    "access_key_id": "{key_id}", "secret_access_key": "{secret}", "s3_bucket_region": "{region}", "commit_interval": 1,
                    "format": {"format_type": "JSONL", "compression": {"compression_type": "GZIP"}}},
              bad=[{}, {"s3_bucket_name": "b"}, {"s3_bucket_name": "", "s3_bucket_path": "x", "format": {"format_type": "CSV"}},
                   {"s3_bucket_name": "b", "s3_bucket_path": "x", "format": {"format_type": "CSV"},
                    "s3_endpoint": "ftp://x"}],
              command=built_in("destination-s3"), read_back=read_s3, exact_spec=False),
    Connector("destination-local-json", "destination", good={"destination_path": "/local/out"},
              bad=[{}, {"destination_path": ""}, {"destination_path": "/local/../etc"}, {"destination_path": 7}],
              command=built_in("destination-local-json"), read_back=read_local_json, exact_spec=False,
              env={"FIRTH_LOCAL_ROOT": "{folder}"}),
    Connector("destination-duckdb", "destination", good={"destination_path": "/local/out.duckdb", "lock_wait": 0},
              flow_good={"destination_path": "/local/out.duckdb"}, fences="first",
              bad=[{}, {"destination_path": ""}, {"destination_path": "/local/../etc/x"}, {"destination_path": 7},
                   {"destination_path": "md:"}, {"destination_path": "motherduck:mine"},
                   {"destination_path": "/local/out.duckdb", "lock_wait": -1}],
              command=built_in("destination-duckdb"), read_back=read_duckdb, exact_spec=False,
              env={"FIRTH_LOCAL_ROOT": "{folder}"}, verbatim=False),
    Connector("destination-sqlite", "destination", good={"destination_path": "/local/out.db"},
              bad=[{}, {"destination_path": ""}, {"destination_path": "/local/../etc/x"}, {"destination_path": 7},
                   {"destination_path": "/local/out.db", "tables": "odd"}, {"destination_path": "/local/"}],
              command=built_in("destination-sqlite"), read_back=read_sqlite, exact_spec=False,
              env={"FIRTH_LOCAL_ROOT": "{folder}"}, verbatim=False, fences="first"),
    Connector("destination-postgres", "destination", server=postgres_server, own_disk=False, verbatim=False,
              good={name: "{%s}" % name for name in ("host", "port", "database", "username", "password")},
              flow_good={"address": "{address}", "database": "{database}", "user": "{username}",
                         "credentials": {"auth_type": "UserPassword", "password": "{password}"}},
              bad=[{}, {"host": "127.0.0.1"}, {"host": "127.0.0.1", "port": 1, "database": "x", "username": "y"},
                   {"host": "127.0.0.1", "port": "many", "database": "x", "username": "y"}],
              command=built_in("destination-postgres"), read_back=read_postgres, exact_spec=False, fences="first"),
    Connector("destination-google-sheets", "destination", server=sheets_server, own_disk=False, verbatim=False, good=SHEETS,
              bad=[{}, {**SHEETS, "spreadsheet_id": "x"}, {**SHEETS, "credentials": {}}, {**SHEETS, "value_input": "odd"},
                   {**SHEETS, "credentials": {"auth_type": "service"}}, {**SHEETS, "spreadsheet_id": 7}],
              command=built_in("destination-google-sheets"), read_back=read_sheets, exact_spec=False, fences=None),
    # Made with the installed SDK, as docs/sdk.md shows: one row a key. Its page leaves out what a folder of files needs.
    Connector("docs:destination-table", "destination", good={"path": "{folder}/table.tsv"}, bad=[{}, {"path": 7}],
              command=lambda request: [str(request.getfixturevalue("sdk_programs")[0] / "destination-table")],
              read_back=read_table, airbyte=False, replaces=False, fences=None),
]
