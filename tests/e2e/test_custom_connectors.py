"""Connectors of one's own: by image, by command, by manifest; added, listed, changed and removed, and synced."""

import json
import sqlite3
import sys

import pytest

import manifests
from api import NOTHING, WORKSPACE, serve
from conftest import until
from manifests import SHOP

SOURCE = """
import json, sys
if sys.argv[1] == "spec":
    print(json.dumps({"type": "SPEC", "spec": {"connectionSpecification": {"type": "object", "required": ["host"], "properties": {"host": {"type": "string"}}}}}))
elif sys.argv[1] == "check":
    print(json.dumps({"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}))
"""


@pytest.fixture
def machine(tmp_path):
    return manifests.machine(tmp_path)


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(SHOP))
    return path


def custom(firth, **more):
    return [each for each in firth("connectors", "-o", "json", **more).json() if each.get("custom")]


def ends(client, connection):
    job = client.config("connections/sync", {"connectionId": connection})["job"]["id"]
    return until(lambda: (found := client.config("jobs/get", {"id": job}))["job"]["status"] in ("succeeded", "failed", "cancelled")
                 and found, f"the end of job {job}", 60)


# --- the command line -----------------------------------------------------------------------------------------


def test_a_command_is_added_changed_and_removed(firth, tmp_path):
    (tmp_path / "source.py").write_text(SOURCE)
    assert custom(firth) == []
    firth("connectors", "add", "source-own", "--command", f"'{sys.executable}' source.py", cwd=tmp_path, expect=0)
    found, = custom(firth)
    # The daemon has another working folder: the file that was named is the one.
    assert found["command"] == [sys.executable, str(tmp_path / "source.py")] and found["kind"] == "source"
    table = firth("connectors", expect=0).out
    assert "source-own" in table and "source-faker" in table
    client = serve(firth).api
    shown, = [each for each in client.config("source_definitions/list")["sourceDefinitions"] if each["custom"]]
    assert shown["name"] == "source-own" and shown["sourceDefinitionId"] == found["id"]
    body = {"sourceDefinitionId": found["id"], "workspaceId": WORKSPACE, "connectionConfiguration": {"host": "x"}}
    assert client.config("scheduler/sources/check_connection", body)["status"] == "succeeded"
    assert client.ask("POST", "/api/v1/scheduler/sources/check_connection", {**body, "connectionConfiguration": {}}).status == 422
    again = firth("connectors", "add", "source-own", "--command", f"{sys.executable} {tmp_path}/source.py", "-o", "json", expect=0)
    assert again.json()["id"] == found["id"] and len(custom(firth)) == 1
    client.config("sources/create", {**body, "name": "one"})
    refused = firth("connectors", "remove", "source-own")
    assert refused.rc != 0 and "1 sources use" in refused.err
    client.config("sources/delete", {"sourceId": client.config("sources/list", {"workspaceId": WORKSPACE})["sources"][0]["sourceId"]}, 204)
    firth("connectors", "remove", "source-own", expect=0)
    assert custom(firth) == []
    client.config("source_definitions/get", {"sourceDefinitionId": found["id"]}, 404)


def test_an_image_is_added(firth):
    firth("connectors", "add", "mine", "--image", "airbyte/source-faker:6.2.38", expect=0)
    found, = custom(firth)
    assert (found["image"], found["kind"]) == ("airbyte/source-faker:6.2.38", "source")
    with sqlite3.connect(firth.data_dir / "control.db") as db:
        spec, = db.execute("select spec from definitions where custom").fetchone()
    assert "count" in json.loads(spec)["connectionSpecification"]["properties"], "it was asked, and it is kept"


