"""A materialization whose bindings come from a capture (`source`)."""

import json
import signal

import serving
from conftest import until
from e2e.materialize import SCHEMA, TASK, catalog, flow, materialize, messages, put, rows
from e2e.scripted import failure, local, received

NAMED = {"bindings": [], "source": {"capture": "acmeCo/in"}}


def resources(tmp_path):
    """What the connector was told last of each binding."""
    applied = [body["materialization"]["bindings"] for _, verb, body in messages(tmp_path) if verb == "apply"][-1]
    return {b["collection"]["name"]: b["resourceConfig"] for b in applied}


def test_every_collection_of_the_capture(firth, tmp_path):
    more = {"collections": ("users", "orders"), "bindings": [{"source": "acmeCo/orders", "resource": {"table": "mine"}}],
            "source": "acmeCo/in"}
    put(firth, tmp_path, {"id": 1, "n": 2}, **more)
    path = put(firth, tmp_path, {"id": 7, "n": 1}, stream="orders", **more)
    materialize(firth, path)
    assert resources(tmp_path) == {"acmeCo/users": {"table": "acmeCo_users"}, "acmeCo/orders": {"table": "mine"}}
    assert [r["id"] for r in rows(tmp_path, "acmeCo_users")] == [1] and [r["id"] for r in rows(tmp_path, "mine")] == [7]


def test_a_new_collection_is_bound(firth, tmp_path):
    path = put(firth, tmp_path, {"id": 1, "n": 1}, **NAMED)
    materialize(firth, path)
    # Nothing changed: nothing is asked, and the resource is what it was.
    (tmp_path / "messages").unlink()
    put(firth, tmp_path, {"id": 2, "n": 1}, **NAMED)
    materialize(firth, path)
    assert not [verb for _, verb, _ in messages(tmp_path) if verb in ("spec", "validate", "apply")]
    opened = [body for _, verb, body in messages(tmp_path) if verb == "open"][0]
    assert opened["materialization"]["bindings"][0]["resourceConfig"] == {"table": "acmeCo_users"}
    path = put(firth, tmp_path, {"id": 5, "n": 1}, stream="orders", collections=("users", "orders"), **NAMED)
    materialize(firth, path)
    assert resources(tmp_path) == {"acmeCo/users": {"table": "acmeCo_users"}, "acmeCo/orders": {"table": "acmeCo_orders"}}
    assert [r["id"] for r in rows(tmp_path, "acmeCo_users")] == [1, 2]
    assert [r["id"] for r in rows(tmp_path, "acmeCo_orders")] == [5]


def test_schema_and_delta_updates_go_where_the_connector_has_them(firth, tmp_path):
    schema = {"type": "object", "properties": {"at": {"type": "object", "properties": {
        "table": {"x-collection-name": True}, "schema": {"x-schema-name": True}}}, "delta": {"x-delta-updates": True}}}
    more = {"program": "scripted_materialize.py", "config": {"resource_schema": schema}, "bindings": [],
            "source": {"capture": "acmeCo/in", "targetNaming": "withSchema", "deltaUpdates": True}}
    path = catalog(tmp_path, **more)
    firth("check", str(path), expect=0)
    asked = [body for _, verb, body in messages(tmp_path) if verb == "validate"][0]
    assert [b["resourceConfig"] for b in asked["bindings"]] == [{"at": {"table": "users", "schema": "acmeCo"}, "delta": True}]


def test_what_the_connector_has_no_place_for_is_told(firth, tmp_path):
    more = {"bindings": [], "source": {"capture": "acmeCo/in", "targetNaming": "withSchema"}}
    path = put(firth, tmp_path, {"id": 1, "n": 1}, **more)
    said = "no place for a schema (x-schema-name), which the materialization's 'source' needs: choose a targetNaming"
    assert said in failure(materialize(firth, path, expect=1))["message"]
    result = firth("check", str(path), expect=3)
    assert said in result.err and "flow.json:" in result.err


def test_streams_of_an_airbyte_destination(firth, tmp_path):
    more = {"endpoint": local("scripted_destination", {"out": str(tmp_path / "out")}), "bindings": [],
            "source": {"capture": "acmeCo/in", "targetNaming": "withSchema", "deltaUpdates": True}}
    path = put(firth, tmp_path, {"id": 1, "n": 1}, **more)
    materialize(firth, path)
    records = [m["record"] for m in received(tmp_path) if m.get("type") == "RECORD"]
    assert [(r["namespace"], r["stream"], r["data"]["id"]) for r in records] == [("acmeCo", "users", 1)]


def test_the_mode_of_an_airbyte_destination(firth, tmp_path):
    def bound(mode):
        return {"endpoint": local("scripted_destination", {"out": str(tmp_path / "out")}),
                "bindings": [{"source": "acmeCo/users", "resource": {"stream": "s", "destinationSyncMode": mode}}]}

    def mode():
        return json.loads((tmp_path / "out.catalog").read_text())["streams"][0]["destination_sync_mode"]

    for wanted in ("append", "append_dedup"):
        materialize(firth, put(firth, tmp_path, {"id": 1, "n": 1}, **bound(wanted)))
        assert mode() == wanted
    result = firth("run", str(catalog(tmp_path, **bound("overwrite"))), "--once", expect=3)
    assert "'destinationSyncMode' is 'overwrite', but in a materialization it must be append or append_dedup" in result.err


def test_a_deploy_brings_the_new_collection(firth, tmp_path):
    """Under the daemon: the materialization takes the collection up that its capture has gained."""
    config = {"path": str(tmp_path / "out.db"), "seen": str(tmp_path / "messages")}

    def write(*names):
        path = tmp_path / "flow.json"
        path.write_text(json.dumps({
            "collections": {f"acmeCo/{n}": {"schema": SCHEMA, "key": ["/id"]} for n in names},
            "captures": {"acmeCo/in": {"interval": "1h", "endpoint": local("scripted_source", {
                "streams": list(names), "seen": str(tmp_path / "seen"),
                "steps": [{"records": {"stream": n, "from": 1, "to": 3}} for n in names]}),
                "bindings": [{"resource": {"stream": n}, "target": f"acmeCo/{n}"} for n in names]}},
            "materializations": {TASK: {"endpoint": flow("sqlite_materialize.py", config), "source": "acmeCo/in",
                                        "bindings": []}}}))
        return path

    serving.deploy(firth, write("users"))
    daemon = serving.serve(firth, "--commit-every", "50ms")
    until(lambda: has(tmp_path, "acmeCo_users"), "the first collection")
    assert serving.deploy(firth, write("users", "orders")) == {"acmeCo/in": "change", TASK: "change"}
    until(lambda: has(tmp_path, "acmeCo_orders"), "the second collection")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert [r["id"] for r in rows(tmp_path, "acmeCo_users")] == [r["id"] for r in rows(tmp_path, "acmeCo_orders")] == [1, 2, 3]


def has(tmp_path, table):
    try:
        return len(rows(tmp_path, table)) == 3
    except Exception:  # the table is not there yet
        return False
