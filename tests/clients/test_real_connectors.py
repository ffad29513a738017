"""Real connectors from PyPI, registered as custom ones by the command line and by the API, synced twice, with their state."""

import http.server
import json
import threading
import urllib.parse

import pytest

import manifests
from api import WORKSPACE, serve
from clients.conftest import program
from conftest import until

OVER = ("succeeded", "failed", "cancelled")
KEY = "k-51f0c7e2"


def definition(client, name):
    found, = [each for each in client.config("source_definitions/list")["sourceDefinitions"] if each["name"] == name]
    return found["sourceDefinitionId"]


def connection(client, source_definition, config, stream, check=False):
    """From this source to /local/out, incremental and append. Others' connectors take seconds to start: they are not asked for a
    check, since a sync shows as much."""
    source = client.config("sources/create", {"sourceDefinitionId": source_definition, "workspaceId": WORKSPACE, "name": "s",
                                              "connectionConfiguration": config})["sourceId"]
    if check:
        checked = client.config("sources/check_connection", {"sourceId": source})
        assert checked["status"] == "succeeded", checked
    catalog = client.config("sources/discover_schema", {"sourceId": source})["catalog"]
    catalog["streams"] = [each for each in catalog["streams"] if each["stream"]["name"] == stream]
    catalog["streams"][0]["config"] |= {"syncMode": "incremental", "destinationSyncMode": "append", "selected": True}
    return client.config("connections/create", {
        "sourceId": source, "destinationId": client.destination("/local/out"), "status": "active", "syncCatalog": catalog,
        "nonBreakingChangesPreference": "ignore"})["connectionId"]


def sync(client, to_sync):
    job = client.config("connections/sync", {"connectionId": to_sync})["job"]["id"]
    found = until(lambda: (now := client.config("jobs/get", {"id": job}))["job"]["status"] in OVER and now,
                  f"the end of job {job}", 150)
    assert found["job"]["status"] == "succeeded", found["attempts"][-1]
    return found["attempts"][-1]["attempt"]["totalStats"]["recordsCommitted"]


def written(tmp_path, stream):
    lines = (tmp_path / "files" / "out" / f"_airbyte_raw_{stream}.jsonl").read_text().splitlines()
    return [json.loads(line)["_airbyte_data"] for line in lines]


def test_airbytes_faker(firth, tmp_path, airbyte_source_faker):
    firth("connectors", "add", "source-faker-of-airbyte", "--command", airbyte_source_faker, expect=0)
    client = serve(firth).api
    config = {"count": 40, "seed": 7, "always_updated": False, "parallelism": 1}
    to_sync = connection(client, definition(client, "source-faker-of-airbyte"), config, "users")
    assert sync(client, to_sync) == 40
    users = written(tmp_path, "users")
    assert [each["id"] for each in users] == list(range(1, 41)) and all(each["name"] for each in users)
    state = client.config("state/get", {"connectionId": to_sync})
    assert state["stateType"] == "stream" and state["streamState"][0]["streamDescriptor"]["name"] == "users"
    assert sync(client, to_sync) == 0  # it has its state
    assert written(tmp_path, "users") == users


# --- a manifest, run by Airbyte's own program and by Firth---------------------------------------------------------

TIME = "%Y-%m-%dT%H:%M:%SZ"
MANIFEST = {
    "version": "6.5.0", "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["items"]},
    "streams": [{
        "type": "DeclarativeStream", "name": "items", "primary_key": ["id"],
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester", "url_base": "{{ config['base_url'] }}", "path": "/items", "http_method": "GET",
                "authenticator": {
                    "type": "ApiKeyAuthenticator", "api_token": "{{ config['api_key'] }}",
                    "inject_into": {"type": "RequestOption", "inject_into": "header", "field_name": "X-Key"}}},
            "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["data"]}},
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"},
                "pagination_strategy": {"type": "PageIncrement", "page_size": 3, "start_from_page": 1,
                                        "inject_on_first_request": True}}},
        "incremental_sync": {
            "type": "DatetimeBasedCursor", "cursor_field": "updated_at", "datetime_format": TIME,
            "cursor_datetime_formats": [TIME],
            "start_datetime": {"type": "MinMaxDatetime", "datetime": "2026-01-01T00:00:00Z", "datetime_format": TIME},
            "start_time_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "since"}},
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {
            "type": "object", "properties": {"id": {"type": "integer"}, "updated_at": {"type": "string"},
                                             "name": {"type": "string"}}}}}],
    "spec": {"type": "Spec", "connection_specification": {
        "type": "object", "required": ["api_key", "base_url"],
        "properties": {"api_key": {"type": "string", "airbyte_secret": True}, "base_url": {"type": "string"}}}},
}


