"""Destinations that are databases, under Flow's protocol: loads and stores by key, deletions, evolution, and exactly once
whatever is killed."""

import json
import random

import pytest

import sql_endpoints
from connector_suite.flow import collection
from test_sql_destinations import endpoint  # noqa: F401 (fixtures)

FIELDS = {"name": ["string", "null"], "sum": ["number"]}


class Materialization:
    """One binding, driven as a runtime does it."""

    def __init__(self, endpoint, binary, key=("/id",), fields=None, delta=False, config=None, **env):  # noqa: F811
        self.flow = sql_endpoints.flow_runner(endpoint, binary, **env)
        self.config = config or endpoint.config()
        self.fields = dict(FIELDS if fields is None else fields)
        self.collection = collection("acmeCo/sums", key, self.fields)
        self.keys = [pointer[1:] for pointer in key]
        self.delta = delta

    def spec(self, backfill=0, table="sums"):
        return {"name": "acmeCo/mat", "connectorType": "LOCAL", "config": self.config, "bindings": [{
            "resourceConfig": {"table": table}, "resourcePath": [table], "collection": self.collection,
            "fieldSelection": {"keys": self.keys, "values": sorted(self.fields), "document": "flow_document"},
            "deltaUpdates": self.delta, "backfill": backfill}]}

    def apply(self, backfill=0, last=None):
        request = {"materialization": self.spec(backfill), "version": "1"}
        if last is not None:
            request["lastMaterialization"] = self.spec(last)
        return self.flow({"apply": request}).one("applied")

    def open(self):
        talk = self.flow.start({"open": {"materialization": self.spec(), "version": "1", "range": {}}})
        return talk, talk.expect("opened")["runtimeCheckpoint"].get("n", 0)

    def store(self, document, exists=False, delete=False):
        return {"store": {"key": [document[k] for k in self.keys], "values": [document.get(f) for f in sorted(self.fields)],
                          "doc": document, "exists": exists, "delete": delete}}


def begin(talk, keys=()):
    """Up to `flushed`: the documents of these keys."""
    talk.say({"acknowledge": {}}, *({"load": {"key": list(key)}} for key in keys), {"flush": {}})
    talk.expect("acknowledged")
    found = []
    while (message := talk.next())[0] == "loaded":
        found.append(message[1]["doc"])
    assert message[0] == "flushed", message
    return found


def commit(talk, requests, number):
    talk.say(*requests, {"startCommit": {"runtimeCheckpoint": {"n": number}}})
    talk.expect("startedCommit")


def rows(endpoint, table="sums"):  # noqa: F811
    return sorted((row["id"], row["name"], float(row["sum"]), document(row)) for row in endpoint.read(table))


def document(row):
    value = row["flow_document"]
    return value if isinstance(value, str) else json.dumps(value)


def test_load_and_store(endpoint, firth):  # noqa: F811
    mat = Materialization(endpoint, firth.path)
    assert "created table" in mat.apply()["actionDescription"] and not mat.apply().get("actionDescription")
    talk, number = mat.open()
    assert number == 0 and begin(talk, [[1], [2]]) == []
    commit(talk, [mat.store({"id": n, "name": "a'\\\"\n", "sum": n + 0.5}) for n in (1, 2, 3)], 1)
    assert begin(talk, [[2], [3], [4]]) == [{"id": n, "name": "a'\\\"\n", "sum": n + 0.5} for n in (2, 3)]
    commit(talk, [mat.store({"id": 2, "name": None, "sum": 7}, exists=True), mat.store({"id": 4, "sum": 1, "name": "d"})], 2)
    assert talk.end()[0] == 0
    assert [row[:3] for row in rows(endpoint)] == [(1, "a'\\\"\n", 1.5), (2, None, 7.0), (3, "a'\\\"\n", 3.5), (4, "d", 1.0)]
    assert json.loads(rows(endpoint)[1][3]) == {"id": 2, "name": None, "sum": 7}
    assert mat.open()[1] == 2


