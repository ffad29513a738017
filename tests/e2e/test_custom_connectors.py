"""Connectors of one's own: by image, by command, by manifest; added, listed, changed and removed, and synced."""

import json
import sqlite3
import sys

import pytest
import yaml

import manifests
from api import NOTHING, WORKSPACE, basic, serve
from conftest import until
from manifests import SHOP

SOURCE = """
import json, sys
if sys.argv[1] == "spec":
    print(json.dumps({"type": "SPEC", "spec": {"connectionSpecification": {"type": "object", "required": ["host"], "properties": {"host": {"type": "string"}}}}}))
elif sys.argv[1] == "check":
    print(json.dumps({"type": "LOG", "log": {"level": "INFO", "message": "looking for the host with s3cret-word"}}))
    print("no \\x1b route", file=sys.stderr)
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
    body["connectionConfiguration"]["password"] = "s3cret-word"
    checked = client.config("scheduler/sources/check_connection", body)
    assert checked["status"] == "succeeded"
    # What it logged, without what is secret in its config.
    assert sorted(checked["jobInfo"]["logs"]["logLines"]) == ["info: looking for the host with ***", "info: no   route"]
    del body["connectionConfiguration"]["password"]
    assert client.ask("POST", "/api/v1/scheduler/sources/check_connection", {**body, "connectionConfiguration": {}}).status == 422
    again = firth("connectors", "add", "source-own", "--command", f"{sys.executable} {tmp_path}/source.py", "-o", "json", expect=0)
    assert again.json()["id"] == found["id"] and len(custom(firth)) == 1
    client.config("sources/create", {**body, "name": "one"})
    refused = firth("connectors", "remove", "source-own")
    assert refused.rc != 0 and "1 source uses" in refused.err and "delete it first" in refused.err
    client.config("sources/delete", {"sourceId": client.config("sources/list", {"workspaceId": WORKSPACE})["sources"][0]["sourceId"]}, 204)
    firth("connectors", "remove", "source-own", expect=0)
    assert custom(firth) == []
    assert "source-faker is built in and stays" in firth("connectors", "remove", "source-faker").err
    client.config("source_definitions/get", {"sourceDefinitionId": found["id"]}, 404)


def test_a_command_by_the_api_where_that_is_allowed(firth, tmp_path):
    (tmp_path / "source.py").write_text(SOURCE)
    body = {"name": "Own", "kind": "source", "command": [sys.executable, str(tmp_path / "source.py")]}
    daemon = serve(firth, "--allow-commands")
    client = daemon.api

    def add(status, **more):
        answer = client.ask("POST", "/api/firth/v1/commands", {**body, **more})
        assert answer.status == status, answer
        return answer.json()

    assert "set another first" in add(403)["message"]
    assert custom(firth) == []
    assert client.ask("POST", "/api/firth/v1/password", {"currentPassword": "password", "newPassword": "our own one"}).status == 200
    client.authorization = basic(password="our own one")
    for words, said in (([], "1 to 256 words"), (["bin/x"], "a whole path"), ([""], "a whole path"), (["/bin/true"], "SPEC"), (["/nowhere/x"], "/nowhere/x")):
        assert said in add(422, command=words)["message"]
    assert "blank" in add(422, name=" ")["message"]
    made = add(200)
    assert add(422)["validationErrors"][0]["propertyPath"] == "name", "twice"
    checked = client.config("scheduler/sources/check_connection", {"sourceDefinitionId": made["sourceDefinitionId"], "workspaceId": WORKSPACE,
                                                                   "connectionConfiguration": {"host": "x"}})
    assert checked["status"] == "succeeded"
    application = client.public("POST", "applications", {"name": "robot"})
    token = client.public("POST", "applications/token", {"client_id": application["clientId"], "client_secret": application["clientSecret"]})["access_token"]
    client.authorization = f"Bearer {token}"
    assert "application" in add(403, name="Other")["message"]
    found, = custom(firth)
    assert found["name"] == "Own" and found["command"] == body["command"]


def test_a_command_by_the_api_where_nobody_has_allowed_it(firth):
    firth("password", stdin="our own one\n", expect=0)
    client = serve(firth).api
    client.authorization = basic(password="our own one")
    answer = client.ask("POST", "/api/firth/v1/commands", {"name": "Own", "kind": "source", "command": ["/bin/true"]})
    assert answer.status == 403 and "--allow-commands" in answer.json()["message"], answer


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
    (["add", "source-x", "--image", "-x"], "no repository's name"),
    (["add", "source-faker", "--image", "me/source-faker:1"], "is built in"),
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


def test_a_manifest_is_kept_whole_and_synced_by_a_program(firth, machine, manifest):
    manifests.run_by(firth, machine)
    firth("connectors", "add", "shop", "--manifest-path", str(manifest), expect=0)
    manifest.unlink()
    found, = custom(firth)
    assert found["manifestVersion"] == "6.5.0" and found["kind"] == "source"
    client = serve(firth).api
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


def test_what_is_said_of_it_stays(firth, manifest, tmp_path):
    """Where its documentation is, its spec says; what a file has said beside is kept when the manifest changes."""
    firth("connectors", "add", "shop", "--manifest-path", str(manifest), expect=0)
    exported = json.loads(json.dumps(yaml.safe_load(firth("export", expect=0).out)))
    definition, = exported["definitions"]
    assert definition["documentationUrl"] == "https://example.com/shop"
    definition.update(documentationUrl="https://example.com/other", icon="https://example.com/icon.svg")
    (tmp_path / "changed.json").write_text(json.dumps(exported))
    firth("apply", str(tmp_path / "changed.json"), "--yes", expect=0)
    firth("connectors", "add", "shop", "--manifest-path", str(manifest), expect=0)
    client = serve(firth).api
    shown, = [each for each in client.config("source_definitions/list")["sourceDefinitions"] if each["custom"]]
    assert (shown["icon"], shown["documentationUrl"]) == ("https://example.com/icon.svg", "https://example.com/shop")
    for name in ("", " ", "shop ", " shop"):
        told = firth("connectors", "add", name, "--kind", "source", "--manifest-path", str(manifest), expect=3).err
        assert "name" in told and ("is empty" in told or "other than a blank" in told), told


def test_a_manifest_is_nowhere_in_clear(firth, manifest):
    """A token may be written in one."""
    manifest.write_text(json.dumps({**SHOP, "definitions": {**SHOP["definitions"], "token": "t0ken-in-a-manifest"}}))
    firth("connectors", "add", "shop", "--manifest-path", str(manifest), expect=0)
    assert [each["manifestVersion"] for each in custom(firth)] == ["6.5.0"]
    for file in firth.data_dir.rglob("*"):
        assert not file.is_file() or b"t0ken-in-a-manifest" not in file.read_bytes(), file
    assert "t0ken-in-a-manifest" in firth("export", expect=0).out


def test_a_setting_names_the_program(firth, machine, manifest):
    """By its path, or by a name on PATH; what is not there runs nothing."""
    for value, env in ((machine, None), (machine.name, manifests.on_path(machine))):
        manifests.run_by(firth, value)
        firth("connectors", "add", "shop", "--manifest-path", str(manifest), env=env, expect=0)
    for value, said in (("/no/such/program", "not there"), ("no-such-program", "in no folder of PATH")):
        manifests.run_by(firth, value)
        result = firth("connectors", "add", "three", "--manifest-path", str(manifest))
        assert result.rc != 0 and value in result.err and said in result.err and "connectors.manifest_program" in result.err
    assert [each["name"] for each in custom(firth)] == ["shop"]


@pytest.mark.parametrize("change, said, program_says", [
    ({"type": "Other"}, "DeclarativeSource", "type: DeclarativeSource"), ({"version": None}, "version", "version"),
    ({"check": None}, "check", "check"), ({"streams": None}, "streams", "streams"),
    ({"streams": [{**SHOP["streams"][0], "retriever": 5}]}, "streams[0].retriever", None),
    ({"streams": [{**SHOP["streams"][0], "transformations": [{"type": "CustomTransformation", "class_name": "source_x.components.Odd"}]}]},
     "source_x.components.Odd", None)])
def test_what_is_no_manifest_says_why(firth, machine, manifest, change, said, program_says):
    """The built-in knows the whole language; a program is asked when it runs."""
    manifest.write_text(json.dumps({k: v for k, v in {**SHOP, **change}.items() if v is not None}))
    result = firth("connectors", "add", "shop", "--manifest-path", str(manifest))
    assert result.rc == 3 and said in result.err and str(manifest) in result.err
    manifests.run_by(firth, machine)
    result = firth("connectors", "add", "shop", "--manifest-path", str(manifest))
    assert (result.rc != 0) == (program_says is not None)
    assert program_says is None or (program_says in result.err and str(manifest) in result.err)


def test_a_manifest_is_a_connector_by_its_file(firth, tmp_path):
    """As YAML 1.1, which manifests are written in; by the name of the file, or of its folder."""
    folder = tmp_path / "source-shop"
    folder.mkdir()
    text = json.dumps({k: v for k, v in SHOP.items() if k != "definitions"})[1:-1].replace("#/definitions/schema", "#/definitions/a")
    text += ", definitions: {a: {type: object}, b: {a: yes, b: 010}}"
    (folder / "manifest.yaml").write_text("{" + text + "}")
    (folder / "source-other.yml").write_text("{" + text + "}")
    firth("connectors", "add", "manifest.yaml", cwd=folder, expect=0)
    firth("connectors", "add", folder / "source-other.yml", expect=0)
    assert sorted(each["name"] for each in custom(firth)) == ["source-other", "source-shop"]
    assert firth("export", "-o", "json", expect=0).json()["definitions"][0]["manifest"]["definitions"]["b"] == {"a": True, "b": 8}


# --- the API --------------------------------------------------------------------------------------------------


def test_definitions_by_manifest_in_the_public_api(firth):
    client = serve(firth).api
    path = f"workspaces/{WORKSPACE}/definitions/declarative_sources"
    assert client.public("GET", path)["data"] == []
    made = client.public("POST", path, {"name": "shop", "manifest": SHOP})
    assert made["manifest"] == SHOP and made["version"] == 1
    assert client.public("GET", f"{path}/{made['id']}") == made
    assert client.public("GET", path)["data"] == [made]
    source = client.public("POST", "sources", {"name": "s", "workspaceId": WORKSPACE, "definitionId": made["id"],
                                               "configuration": {"api_key": "K-1234"}})
    assert {each["streamName"] for each in client.public("GET", f"streams?sourceId={source['sourceId']}")} == {"items"}
    changed = {**SHOP, "check": {**SHOP["check"], "stream_names": ["orders"]}, "streams": [{**SHOP["streams"][0], "name": "orders"}]}
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


def test_a_manifest_that_is_not_run_is_refused_by_the_api(firth):
    client = serve(firth).api
    stream = {**SHOP["streams"][0], "transformations": [{"type": "CustomTransformation", "class_name": "source_x.components.Odd"}]}
    path = f"/v1/workspaces/{WORKSPACE}/definitions/declarative_sources"
    answer = client.ask("POST", path, {"name": "shop", "manifest": {**SHOP, "streams": [stream]}})
    assert answer.status == 422 and "source_x.components.Odd" in answer.json()["detail"]
    manifests.run_by(firth, "/no/such/program")
    answer = client.ask("POST", path, {"name": "shop", "manifest": SHOP})
    assert answer.status == 422 and "/no/such/program" in answer.json()["detail"]


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


def test_custom_connectors_go_through_export_and_apply_whole(firth, tmp_path, manifest):
    """By image, by command, by manifest: with their specs, by which it is known what of a config is a secret; nothing is asked anew."""
    (tmp_path / "source.py").write_text(SECRETIVE)
    firth("connectors", "add", "source-own", "--command", f"{sys.executable} {tmp_path}/source.py", expect=0)
    firth("connectors", "add", "source-image", "--image", "airbyte/source-faker:6.2.38", expect=0)
    firth("connectors", "add", "source-shop", "--manifest-path", manifest, expect=0)
    (tmp_path / "sources.json").write_text(json.dumps({"sources": [
        {"name": "one", "definition": "source-own", "config": {"host": "h.example", "pin": "1234-secret"}}]}))
    firth("apply", tmp_path / "sources.json", expect=0)
    first = firth("export", expect=0).out
    assert "h.example" in first and "1234-secret" not in first and "${SOURCE_ONE_PIN}" in first
    (tmp_path / "export.yaml").write_text(first)
    there = tmp_path / "there"
    (tmp_path / "source.py").write_text("raise SystemExit('it is not asked')")
    firth("apply", tmp_path / "export.yaml", "--data-dir", there, env={"SOURCE_ONE_PIN": "1234-secret"}, expect=0)
    assert kept(there) == kept(firth.data_dir) and len(kept(there)) == 3
    assert all(row[9]["connectionSpecification"] for row in kept(there))
    assert firth("export", "--data-dir", there, expect=0).out == first
    again = firth("apply", tmp_path / "export.yaml", "--data-dir", there, env={"SOURCE_ONE_PIN": "1234-secret"}, expect=0)
    assert "0 new, 0 changed" in again.err
    # Another icon is no other connector: what it said of itself stays. Another tag is one.
    told = firth("export", "-o", "json", expect=0).json()
    for each in told["definitions"]:
        each.pop("spec", None)
        each["icon"] = "i.svg"
    (tmp_path / "icons.json").write_text(json.dumps({"definitions": told["definitions"]}))
    firth("apply", tmp_path / "icons.json", expect=0)
    assert [row[9:11] for row in kept(firth.data_dir)] == [row[9:11] for row in kept(there)]
    for each in told["definitions"]:
        if "image" in each:
            each["image"] = "airbyte/source-faker:6.2.39"
    (tmp_path / "icons.json").write_text(json.dumps({"definitions": told["definitions"]}))
    firth("apply", tmp_path / "icons.json", expect=0)
    assert sum(row[9] is None for row in kept(firth.data_dir)) == 1


@pytest.mark.parametrize("spec", [7, {}, {"connectionSpecification": "x"}])
def test_a_spec_that_is_none_is_refused(firth, tmp_path, spec):
    (tmp_path / "wrong.json").write_text(json.dumps({"definitions": [{"name": "x", "kind": "source", "command": ["x"], "spec": spec}]}))
    assert "'spec' is a connector's ConnectorSpecification" in firth("apply", tmp_path / "wrong.json", expect=3).err
