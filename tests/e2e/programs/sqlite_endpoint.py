"""A small materialization connector of Flow's protocol, with SQLite as its endpoint. It reads packed keys and values
alone, as connectors in Go do, and is strict: an insert of what is there, or an update of what is not, is its error.

Config: `path` of the database; `seen`, a file to which every message is appended as {"<": …} or {">": …};
`authority`: "endpoint" (the runtime checkpoint is kept in the endpoint's transaction, with a fence) or "runtime" (rows
are staged, and applied once they are acknowledged); `delta`: rows are appended; `no_load_optimization`;
`case_insensitive`; `no_null_keys`: refused, as connectors in Go do; `ser_policy`: as it is validated; `constraints`: {field: {"type", …}} instead of the usual; `slow`: file to wait for before
`acknowledged`; `defect`: a mistake to make, for the checker to catch:
lose-store, double-store (of a delta binding), commit-first (the checkpoint before the rows), stale-checkpoint (the rows without it),
ignore-fence, forget-loaded, lose-staged, apply-again (staged rows at each acknowledgement), late-apply (staged rows after the loads).
"""

import _sqlite3 as sqlite3  # without the dates
import lean_json as json
import os
import sys
import time
from binascii import a2b_base64

from packed_keys import unpack

TYPES = ("boolean", "integer", "number", "string")


def fail(text):
    print(text, file=sys.stderr, flush=True)
    os._exit(1)


def quote(name):
    return '"' + name.replace('"', '""') + '"'