@pytest.mark.parametrize("hard", [False, True])
def test_deletions(endpoint, firth, hard):  # noqa: F811
    mat = Materialization(endpoint, firth.path, config=endpoint.config(hardDelete=hard))
    talk, _ = mat.open()
    begin(talk)
    commit(talk, [mat.store({"id": n, "name": "a", "sum": 1}) for n in (1, 2)], 1)
    begin(talk, [[1]])
    commit(talk, [mat.store({"id": 1, "name": None, "sum": 1, "_meta": {"op": "d"}}, exists=True, delete=True)], 2)
    assert talk.end()[0] == 0
    assert [row[0] for row in rows(endpoint)] == ([2] if hard else [1, 2])
    if not hard:
        assert json.loads(rows(endpoint)[0][3])["_meta"] == {"op": "d"}


def test_composite_keys(endpoint, firth):  # noqa: F811
    mat = Materialization(endpoint, firth.path, key=("/id", "/b"))
    mat.collection["projections"] = [
        p if p.get("ptr") != "/b" else {**p, "inference": {"types": ["string"], "exists": "MUST"}}
        for p in mat.collection["projections"]]
    keys = [[1, "x"], [1, "y\n\t'"], [2**70, "x"], [-5, ""], [1, "X"]]
    talk, _ = mat.open()
    begin(talk)
    commit(talk, [mat.store({"id": i, "b": b, "name": "a", "sum": 1}) for i, b in keys], 1)
    found = begin(talk, [*keys, [2, "x"], [2**71, "y"]])
    assert sorted((d["id"], d["b"]) for d in found) == sorted(map(tuple, keys))
    commit(talk, [mat.store({"id": i, "b": b, "name": "b", "sum": 1}, exists=True) for i, b in keys], 2)
    assert talk.end()[0] == 0
    assert sorted((int(r["id"]), r["b"], r["name"]) for r in endpoint.read("sums")) == sorted((i, b, "b") for i, b in keys)


def test_keys_that_are_numbers(endpoint, firth):  # noqa: F811
    """numeric(20,0) of PostgreSQL: loads, updates and deletions reach their rows when a number was too large for a double."""
    mat = Materialization(endpoint, firth.path, config=endpoint.config(hardDelete=True))
    for projection in mat.collection["projections"]:
        if projection.get("ptr") == "/id":
            projection["inference"] = {"types": ["string"], "string": {"format": "number"}, "exists": "MUST"}
    talk, _ = mat.open()
    small, big = ["1", "2", "10"], "1795337344112358413"
    begin(talk)
    commit(talk, [mat.store({"id": i, "name": "a", "sum": 1}) for i in small], 1)
    begin(talk)
    commit(talk, [mat.store({"id": big, "name": "a", "sum": 1})], 2)
    assert talk.end()[0] == 0
    talk, _ = mat.open()
    assert sorted(document["id"] for document in begin(talk, [[i] for i in (*small, big, "3")])) == sorted([*small, big])
    commit(talk, [*(mat.store({"id": i, "name": "b", "sum": 1}, exists=True) for i in ("1", "10", big)),
                  mat.store({"id": "2", "name": "a", "sum": 1}, exists=True, delete=True)], 3)
    assert talk.end()[0] == 0
    assert sorted((int(row["id"]), row["name"]) for row in endpoint.read("sums")) == [(1, "b"), (10, "b"), (int(big), "b")]


def test_delta_updates(endpoint, firth):  # noqa: F811
    mat = Materialization(endpoint, firth.path, delta=True)
    talk, _ = mat.open()
    for number in (1, 2):
        begin(talk)
        commit(talk, [mat.store({"id": 1, "name": "a", "sum": number})], number)
    assert talk.end()[0] == 0
    assert [row[2] for row in rows(endpoint)] == [1.0, 2.0]


def test_evolution_and_backfill(endpoint, firth):  # noqa: F811
    mat = Materialization(endpoint, firth.path)
    talk, _ = mat.open()
    begin(talk)
    commit(talk, [mat.store({"id": 1, "name": "a", "sum": 1})], 1)
    assert talk.end()[0] == 0
    wider = Materialization(endpoint, firth.path, fields={**FIELDS, "sum": ["string", "number"], "more": ["integer"]})
    said = wider.apply()["actionDescription"]
    assert "added column more" in said and "widened column sum" in said
    talk, _ = wider.open()
    assert begin(talk, [[1]]) == [{"id": 1, "name": "a", "sum": 1}]
    commit(talk, [wider.store({"id": 2, "name": "b", "sum": "x", "more": 3})], 2)
    assert talk.end()[0] == 0
    assert sorted((r["id"], json.loads(r["sum"]), r["more"]) for r in endpoint.read("sums")) == [(1, 1, None), (2, "x", 3)]
    assert "dropped table" in wider.apply(backfill=1, last=0)["actionDescription"]
    assert endpoint.read("sums") == []


