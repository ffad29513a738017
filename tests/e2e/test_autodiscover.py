"""`firth autodiscover`, and the daemon that does it on its own: streams come and go, schemas and keys change."""

import json
import pathlib
import signal
import sqlite3
import sys

import pytest

from conftest import until
from e2e import serving
from e2e.scripted import run

PROGRAM = str(pathlib.Path(__file__).resolve().parent / "programs" / "evolving.py")
SQLITE = str(pathlib.Path(__file__).resolve().parent / "programs" / "sqlite_materialize.py")


def schema(*required, **properties):
    return {"type": "object", "required": list(required),
            "properties": {name: {"type": kind} for name, kind in properties.items()}}


USERS = {"key": ["/id"], "schema": schema("id", id="integer", mail="string"),
         "documents": [{"id": 1, "mail": "a"}, {"id": 2, "mail": "b"}]}
ORDERS = {"key": ["/nr"], "schema": schema("nr", nr="integer"), "documents": [{"nr": 7}]}
REKEYED = {"key": ["/mail"], "schema": schema("mail", id="integer", mail="string"),
           "documents": [{"id": 1, "mail": "a"}, {"id": 2, "mail": "b"}, {"id": 3, "mail": "c"}]}


class World:
    """What the source has, and a catalog of it."""

    def __init__(self, folder):
        self.folder, self.path = folder, folder / "flow.yaml"

    def has(self, **streams):
        (self.folder / "world.json").write_text(json.dumps({"streams": streams}))

    def fails(self, text):
        (self.folder / "world.json").write_text(json.dumps({"streams": {}, "fail": text}))

    def write(self, protocol="flow", auto="{ addNewBindings: true, evolveIncompatibleCollections: true }", interval="1h",
              collection="", materialization="", policy=""):
        (self.folder / "users.schema.yaml").write_text("# Mine.\ntype: object\nrequired: [id]\nproperties:\n"
                                                       "  id: { type: integer }\n  mail: { type: string }\n")
        self.path.write_text(f"""# The shop.
collections:
  acmeCo/users: # people
    key: [/id]
    schema: users.schema.yaml
{collection}
captures:
  acmeCo/shop:
    endpoint:
      local:
        command: ["{sys.executable}", "-S", "-E", "{PROGRAM}"]
        protocol: {protocol}
        config: {{ world: "{self.folder}/world.json" }}
    autoDiscover: {auto}
    interval: {interval}
    bindings:
      # The first one.
      - resource: {{ stream: users }}
        target: acmeCo/users # who buys
""" + (f"""materializations:
  acmeCo/out:
    endpoint:
      local:
        command: ["{sys.executable}", "-S", "-E", "{SQLITE}"]
        config: {{ path: "{self.folder}/out.db", seen: "{self.folder}/messages" }}
    {policy}
    bindings:
      - source: acmeCo/users # here
        resource: {{ table: users }}
""" if materialization else ""))
        return self.path

    def text(self):
        return self.path.read_text()


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    world.has(users=USERS)
    return world


def autodiscover(firth, world, *args, expect=0):
    result = firth("autodiscover", str(world.path), "-o", "json", *args, expect=expect)
    return [(each["change"], each.get("stream"), each["collection"]) for each in result.json()["changes"]]


def documents(firth, collection):
    result = firth("read", collection)
    return [json.loads(line) for line in result.out.splitlines()] if result.rc == 0 else []


def rows(world, table="users"):
    with sqlite3.connect(world.folder / "out.db") as db:
        return sorted(json.loads(each)["mail"] for each, in db.execute(f'select flow_document from "{table}"'))


# --- files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["flow", "airbyte"])
def test_nothing_new_changes_nothing(firth, world, protocol):
    world.write(protocol)
    before = world.text(), (world.folder / "users.schema.yaml").read_text()
    assert autodiscover(firth, world) == []
    assert (world.text(), (world.folder / "users.schema.yaml").read_text()) == before


