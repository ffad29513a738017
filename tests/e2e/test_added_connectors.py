"""A catalog names what `firth connectors add` has added: a manifest, a command, an image; check, discover, run, deploy and serve."""

import json
import shutil
from urllib.parse import parse_qs

import pytest
import yaml

import scripted
from clients.mock_api import Answer, Api, MockApi
from conftest import until
from manifests import SHOP


@pytest.fixture
def api():
    running = MockApi()
    yield running
    running.close()


@pytest.fixture
def shop(firth, tmp_path, api):
    """The shop's manifest, added; a catalog with a capture and a connection of it."""
    (tmp_path / "shop.json").write_text(json.dumps(SHOP))
    firth("connectors", "add", "shop", "--kind", "source", "--manifest-path", str(tmp_path / "shop.json"), expect=0)
    (tmp_path / "shop.json").unlink()
    endpoint = {"connector": {"image": "shop", "config": {"api_key": "K-1234", "url": api.url}}}
    catalog = {
        "collections": {"acmeCo/items": {"key": ["/id"], "schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}},
        "captures": {"acmeCo/shop": {"endpoint": endpoint, "bindings": [{"resource": {"stream": "items", "syncMode": "full_refresh"}, "target": "acmeCo/items"}]}},
        "connections": {"acmeCo/walk": {"source": endpoint, "streams": "all",
                                        "destination": {"connector": {"image": "airbyte/destination-local-json", "config": {"destination_path": "/local/out"}}}}}}
    path = tmp_path / "flow.yaml"
    path.write_text(json.dumps(catalog, indent=1))
    return path, catalog


def rows(tmp_path):
    return [json.loads(line)["_airbyte_data"]["id"] for path in tmp_path.glob("out/*.jsonl") for line in path.read_text().splitlines()]


def test_a_manifest_is_checked_and_run(firth, tmp_path, shop):
    path, catalog = shop
    local = {"FIRTH_LOCAL_ROOT": str(tmp_path)}
    firth("check", path, expect=0)
    firth("run", path, "--once", env=local, expect=0)
    assert sorted(json.loads(line)["id"] for line in firth("read", "acmeCo/items", expect=0).out.splitlines()) == list(range(1, 8))
    assert rows(tmp_path) == list(range(1, 8))
    # Its own spec judges the config, and its streams the catalog.
    for endpoint in catalog["captures"]["acmeCo/shop"]["endpoint"], catalog["connections"]["acmeCo/walk"]["source"]:
        endpoint["connector"]["config"] = {"url": 5}
    path.write_text(json.dumps(catalog, indent=1))
    told = firth("check", path, expect=3).err
    assert told.count("api_key") == 2 and told.count("/url") == 2, told
    catalog["connections"]["acmeCo/walk"]["streams"] = ["item"]
    catalog["captures"]["acmeCo/shop"]["endpoint"]["connector"]["config"] = {"api_key": "K-1234", "url": "http://127.0.0.1:9"}
    path.write_text(json.dumps(catalog, indent=1))
    assert "did you mean 'items'" in firth("check", path, expect=3).err


def test_schemas_beside_a_manifest(firth, tmp_path):
    """Only the manifest is kept: one that reads files beside it would fail at the first discover."""
    manifest = json.loads(json.dumps(SHOP))
    path = tmp_path / "shop.yaml"
    for file, told in {"./schemas/items.json": "streams[0].schema_loader", None: "only the manifest is kept", str(tmp_path / "items.json"): None}.items():
        manifest["streams"][0]["schema_loader"] = {"type": "JsonFileSchemaLoader"} | ({"file_path": file} if file else {})
        path.write_text(json.dumps(manifest))
        added = firth("connectors", "add", "shop", "--manifest-path", str(path))
        assert (added.rc == 0, told is None or told in added.err) == (told is None, True), added.err


def test_names_that_are_wrong(firth, tmp_path, shop):
    path, catalog = shop
    endpoint = catalog["connections"]["acmeCo/walk"]["destination"]["connector"]
    catalog["captures"]["acmeCo/shop"]["endpoint"]["connector"] = {"image": "shp", "config": {}}
    endpoint["image"], endpoint["config"] = "shop", {}
    path.write_text(json.dumps(catalog, indent=1))
    told = firth("check", path, expect=3).err
    assert "no connector 'shp' was added; did you mean shop?" in told
    assert "shop was added as a source, but here must be a destination" in told
    other = firth("run", path, "--once", "--task", "acmeCo/shop", expect=3).err
    assert "did you mean shop?" in other
    catalog["captures"]["acmeCo/shop"]["endpoint"]["connector"]["image"] = "storehouse"
    path.write_text(json.dumps(catalog, indent=1))
    other = firth("run", path, "--once", "--task", "acmeCo/shop", "--container-engine", "nosuch-engine").err
    assert "storehouse is neither built in nor added" in other and "'firth connectors' lists what was added" in other


def test_a_manifest_is_discovered_and_deployed(firth, tmp_path, shop, api):
    path = tmp_path / "found.yaml"
    words = ("discover", str(path), "--connector", "shop", "--name", "acmeCo/found", "--yes")
    firth(*words, expect=0)
    (tmp_path / "found.config.yaml").write_text(yaml.safe_dump({"api_key": "K-1234", "url": api.url}))
    firth(*words, expect=0)
    written = yaml.safe_load(path.read_text())["captures"]["acmeCo/found"]
    assert written["endpoint"]["connector"]["image"] == "shop" and [b["resource"]["stream"] for b in written["bindings"]] == ["items"]
    daemon = firth.start("serve")
    daemon.wait_for_line("serving ")
    firth("deploy", path, "--yes", expect=0)
    until(lambda: len(firth("read", "acmeCo/items").out.splitlines()) == 7, "the items of the shop")


def test_a_command_that_was_added(firth, tmp_path):
    firth("connectors", "add", "source-own", "--command", " ".join(scripted.command("scripted_source")), expect=0)
    steps = [{"records": {"stream": "users", "from": 1, "to": 3}}, {"state": {"stream": "users", "n": 3}}]
    config = {"streams": ["users"], "steps": steps, "seen": str(tmp_path / "seen")}
    path = tmp_path / "flow.yaml"
    path.write_text(yaml.safe_dump({
        "collections": {"acmeCo/users": {"key": ["/id"], "schema": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}}},
        "captures": {"acmeCo/own": {"endpoint": {"connector": {"image": "source-own", "config": config}},
                                    "bindings": [{"resource": {"stream": "users", "syncMode": "incremental"}, "target": "acmeCo/users"}]}}}))
    firth("check", path, expect=0)
    firth("run", path, "--once", expect=0)
    assert len(firth("read", "acmeCo/users", expect=0).out.splitlines()) == 3


class SingleUse(Api):
    """A refresh token is good once, and has the next one in the answer; "a-0", "b-0" are the first ones of two accounts."""
    good, tries, lasts = {}, 0, 0

    def get_token(self, route, query, body, seen):
        SingleUse.tries += 1
        [given] = parse_qs(body)["refresh_token"]
        account = given[0]
        if given != SingleUse.good.get(account, f"{account}-0"):
            raise Answer(400, {"error": "invalid_grant"})
        SingleUse.good[account] = f"{account}-{SingleUse.tries}-xyzzy"
        return {"access_token": f"access-{SingleUse.tries}-xyzzy", "expires_in": SingleUse.lasts, "refresh_token": SingleUse.good[account]}

    def get_pages(self, *call):
        if self.server.hold:
            self.server.go_on.wait(60)
        return super().get_pages(*call)

    def get_fields(self, route, query, body, seen):
        return {"fields": [{"name": "id", "type": "integer"}]}


@pytest.fixture
def once(firth, tmp_path):
    """The shop with such tokens, whose fields the API tells: a discovery needs a token too. Gives a config by account."""
    SingleUse.good, SingleUse.tries, SingleUse.lasts = {}, 0, 0
    api = MockApi(SingleUse)
    manifest = json.loads(json.dumps(SHOP))
    stream = manifest["streams"][0]
    stream["retriever"]["requester"]["authenticator"] = {
        "type": "OAuthAuthenticator", "token_refresh_endpoint": "{{ config['url'] }}/token", "client_id": "a", "client_secret": "b",
        "refresh_token": "{{ config['credentials']['refresh_token'] }}", "refresh_token_updater": {}}
    fields = json.loads(json.dumps(stream["retriever"]))
    del fields["paginator"]
    fields["requester"]["path"] = "/fields"
    fields["record_selector"]["extractor"]["field_path"] = []
    stream["schema_loader"] = {"type": "DynamicSchemaLoader", "retriever": fields, "schema_type_identifier": {
        "schema_pointer": ["fields"], "key_pointer": ["name"], "type_pointer": ["type"], "types_mapping": [{"target_type": "integer", "current_type": "integer"}]}}
    secret = {"type": "string", "airbyte_secret": True}
    manifest["definitions"]["schema"] = {"type": "object", "properties": {"url": {"type": "string"}, "credentials": {"type": "object", "properties": {
        "refresh_token": secret, "access_token": secret}}}}
    (tmp_path / "once.json").write_text(json.dumps(manifest))
    firth("connectors", "add", "once", "--kind", "source", "--manifest-path", str(tmp_path / "once.json"), expect=0)
    config = lambda account: {"url": api.url, "credentials": {"refresh_token": account + "-0"}}
    config.server = api.server
    yield config
    api.close()


def capture_of(config, **more):
    return {"collections": {"acmeCo/items": {"key": ["/id"], "schema": {"type": "object"}}},
            "captures": {"acmeCo/once": {"endpoint": {"connector": {"image": "once", "config": config}},
                                         "bindings": [{"resource": {"stream": "items", "syncMode": "full_refresh"}, "target": "acmeCo/items"}], **more}}}


def with_connection(catalog, config):
    """And a connection, whose source `firth check` asks for its streams."""
    return catalog | {"connections": {"acmeCo/walk": {
        "source": {"connector": {"image": "once", "config": config}}, "streams": [{"name": "items"}],
        "destination": {"connector": {"image": "airbyte/destination-local-json", "config": {"destination_path": "/local/out"}}}}}}


def told_no_token(*runs):
    log = "".join(run.out + run.err for run in runs)
    return "xyzzy" not in log and "-0" not in log


def test_a_captures_tokens_are_kept(firth, tmp_path, once):
    """A refresh token that a check has used up is used up: the next one is kept, the check's too."""
    path = tmp_path / "flow.yaml"
    path.write_text(json.dumps(capture_of(once("a"))))
    told = [firth("run", path, "--once", expect=0)]
    tries = SingleUse.tries
    told.append(firth("run", path, "--once", expect=0))
    assert SingleUse.tries > tries > 1, "a token was exchanged in each run"
    # One that lasts is not exchanged for another, nor is the connector checked anew because it changed its config.
    SingleUse.lasts = 3600
    told.append(firth("run", path, "--once", expect=0))
    tries = SingleUse.tries
    told.append(firth("run", path, "--once", expect=0))
    assert SingleUse.tries == tries
    assert "changed its config, which is kept" in "".join(run.err for run in told) and told_no_token(*told)


def test_tokens_are_the_accounts(firth, tmp_path, once):
    """Another release of Firth, at another place, or of the connector, or the config's members in another order: none of them is another
    account's."""
    path, config = tmp_path / "flow.yaml", once("a")
    path.write_text(json.dumps(capture_of(config)))
    firth("run", path, "--once", expect=0)
    manifest = tmp_path / "once.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"description": "It is the same."}))
    firth("connectors", "add", "once", "--kind", "source", "--manifest-path", str(manifest), expect=0)
    firth("run", path, "--once", expect=0)
    path.write_text(json.dumps(capture_of(dict(reversed(config.items())))))
    firth("run", path, "--once", expect=0)
    there = firth.path
    firth.path = shutil.copy(there, tmp_path / "firth")
    firth("check", path, expect=0)
    firth("run", path, "--once", expect=0)
    assert len(config) > 1 and SingleUse.tries > 4


def test_tokens_are_kept_outside_of_sessions(firth, tmp_path, once):
    """Of a catalog that never ran: whoever asks its connector goes on with the token that was exchanged last."""
    path = tmp_path / "flow.yaml"
    local = {"FIRTH_LOCAL_ROOT": str(tmp_path)}
    catalog = with_connection(capture_of(once("a"), autoDiscover={}), once("b"))
    path.write_text(json.dumps(catalog))
    told = [firth("check", path, expect=0)]
    assert SingleUse.tries == 1
    told += [firth(*words, env=local, expect=0) for words in
             [("check", path), ("run", path, "--once"), ("autodiscover", path), ("discover", path, "--connector", "once", "--name", "acmeCo/once", "--yes"),
              ("run", path, "--once"), ("check", path)]]
    assert rows(tmp_path)[:7] == list(range(1, 8)) and SingleUse.tries > 8 and told_no_token(*told)
    written = json.loads(path.read_text())
    assert written["captures"]["acmeCo/once"]["endpoint"] == catalog["captures"]["acmeCo/once"]["endpoint"], "the config is its writer's"


def test_tokens_of_a_configs_file_are_kept(firth, tmp_path, once):
    path = tmp_path / "flow.yaml"
    words = ("discover", str(path), "--connector", "once", "--name", "acmeCo/once", "--yes")
    told = [firth(*words, expect=0)]
    config = tmp_path / "once.config.yaml"
    config.write_text("# mine\n" + yaml.safe_dump(once("a")))
    told += [firth(*words, expect=0), firth(*words, expect=0), firth("check", path, expect=0), firth("run", path, "--once", expect=0)]
    assert len(firth("read", "acmeCo/items", expect=0).out.splitlines()) == 7 and told_no_token(*told)
    assert config.read_text() == "# mine\n" + yaml.safe_dump(once("a"))
    # A config that somebody has changed since counts, whatever was kept.
    config.write_text(yaml.safe_dump(once("b")))
    firth(*words, expect=0)
    assert "b" in SingleUse.good


def test_a_running_tasks_token_is_left_alone(firth, tmp_path, once):
    path = tmp_path / "flow.yaml"
    path.write_text(json.dumps(with_connection(capture_of(once("a")), once("b"))))
    local = {"FIRTH_LOCAL_ROOT": str(tmp_path)}
    firth("run", path, "--once", env=local, expect=0)
    once.server.hold, seen = True, len(once.server.requests)
    running = firth.start("run", path, "--once", env=local)
    until(lambda: sum(request["path"] == "/pages" for request in once.server.requests[seen:]) == 2, "two sessions that read")
    tries = SingleUse.tries
    assert "acmeCo/walk is being run" in firth("check", path, expect=0).err
    refused = firth("discover", str(path), "--connector", "once", "--name", "acmeCo/once", "--yes")
    assert refused.rc != 0 and "acmeCo/once is being run" in refused.err
    assert SingleUse.tries == tries
    once.server.go_on.set()
    assert running.wait() == 0
