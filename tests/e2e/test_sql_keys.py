"""Documents of a materialization into databases are kept apart by their keys, whatever the key's column makes of a value;
where it would make one of two, that is refused, and what is there stays."""

import json

import pytest

import sql_endpoints
from connector_suite.flow import collection
from test_sql_destinations import endpoint  # noqa: F811, F401 (fixtures)
from test_sql_flow import Materialization, begin, commit


def text(**string):
    return {"types": ["string"], "string": string, "exists": "MUST"}


DATE, TIME, MOMENT = (text(format=name) for name in ("date", "time", "date-time"))
NUMBER, BYTES = text(format="number"), text(contentEncoding="base64")
INTEGER = {"types": ["integer"], "exists": "MUST"}

APART = {
    "dates": (DATE, ["0001-01-01", "0000-12-31", "-0001-01-01", "9999-12-31", "10000-01-01", "99999-12-31", "infinity", "-infinity"]),
    "moments": (MOMENT, [
        "2024-01-01T00:00:00.000001Z", "2024-01-01T00:00:00.000002Z", "0001-01-01T00:00:00Z", "-0044-03-15T12:00:00Z",
        "9999-12-31T23:59:59.999999Z", "10000-01-01T00:00:00Z", "+99999-12-31T23:59:59Z", "infinity", "-infinity"]),
    "times": (TIME, ["00:00:00Z", "23:59:59.999999Z", "24:00:00Z"]),
    "texts": (text(), ["", "a", "A", "a ", " a", "\u00e9", "e\u0301", "\u00df", "ss", "1", "1.0", "2024-01-01", "x" * 2000,
                       "x" * 1999 + "y"]),
    "integers": (INTEGER, [0, -1, 2**53, 2**53 + 1, 2**63, 2**64 + 1, 10**38 - 1, 10**40, 10**40 + 1, -10**40]),
    "numbers": (NUMBER, ["0", "0.1", "0.10000000000000001", "1e400", "1e401", "123456789012345678901234567890.1",
                         "123456789012345678901234567890.2"]),
    "bytes": (BYTES, ["", "AA==", "AAA=", "AAAA", "gA=="]),
    "unions": ({"types": ["integer", "string"], "exists": "MUST"}, [1, "1", "1.0", "true", ""]),
}


class Many(Materialization):
    """A binding for each kind of key."""

    def __init__(self, endpoint, binary, kinds, config=None):  # noqa: F811
        super().__init__(endpoint, binary, fields={"v": ["string"]}, config=config)
        self.kinds = kinds

    def spec(self, backfill=0, table=None):
        bindings = []
        for name, inference in self.kinds.items():
            made = collection(f"acmeCo/{name}", ["/id"], {"v": ["string"]})
            for projection in made["projections"]:
                if projection.get("ptr") == "/id":
                    projection["inference"] = inference
            bindings.append({"resourceConfig": {"table": name}, "resourcePath": [name], "collection": made,
                             "fieldSelection": {"keys": ["id"], "values": ["v"], "document": "flow_document"}})
        return {"name": "acmeCo/mat", "connectorType": "LOCAL", "config": self.config, "bindings": bindings}

    def put(self, number, key, value, exists=False):
        document = {"id": key, "v": value}
        return {"store": {"binding": number, "key": [key], "values": [value], "doc": document, "exists": exists}}


def load(talk, keys):
    """Of [(binding, key)]: what was found, as texts."""
    talk.say({"acknowledge": {}}, *({"load": {"binding": n, "key": [key]}} for n, key in keys), {"flush": {}})
    talk.expect("acknowledged")
    found = []
    while (message := talk.next())[0] == "loaded":
        found.append((message[1].get("binding", 0), json.dumps(message[1]["doc"])))
    assert message[0] == "flushed", message
    return sorted(found)