@pytest.mark.parametrize("protocol", ["flow", "airbyte"])
def test_a_new_stream(firth, world, protocol):
    world.write(protocol)
    before = world.text()
    world.has(users=USERS, orders=ORDERS)
    assert autodiscover(firth, world, "--dry-run") == [("add", "orders", "acmeCo/orders")]
    assert world.text() == before
    assert autodiscover(firth, world) == [("add", "orders", "acmeCo/orders")]
    after = world.text()
    for line in before.splitlines():  # comments and all
        assert line in after.splitlines(), line
    assert autodiscover(firth, world) == []
    run(firth, world.path)
    assert documents(firth, "acmeCo/orders") == [{"nr": 7}]


def test_new_streams_are_left_out_unless_asked_for(firth, world):
    world.write(auto="{ addNewBindings: false }")
    world.has(users=USERS, orders=ORDERS)
    assert autodiscover(firth, world) == []
    world.write(auto="{ addNewBindings: true }")
    world.has(users=USERS, orders={**ORDERS, "disable": True})
    assert autodiscover(firth, world) == []


@pytest.mark.parametrize("protocol", ["flow", "airbyte"])
def test_another_schema(firth, world, protocol):
    world.write(protocol)
    before = world.text()
    world.has(users={**USERS, "schema": schema("id", id="integer", mail="string", age="integer")})
    assert autodiscover(firth, world) == [("schema", "users", "acmeCo/users")]
    text = (world.folder / "users.schema.yaml").read_text()
    assert text.startswith("# Mine.\n") and "age" in text and world.text() == before
    assert autodiscover(firth, world) == []


@pytest.mark.parametrize("protocol", ["flow", "airbyte"])
@pytest.mark.parametrize("key", [[], ["/id"]])
def test_a_schema_that_does_not_require_the_key(firth, world, protocol, key):
    """What the collection's adds to the source's is no difference; what the source changes is one."""
    world.write(protocol)
    before = (world.folder / "users.schema.yaml").read_text()
    world.has(users={"key": key, "schema": schema(id="integer", mail="string"), "documents": []})
    assert autodiscover(firth, world) == [] and (world.folder / "users.schema.yaml").read_text() == before
    world.has(users={"key": key, "schema": schema(id="integer", mail="string", age="number"), "documents": []})
    assert autodiscover(firth, world) == [("schema", "users", "acmeCo/users")]
    text = (world.folder / "users.schema.yaml").read_text()
    assert "mail: { type: string }" in text and "age: { type: number }" in text and "required: [id]" in text
    assert autodiscover(firth, world) == []


def test_another_schema_of_a_collection_that_has_it_inside(firth, world):
    world.write(collection="""
  acmeCo/orders:
    key: [/nr]
    # what is written
    writeSchema:
      type: object
      required: [nr]
      properties: { nr: { type: integer } }
    readSchema: { allOf: [{ $ref: "flow://write-schema" }] }
    projections: { n: /nr }
""")
    world.path.write_text(world.text() + "      - { resource: { stream: orders }, target: acmeCo/orders }\n")
    world.has(users=USERS, orders={**ORDERS, "schema": schema("nr", nr="integer", at="string")})
    assert autodiscover(firth, world) == [("schema", "orders", "acmeCo/orders")]
    text = world.text()
    assert "# what is written" in text and "projections: { n: /nr }" in text and "at:" in text
    assert autodiscover(firth, world) == []


def test_a_stream_that_is_gone(firth, world):
    world.write()
    world.has(orders=ORDERS)
    assert autodiscover(firth, world) == [("add", "orders", "acmeCo/orders"), ("disable", None, "acmeCo/users")]
    assert "disable: true" in world.text() and "# who buys" in world.text()
    assert autodiscover(firth, world) == []
    run(firth, world.path)
    assert documents(firth, "acmeCo/users") == [] and documents(firth, "acmeCo/orders") == [{"nr": 7}]


def test_no_stream_at_all_is_an_error_and_disables_nothing(firth, world):
    world.write()
    before = world.text()
    world.has()
    assert "found no streams" in firth("autodiscover", str(world.path), expect=None).err
    world.fails("the database is away")
    assert "the database is away" in firth("autodiscover", str(world.path), expect=None).err
    assert world.text() == before


