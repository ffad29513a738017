"""A catalog names what `firth connectors add` has added: a manifest, a command, an image; check, discover, run, deploy and serve."""

import json
import sys
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
    firth("connectors", "add", "source-own", "--command", f"{sys.executable} {scripted.PROGRAMS / 'scripted_source.py'}", expect=0)
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
    """A refresh token is good once: the answer has the next one."""
    good, tries, lasts = "refresh-0", 0, 0

    def get_token(self, route, query, body, seen):
        SingleUse.tries += 1
        if parse_qs(body)["refresh_token"] != [SingleUse.good]:
            raise Answer(400, {"error": "invalid_grant"})
        SingleUse.good = f"refresh-{SingleUse.tries}-xyzzy"
        return {"access_token": f"access-{SingleUse.tries}-xyzzy", "expires_in": SingleUse.lasts, "refresh_token": SingleUse.good}


def test_a_captures_tokens_are_kept(firth, tmp_path):
    """A refresh token that a check has used up is used up: the next one is kept, the check's too."""
    api = MockApi(SingleUse)
    manifest = json.loads(json.dumps(SHOP))
    retriever = manifest["streams"][0]["retriever"]
    retriever["requester"]["authenticator"] = {
        "type": "OAuthAuthenticator", "token_refresh_endpoint": "{{ config['url'] }}/token", "client_id": "a", "client_secret": "b",
        "refresh_token": "{{ config['credentials']['refresh_token'] }}", "refresh_token_updater": {}}
    secret = {"type": "string", "airbyte_secret": True}
    manifest["definitions"]["schema"] = {"type": "object", "properties": {"url": {"type": "string"}, "credentials": {"type": "object", "properties": {
        "refresh_token": secret, "access_token": secret}}}}
    (tmp_path / "once.json").write_text(json.dumps(manifest))
    firth("connectors", "add", "once", "--kind", "source", "--manifest-path", str(tmp_path / "once.json"), expect=0)
    catalog = {
        "collections": {"acmeCo/items": {"key": ["/id"], "schema": {"type": "object"}}},
        "captures": {"acmeCo/once": {"endpoint": {"connector": {"image": "once", "config": {"url": api.url, "credentials": {"refresh_token": "refresh-0"}}}},
                                     "bindings": [{"resource": {"stream": "items", "syncMode": "full_refresh"}, "target": "acmeCo/items"}]}}}
    path = tmp_path / "flow.yaml"
    path.write_text(json.dumps(catalog))
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
    api.close()
    log = "".join(run.out + run.err for run in told)
    assert "changed its config, which is kept" in log and "xyzzy" not in log and "refresh-0" not in log