def test_values_that_do_not_fit(endpoint, firth):  # noqa: F811
    """Of a field: null, and the log says so once. Of a key: an error, and nothing is kept."""
    mat = Materialization(endpoint, firth.path)
    talk, _ = mat.open()
    begin(talk)
    commit(talk, [mat.store({"id": n, "name": "a", "sum": "no number"}) for n in (1, 2)], 1)
    begin(talk)
    talk.say(mat.store({"id": "x", "name": "a", "sum": 1}))
    rc, _, err = talk.end()
    assert rc != 0 and 'the key\'s field "id"' in err and err.count('a value of "sum" does not fit') == 1, err
    assert [(row["id"], row["sum"]) for row in endpoint.read("sums")] == [(1, None), (2, None)]


# --- exactly once ----------------------------------------------------------------------------------------


def run_to_the_end(mat, events, per_transaction, kill):
    """A runtime over a log of (key, amount): each transaction adds a few of them up. False: it was killed."""
    mat.flow.env.pop("FIRTH_FAULT_KILL", None)
    if kill:
        mat.flow.env["FIRTH_FAULT_KILL"] = kill
    talk, at = mat.open()
    try:
        while at < len(events):
            batch = events[at:at + per_transaction]
            sums = {}
            for key, amount in batch:
                sums[key] = sums.get(key, 0) + amount
            there = {d["id"]: d["sum"] for d in begin(talk, [[key] for key in sums])}
            at += len(batch)
            commit(talk, [mat.store({"id": key, "name": "n", "sum": there.get(key, 0) + amount}, exists=key in there)
                          for key, amount in sums.items()], at)
    except (AssertionError, BrokenPipeError, TypeError):
        assert talk.kill()[0] == -9
        return False
    assert talk.end()[0] == 0
    return True


def wrong_sums(endpoint, firth_dev, kills, plant=None):  # noqa: F811
    """Kill it at these points, one after the other; what is in the table that should not be."""
    chance = random.Random(11)
    events = [(chance.randrange(40), chance.randrange(1, 100)) for _ in range(900)]
    mat = Materialization(endpoint, firth_dev.path)
    if plant:
        mat.flow.env["FIRTH_FAULT_PLANT"] = plant
    killed = sum(not run_to_the_end(mat, events, 60, kill) for kill in kills)
    assert killed == len(kills)
    assert run_to_the_end(mat, events, 60, None)
    expected = {}
    for key, amount in events:
        expected[key] = expected.get(key, 0) + amount
    found = {row["id"]: float(row["sum"]) for row in endpoint.read("sums")}
    return {key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)}


POINTS = ["sdk.flow.commit.before:2", "sql.commit.before:3", "sql.commit.after:2", "sdk.flow.commit.after:1",
          "sql.commit.before:1", "sql.commit.after:3"]


def test_exactly_once(endpoint, firth_dev):  # noqa: F811
    assert wrong_sums(endpoint, firth_dev, POINTS) == set()


def test_a_checkpoint_of_its_own_is_caught(endpoint, firth_dev):  # noqa: F811
    """The checker finds what a checkpoint outside of the rows' transaction does."""
    assert wrong_sums(endpoint, firth_dev, ["sql.commit.after:2"], plant="sql.checkpoint-alone") != set()


def test_a_table_of_another(endpoint, firth):  # noqa: F811
    """It may well have a column called like the key; it is not touched."""
    endpoint.execute("CREATE TABLE sums (id integer, name text)")
    for delta, there in (False, "id integer, name text"), (True, "name text"):
        endpoint.execute(f"DROP TABLE sums; CREATE TABLE sums ({there})")
        mat = Materialization(endpoint, firth.path, delta=delta)
        session = mat.flow({"apply": {"materialization": mat.spec(), "version": "1"}})
        assert session.rc != 0 and "not one of this connector's" in session.err, session
        assert list(endpoint.types("sums")) == [column.split()[0] for column in there.split(", ")]
