"""`firth apply` refuses what both APIs refuse: with the file's line, and the place in it."""

import json
import sqlite3

import pytest

import job_driving
from api import WORKSPACE, serve


def faker(**more):
    return {"sources": [{"name": "faker", "definition": "source-faker", "config": {"count": 1}}],
            "destinations": [{"name": "disk", "definition": "destination-local-json", "config": {"destination_path": "/local/x"}}],
            "connections": [{"name": "both", "source": "faker", "destination": "disk", "catalog": {"streams": []}}], **more}


def write(tmp_path, tree, name="made.yaml"):
    path = tmp_path / name
    path.write_text(json.dumps(tree, indent=1))
    return path


def refused(firth, path, *said):
    result = firth("apply", path)
    assert result.rc != 0 and all(each in result.err for each in said), result.err
    assert f"{path.name}:" in result.err, result.err
    return result.err


# --- definitions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, kind", [("source-faker", "source"), ("Sample Data", "source"), ("destination-local-json", "destination")])
def test_a_built_in_s_name_is_not_for_others(firth, tmp_path, name, kind):
    """What names it would run the built-in, and nobody told."""
    definition = {"name": name, "kind": kind, "image": "me/mine:1"}
    refused(firth, write(tmp_path, {"definitions": [definition]}), f"'{name}' is built in")
    firth("apply", write(tmp_path, {"definitions": [{**definition, "name": f"{name} custom"}]}), expect=0)
    told = firth("connectors", "add", name, "--kind", kind, "--image", "me/mine:1")
    assert told.rc != 0 and f"{name} is built in" in told.err
    client = serve(firth).api
    own = {"name": name, "dockerRepository": "me/mine", "dockerImageTag": "1"}
    answer = client.ask("POST", f"/api/public/v1/workspaces/{WORKSPACE}/definitions/{kind}s", own)
    assert answer.status == 422 and "is built in" in answer.json()["detail"]
    answer = client.config(f"{kind}_definitions/create_custom", {"workspaceId": WORKSPACE, f"{kind}Definition": {**own, "documentationUrl": "http://x"}}, 422)
    assert answer["validationErrors"][0]["propertyPath"] == f"{kind}Definition.name"


FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"


@pytest.mark.parametrize("name, said", [
    ("Source-Faker", "is built in ('source-faker')"), ("source faker", "is built in ('source-faker')"), ("SAMPLE  data", "is built in ('source-faker')"),
    ("0F6AB2A0-5d0c-4b44-9f1c-3d1f7a1f5a10", "taken for an id")])
def test_a_name_that_is_read_as_another_s(firth, tmp_path, name, said):
    refused(firth, write(tmp_path, {"definitions": [{"name": name, "kind": "source", "image": "me/mine:1"}]}), said)


def test_a_built_in_s_id_is_not_for_others(firth, tmp_path):
    """It would be another connector until the next start, for whoever has written the id down."""
    for other in {"name": "mine"}, {"kind": "destination"}, {"image": "me/mine:1"}, {"icon": "x"}, {"command": ["true"]}, {"name": "mine", "image": "me/mine:1"}:
        entry = {"id": FAKER, "name": "Sample Data", "kind": "source", **other}
        refused(firth, write(tmp_path, {"definitions": [entry]}), f"the id {FAKER} is that of the built-in source-faker")
    for same in {}, {"image": "airbyte/source-faker:6.2.38"}:
        entry = {"id": FAKER, "name": "Sample Data", "kind": "source", **same}
        mine = {"name": f"mine {len(same)}", "kind": "source", "image": "me/mine:1"}
        assert "0 changed, 0 removed, 1 as they were" in firth("apply", write(tmp_path, {"definitions": [entry, mine]}), expect=0).err
    assert job_driving.rows(firth, "select origin, built_in from definitions where id = ?", FAKER) == [(0, "source-faker")]