@pytest.mark.parametrize("protocol", ["flow", "airbyte"])
def test_another_key_is_refused(firth, world, protocol):
    world.write(protocol, auto="{ addNewBindings: true }")
    before = world.text()
    world.has(users=REKEYED, orders=ORDERS)
    error = firth("autodiscover", str(world.path), expect=3).err
    assert "the key is [/mail], was [/id]" in error and "evolveIncompatibleCollections" in error
    assert world.text() == before and not (world.folder / "orders.schema.yaml").exists()


def test_a_key_that_the_connector_guesses_is_no_reason(firth, world):
    world.write()
    world.has(users={**REKEYED, "schema": USERS["schema"], "fallback": True})
    assert autodiscover(firth, world) == []


@pytest.mark.parametrize("protocol", ["flow", "airbyte"])
def test_another_key_gets_a_new_collection(firth, world, protocol):
    world.write(protocol)
    run(firth, world.path)
    world.has(users=REKEYED)
    assert autodiscover(firth, world) == [("recreate", "users", "acmeCo/users_v2")]
    text = world.text()
    assert "target: acmeCo/users_v2 # who buys" in text and "backfill: 1" in text and "key: [/id]" in text
    assert autodiscover(firth, world) == []
    run(firth, world.path)
    assert documents(firth, "acmeCo/users") == USERS["documents"]  # nothing was dropped
    assert documents(firth, "acmeCo/users_v2") == REKEYED["documents"]  # all of it, not only what is new
    world.has(users={**REKEYED, "key": ["/id", "/mail"], "schema": schema("id", "mail", id="integer", mail="string")})
    assert autodiscover(firth, world) == [("recreate", "users", "acmeCo/users_v3")]
    assert "backfill: 2" in world.text()


def test_a_partition_that_is_gone(firth, world):
    world.write(collection="    projections: { town: { location: /mail, partition: true }, number: /id }\n")
    world.has(users={"key": ["/id"], "schema": schema("id", id="integer"), "documents": []})
    assert autodiscover(firth, world) == [("recreate", "users", "acmeCo/users_v2")]
    text = world.text()
    assert "the partition 'town' is not in the schema any more" in text and text.count("town:") == 1
    assert text.count("number:") == 2


def test_materializations_follow(firth, world):
    world.write(materialization=True)
    run(firth, world.path)
    assert rows(world) == ["a", "b"]
    world.has(users=REKEYED)
    assert autodiscover(firth, world) == [("recreate", "users", "acmeCo/users_v2")]
    assert "source: acmeCo/users_v2 # here" in world.text()
    run(firth, world.path)
    assert rows(world) == ["a", "b", "c"]


@pytest.mark.parametrize("policy,shown", [("disableBinding", "disable: true"), ("disableTask", "shards:")])
def test_materializations_that_are_disabled(firth, world, policy, shown):
    world.write(materialization=True, policy=f"onIncompatibleSchemaChange: {policy}")
    world.has(users=REKEYED)
    assert autodiscover(firth, world) == [("recreate", "users", "acmeCo/users_v2")]
    assert shown in world.text()
    assert autodiscover(firth, world) == []


def test_materializations_of_a_whole_capture(firth, world):
    """Their bindings are the capture's: a new collection is a new table."""
    world.write(materialization=True)
    text = world.text()
    world.path.write_text(text[:text.index("    bindings:\n      - source: acmeCo/users # here")] +
                          "    source: { capture: acmeCo/shop, targetNaming: noSchema }\n    bindings: []\n")
    run(firth, world.path)
    assert rows(world) == ["a", "b"]
    world.has(users=REKEYED, orders=ORDERS)
    assert autodiscover(firth, world) == [("recreate", "users", "acmeCo/users_v2"), ("add", "orders", "acmeCo/orders")]
    assert autodiscover(firth, world) == []
    run(firth, world.path)
    assert rows(world) == ["a", "b"] and rows(world, "users_v2") == ["a", "b", "c"]


def test_materializations_that_abort(firth, world):
    world.write(materialization=True, policy="onIncompatibleSchemaChange: abort")
    before = world.text()
    world.has(users=REKEYED)
    assert "of acmeCo/out is abort" in firth("autodiscover", str(world.path), expect=3).err
    assert world.text() == before


