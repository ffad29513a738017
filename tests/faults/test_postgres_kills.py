"""Change data capture under kills: a random workload runs against PostgreSQL while the capture, its connector and the
server are killed. In the end the collection, reduced, is the table; and the history of changes is what the workload
did, in the order of its commits, each once."""

import collections
import json
import os
import pathlib
import random
import signal
import threading

import pytest

import memory
from conftest import DEADLINE, FULL, until
from e2e.postgres_source import flow_config
from processes import descendants

memory.leave()

ROUNDS = 24 if FULL else 12


def discovered(firth, config):
    """What `firth connector source-postgres` offers, by table."""
    import subprocess
    request = json.dumps({"discover": {"config": config}}) + "\n"
    done = subprocess.run([firth.path, "connector", "source-postgres"], input=request, capture_output=True, text=True,
                          env={**os.environ, "FLOW_RUNTIME_CODEC": "json"}, check=True)
    return {b["resourcePath"][-1]: b for b in json.loads(done.stdout)["discovered"]["bindings"]}


def catalog(folder, firth, config, *tables):
    found = discovered(firth, config)
    bound, bindings = {}, []
    for table in tables:
        binding = found[table]
        bound[f"acmeCo/{table}"] = {"schema": binding["documentSchema"], "key": binding["key"]}
        bindings.append({"resource": binding["resourceConfig"], "target": f"acmeCo/{table}"})
    path = folder / "flow.json"
    path.write_text(json.dumps({"collections": bound, "captures": {"acmeCo/pg": {
        "endpoint": {"connector": {"image": "ghcr.io/estuary/source-postgres:dev", "config": config}},
        "bindings": bindings, "interval": "1s"}}}))
    return str(path)