class Connector:
    def __init__(self):
        self.config, self.defect, self.fence, self.stored = {}, None, None, 0

    # --- messages

    def note(self, way, message):
        if self.config.get("seen"):
            with open(self.config["seen"], "a") as file:
                file.write(json.dumps({way: message, "pid": os.getpid()}) + "\n")

    def say(self, message):
        self.note("<", message)
        sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
        sys.stdout.flush()

    def request(self):
        line = sys.stdin.readline()
        if not line:
            self.note(">", {"end": {}})
            return None, None
        message = json.loads(line)
        (verb, body), = message.items()
        config = body.get("materialization", {}).get("config") or body.get("config")
        if config:
            self.config = config
            self.defect = config.get("defect")
        self.note(">", message)
        return verb, body

    # --- before a session

    def open_database(self):
        self.db = sqlite3.connect(self.config["path"], isolation_level=None, timeout=30)
        self.db.execute("pragma synchronous = off")  # it outlives what it is killed by, but for the machine
        self.db.execute("create table if not exists flow_checkpoints (task text primary key, fence integer, checkpoint text)")
        self.db.execute("create table if not exists flow_tables (name text primary key, state_key text, types text)")
        self.db.execute("create table if not exists flow_staged (id integer primary key, ops text, done integer)")

    def table_types(self, path):
        row = self.db.execute("select state_key, types from flow_tables where name = ?", (path,)).fetchone()
        return (row[0], json.loads(row[1])) if row else (None, {})

    def constraint(self, projection, key, types, backfilled, last):
        field = projection["field"]
        before = (last or {}).get("fieldSelection")
        if field in key and before and not backfilled and field not in before["keys"] + before.get("values", []):
            return {"type": "FIELD_FORBIDDEN", "reason": "Cannot add a new key location to the field selection of an existing "
                    "non-delta-updates materialization without backfilling"}
        if field in self.config.get("constraints", {}):
            return self.config["constraints"][field]
        inferred = [t for t in projection["inference"]["types"] if t != "null"]
        if field in types and not backfilled and inferred and types[field] != inferred[0]:
            return {"type": "INCOMPATIBLE", "reason": f"the column is {types[field]}, the field is {inferred[0]}"}
        if "ptr" not in projection:
            return {"type": "LOCATION_REQUIRED", "reason": "The root document must be materialized"}
        if field in key:
            return {"type": "LOCATION_REQUIRED", "reason": "The key is required"}
        if len(inferred) == 1:
            return {"type": "LOCATION_RECOMMENDED" if inferred[0] in TYPES else "FIELD_OPTIONAL",
                    "reason": "The projection has a single type"}
        return {"type": "FIELD_FORBIDDEN", "reason": "The projection has no single type"}

    def validate(self, body):
        self.open_database()
        bindings = []
        before = body.get("lastMaterialization") or {}
        last = {tuple(b["resourcePath"]): b for b in before.get("inactiveBindings", []) + before.get("bindings", [])}
        for binding in body["bindings"]:
            path = binding["resourceConfig"]["table"]
            for p in binding["collection"]["projections"] if self.config.get("no_null_keys") else ():
                if p["field"] in binding["groupBy"] and "default" not in p["inference"] and (
                        p["inference"].get("exists") != "MUST" or "null" in p["inference"]["types"]):
                    fail(f"validating binding: cannot materialize collection '{binding['collection']['name']}' with nullable "
                         f"key field '{p['field']}' unless it has a default value annotation")
            _, types = self.table_types(path)
            backfilled = (path,) in last and last[(path,)].get("backfill", 0) != binding.get("backfill", 0)
            bindings.append({
                "resourcePath": [path], "deltaUpdates": bool(self.config.get("delta")),
                "caseInsensitiveFields": bool(self.config.get("case_insensitive")),
                "serPolicy": self.config.get("ser_policy"),
                "projectionConstraints": [
                    {"field": p["field"], "constraint": self.constraint(p, binding["groupBy"], types, backfilled,
                                                                       last.get((path,)))}
                    for p in binding["collection"]["projections"]]})
        self.say({"validated": {"bindings": bindings}})

    def columns(self, binding):
        selection = binding["fieldSelection"]
        return selection["keys"], selection.get("values", []), selection.get("document")

    def apply(self, body):
        self.open_database()
        done = []
        self.db.execute("begin immediate")
        for binding in body["materialization"].get("bindings", []):
            path, = binding["resourcePath"]
            state_key, _ = self.table_types(path)
            keys, values, document = self.columns(binding)
            if state_key == binding["stateKey"]:
                known = {row[1] for row in self.db.execute(f"pragma table_info({quote(path)})")}
                for name in values:
                    if name not in known:
                        self.db.execute(f"alter table {quote(path)} add column {quote(name)}")
                        done.append(f"added {path}.{name}")
            else:
                self.db.execute(f"drop table if exists {quote(path)}")
                columns = ", ".join(quote(c) for c in [*keys, *values, *([document] if document else [])])
                key = "" if binding.get("deltaUpdates") else f", primary key ({', '.join(map(quote, keys))})"
                self.db.execute(f"create table {quote(path)} ({columns}{key})")
                done.append(f"created {path}")
            types = {p["field"]: next((t for t in p["inference"]["types"] if t != "null"), "null")
                     for p in binding["collection"]["projections"] if p["field"] in [*keys, *values]}
            self.db.execute("insert or replace into flow_tables values (?, ?, ?)",
                            (path, binding["stateKey"], json.dumps(types)))
        self.db.execute("commit")
        self.say({"applied": {"actionDescription": ", ".join(done)}})

    # --- a session

    def open(self, body):
        self.open_database()
        spec = body["materialization"]
        self.name, self.bindings, self.state = spec["name"], spec["bindings"], body.get("state") or {}
        opened = {"disableLoadOptimization": True} if self.config.get("no_load_optimization") else {}
        if self.config.get("authority", "endpoint") == "endpoint":
            self.db.execute("begin immediate")
            self.db.execute("insert or ignore into flow_checkpoints values (?, 0, '{}')", (self.name,))
            self.db.execute("update flow_checkpoints set fence = fence + 1 where task = ?", (self.name,))
            self.fence, checkpoint = self.db.execute(
                "select fence, checkpoint from flow_checkpoints where task = ?", (self.name,)).fetchone()
            self.db.execute("commit")
            opened["runtimeCheckpoint"] = json.loads(checkpoint)
        self.say({"opened": opened})

    def load(self, body, found):
        binding = self.bindings[body.get("binding", 0)]
        if "keyPacked" not in body:
            fail("transactor.Load: validation failed: Load: expected KeyPacked")
        keys, _, document = self.columns(binding)
        where = " and ".join(f"{quote(k)} is ?" for k in keys)
        key = unpack(a2b_base64(body["keyPacked"]))
        row = self.db.execute(f"select {quote(document)} from {quote(binding['resourcePath'][0])} where {where}",
                              key).fetchone()
        if row and self.defect != "forget-loaded":
            found.append({"loaded": {"binding": body.get("binding", 0), "doc": json.loads(row[0])}})

    def run(self, operation):
        """One store."""
        binding = self.bindings[operation.get("binding", 0)]
        keys, values, document = self.columns(binding)
        table = quote(binding["resourcePath"][0])
        key = unpack(a2b_base64(operation["keyPacked"]))
        row = unpack(a2b_base64(operation.get("valuesPacked", "")))
        if document:
            row.append(operation["doc"])
        names = [*keys, *values, *([document] if document else [])]
        where = " and ".join(f"{quote(k)} is ?" for k in keys)
        if operation.get("delete"):
            changed = self.db.execute(f"delete from {table} where {where}", key).rowcount
        elif operation.get("exists"):
            sets = ", ".join(f"{quote(n)} = ?" for n in names[len(keys):])
            changed = self.db.execute(f"update {table} set {sets} where {where}", [*row, *key]).rowcount
        else:
            marks = ", ".join("?" * len(names))
            changed = self.db.execute(f"insert into {table} ({', '.join(map(quote, names))}) values ({marks})",
                                      [*key, *row]).rowcount
        if changed != 1:
            fail(f"a store with exists={operation.get('exists', False)} changed {changed} rows of {table}: {key}")

    def run_all(self, operations):
        for operation in operations:
            self.stored += 1
            if self.defect == "lose-store" and self.stored % 7 == 3:
                continue
            try:
                self.run(operation)
                if self.defect == "double-store" and self.stored % 7 == 3:
                    self.run(operation)
            except sqlite3.IntegrityError as error:
                fail(f"cannot store: {error}")

    def commit(self, operations, checkpoint):
        """With the checkpoint, in one transaction, unless this session was fenced off."""
        if self.defect == "commit-first":
            self.db.execute("update flow_checkpoints set checkpoint = ? where task = ?", (checkpoint, self.name))
            if os.path.exists(self.config.get("crash", "")):
                os.remove(self.config["crash"])
                os._exit(9)
        self.db.execute("begin immediate")
        fence, = self.db.execute("select fence from flow_checkpoints where task = ?", (self.name,)).fetchone()
        if fence != self.fence and self.defect != "ignore-fence":
            fail("transactor.StartCommit: this instance was fenced off by another")
        self.run_all(operations)
        if self.defect != "stale-checkpoint":
            self.db.execute("update flow_checkpoints set checkpoint = ? where task = ?", (checkpoint, self.name))
        self.db.execute("commit")
        return {}

    def stage(self, operations):
        """Kept aside until it is acknowledged; the state says what is to be applied."""
        cursor = self.db.execute("insert into flow_staged (ops, done) values (?, 0)", (json.dumps(operations),))
        self.state = {"staged": cursor.lastrowid}
        return {"state": {"updated": self.state}}

    def acknowledge(self):
        slow = self.config.get("slow")
        while slow and not os.path.exists(slow):
            time.sleep(0.005)
        if self.defect != "late-apply":
            self.apply_staged()

    def apply_staged(self):
        staged = self.state.get("staged")
        if staged is None:
            return
        again = self.defect == "apply-again"
        self.db.execute("begin immediate")
        row = self.db.execute("select ops from flow_staged where id = ? and (done = 0 or ?)", (staged, again)).fetchone()
        if row and self.defect != "lose-staged":
            self.run_all(json.loads(row[0]))
        if not again:
            self.db.execute("update flow_staged set done = 1, ops = '' where id = ?", (staged,))
        self.db.execute("commit")

    def session(self):
        """Transactions until the end of the input."""
        endpoint = self.config.get("authority", "endpoint") == "endpoint"
        verb, body = self.request()
        while verb is not None:
            found, operations = [], []
            if verb != "acknowledge":
                fail(f"expected acknowledge, got {verb}")
            self.acknowledge()
            self.say({"acknowledged": {}})
            verb, body = self.request()
            while verb == "load":
                self.load(body, found)
                verb, body = self.request()
            if self.defect == "late-apply" and verb == "flush":
                self.apply_staged()
            if verb is None and not found:
                return
            if verb != "flush":
                fail(f"expected flush, got {verb}")
            for each in found:
                self.say(each)
            self.say({"flushed": {}})
            verb, body = self.request()
            while verb == "store":
                operations.append({**body, "doc": json.dumps(body["doc"], separators=(",", ":"))} if "doc" in body else body)
                verb, body = self.request()
            if verb != "startCommit":
                fail(f"expected startCommit, got {verb}")
            checkpoint = json.dumps(body["runtimeCheckpoint"])
            self.say({"startedCommit": self.commit(operations, checkpoint) if endpoint else self.stage(operations)})
            verb, body = self.request()

    def main(self):
        verb, body = self.request()
        if verb == "spec":
            self.say({"spec": {"protocol": 3032023, "configSchema": {"type": "object"},
                               "resourceConfigSchema": {"type": "object", "properties": {
                                   "table": {"type": "string", "x-collection-name": True}}},
                               "documentationUrl": "https://example.com"}})
        elif verb in ("validate", "apply"):
            getattr(self, verb)(body)
        else:
            self.open(body)
            self.session()