def test_one_that_has_had_a_built_in_s_name(firth, tmp_path):
    """Of a store from before that was refused, or a connector that is built in since: it stays, and can be changed."""
    definition = {"name": "old", "kind": "source", "image": "me/mine:1"}
    firth("apply", write(tmp_path, {"definitions": [definition]}), expect=0)
    with sqlite3.connect(f"{firth.data_dir}/control.db") as db:
        db.execute("update definitions set name = 'Sample Data' where name = 'old'")
    exported = tmp_path / "exported.yaml"
    firth("export", "--file", exported, expect=0)
    assert "0 changed" in firth("apply", exported, expect=0).err
    exported.write_text(exported.read_text().replace("me/mine:1", "me/mine:2"))
    assert "1 changed" in firth("apply", exported, expect=0).err
    id, = job_driving.rows(firth, "select id from definitions where repository = 'me/mine' and tag = '2'")[0]
    client = serve(firth).api
    changed = client.config("source_definitions/update", {"sourceDefinitionId": id, "dockerImageTag": "3"})
    assert (changed["name"], changed["dockerImageTag"]) == ("Sample Data", "3")
    told = firth("--data-dir", tmp_path / "other", "apply", exported)
    assert told.rc != 0 and "'Sample Data' is built in" in told.err


def test_what_an_image_may_be_called(firth, tmp_path):
    """In a file, as a command's argument and in the API alike."""
    named = {"name": "mine", "kind": "source"}
    for image in "airbyte/source-faker:6.2.38", "localhost:5000/me/mine", "Registry.Example.com:5000/me/mine:1", "me/mine@sha256:" + "0a" * 32:
        firth("apply", write(tmp_path, {"definitions": [{**named, "image": image}]}), expect=0)
    for image in "me//mine:1", "-v:1", "me/mi ne:1", "me/mine:", "me/mine:1 2", "me/mine@sha256:1", "https://me/mine:1", "m" * 256, "ME/mine:1", "me/Mine:1", "localhost:5000/me/Mine:1":
        refused(firth, write(tmp_path, {"definitions": [{**named, "image": image}]}), " is no ")
    told = firth("connectors", "add", "mine", "--kind", "source", "--image=me//mine:1")
    assert told.rc != 0 and "is no repository's name" in told.err


def test_the_other_side_s_title_is_free(firth, tmp_path):
    firth("apply", write(tmp_path, {"definitions": [{"name": "Sample Data", "kind": "destination", "image": "me/mine:1"}]}), expect=0)


# --- catalogs ------------------------------------------------------------------------------------------------------


def test_what_a_stream_leaves_out_is_there_for_clients(firth, tmp_path):
    """Dagster goes by `selected`, and looks into `jsonSchema` without asking whether it is there."""
    left_out = {"stream": {"name": "users"}, "config": {"syncMode": "full_refresh", "destinationSyncMode": "append"}}
    out = {"stream": {"name": "products", "jsonSchema": None}, "config": {**left_out["config"], "selected": False}}
    tree = faker()
    tree["connections"][0]["catalog"]["streams"] = [left_out, out]
    firth("apply", write(tmp_path, tree), expect=0)
    assert "0 changed" in firth("apply", write(tmp_path, tree), expect=0).err
    client = serve(firth).api
    connection, = client.config("connections/list", {"workspaceId": WORKSPACE})["connections"]
    users, products = connection["syncCatalog"]["streams"]
    assert (users["config"]["selected"], users["stream"]["jsonSchema"]) == (True, {})
    assert (products["config"]["selected"], products["stream"]["jsonSchema"]) == (False, {})
    # As it was read it says no more than before: the source is asked what the stream has.
    read = {"connectionId": connection["connectionId"], "syncCatalog": connection["syncCatalog"]}
    read["syncCatalog"]["streams"][0]["config"].update(syncMode="incremental", cursorField=["updated_at"])
    assert client.config("connections/update", read)["syncCatalog"] == read["syncCatalog"]
    job = job_driving.wait(firth, client.config("connections/sync", {"connectionId": read["connectionId"]})["job"]["id"])
    assert job["status"] == "succeeded", job
    shown = client.config("connections/get", {"connectionId": read["connectionId"]})
    assert shown["syncCatalog"] == read["syncCatalog"]


# --- workspaces ----------------------------------------------------------------------------------------------------