class Workload:
    """Transactions of random statements; it keeps what each did, and when it committed by the order of its commits."""

    SETUP = """
        CREATE TABLE items (id int PRIMARY KEY, n int, big text, extra int); ALTER TABLE items ALTER big SET STORAGE EXTERNAL;
        CREATE TABLE log (step bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, op text, id int, n int);
        INSERT INTO items SELECT i, 0, repeat('s', 3000), NULL FROM generate_series(1, 200) i;
    """

    def __init__(self, database, seed, rewrites):
        self.database, self.random, self.columns, self.steps = database, random.Random(seed), [], 0
        self.rewrites = rewrites
        self.next_id = 1000

    def statement(self):
        r, pick = self.random, self.random.random()
        which = r.randrange(1, 260) if r.random() < 0.7 else r.randrange(1000, max(1001, self.next_id))
        self.steps += 1
        if pick < 0.35:
            self.next_id += 1
            return f"INSERT INTO items (id, n, big) VALUES ({self.next_id}, {self.steps}, repeat('i', {r.choice([1, 5000])}))"
        if pick < 0.60:
            return f"UPDATE items SET n = {self.steps} WHERE id = {which}"
        if pick < 0.70:
            return f"UPDATE items SET big = repeat('u', {r.choice([0, 4000])}), n = {self.steps} WHERE id = {which}"
        if pick < 0.82:
            self.next_id += 1
            return f"UPDATE items SET id = {self.next_id}, n = {self.steps} WHERE id = {which}"
        return f"DELETE FROM items WHERE id = {which}"

    def transaction(self):
        r = self.random
        count = 400 if r.random() < 0.05 else r.randrange(1, 6)
        body = ";\n".join(self.statement() for _ in range(count))
        if r.random() < 0.03:
            name = f"c{len(self.columns)}"
            self.columns.append(name)
            # Two steps: what ADD … DEFAULT gives the rows that are there, PostgreSQL does not tell its log.
            body = f"ALTER TABLE items ADD {name} int;\nALTER TABLE items ALTER {name} SET DEFAULT {self.steps};\n{body}"
        if self.rewrites and r.random() < 0.03:
            # No change tells of these values, and the table is read again.
            body = f"{body};\nALTER TABLE items ALTER n TYPE int USING -coalesce(n, 0)"
        end = "ROLLBACK" if r.random() < 0.1 else "COMMIT"
        return f"BEGIN;\n{body};\n{end};\n"

    def interleaved(self):
        """Two at once, on rows of their own; the second commits first."""
        self.next_id += 2
        a, b = self.next_id - 1, self.next_id
        first, second = self.database.interactive(), self.database.interactive()
        first.stdin.write(f"BEGIN; INSERT INTO items (id, n) VALUES ({a}, 1); SELECT 'in';\n")
        assert first.stdout.readline() == "in\n"
        second.stdin.write(f"BEGIN; INSERT INTO items (id, n) VALUES ({b}, 1); UPDATE items SET n = 2 WHERE id = {b}; COMMIT; SELECT 'in';\n")
        assert second.stdout.readline() == "in\n"
        first.stdin.write(f"UPDATE items SET n = 2 WHERE id = {a}; COMMIT;\n")
        for each in (first, second):
            each.stdin.close()
            assert each.wait(DEADLINE) == 0

    def run(self, transactions):
        for _ in range(transactions // 10):
            self.database.run("".join(self.transaction() for _ in range(10)))
            self.interleaved()


def connector_of(pid):
    """The pid of the connector below a `firth run`, or None."""
    for each in descendants(pid):
        try:
            command = pathlib.Path(f"/proc/{each}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"connector" in command and b"source-postgres" in command:
            return each
    return None


def documents(firth, collection):
    done = firth("read", collection)
    return [json.loads(line) for line in done.out.splitlines()] if done.rc == 0 else []


def reduced(docs):
    """{id: row}, as the schema's `merge` reduces: the last of each column; a delete removes."""
    rows = {}
    for doc in docs:
        meta, row = doc["_meta"], {k: v for k, v in doc.items() if k != "_meta"}
        if meta["op"] == "d":
            rows.pop(doc["id"], None)
        else:
            rows[doc["id"]] = {**rows.get(doc["id"], {}), **row}
    return rows


def table(database, name="items"):
    """{id: row}; of each row what is not null."""
    rows = {}
    for (text,) in database.rows(f"SELECT to_jsonb(t)::text FROM {name} t"):
        row = json.loads(text)
        rows[row["id"]] = row
    return rows


def without_nulls(rows):
    return {key: {k: v for k, v in row.items() if v is not None} for key, row in rows.items()}


def cut(doc):
    """For a message: large values as their first letter and length."""
    return doc and {k: f"{v[:1]}*{len(v)}" if isinstance(v, str) else v for k, v in doc.items()}


def caught_up(firth, database, slot):
    """A row of a table of its own has come: so has everything before it."""
    mark = random.randrange(1 << 30)
    database.run(f"INSERT INTO marks VALUES ({mark})")
    until(lambda: any(d.get("id") == mark for d in documents(firth, "acmeCo/marks")), f"mark {mark}", DEADLINE * 2)


def kill_at_random(running, chooser, killed):
    """The whole run, or only its connector."""
    victim = connector_of(running.pid) if chooser.random() < 0.4 else None
    if victim:
        try:
            os.kill(victim, signal.SIGKILL)
            killed["connector"] += 1
        except ProcessLookupError:
            pass
        return running
    running.kill()
    killed["run"] += 1
    return None


def under_kills(firth, database, path, seed, env=None, restart_server=False, rewrites=False):
    chooser, workload = random.Random(seed), Workload(database, seed, rewrites)
    running, rounds, killed = None, 0, collections.Counter()
    done = threading.Event()
    failed = []

    def work():
        try:
            workload.run(100 if ROUNDS < 20 else 300)
        except BaseException as error:  # noqa: B036 - told in the main thread
            failed.append(error)
        finally:
            done.set()

    worker = threading.Thread(target=work)
    worker.start()
    while not done.is_set() or rounds < ROUNDS:
        running = running or firth.start("run", path, "--retry-after", "100ms", env=env)
        before = len(documents(firth, "acmeCo/items"))
        # Until something more is committed, or a moment has passed: then wherever it happens to be.
        limit = threading.Event()
        for _ in range(chooser.randrange(1, 12)):
            limit.wait(0.1)
            if len(documents(firth, "acmeCo/items")) > before and chooser.random() < 0.3:
                break
        running = kill_at_random(running, chooser, killed)
        rounds += 1
    worker.join()
    if failed:
        raise failed[0]
    if running:
        running.kill()
    if restart_server:
        database.server.kill()
        database.server.start()
    running = firth.start("run", path, "--retry-after", "100ms", env=env)
    caught_up(firth, database, "s")
    running.kill()
    assert killed["run"] and killed["connector"], killed
    return workload


@pytest.mark.timeout(600)
def test_the_reduced_collection_is_the_table(firth, postgres, tmp_path):
    postgres.run(Workload.SETUP + "CREATE TABLE marks (id int PRIMARY KEY)")
    path = catalog(tmp_path, firth, flow_config(postgres), "items", "marks")
    under_kills(firth, postgres, path, 1, restart_server=True, rewrites=True)
    docs = documents(firth, "acmeCo/items")
    assert len(docs) > 300
    got, wanted = without_nulls(reduced(docs)), without_nulls(table(postgres))
    differ = {key for key in got.keys() | wanted.keys() if got.get(key) != wanted.get(key)}
    story = [cut(doc) for doc in docs if doc["id"] in differ]
    assert not differ, ({key: cut(got.get(key)) for key in differ}, {key: cut(wanted.get(key)) for key in differ}, story)


HISTORY = """
    ALTER TABLE items REPLICA IDENTITY FULL;
    CREATE TABLE history (place bigint GENERATED ALWAYS AS IDENTITY, xid xid DEFAULT pg_current_xact_id()::xid, op text, old int, new int, n int);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO history (op, old, new, n) VALUES (lower(left(TG_OP, 1)), CASE WHEN TG_OP <> 'INSERT' THEN OLD.id END,
            CASE WHEN TG_OP <> 'DELETE' THEN NEW.id END, CASE WHEN TG_OP <> 'DELETE' THEN NEW.n END);
        RETURN NULL; END $$;
    CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON items FOR EACH ROW EXECUTE FUNCTION note();
"""


def check_history(firth, database):
    """Each change once, transactions whole and in the order of their commits."""
    changes = [d for d in documents(firth, "acmeCo/items") if not d["_meta"]["source"].get("snapshot")]
    got = {}
    for d in changes:
        op = {"c": "i", "u": "u", "d": "d"}[d["_meta"]["op"]]
        old = d["id"] if op == "d" else d["_meta"]["before"]["id"] if op == "u" else None
        got.setdefault(d["_meta"]["source"]["txid"], []).append(
            (op, old, None if op == "d" else d["id"], None if op == "d" else d["n"]))
    wanted = {}
    number = lambda text: int(text) if text else None
    for xid, op, old, new, n in database.rows("SELECT xid, op, old, new, n FROM history ORDER BY place"):
        wanted.setdefault(int(xid), []).append((op, number(old), number(new), number(n)))
    assert got == wanted
    locs = [d["_meta"]["source"]["loc"] for d in changes]
    assert [(c, e) for _, e, c in locs] == sorted((c, e) for _, e, c in locs)
    return len(changes)


@pytest.mark.timeout(600)
def test_the_history_is_what_was_done(firth, postgres, tmp_path):
    postgres.run(Workload.SETUP + HISTORY + "CREATE TABLE marks (id int PRIMARY KEY)")
    path = catalog(tmp_path, firth, flow_config(postgres, historyMode=True), "items", "marks")
    running = firth.start("run", path)
    until(lambda: len(documents(firth, "acmeCo/items")) == 200, "the rows that were there")
    running.kill()
    postgres.run("TRUNCATE history")
    under_kills(firth, postgres, path, 2)
    assert check_history(firth, postgres) > 100


@pytest.mark.timeout(600)
def test_confirming_too_early_is_caught(firth_dev, postgres, tmp_path):
    """A planted bug: the slot moves with what was read, before it is durable."""
    postgres.run("CREATE TABLE items (id int PRIMARY KEY); CREATE TABLE marks (id int PRIMARY KEY)")
    path = catalog(tmp_path, firth_dev, flow_config(postgres), "items", "marks")
    env = {"FIRTH_FAULT_PLANT": "postgres-confirm-before-commit"}
    running = firth_dev.start("run", path, env=env)
    caught_up(firth_dev, postgres, "s")
    # The task is held, so that nothing is committed any more; the connector goes on.
    connector = until(lambda: connector_of(running.pid), "the connector")
    parent = int(pathlib.Path(f"/proc/{connector}/stat").read_text().rsplit(")", 1)[1].split()[1])
    before = postgres.value("SELECT confirmed_flush_lsn FROM pg_replication_slots")
    os.kill(parent, signal.SIGSTOP)
    postgres.run("INSERT INTO items VALUES (1)")
    end = postgres.value("SELECT pg_current_wal_lsn()")
    until(lambda: postgres.value(f"SELECT confirmed_flush_lsn >= '{end}' FROM pg_replication_slots") == "t",
          "the early confirmation")
    assert before != end
    os.kill(parent, signal.SIGKILL)
    running.kill()
    running = firth_dev.start("run", path, env={"FIRTH_FAULT_PLANT": None})
    # Without the bug the row would come; with it the loss is noticed, and said.
    running.wait_for_line("but this capture has read only up to")
    running.kill()
    assert documents(firth_dev, "acmeCo/items") == []