def test_keys_are_kept_apart(endpoint, firth):  # noqa: F811
    cases = dict(APART)
    if sql_endpoints.keeps_nul(endpoint):
        cases["texts"] = (text(), [*APART["texts"][1], "a\0", "\0"])
    if sql_endpoints.keeps_nanoseconds(endpoint):
        cases["moments"] = (MOMENT, [*APART["moments"][1], "2024-01-01T00:00:00.000001001Z"])
    mat = Many(endpoint, firth.path, {name: inference for name, (inference, _) in cases.items()})
    keys = [(n, key) for n, (_, values) in enumerate(cases.values()) for key in values]
    talk, _ = mat.open()
    begin(talk)
    commit(talk, [mat.put(n, key, "first") for n, key in keys], 1)
    assert load(talk, keys) == sorted((n, json.dumps({"id": key, "v": "first"})) for n, key in keys)
    commit(talk, [mat.put(n, key, f"of {key}"[:20], exists=True) for n, key in keys], 2)
    assert load(talk, keys) == sorted((n, json.dumps({"id": key, "v": f"of {key}"[:20]})) for n, key in keys)
    commit(talk, [], 3)
    assert talk.end()[0] == 0
    for name, (_, values) in cases.items():
        assert len(endpoint.read(name)) == len(values), name


@pytest.mark.parametrize("inference,one,other", [
    (MOMENT, "2024-01-01T00:00:00Z", "2024-01-01T01:00:00+01:00"), (NUMBER, "1", "1.0"), (BYTES, "QQ==", "QQ"),
    pytest.param(TIME, "12:00:00Z", "12:00:00.0Z", marks=pytest.mark.full),
    pytest.param(text(format="integer"), "7", "007", marks=pytest.mark.full)], ids=lambda value: value if isinstance(value, str) else "")
def test_keys_that_would_be_one(endpoint, firth, inference, one, other):  # noqa: F811
    """Refused with both keys: when both come at once, when the other comes later, and if nobody has looked for it."""
    mat = Many(endpoint, firth.path, {"one": inference}, endpoint.config(hardDelete=True))
    told = f'the keys {json.dumps(one)} and {json.dumps(other)} are one in '

    def refused(talk):
        talk.say({"startCommit": {"runtimeCheckpoint": {"n": 2}}})
        rc, _, err = talk.end()
        assert rc != 0 and told in err, err

    talk, _ = mat.open()
    begin(talk)
    talk.say(mat.put(0, one, "a"), mat.put(0, other, "b"))
    refused(talk)
    assert endpoint.read("one") == []
    talk, _ = mat.open()
    begin(talk)
    commit(talk, [mat.put(0, one, "a")], 1)
    begin(talk)
    talk.say(mat.put(0, other, "b"))
    refused(talk)
    talk, number = mat.open()
    assert number == 1 and load(talk, [(0, other)]) == []
    talk.say(mat.put(0, other, "b"))
    refused(talk)
    (row,) = endpoint.read("one")
    assert row["v"] == "a"
    # Where the first goes as the other comes, nothing is lost.
    talk, _ = mat.open()
    assert load(talk, [(0, one), (0, other)]) == [(0, json.dumps({"id": one, "v": "a"}))]
    gone = mat.put(0, one, "a", exists=True)
    gone["store"]["delete"] = True
    commit(talk, [gone, mat.put(0, other, "b")], 2)
    assert load(talk, [(0, one), (0, other)]) == [(0, json.dumps({"id": other, "v": "b"}))]
    commit(talk, [], 3)
    assert talk.end()[0] == 0


@pytest.mark.parametrize("inference,keys", [(MOMENT, ["2024-01-01T00:00:00.0000000001Z"]), (DATE, ["2024-02-30", "9999999-01-01"]),
                                            (TIME, ["12:00:00+02:00"])], ids=["moment", "date", "time"])
def test_keys_that_do_not_fit(endpoint, firth, inference, keys):  # noqa: F811
    """A key is never cut and never null: the value is named."""
    for key in keys:
        if endpoint.name == "destination-sqlite" and key == "9999999-01-01":
            continue  # its dates are texts
        mat = Many(endpoint, firth.path, {"one": inference})
        talk, _ = mat.open()
        begin(talk)
        talk.say(mat.put(0, key, "a"))
        rc, _, err = talk.end()
        assert rc != 0 and f"the value {key} of the key's field" in err and "a string without a format" in err, err
        assert endpoint.read("one") == []