def test_what_names_no_workspace(firth, tmp_path):
    """The default one's place is taken by the oldest, and there is always one."""
    client = serve(firth).api
    refused_for = lambda id: client.config("workspaces/delete", {"workspaceId": id}, 409)["message"]
    assert "is the only one" in refused_for(WORKSPACE)
    mine = client.config("workspaces/create", {"name": "mine"})["workspaceId"]
    client.public("DELETE", f"workspaces/{WORKSPACE}", expect=204)
    assert "is the only one" in refused_for(mine)
    firth("apply", write(tmp_path, faker()), expect=0)
    for family in "sources", "destinations", "connections":
        assert len(client.config(f"{family}/list", {"workspaceId": mine})[family]) == 1
    assert "0 new, 0 changed, 0 removed" in firth("apply", "--prune", write(tmp_path, faker()), expect=0).err
    session = client.ask("POST", "/api/firth/v1/session", {"username": "airbyte", "password": "password"})
    assert session.json()["workspaceId"] == mine


# --- other connectors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, definition", [("source", "scripted source"), ("destination", "destination-sqlite")])
def test_what_a_connection_uses_stays_of_its_connector(firth, tmp_path, kind, definition):
    """Its state says what the one before has: rows would be missing at another, and nobody told."""
    firth("apply", job_driving.write(tmp_path, []), expect=0)
    firth("apply", write(tmp_path, faker()), expect=0)
    other = faker()
    other[f"{kind}s"][0].update(definition=definition, config={"streams": [], "steps": [], "destination_path": "/local/x.db"})
    refused(firth, write(tmp_path, other), f"the {kind} '", "has another definition now", "1 connection uses it", "delete its connections first")
    for each in faker()["connections"]:
        firth("export", expect=0).out.index(each["name"])
    # Under another name, with a connection of another name, it may.
    name = other[f"{kind}s"][0]["name"]
    other[f"{kind}s"][0]["name"] = other["connections"][0][kind] = f"{name} 2"
    other["connections"][0]["name"] = "both 2"
    kept = faker()
    other[f"{kind}s"] += kept[f"{kind}s"]
    other["connections"] += kept["connections"]
    firth("apply", write(tmp_path, other), expect=0)


def test_what_no_connection_uses_may_be_of_another_connector(firth, tmp_path):
    tree = faker()
    tree.pop("connections")
    firth("apply", write(tmp_path, tree), expect=0)
    tree["destinations"][0].update(definition="destination-sqlite", config={"destination_path": "/local/x.db"})
    assert "~ destination disk" in firth("apply", write(tmp_path, tree), expect=0).out


# --- webhooks ------------------------------------------------------------------------------------------------------

URLS = ["ftp://a/s3cret", "http://", "javascript:1", "file:///etc/passwd", "hooks.example/s3cret", "https:///s3cret",
        "http://:80/s3cret", "http://a b/s3cret", "https://a/" + "x" * 2048, 5]


def spellings(url):
    """Of what a workspace's notifications may look like: the member, its value, and where the URL is in it."""
    slack = {"slackConfiguration": {"webhook": url}}
    yield "notificationSettings", {"sendOnFailure": {"notificationType": ["slack"], **slack}}, "sendOnFailure.slackConfiguration.webhook"
    yield "notifications", [{"notificationType": "slack", "sendOnFailure": True, **slack}], "[0].slackConfiguration.webhook"


def public(url):
    return {"success": {"webhook": {"enabled": False}}, "failure": {"webhook": {"enabled": True, "url": url}}}


def test_webhooks_that_cannot_be_told(firth):
    client = serve(firth).api
    for url in URLS:
        for member, value, place in spellings(url):
            answer = client.config("workspaces/update", {"workspaceId": WORKSPACE, member: value}, 422)
            named, = [each["propertyPath"] for each in answer["validationErrors"]]
            assert named == f"{member}{'' if place[0] == '[' else '.'}{place}", (url, answer)
            assert "s3cret" not in str(answer)
            client.config("workspaces/create", {"name": "new", member: value}, 422)
        for method, path in (("PATCH", f"workspaces/{WORKSPACE}"), ("POST", "workspaces")):
            answer = client.public(method, path, {"name": "x", "notifications": public(url)}, 422)
            assert answer["data"]["field"] == "notifications.failure.webhook.url" and "s3cret" not in str(answer), answer
    for none in ({"enabled": True}, {"enabled": True, "url": None}, {"enabled": True, "url": ""}):
        answer = client.public("PATCH", f"workspaces/{WORKSPACE}", {"notifications": {"failure": {"webhook": none}}}, 422)
        assert answer["data"]["field"] == "notifications.failure.webhook.url", answer
    for member, value, _ in spellings(""):
        client.config("workspaces/update", {"workspaceId": WORKSPACE, member: value}, 422)
    # What tells nobody needs none.
    slack = {"slackConfiguration": {"webhook": ""}}
    client.config("workspaces/update", {"workspaceId": WORKSPACE, "notificationSettings": {"sendOnFailure": {"notificationType": [], **slack}}})
    client.config("workspaces/update", {"workspaceId": WORKSPACE, "notifications": [{"notificationType": "slack", "sendOnFailure": False, **slack}]})
    client.public("PATCH", f"workspaces/{WORKSPACE}", {"notifications": {"failure": {"webhook": {"enabled": False}, "email": {"enabled": True}}}})