def item(n):
    return {"id": n, "updated_at": f"2026-02-{n:02}T00:00:00Z", "name": f"item {n}"}


class Shop(http.server.ThreadingHTTPServer):
    """/items?since=TIME&page=N, three on a page."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ShopHandler)
        self.items, self.asked = [item(n) for n in range(1, 8)], []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class ShopHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        right = self.headers["X-Key"] == KEY
        self.server.asked.append((query["since"], int(query["page"])))
        left = [each for each in self.server.items if each["updated_at"] >= query["since"]]
        start = 3 * (int(query["page"]) - 1)
        body = json.dumps({"data": left[start:start + 3]}).encode()
        self.send_response(200 if right else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def shop():
    server = Shop()
    yield server
    server.shutdown()
    server.server_close()


def define_source(url, workspace, manifest):
    import airbyte_api
    from airbyte_api import api as requests, models
    client = airbyte_api.AirbyteAPI(server_url=url, security=models.Security(basic_auth=models.SchemeBasicAuth(
        username="airbyte", password="password")))
    made = client.declarative_source_definitions.create_declarative_source_definition(
        request=requests.CreateDeclarativeSourceDefinitionRequest(
            workspace_id=workspace, create_declarative_source_definition_request=(
                models.CreateDeclarativeSourceDefinitionRequest(name="source-shop", manifest=manifest))))
    return made.declarative_source_definition_response.id


@pytest.mark.parametrize("by, runs", [
    pytest.param("command line", "Airbyte", marks=pytest.mark.full), ("API", "Airbyte"), ("command line", "Firth"), ("API", "Firth")])
def test_manifest(request, firth, tmp_path, shop, by, runs):
    if runs == "Airbyte":
        manifests.run_by(firth, program("pyairbyte", "source-declarative-manifest"))
    if by == "command line":
        (tmp_path / "shop.json").write_text(json.dumps(MANIFEST))
        firth("connectors", "add", "source-shop", "--manifest-path", tmp_path / "shop.json", expect=0)
    client = serve(firth).api
    if by == "command line":
        made = definition(client, "source-shop")
    else:
        sdk = request.getfixturevalue("newest_airbyte_api")
        made = sdk(define_source, url=f"{client.url}/api/public/v1", workspace=WORKSPACE, manifest=MANIFEST)
    config = {"api_key": KEY, "base_url": f"http://127.0.0.1:{shop.server_port}"}
    wrong = client.config("scheduler/sources/check_connection", {
        "sourceDefinitionId": made, "workspaceId": WORKSPACE, "connectionConfiguration": {**config, "api_key": "k-wrong"}})
    assert wrong["status"] == "failed" and "k-wrong" not in json.dumps(wrong)
    to_sync = connection(client, made, config, "items", check=runs == "Firth")
    assert sync(client, to_sync) == 7
    assert written(tmp_path, "items") == shop.items
    assert shop.asked[-3:] == [("2026-01-01T00:00:00Z", page) for page in (1, 2, 3)]
    shop.items += [item(8), item(9)]
    assert sync(client, to_sync) == 3  # its cursor's last second comes once more: how the CDK asks
    assert written(tmp_path, "items")[7:] == shop.items[6:]
    assert shop.asked[-1][0] == "2026-02-07T00:00:00Z"
