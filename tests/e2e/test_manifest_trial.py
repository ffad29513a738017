"""`firth manifest test`: what is asked, what is answered, what becomes of it."""

import json
import re

import pytest

from clients.mock_api import ITEMS, MockApi
from conftest import ROOT

MANIFESTS = ROOT / "tests" / "clients" / "manifests"
TOKEN = "t0ken-s3cr3t"


@pytest.fixture
def api():
    running = MockApi()
    yield running
    running.close()


def selector(**more):
    return {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["data"]}, **more}


def manifest(tmp_path, path="pages", transformations=(), error_handler=None, **selecting):
    requester = {"type": "HttpRequester", "url": "{{ config['url'] }}/" + path, "http_method": "GET",
                 "request_parameters": {"key": "{{ config['token'] }}"},
                 "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['token'] }}"}}
    if error_handler:
        requester["error_handler"] = error_handler
    made = {
        "version": "6.0.0", "type": "DeclarativeSource", "check": {"type": "CheckStream", "stream_names": ["items"]},
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {
            "url": {"type": "string"}, "token": {"type": "string", "airbyte_secret": True}}}},
        "streams": [{
            "type": "DeclarativeStream", "name": "items", "transformations": list(transformations),
            "retriever": {"type": "SimpleRetriever", "requester": requester, "record_selector": selector(**selecting),
                          "paginator": {"type": "DefaultPaginator",
                                        "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"},
                                        "pagination_strategy": {"type": "PageIncrement", "page_size": 3}}}}]}
    target = tmp_path / "m.json"
    target.write_text(json.dumps(made))
    return target


def config(tmp_path, api, **more):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"url": api.url, "token": TOKEN, **more}))
    return path


def steps(result, kind):
    return [step for step in result.json()["steps"] if step["type"] == kind]


def test_requests_and_records(firth, api, tmp_path):
    path = manifest(tmp_path, transformations=[{"type": "RemoveFields", "field_pointers": [["nested"]]}],
                    record_filter={"type": "RecordFilter", "condition": "{{ record.id != 2 }}"})
    result = firth("manifest", "test", path, "--config", config(tmp_path, api), "--stream", "items", "-o", "json", expect=0)
    first, second, third = steps(result, "exchange")
    assert first["request"] == {"method": "GET", "url": f"{api.url}/pages?key=****", "headers": ["Authorization: ****"], "body": "", "size": 0}
    assert first["response"]["status"] == 200 and json.loads(first["response"]["body"])["data"] == ITEMS[:3]
    assert "Content-Type: application/json" in first["response"]["headers"]
    assert [e["request"]["url"][-7:] for e in (second, third)] == ["&page=1", "&page=2"] or "page=1" in second["request"]["url"]
    records = steps(result, "record")
    assert [each["extracted"] for each in records] == ITEMS
    plain = [{k: v for k, v in item.items() if k != "nested"} for item in ITEMS]
    assert [each["record"] for each in records] == [None if item["id"] == 2 else item for item in plain]
    assert result.json()["records"] == 6
    assert set(result.json()["inferred_schema"]["properties"]) == {"id", "name", "price", "kind"}
    assert TOKEN not in result.out


def test_limits(firth, api, tmp_path):
    words = ["manifest", "test", manifest(tmp_path), "--config", config(tmp_path, api), "--stream", "items", "-o", "json"]
    assert len(steps(firth(*words, "--pages", "1", expect=0), "exchange")) == 1
    split = ["manifest", "test", MANIFESTS / "datetime.yaml", "--config", config(tmp_path, api, start="2024-01-03T00:00:00Z"),
             "--stream", "events", "-o", "json"]
    assert len(steps(firth(*split, "--slices", "2", expect=0), "slice")) == 2
    state = tmp_path / "state.json"
    asked = {}
    for name, text in (("own", {"at": "2024-01-12T00:00:00Z"}), ("list", [
            {"type": "STREAM", "stream": {"stream_descriptor": {"name": "events"}, "stream_state": {"at": "2024-01-12T00:00:00Z"}}}])):
        state.write_text(json.dumps(text))
        result = firth(*split, "--state", state, expect=0)
        asked[name] = steps(result, "slice")
        assert [each["slice"]["start_time"][:10] for each in asked[name]] == ["2024-01-11"]
        assert steps(result, "state")[-1]["state"] == {"at": "2024-01-13T06:00:00Z"}


def test_what_goes_wrong(firth, api, tmp_path):
    """What was asked is shown all the same, and nothing is tried again."""
    path = manifest(tmp_path, path="status/503")
    result = firth("manifest", "test", path, "--config", config(tmp_path, api), "--stream", "items", "-o", "json")
    assert result.rc != 0 and not result.json()["ok"] and "503" in json.dumps(result.json()["error"])
    assert [each["response"]["status"] for each in steps(result, "exchange")] == [503]
    result = firth("manifest", "test", path, "--config", config(tmp_path, api), "--stream", "item")
    assert result.rc == 3 and "did you mean items?" in result.err
    result = firth("manifest", "test", path, "--config", config(tmp_path, api, token=5), "--stream", "items")
    assert result.rc == 3 and "/token" in result.err
    assert firth("manifest", "test", path).rc != 0


def test_the_example_of_the_documentation(firth, api, tmp_path):
    """docs/manifests.md shows what it says, but for the port, the date and the server's name."""
    page = (ROOT / "docs" / "manifests.md").read_text()
    command, shown = re.search(r"    \$ (firth manifest test .*)\n((?:    .*\n)+)", page).groups()
    (tmp_path / "shop.json").write_text(manifest(tmp_path, transformations=[
        {"type": "RemoveFields", "field_pointers": [["nested"]]}]).read_text())
    config(tmp_path, api)
    out = firth(*command.split()[1:], cwd=tmp_path, expect=0).out

    def plain(text):
        text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", text)
        return [line for line in text.splitlines() if not re.match(r"    (Server|Date|Content-Length): ", line)]
    assert plain(out) == plain("".join(line[4:] + "\n" for line in shown.splitlines()))