@pytest.mark.parametrize("url", URLS)
def test_webhooks_of_files_that_cannot_be_told(firth, tmp_path, url):
    for _, value, place in (*spellings(url), ("", public(url), "failure.webhook.url")):
        path = write(tmp_path, {"workspaces": [{"name": "told", "notifications": value}]})
        said = refused(firth, path, f"notifications{'' if place[0] == '[' else '.'}{place}")
        line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if '"webhook": ' in text and "{" not in text or '"url": ' in text)
        assert f"{path.name}:{line}:" in said and "s3cret" not in said, said


# --- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, definition, config, said, at", [
    ("source", "source-faker", {"count": "many"}, "config.count: expected integer, got a string", '"count"'),
    ("source", "source-faker", {"count": "**********"}, "config.count: this is how a secret is shown; give the secret itself", '"count"'),
    ("source", "source-faker", {"count": -1}, "config.count: expected a number of at least", '"count"'),
    ("destination", "destination-local-json", {}, "config.destination_path: missing property \"destination_path\"", '"config": {}'),
    ("destination", "destination-local-json", None, "config.destination_path: missing property \"destination_path\"", '"name": "disk"'),
    ("destination", "destination-local-json", {"destination_path": "/etc/x-s3cret"}, "config.destination_path: expected a folder below", '"destination_path"'),
    ("destination", "destination-postgres", {"host": "h", "username": "u", "database": "d", "port": "s3cret"}, "config.port: expected integer, got a string", '"port"'),
])
def test_configs_are_what_the_spec_wants(firth, tmp_path, kind, definition, config, said, at):
    tree = faker()
    tree.pop("connections")
    item = tree[f"{kind}s"][0]
    item.update(definition=definition, config=config)
    if config is None:
        item.pop("config")
    path = write(tmp_path, tree)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if at in text) - (1 if config is None else 0)
    result = refused(firth, path, said, f"made.yaml:{line}:")
    assert "s3cret" not in result
    if config is None:
        return
    # Likewise of one that is there.
    firth("apply", write(tmp_path, tree_of(kind, definition), "right.yaml"), expect=0)
    refused(firth, path, said, f"made.yaml:{line}:")


RIGHT = {"source-faker": {"count": 1}, "destination-local-json": {"destination_path": "/local/x"},
         "destination-postgres": {"host": "h", "username": "u", "database": "d", "port": 1}}


def tree_of(kind, definition):
    return {f"{kind}s": [{"name": "faker" if kind == "source" else "disk", "definition": definition, "config": RIGHT[definition]}]}


def test_a_variable_is_what_the_spec_wants(firth, tmp_path):
    path = write(tmp_path, {"sources": [{"name": "a", "definition": "source-faker", "config": {"count": "${COUNT}"}}]})
    result = firth("apply", path, env={"COUNT": "s3cret"})
    assert result.rc != 0 and "config.count: expected integer, got a string" in result.err and "s3cret" not in result.err


def streams(**config):
    both = job_driving.stream("users")
    both["config"].update(config)
    return {"catalog": {"streams": [job_driving.stream("others"), both]}}