def test_json(firth, world):
    world.write()
    catalog = {
        "collections": {"acmeCo/users": {"key": ["/id"], "schema": USERS["schema"]}},
        "captures": {"acmeCo/shop": {
            "endpoint": {"local": {"command": [sys.executable, "-S", "-E", PROGRAM], "config": {"world": f"{world.folder}/world.json"}}},
            "autoDiscover": {"addNewBindings": True, "evolveIncompatibleCollections": True},
            "bindings": [{"resource": {"stream": "users"}, "target": "acmeCo/users"}]}}}
    world.path = world.folder / "flow.json"
    world.path.write_text(json.dumps(catalog, indent=2))
    world.has(users=REKEYED, orders=ORDERS)
    assert autodiscover(firth, world) == [("recreate", "users", "acmeCo/users_v2"), ("add", "orders", "acmeCo/orders")]
    assert json.loads(world.text())["captures"]["acmeCo/shop"]["bindings"] == [
        {"resource": {"stream": "users"}, "target": "acmeCo/users_v2", "backfill": 1},
        {"resource": {"stream": "orders"}, "target": "acmeCo/orders"}]
    assert autodiscover(firth, world) == []


def test_what_cannot_be_edited_is_an_error(firth, world):
    world.write()
    text = world.text().replace("    bindings:\n", "    bindings: &b\n") + "  acmeCo/other:\n    endpoint: { ingest: {} }\n    bindings: []\n"
    text = text.replace("target: acmeCo/users # who buys", "target: &t acmeCo/users").replace("autoDiscover:", "autoDiscover: &a")
    world.path.write_text(text + "tests:\n  t:\n    - ingest: { collection: *t, documents: [] }\n")
    before = world.text()
    world.has(users=REKEYED)
    error = firth("autodiscover", str(world.path), expect=None)
    assert error.rc != 0 and "written in a way" in error.err and world.text() == before


def test_names(firth, world):
    world.write(auto="null")
    error = firth("autodiscover", str(world.path), expect=3).err
    assert "no capture that is enabled and has 'autoDiscover'" in error
    assert autodiscover(firth, world, "--name", "acmeCo/shop") == []
    assert "did you mean 'acmeCo/shop'" in firth("autodiscover", str(world.path), "--name", "acmeCo/shp", expect=None).err


# --- after and before `firth discover` -----------------------------------------------------------------------


class Discovered(World):
    """A catalog that `firth discover` wrote of a source."""

    def __init__(self, firth, folder):
        super().__init__(folder)
        self.firth = firth
        (folder / "shop.config.yaml").write_text(f"world: {folder}/world.json\n")
        self.columns("mail")
        self.discover()
        self.schema = folder / "users.schema.yaml"

    def columns(self, *names, **more):
        self.has(users={**USERS, "schema": schema("id", id="integer", **{name: "string" for name in names})}, **more)

    def discover(self):
        return self.firth("discover", "--command", f"{sys.executable} -S -E {PROGRAM}", "--name", "acmeCo/shop", str(self.path),
                          cwd=self.folder, expect=0)

    def autodiscover(self):
        return autodiscover(self.firth, self, "--name", "acmeCo/shop")


def test_discover_knows_what_autodiscover_has_written(firth, tmp_path):
    """Nothing was changed by hand, in whichever order they run."""
    world = Discovered(firth, tmp_path)
    for first, second in ((world.autodiscover, world.discover), (world.discover, world.autodiscover)):
        for number, one in enumerate((first, second, first)):
            world.columns("mail", f"new{number}{one.__name__}")
            result = one()
            assert f"new{number}{one.__name__}" in world.schema.read_text()
            assert one == world.autodiscover or "by hand" not in result.err
    before = world.schema.read_text()
    assert "nothing new" in world.discover().out and world.autodiscover() == [] and world.schema.read_text() == before