@pytest.mark.parametrize("args, said", [
    (["add", "source-x"], "one of --image"),
    (["add", "source-x", "--image", "a/b", "--command", "c"], "one of --image"),
    (["add", "x", "--command", "true"], "--kind"),
    (["add", "source-x", "--command", "'true"], "a quote that is not closed"),
    (["add", "source-x", "--command", "no-such-program-here"], "no-such-program-here"),
    (["add", "source-x", "--command", "true"], "spec"),
    (["add", "source-x", "--image", "-x"], "does not begin with"),
    (["remove", "source-x"], "no custom connector"),
    (["ad", "source-x"], "add NAME or remove NAME"),
    (["ad"], "did you mean add?"),
])
def test_what_is_no_connector_is_refused(firth, args, said):
    firth("connectors", "add", "source-there", "--image", "airbyte/source-faker:1", expect=0)
    result = firth("connectors", *args)
    assert result.rc != 0 and said.lower() in result.err.lower(), result.err
    assert [each["name"] for each in custom(firth)] == ["source-there"]


# --- manifests ------------------------------------------------------------------------------------------------


def test_a_manifest_is_kept_whole_and_synced(firth, machine, manifest):
    firth("connectors", "add", "shop", "--manifest-path", str(manifest), env=machine, expect=0)
    manifest.unlink()
    found, = custom(firth)
    assert found["manifestVersion"] == "6.5.0" and found["kind"] == "source"
    client = serve(firth, env=machine).api
    spec = client.config("source_definition_specifications/get", {"sourceDefinitionId": found["id"], "workspaceId": WORKSPACE})
    assert spec["connectionSpecification"] == SHOP["definitions"]["schema"]
    assert spec["documentationUrl"] == "https://example.com/shop"
    body = {"sourceDefinitionId": found["id"], "workspaceId": WORKSPACE, "name": "shop", "connectionConfiguration": {"api_key": "K-1234"}}
    wrong = {**body, "connectionConfiguration": {"api_key": "K-9876"}}
    assert client.config("scheduler/sources/check_connection", wrong)["message"].endswith("the key is wrong")
    source = client.config("sources/create", body)
    assert source["connectionConfiguration"] == {"api_key": "**********"}, "and no manifest in it"
    connection = client.connection(source=source["sourceId"], streams=("items",))
    done = ends(client, connection)
    assert done["job"]["status"] == "succeeded", done
    assert done["job"]["aggregatedStats"]["recordsCommitted"] == 3
    exported = firth("export", expect=0).out
    other = firth.data_dir.parent / "export.yaml"
    other.write_text(exported)
    firth("--data-dir", str(firth.data_dir.parent / "other"), "apply", str(other), env={"SOURCE_SHOP_API_KEY": "K-1234"}, expect=0)
    shown = firth("--data-dir", str(firth.data_dir.parent / "other"), "connectors", "-o", "json", expect=0).json()
    assert [each["manifestVersion"] for each in shown if each.get("custom")] == ["6.5.0"]


def test_a_manifest_is_nowhere_in_clear(firth, machine, manifest):
    """A token may be written in one."""
    manifest.write_text(json.dumps({**SHOP, "requester": {"token": "t0ken-in-a-manifest"}}))
    firth("connectors", "add", "shop", "--manifest-path", str(manifest), env=machine, expect=0)
    assert [each["manifestVersion"] for each in custom(firth)] == ["6.5.0"]
    for file in firth.data_dir.rglob("*"):
        assert not file.is_file() or b"t0ken-in-a-manifest" not in file.read_bytes(), file
    assert "t0ken-in-a-manifest" in firth("export", expect=0).out


def test_without_its_program_a_manifest_is_not_taken(firth, manifest):
    result = firth("connectors", "add", "shop", "--manifest-path", str(manifest))
    assert result.rc != 0 and "source-declarative-manifest" in result.err and "connectors.manifest_program" in result.err
    assert custom(firth) == []


def test_a_setting_names_the_program(firth, machine, manifest):
    program = machine["PATH"].split(":")[0] + "/source-declarative-manifest"
    firth("connectors", "add", "one", "--manifest-path", str(manifest), env=machine, expect=0)
    with sqlite3.connect(firth.data_dir / "control.db") as db:
        db.execute("insert into settings (name, value) values ('connectors.manifest_program', ?)", (program,))
    firth("connectors", "add", "two", "--manifest-path", str(manifest), expect=0)
    with sqlite3.connect(firth.data_dir / "control.db") as db:
        db.execute("update settings set value = '/no/such/program'")
    result = firth("connectors", "add", "three", "--manifest-path", str(manifest), env=machine)
    assert result.rc != 0 and "/no/such/program" in result.err and "not there" in result.err


