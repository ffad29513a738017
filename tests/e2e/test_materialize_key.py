"""A key that changed while the table's binding was out of the catalog, disabled, or never known to be applied: by
onIncompatibleSchemaChange, as if it had been there all the time; and `firth check` says so before."""

import json
import sqlite3

import pytest

from e2e.materialize import TASK, catalog, flow, materialize, put, rows
from e2e.scripted import failure

SCHEMA = {"type": "object", "required": ["id", "name"], "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
NARROW, WIDE = ("/id",), ("/id", "/name")
SETTINGS = ["backfill", "disableBinding", "disableTask", "abort"]
STOPS = {"disableTask": "until the catalog changes", "abort": "raise the binding's 'backfill'"}


class World:
    """Two collections, of which users has two documents of one id, and a connector that materializes both."""

    def __init__(self, firth, tmp_path, connector):
        self.firth, self.tmp_path, self.built_in = firth, tmp_path, connector == "built-in"
        self.more = {"collections": ("users", "other"), "schema": SCHEMA}
        if self.built_in:
            self.more["endpoint"] = {"local": {
                "command": [str(firth.path), "connector", "destination-sqlite"],
                "env": {"FIRTH_LOCAL_ROOT": str(tmp_path)}, "config": {"destination_path": "/local/out.db"}}}
        put(firth, tmp_path, {"id": 7, "name": "x"}, stream="other", **self.more)
        self.put({"id": 1, "name": "a"}, {"id": 1, "name": "b"})

    def put(self, *documents):
        put(self.firth, self.tmp_path, *documents, **self.more)

    def catalog(self, key, tables=("users", "other"), priority=0, **more):
        called = "stream" if self.built_in else "table"
        bindings = [{"source": f"acmeCo/{name}", "resource": {called: name}, "priority": priority} for name in tables]
        path = catalog(self.tmp_path, bindings=bindings, **self.more, **more)
        written = json.loads(path.read_text())
        written["collections"]["acmeCo/users"]["key"] = list(key)
        path.write_text(json.dumps(written))
        return path

    def materialize(self, *args, expect=0, **more):
        return materialize(self.firth, self.catalog(*args, **more), expect=expect)

    def names(self):
        return sorted(row["name"] for row in rows(self.tmp_path))

    def key(self):
        with sqlite3.connect(self.tmp_path / "out.db") as db:
            return [name for name, in db.execute("select name from pragma_table_info('users') where pk order by pk")]


def named(key):
    return [pointer[1:] for pointer in key]


def kept(key):
    return ["b"] if key == NARROW else ["a", "b"]


def is_as_set(world, on, was, now):
    """What check and a run make of the key `now`, the table having `was`."""
    why = f"the key is {', '.join(named(now))}, and what the endpoint has was materialized by {', '.join(named(was))}"
    path = world.catalog(now, onIncompatibleSchemaChange=on)
    checked = world.firth("check", str(path), expect=3 if on == "abort" else 0).err
    assert why in checked and f"onIncompatibleSchemaChange: {'backfill' if on == 'abort' else on}" in checked
    lines = materialize(world.firth, path, expect=1 if on in STOPS else 0)
    if on in STOPS:
        error = failure(lines)
        assert why in error["message"] and STOPS[on] in error["message"] and not error["retriable"]
    else:
        (told,) = [line["message"] for line in lines if why in line.get("message", "")]
        assert ("materialized anew" if on == "backfill" else "the binding is disabled") in told
    has = now if on == "backfill" else was
    assert world.names() == kept(has) and world.key() == named(has)
    if on != "backfill":
        return
    assert why not in world.firth("check", str(path), expect=0).err
    world.put({"id": 1, "name": "a"}, {"id": 2, "name": "c"})
    world.materialize(now, onIncompatibleSchemaChange=on)
    assert world.names() == (["a", "c"] if now == NARROW else ["a", "b", "c"]) and world.key() == named(now)


# Each setting both ways, by one connector or the other; what is decided does not ask which.
WAYS = [pytest.param(on, was, now, connector, id=f"{on}-{'widened' if was == NARROW else 'narrowed'}-{connector}",
                     marks=() if (SETTINGS.index(on) + (was == NARROW)) % 2 == other else pytest.mark.full)
        for on in SETTINGS for was, now in ((NARROW, WIDE), (WIDE, NARROW)) for other, connector in enumerate(("built-in", "scripted"))]


@pytest.mark.parametrize("on,was,now,connector", WAYS)
def test_while_its_binding_was_out(firth, tmp_path, connector, was, now, on):
    world = World(firth, tmp_path, connector)
    world.materialize(was)
    world.materialize(was, ["other"])
    assert world.names() == kept(was)
    is_as_set(world, on, was, now)


@pytest.mark.parametrize("on,was,now,connector", WAYS)
def test_after_its_binding_was_disabled(firth, tmp_path, connector, was, now, on):
    """By the setting, which is then another; and while it is the same, another change of the catalog is none of it."""
    world = World(firth, tmp_path, connector)
    world.materialize(was)
    for priority in (0, 1):
        lines = world.materialize(now, priority=priority, onIncompatibleSchemaChange="disableBinding")
        assert sum("the binding is disabled" in line.get("message", "") for line in lines) == 1
        assert world.names() == kept(was) and world.key() == named(was)
    is_as_set(world, on, was, now)


@pytest.mark.parametrize("connector", ["built-in", "scripted"])
def test_the_same_key_goes_on(firth, tmp_path, connector):
    """Nothing is anew for a key that is what it was, with the counter that was forced before its binding went."""
    world = World(firth, tmp_path, connector)
    world.materialize(NARROW)
    world.materialize(WIDE)
    world.materialize(WIDE, ["other"])
    world.put({"id": 2, "name": "c"})
    with sqlite3.connect(tmp_path / "out.db") as db:
        db.execute("delete from users where name = 'a'")
    lines = world.materialize(WIDE, onIncompatibleSchemaChange="abort")
    assert world.names() == ["b", "c"] and not any("materialized anew" in line.get("message", "") for line in lines)


@pytest.mark.parametrize("connector", ["built-in", "scripted"])
def test_a_raised_counter_empties_the_table_of_a_binding_that_was_out(firth, tmp_path, connector):
    world = World(firth, tmp_path, connector)
    world.materialize(NARROW)
    world.materialize(NARROW, ["other"])
    with sqlite3.connect(tmp_path / "out.db") as db:
        db.execute("insert into users (id, name) values (9, 'stray')")
    path = world.catalog(NARROW)
    written = json.loads(path.read_text())
    written["materializations"][TASK]["bindings"][0]["backfill"] = 1
    path.write_text(json.dumps(written))
    materialize(firth, path)
    assert world.names() == ["b"]


def test_of_an_apply_without_an_answer(firth, tmp_path):
    """The table may have been made, by the key that it was to have."""
    seen = {"seen": str(tmp_path / "messages")}
    put(firth, tmp_path, {"id": 1, "name": "a"}, schema=SCHEMA)
    broken = flow("scripted_materialize.py", {**seen, "say": {"apply": [[{"exit": 1}]]}})
    materialize(firth, catalog(tmp_path, schema=SCHEMA, endpoint=broken), expect=1)
    lines = materialize(firth, catalog(tmp_path, schema=SCHEMA, key=WIDE, endpoint=flow("scripted_materialize.py", seen)))
    (told,) = [line["message"] for line in lines if "the key is id, name" in line.get("message", "")]
    assert "materialized anew (backfill counter 1)" in told


@pytest.mark.parametrize("on", SETTINGS)
def test_check_of_a_key_that_the_table_has_no_column_of(firth, tmp_path, on):
    """The connector forbids the field, and to write is not what the connector's words would make of it."""
    old = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    materialize(firth, put(firth, tmp_path, {"id": 1, "name": "a"}, schema=old))
    path = catalog(tmp_path, schema=SCHEMA, key=WIDE, onIncompatibleSchemaChange=on)
    why = "the key is id, name, and what the endpoint has was materialized by id"
    result = firth("check", str(path), "-o", "json", expect=3 if on == "abort" else 0)
    answer = json.loads(result.out)
    (told,) = answer["errors" if on == "abort" else "warnings"]
    assert why in told["message"] and told["file"].endswith("flow.json") and told["line"] and "groupBy" not in told["message"]
    assert {"backfill": "a run materializes it anew", "disableBinding": "a run disables the binding",
            "disableTask": "is not run", "abort": "raise the binding's 'backfill'"}[on] in told["message"]
    # What the key has nothing to do with stays an error.
    path = catalog(tmp_path, schema=SCHEMA, key=WIDE, onIncompatibleSchemaChange=on, config={"constraints": {
        "name": {"type": "FIELD_FORBIDDEN", "reason": "no such words"}}}, bindings=[
        {"source": "acmeCo/users", "resource": {"table": "users"}, "backfill": 7}])
    assert "forbids it: no such words" in firth("check", str(path), expect=3).err


def test_regular_keys_of_many_bindings(firth, tmp_path):
    """What a key of one binding loads says nothing of another's: integers from 1 on in each of four tables."""
    names, numbers = ("users", "b", "c", "d"), range(250, 530)
    more = {"collections": names, "schema": SCHEMA}
    for name in ("once", "twice"):
        steps = [{"message": {"type": "RECORD", "record": {"stream": stream, "data": {"id": n, "name": name}, "emitted_at": 1}}}
                 for stream in names for n in numbers]
        materialize(firth, put(firth, tmp_path, steps=steps, **more))
    for table in names:
        assert [(row["id"], row["name"]) for row in rows(tmp_path, table)] == [(n, "twice") for n in numbers]