def test_an_edit_behind_autodiscover_is_one_by_hand(firth, tmp_path):
    world = Discovered(firth, tmp_path)
    world.columns("mail", "phone")
    world.autodiscover()
    edited = world.schema.read_text() + "description: by hand # mine\n"
    world.schema.write_text(edited)
    world.columns("mail", "phone", "street")
    result = world.discover()
    assert "was changed by hand: it stays as it is" in result.err and world.schema.read_text() == edited
    # autodiscover replaces what the source says, as it is told; from then on it is the source's again.
    assert world.autodiscover() == [("schema", "users", "acmeCo/users")]
    world.columns("mail")
    assert "by hand" not in world.discover().err and "street" not in world.schema.read_text()


def test_an_edit_before_autodiscover_is_replaced(firth, tmp_path):
    world = Discovered(firth, tmp_path)
    world.schema.write_text(world.schema.read_text() + "description: by hand\n")
    assert world.autodiscover() == [("schema", "users", "acmeCo/users")] and "by hand" not in world.schema.read_text()
    world.columns("mail", "phone")
    assert "by hand" not in world.discover().err and "phone" in world.schema.read_text()


def test_a_file_that_says_what_the_source_says_was_not_edited(firth, tmp_path):
    world = Discovered(firth, tmp_path)
    world.columns("mail", "phone")
    written = "# Mine.\n" + json.dumps(dict(reversed(schema("id", id="integer", mail="string", phone="string").items()))) + "\n"
    world.schema.write_text(written)
    result = world.discover()
    assert "by hand" not in result.err and world.schema.read_text() == written
    world.columns("mail", "street")
    assert "by hand" not in world.discover().err
    assert world.schema.read_text().startswith("# Mine.\n") and "street" in world.schema.read_text()


def test_streams_that_autodiscover_adds_or_leaves(firth, tmp_path):
    world = Discovered(firth, tmp_path)
    world.columns("mail", "phone", orders=ORDERS)
    assert world.autodiscover() == [("schema", "users", "acmeCo/users")]  # it may not add
    assert "1 stream added" in world.discover().out
    text = world.text()
    world.path.write_text(text.replace("    bindings:", "    autoDiscover: { addNewBindings: true }\n    bindings:", 1))
    visits = {"key": ["/nr"], "schema": schema("nr", nr="integer"), "documents": []}
    world.columns("mail", "phone", orders=ORDERS, visits=visits)
    assert world.autodiscover() == [("add", "visits", "acmeCo/visits")]
    assert "nothing new" in world.discover().out
    world.columns("mail", "phone", orders=ORDERS, visits={**visits, "schema": schema("nr", nr="integer", who="string")})
    result = world.discover()
    assert "by hand" not in result.err and "who" in (tmp_path / "visits.schema.yaml").read_text()


class Rekeyed(Discovered):
    """Then a person chose another key: the e-mail address, which the source may leave out or have as null."""

    MAIL = {"type": ["string", "null"]}

    def __init__(self, firth, folder, protocol="flow", key=("/id",)):
        self.source_key, self.protocol = list(key), protocol
        super().__init__(firth, folder)
        text = self.text()
        assert "key: [/id]" in text
        self.path.write_text(text.replace("key: [/id]", "key: [/mail]").replace(
            "    bindings:", "    autoDiscover: { evolveIncompatibleCollections: true }\n    interval: 1s\n    bindings:", 1))
        self.schema.write_text("type: object\nrequired: [id, mail]\nproperties:\n  id: { type: integer }\n  mail: { type: [string] }\n"
                               "  tags: { type: array }\n")

    def columns(self, *names, **more):
        shape = schema("id", id="integer", tags="array", **{name: "string" for name in names})
        shape["properties"]["mail"] = self.MAIL
        self.has(users={"key": self.source_key, "schema": shape, "documents": []}, **more)

    def discover(self):
        return self.firth("discover", "--command", f"{sys.executable} -S -E {PROGRAM}", "--protocol", self.protocol, "--name",
                          "acmeCo/shop", str(self.path), cwd=self.folder, expect=0)

    def is_right(self, *names):
        text = self.schema.read_text()
        return ("key: [/mail]" in self.text() and "users_v2" not in self.text() and "mail: { type: [string] }" in text
                and "mail]" in text and all(name in text for name in names))