@pytest.mark.parametrize("change, said", [
    ({"type": "Other"}, "type: DeclarativeSource"), ({"version": None}, "version"), ({"check": None}, "check"),
    ({"streams": None}, "streams")])
def test_what_is_no_manifest_says_why(firth, machine, manifest, change, said):
    manifest.write_text(json.dumps({k: v for k, v in {**SHOP, **change}.items() if v is not None}))
    result = firth("connectors", "add", "shop", "--manifest-path", str(manifest), env=machine)
    assert result.rc != 0 and said in result.err and str(manifest) in result.err


# --- the API --------------------------------------------------------------------------------------------------


def test_definitions_by_manifest_in_the_public_api(firth, machine):
    client = serve(firth, env=machine).api
    path = f"workspaces/{WORKSPACE}/definitions/declarative_sources"
    assert client.public("GET", path)["data"] == []
    made = client.public("POST", path, {"name": "shop", "manifest": SHOP})
    assert made["manifest"] == SHOP and made["version"] == 1
    assert client.public("GET", f"{path}/{made['id']}") == made
    assert client.public("GET", path)["data"] == [made]
    source = client.public("POST", "sources", {"name": "s", "workspaceId": WORKSPACE, "definitionId": made["id"],
                                               "configuration": {"api_key": "K-1234"}})
    assert {each["streamName"] for each in client.public("GET", f"streams?sourceId={source['sourceId']}")} == {"items"}
    changed = {**SHOP, "streams": [{"name": "orders", "rows": 1}]}
    again = client.public("PUT", f"{path}/{made['id']}", {"manifest": changed})
    assert again["version"] == 2 and again["manifest"] == changed
    # What was discovered by another manifest is asked for again.
    assert {each["streamName"] for each in client.public("GET", f"streams?sourceId={source['sourceId']}")} == {"orders"}
    answer = client.ask("POST", f"/v1/{path}", {"name": "x", "manifest": {}})
    assert answer.status == 422 and "DeclarativeSource" in answer.json()["detail"]
    assert client.ask("POST", f"/v1/{path}", {"name": "shop", "manifest": SHOP}).status == 422, "the name is taken"
    assert client.ask("DELETE", f"/v1/{path}/{made['id']}").status == 422, "a source uses it"
    client.public("DELETE", f"sources/{source['sourceId']}", expect=204)
    assert client.public("DELETE", f"{path}/{made['id']}")["id"] == made["id"]
    client.public("GET", f"{path}/{made['id']}", expect=404)
    client.public("GET", f"workspaces/{NOTHING}/definitions/declarative_sources", expect=404)


def test_a_manifest_without_its_program_is_refused_by_the_api(firth):
    client = serve(firth).api
    answer = client.ask("POST", f"/v1/workspaces/{WORKSPACE}/definitions/declarative_sources", {"name": "shop", "manifest": SHOP})
    assert answer.status == 422 and "source-declarative-manifest" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["source", "destination"])
def test_definitions_by_image_in_the_public_api(firth, kind):
    client = serve(firth).api
    path = f"workspaces/{WORKSPACE}/definitions/{kind}s"
    built_in = client.public("GET", path)["data"]
    assert {each["dockerRepository"] for each in built_in} >= {"airbyte/source-faker" if kind == "source" else "airbyte/destination-local-json"}
    body = {"name": "mine", "dockerRepository": f"example/{kind}-mine", "dockerImageTag": "1", "documentationUrl": "https://example.com"}
    made = client.public("POST", path, body)
    assert {key: made[key] for key in body} == body
    changed = client.public("PUT", f"{path}/{made['id']}", {"name": "yours", "dockerImageTag": "2"})
    assert (changed["name"], changed["dockerImageTag"]) == ("yours", "2")
    assert client.public("GET", f"{path}/{made['id']}") == changed
    for wrong in ({**body, "name": ""}, {**body, "dockerRepository": "-v"}, {"name": "x"}):
        assert client.ask("POST", f"/v1/{path}", wrong).status == 422, wrong
    answer = client.ask("PUT", f"/v1/{path}/{built_in[0]['id']}", {"name": "x", "dockerImageTag": "9"})
    assert answer.status == 422 and "built in" in answer.json()["detail"]
    other = "destination" if kind == "source" else "source"
    client.public("GET", f"workspaces/{WORKSPACE}/definitions/{other}s/{made['id']}", expect=404)
    client.public("DELETE", f"{path}/{made['id']}")
    client.public("GET", f"{path}/{made['id']}", expect=404)