@pytest.mark.parametrize("config, said", [
    ({"primaryKey": "id"}, 'primaryKey: expected array or null, got string "id"'),
    ({"primaryKey": ["id"]}, 'primaryKey[0]: expected array, got string "id"'),
    ({"cursorField": 5}, "cursorField: expected array or null, got integer 5"),
    ({"cursorField": "at"}, 'cursorField: expected array or null, got string "at"'),
    ({"selected": "yes"}, 'selected: expected boolean or null, got string "yes"'),
    ({"cursorFields": ["id"]}, "cursorFields: a stream's config has no 'cursorFields'; did you mean 'cursorField'?"),
])
def test_types_of_catalogs(firth, tmp_path, config, said):
    path = tmp_path / "test.yaml"
    job_driving.write(tmp_path, [], **streams(**config))
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))
    said = refused(firth, path, f"catalog.streams[1].config.{said}")
    named = next(iter(config))
    lines = [n for n, text in enumerate(path.read_text().splitlines(), 1) if f'"{named}"' in text]
    assert any(f"test.yaml:{n + more}:" in said for n in lines for more in (0, 1)), said


def test_members_that_are_none_are_warned_of(firth, tmp_path):
    """The API keeps them, and an export has them."""
    said = firth("apply", job_driving.write(tmp_path, [], **streams(bogus=1)), expect=0).err
    assert "catalog.streams[1].config.bogus: a stream's config has no 'bogus'" in said and "test.yaml:1:" in said
    assert '"bogus":1' in firth("export", expect=0).out.replace(" ", "")


@pytest.mark.parametrize("more, said", [
    ({"prefix": 5}, "'prefix' must be a text"), ({"backfill": "yes"}, "'backfill' must be true or false"),
    ({"notifySchemaChanges": 1}, "'notifySchemaChanges' must be true or false"), ({"extra": []}, "'extra' must be a mapping"),
    ({"namespaceFormat": {}}, "'namespaceFormat' must be a text"), ({"schedule": {"every": 1, "unit": 5}}, "'unit' must be a text"),
    ({"name": 5}, "'name' must be a text"), ({"catalog": 5}, "catalog: expected object"),
])
def test_types_of_members(firth, tmp_path, more, said):
    tree = json.loads(job_driving.write(tmp_path, []).read_text())
    tree["connections"][0].update(more)
    refused(firth, write(tmp_path, tree), said)


@pytest.mark.parametrize("settings, said", [
    ({"jobs.nope": 1}, "there is no setting 'jobs.nope'"), ({"jobs.attempt_max": 1}, "did you mean 'jobs.attempts_max'?"),
    ({"jobs.attempts_max": -5}, "jobs.attempts_max is '-5': it is a whole number from 0 to 1000"),
    ({"jobs.attempts_max": 1001}, "from 0 to 1000"), ({"jobs.backoff_ms": "abc"}, "jobs.backoff_ms is 'abc'"),
    ({"jobs.backoff_ms": 1.5}, "jobs.backoff_ms is '1.5'"), ({"connectors.nope": "x"}, "there is no setting 'connectors.nope'"),
])
def test_settings(firth, tmp_path, settings, said):
    path = write(tmp_path, {"settings": {"jobs.keep": 7, **settings}})
    refused(firth, path, said, "made.yaml:4:")


@pytest.mark.parametrize("kind", ["workspaces", "definitions", "sources", "destinations", "connections"])
def test_one_name_twice(firth, tmp_path, kind):
    tree = json.loads(job_driving.write(tmp_path, []).read_text())
    tree["workspaces"] = [{"name": "w"}]
    item = tree[kind][0]
    tree[kind].append({**item, "name": item["name"]})
    refused(firth, write(tmp_path, tree), f"the file has two {kind} named '{item['name']}'")
    one = "11111111-2222-4333-8444-555555555555"
    tree[kind] = [{**item, "id": one, "name": "a"}, {**item, "id": one, "name": "b"}]
    refused(firth, write(tmp_path, tree), f"the file has two {kind} of the id {one}")


def test_a_dry_run_makes_nothing(firth, tmp_path, monkeypatch):
    """Neither the data directory that is not there, nor what it was tried in."""
    tried = tmp_path / "tried"
    tried.mkdir()
    monkeypatch.setenv("TMPDIR", str(tried))
    told = firth("apply", "--dry-run", write(tmp_path, faker()), expect=0)
    assert "+ connection both" in told.out and "would be: 3 new" in told.err
    path = write(tmp_path, faker(sources=[{"name": "faker", "definition": "nothing"}]))
    assert "there is no definition 'nothing'" in firth("apply", "--dry-run", path).err
    assert not list(tried.iterdir()) and not firth.data_dir.exists()