@pytest.mark.parametrize("protocol", ["flow", "airbyte"])
def test_a_key_that_a_person_has_chosen_stays(firth, tmp_path, protocol):
    """It is no change of the source's; its fields are required, and not null, whatever the source says of them."""
    world = Rekeyed(firth, tmp_path, protocol)
    assert world.autodiscover() == [] and "by hand" not in world.discover().err and world.is_right()
    world.columns("phone")
    assert world.autodiscover() == [("schema", "users", "acmeCo/users")] and world.is_right("phone")
    world.columns("phone", "street")
    assert "by hand" not in world.discover().err and world.is_right("phone", "street")
    assert world.autodiscover() == []
    world.source_key = ["/id", "/mail"]  # the source's own is another by now: that is nothing to this one
    world.columns("town")
    assert world.autodiscover() == [("schema", "users", "acmeCo/users")] and world.is_right("town")


def test_a_chosen_key_where_the_source_names_none_that_can_be(firth, tmp_path):
    world = Rekeyed(firth, tmp_path, "airbyte", key=["/tags"])
    assert world.autodiscover() == [] and world.is_right()
    world.columns("phone")
    assert world.autodiscover() == [("schema", "users", "acmeCo/users")] and world.is_right("phone")
    world.columns("phone", "street")
    assert "by hand" not in world.discover().err and world.is_right("street")
    world.MAIL = {"type": "object"}
    world.columns("town")
    refused = firth("autodiscover", str(world.path), "--name", "acmeCo/shop", expect=3)
    assert "the key '/mail' has the type object" in refused.err and world.is_right("street")


def test_a_key_that_the_source_has_changed_is_no_persons(firth, tmp_path):
    """Though `firth discover`, which changes no key, has seen it first."""
    world = Discovered(firth, tmp_path)
    world.path.write_text(world.text().replace("    bindings:", "    autoDiscover: { evolveIncompatibleCollections: true }\n    bindings:", 1))
    world.has(users=REKEYED)
    world.discover()
    world.discover()
    assert world.autodiscover() == [("recreate", "users", "acmeCo/users_v2")]
    assert world.autodiscover() == [] and "nothing new" in world.discover().out


def test_a_chosen_key_under_the_daemon(firth, tmp_path):
    """What is remembered goes with the deploy."""
    world = Rekeyed(firth, tmp_path)
    serving.deploy(firth, world.path)
    world.columns("phone")
    daemon = serving.serve(firth, "--discover-every", "1s")
    row = discovery(firth, lambda row: row["changed_ms"])
    assert "the schema of acmeCo/users" in row["changes"] and "users_v2" not in row["changes"]
    world.columns("phone", "street")
    row = discovery(firth, lambda now: now["changed_ms"] > row["changed_ms"])
    assert "the schema of acmeCo/users" in row["changes"] and "users_v2" not in row["changes"]
    stop(daemon)


# --- killed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["autodiscover.decided", "edit.replace:1", "edit.replace:2", "edit.replace:3",
                                   "autodiscover.written"])
def test_killed_at(firth, firth_dev, world, point):
    """Whatever is left loads, has lost nothing, and becomes what it should be by the next call."""
    world.write(materialization=True)
    run(firth, world.path)
    world.has(users=REKEYED, orders=ORDERS)
    killed = firth_dev("autodiscover", str(world.path), env={"FIRTH_FAULT_KILL": point})
    assert killed.rc == -9, killed
    firth("check", str(world.path), expect=0)
    autodiscover(firth, world)
    assert autodiscover(firth, world) == []
    run(firth, world.path)
    assert documents(firth, "acmeCo/users") == USERS["documents"]
    assert documents(firth, "acmeCo/users_v2") == REKEYED["documents"]
    assert documents(firth, "acmeCo/orders") == ORDERS["documents"]
    assert rows(world) == ["a", "b", "c"]


def test_a_planted_bug_is_caught(firth, firth_dev, world):
    """Without another backfill counter the source goes on from where it was: the new collection lacks the rest."""
    world.write()
    run(firth, world.path)
    world.has(users=REKEYED)
    firth_dev("autodiscover", str(world.path), expect=0, env={"FIRTH_FAULT_PLANT": "evolve-without-backfill"})
    run(firth, world.path)
    assert documents(firth, "acmeCo/users_v2") != REKEYED["documents"]