# --- export and apply -------------------------------------------------------------------------------------------

SECRETIVE = SOURCE.replace('"host": {"type": "string"}', '"host": {"type": "string"}, "pin": {"type": "string", "airbyte_secret": True}')


def kept(data_dir):
    with sqlite3.connect(data_dir / "control.db") as db:
        rows = db.execute("select id, side, name, origin, repository, tag, command, documentation_url, icon, spec, spec_of, workspace, custom,"
                          " extra, sealed_manifest is null from definitions where custom order by id").fetchall()
    return [[*row[:9], row[9] and json.loads(row[9]), *row[10:]] for row in rows]


def test_custom_connectors_go_through_export_and_apply_whole(firth, tmp_path, manifest, machine):
    """By image, by command, by manifest: with their specs, by which it is known what of a config is a secret; nothing is asked anew."""
    (tmp_path / "source.py").write_text(SECRETIVE)
    firth("connectors", "add", "source-own", "--command", f"{sys.executable} {tmp_path}/source.py", expect=0)
    firth("connectors", "add", "source-image", "--image", "airbyte/source-faker:6.2.38", expect=0)
    firth("connectors", "add", "source-shop", "--manifest-path", manifest, env=machine, expect=0)
    (tmp_path / "sources.json").write_text(json.dumps({"sources": [
        {"name": "one", "definition": "source-own", "config": {"host": "h.example", "pin": "1234-secret"}}]}))
    firth("apply", tmp_path / "sources.json", expect=0)
    first = firth("export", expect=0).out
    assert "h.example" in first and "1234-secret" not in first and "${SOURCE_ONE_PIN}" in first
    (tmp_path / "export.yaml").write_text(first)
    there = tmp_path / "there"
    (tmp_path / "source.py").write_text("raise SystemExit('it is not asked')")
    firth("apply", tmp_path / "export.yaml", "--data-dir", there, env={**machine, "SOURCE_ONE_PIN": "1234-secret"}, expect=0)
    assert kept(there) == kept(firth.data_dir) and len(kept(there)) == 3
    assert all(row[9]["connectionSpecification"] for row in kept(there))
    assert firth("export", "--data-dir", there, expect=0).out == first
    again = firth("apply", tmp_path / "export.yaml", "--data-dir", there, env={**machine, "SOURCE_ONE_PIN": "1234-secret"}, expect=0)
    assert "0 new, 0 changed" in again.err
    # Another icon is no other connector: what it said of itself stays. Another tag is one.
    told = firth("export", "-o", "json", expect=0).json()
    for each in told["definitions"]:
        each.pop("spec", None)
        each["icon"] = "i.svg"
    (tmp_path / "icons.json").write_text(json.dumps({"definitions": told["definitions"]}))
    firth("apply", tmp_path / "icons.json", env=machine, expect=0)
    assert [row[9:11] for row in kept(firth.data_dir)] == [row[9:11] for row in kept(there)]
    for each in told["definitions"]:
        if "image" in each:
            each["image"] = "airbyte/source-faker:6.2.39"
    (tmp_path / "icons.json").write_text(json.dumps({"definitions": told["definitions"]}))
    firth("apply", tmp_path / "icons.json", env=machine, expect=0)
    assert sum(row[9] is None for row in kept(firth.data_dir)) == 1


@pytest.mark.parametrize("spec", [7, {}, {"connectionSpecification": "x"}])
def test_a_spec_that_is_none_is_refused(firth, tmp_path, spec):
    (tmp_path / "wrong.json").write_text(json.dumps({"definitions": [{"name": "x", "kind": "source", "command": ["x"], "spec": spec}]}))
    assert "'spec' is a connector's ConnectorSpecification" in firth("apply", tmp_path / "wrong.json", expect=3).err