# --- the daemon --------------------------------------------------------------------------------------------


def stop(daemon):
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() in (0, 130)


def discovery(firth, condition):
    def read():
        with sqlite3.connect(f"file:{firth.data_dir}/control.db?mode=ro", uri=True) as db:
            db.row_factory = sqlite3.Row
            row = db.execute("select * from discoveries").fetchone()
            return row if row and condition(row) else None
    return until(read, "a discovery")


def test_the_daemon_does_it_on_its_own(firth, world):
    world.write(interval="1s", materialization=True)
    before = world.text()
    serving.deploy(firth, world.path)
    daemon = serving.serve(firth, "--discover-every", "1s")
    until(lambda: len(documents(firth, "acmeCo/users")) == 2, "users")
    world.has(users=REKEYED, orders=ORDERS)
    until(lambda: documents(firth, "acmeCo/users_v2") == REKEYED["documents"], "the new collection")
    until(lambda: documents(firth, "acmeCo/orders") == ORDERS["documents"], "the new stream")
    until(lambda: rows(world) == ["a", "b", "c"], "the materialization")
    assert world.text() == before
    told = serving.wait_for(firth, "acmeCo/shop", count=2, origin="autoDiscover")
    assert "from now on to acmeCo/users_v2" in told[0]["message"]
    status = firth("status").out
    assert "autoDiscover" in status and "acmeCo/users_v2" in status
    # A deploy of the files as they were does not undo it unless asked to.
    refused = firth("deploy", str(world.path), "--yes", expect=3)
    assert "would undo what autoDiscover has changed" in refused.err and "has no binding to acmeCo/users_v2" in refused.err
    assert "would be undone" in firth("deploy", str(world.path), "--dry-run", expect=0).out
    assert len(autodiscover(firth, world)) == 2
    assert set(serving.deploy(firth, world.path).values()) == {"none"}
    stop(daemon)


def test_the_daemon_tells_what_it_may_not_evolve(firth, world):
    world.write(auto="{ addNewBindings: true }", interval="1s")
    serving.deploy(firth, world.path)
    daemon = serving.serve(firth, "--discover-every", "1s")
    world.has(users=REKEYED, orders=ORDERS)
    row = discovery(firth, lambda row: row["error"])
    assert "the key is [/mail], was [/id]" in row["error"] and row["changed_ms"] == 0
    assert "the key is [/mail], was [/id]" in firth("status").out
    assert documents(firth, "acmeCo/orders") == []  # all or nothing
    world.has(users=USERS, orders=ORDERS)
    discovery(firth, lambda row: not row["error"] and "acmeCo/orders" in row["changes"])
    stop(daemon)


@pytest.mark.parametrize("point", ["autodiscover.before-deploy", "autodiscover.after-deploy"])
def test_the_daemon_killed_at(firth, firth_dev, world, point):
    world.write(interval="1s")
    serving.deploy(firth, world.path)
    daemon = serving.serve(firth_dev, "--discover-every", "1s", env={"FIRTH_FAULT_KILL": point})
    until(lambda: len(documents(firth, "acmeCo/users")) == 2, "users")
    world.has(users=REKEYED)
    assert daemon.wait() == -9
    daemon = serving.serve(firth, "--discover-every", "1s")
    until(lambda: documents(firth, "acmeCo/users_v2") == REKEYED["documents"], "the new collection")
    # The old one has what it had, and what came before the key was seen to be another.
    assert documents(firth, "acmeCo/users") in (USERS["documents"], REKEYED["documents"])
    stop(daemon)


def test_a_capture_that_a_later_deploy_left_behind_is_left_alone(firth, world):
    """To deploy its catalog again would take the others back."""
    def capture(name, interval):
        return {"endpoint": {"local": {"command": [sys.executable, "-S", "-E", PROGRAM], "config": {"world": f"{world.folder}/world.json"}}},
                "autoDiscover": {"addNewBindings": True}, "interval": interval,
                "bindings": [{"resource": {"stream": "users"}, "target": f"acmeCo/{name}"}]}

    def deploy(**captures):
        path = world.folder / "flow.json"
        path.write_text(json.dumps({
            "collections": {f"acmeCo/{name}": {"key": ["/id"], "schema": USERS["schema"]} for name in ("left", "kept")},
            "captures": {f"acmeCo/{name}-in": capture(name, interval) for name, interval in captures.items()}}))
        serving.deploy(firth, path)
    deploy(left="1h", kept="1h")
    deploy(kept="2h")
    world.has(users=USERS, orders=ORDERS)
    daemon = serving.serve(firth, "--discover-every", "1s")

    def found():
        with sqlite3.connect(f"file:{firth.data_dir}/control.db?mode=ro", uri=True) as db:
            rows = dict(db.execute("select task, coalesce(error, changes) from discoveries"))
            return rows if len(rows) == 2 and all(rows.values()) else None
    rows = until(found, "both discoveries")
    assert "left it behind" in rows["acmeCo/left-in"] and "acmeCo/orders" in rows["acmeCo/kept-in"]
    with sqlite3.connect(f"file:{firth.data_dir}/control.db?mode=ro", uri=True) as db:
        assert dict(db.execute("select name, schedule from tasks")) == {"acmeCo/left-in": "every 1h", "acmeCo/kept-in": "every 2h"}
    stop(daemon)


def test_undone_when_asked_to(firth, world):
    world.write(interval="1s")
    serving.deploy(firth, world.path)
    daemon = serving.serve(firth, "--discover-every", "1s")
    world.has(users=USERS, orders=ORDERS)
    discovery(firth, lambda row: row["changed_ms"])
    stop(daemon)
    assert serving.deploy(firth, world.path, "--undo-discovered") == {"acmeCo/shop": "change"}


def test_a_schema_that_would_be_undone(firth, world):
    world.write(interval="1s")
    path = world.folder / "users.schema.yaml"
    before = path.read_text()
    serving.deploy(firth, world.path)
    daemon = serving.serve(firth, "--discover-every", "1s")
    world.has(users={**USERS, "schema": schema("id", id="integer", mail="string", phone="string")})
    discovery(firth, lambda row: row["changed_ms"])
    stop(daemon)
    world.write(interval="2s")  # whatever else is to be deployed
    refused = firth("deploy", str(world.path), "--yes", expect=3)
    line = "acmeCo/shop has another schema for acmeCo/users"
    assert "would undo what autoDiscover has changed" in refused.err and line in refused.err
    assert f"would be undone: this catalog's {line}" in refused.out
    assert firth("deploy", str(world.path), "--dry-run", "-o", "json", expect=0).json()["undone"] == [line]
    # What says the same, whatever its order and wherever it is written, undoes nothing, and neither does a read schema.
    assert autodiscover(firth, world) == [("schema", "users", "acmeCo/users")]
    same = json.dumps(dict(reversed(schema("id", phone="string", mail="string", id="integer").items())))
    for text in (world.text(),
                 world.text().replace("schema: users.schema.yaml", f"schema: {same}"),
                 world.text().replace("schema: users.schema.yaml", f"writeSchema: {same}\n    readSchema: {{ type: object, required: [id], "
                                      "properties: { id: { type: integer } } }")):
        world.path.write_text(text)
        planned = firth("deploy", str(world.path), "--dry-run", "-o", "json", expect=0).json()
        assert planned["undone"] == [] and [each["action"] for each in planned["tasks"]] == ["change"]
    assert serving.deploy(firth, world.path) == {"acmeCo/shop": "change"}
    assert serving.deploy(firth, world.write(interval="2s")) == {"acmeCo/shop": "change"}  # a person has deployed since
    assert path.read_text() == before


def test_a_schema_that_is_undone_when_asked_to(firth, world):
    world.write()
    serving.deploy(firth, world.path)
    daemon = serving.serve(firth, "--discover-every", "1s")
    world.has(users={**USERS, "schema": schema("id", id="integer", mail="string", phone="string")})
    discovery(firth, lambda row: row["changed_ms"])
    stop(daemon)
    firth("deploy", str(world.path), "--yes", expect=3)
    assert serving.deploy(firth, world.path, "--undo-discovered") == {"acmeCo/shop": "change"}
