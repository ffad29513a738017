"""source-webflow against a server that behaves as the API is documented to: streams, schemas, pages, both APIs, limits, faults."""

import dataclasses
import json
import pathlib
import time

import pytest

from connector_suite.protocol import Runner, configured
from webflow import OLD_TOKEN, SITE, TOKEN, fill

TEXT = {"type": ["null", "string"]}


@pytest.fixture
def run(firth):
    return Runner([str(firth.path), "connector", "source-webflow"])


@pytest.fixture
def read(run, webflow):
    return reader(run, webflow)


@pytest.fixture
def read_patiently(firth_dev, webflow):
    """By a connector whose waits are a hundredth."""
    return reader(Runner([str(firth_dev.path), "connector", "source-webflow"], {"FIRTH_FAULT_PLANT": "short-waits"}), webflow)


def reader(run, webflow):
    def session(*names, rc=0, **config):
        config = webflow.config(**config)
        streams = [each for each in run("discover", config=config).one("CATALOG")["catalog"]["streams"] if each["name"] in names]
        assert len(streams) == len(names)
        done = run("read", config=config, catalog=configured(streams, "full_refresh"))
        assert done.rc == rc, done
        return done
    return session


def test_collections_are_streams(run, webflow):
    fill(webflow)
    streams = run("discover", config=webflow.config()).one("CATALOG")["catalog"]["streams"]
    assert [each["name"] for each in streams] == ["Blog Posts", "Authors", "Nothing"]
    properties = streams[0]["json_schema"]["properties"]
    assert properties["id"] == properties["name"] == properties["author"] == TEXT
    assert properties["views"] == {"type": ["null", "number"]} and properties["shown"] == {"type": ["null", "boolean"]}
    assert properties["pictures"] == {"type": ["null", "array"]} and properties["at"]["format"] == "date-time"
    assert properties["odd-one"] == {}, "a type that is new may be anything"
    assert all(each["source_defined_primary_key"] == [["id"]] and each["supported_sync_modes"] == ["full_refresh"] for each in streams)


def test_names_are_no_templates(run, webflow, read):
    names = ["{{ config['api_key'] }}", "50 {% off", "{# c #}", "123", "True", " \u2603 \"a\""]
    for name in names:
        webflow.collection(name, [("{{ 1 }}", "PlainText")], [{"{{ 1 }}": "{% x"}])
    streams = run("discover", config=webflow.config()).one("CATALOG")["catalog"]["streams"]
    assert [each["name"] for each in streams] == names and all(each["json_schema"]["properties"]["{{ 1 }}"] == TEXT for each in streams)
    assert [(each["stream"], each["data"]["{{ 1 }}"]) for each in sorted(read(*names).records(), key=lambda each: names.index(each["stream"]))] == [
        (name, "{% x") for name in names]


def test_items(webflow, read):
    fill(webflow)
    done = read("Blog Posts", "Authors", "Nothing")
    posts = [each["data"] for each in done.records("Blog Posts")]
    assert [each["views"] for each in posts] == list(range(230)), "three pages"
    assert posts[1] == {"id": "col1-1", "cmsLocaleId": None, "lastPublished": None, "lastUpdated": "2024-11-15T10:00:00.000Z",
                        "createdOn": "2024-11-15T10:00:00.000Z", "isArchived": False, "isDraft": False,
                        "name": "Beitr\u00e4ge 1", "views": 1, "odd-one": {"a": 1}, "shown": True}
    assert len(done.records("Authors")) == 3 and not done.records("Nothing")
    assert all(each[-1] == "COMPLETE" for each in done.statuses().values())


def test_an_old_token(run, webflow, read):
    fill(webflow)
    config = webflow.config(api_key=OLD_TOKEN, accept_version="1.0.0")
    assert run("check", config=config).one("CONNECTION_STATUS")["connectionStatus"]["status"] == "SUCCEEDED"
    done = read("Blog Posts", api_key=OLD_TOKEN, accept_version="1.0.0")
    assert len(done.records()) == 230 and done.records()[0]["data"]["_id"] == "col1-0"
    streams = run("discover", config=config).one("CATALOG")["catalog"]["streams"]
    assert [each["name"] for each in streams] == ["Blog Posts", "Authors", "Nothing"]
    assert streams[0]["source_defined_primary_key"] == [["_id"]] and streams[0]["json_schema"]["properties"]["_cid"] == TEXT


@pytest.mark.parametrize("change, words", [
    ({"api_key": "wrong"}, "refuses the API key"), ({"site_id": "other"}, "site"), ({"site_id": ""}, "site_id"), ({}, "no streams")])
def test_wrong_configs(run, webflow, change, words):
    status = run("check", config=webflow.config(**change)).one("CONNECTION_STATUS")["connectionStatus"]
    assert status["status"] == "FAILED" and words in status["message"] and TOKEN not in status["message"]


def test_too_many_requests(webflow, read_patiently):
    fill(webflow)
    webflow.fault(429, path="/items", headers={"Retry-After": "200", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 1)})
    assert len(read_patiently("Blog Posts").records()) == 230
    refused, again = webflow.asked("/items")[:2]
    assert refused.status == 429 and again.at - refused.at >= 2


@pytest.mark.parametrize("kind", [500, 503, "cut", "lost", "slow", "text"])
@pytest.mark.parametrize("path", ["/items", "/sites"])
def test_what_passes_is_asked_again(webflow, read_patiently, kind, path):
    fill(webflow)
    webflow.fault(kind, path=path)
    assert len(read_patiently("Blog Posts").records()) == 230


@pytest.mark.parametrize("old", [False, True])
def test_no_items_before_the_end(webflow, read_patiently, monkeypatch, old):
    """Items would be missing, and the sync be called complete."""
    fill(webflow)
    answer, page = webflow.answer, {"limit": 100, "offset": 100, "total": 230}
    monkeypatch.setattr(webflow, "answer", lambda request, base: {"items": [], **(page if old else {"pagination": page})}
                        if request.query.get("offset") == "100" else answer(request, base))
    failed = read_patiently("Blog Posts", rc=1, **({"accept_version": "1.0.0", "api_key": OLD_TOKEN} if old else {}))
    assert len(failed.records()) == 100 and failed.statuses()["Blog Posts"][-1] == "INCOMPLETE"
    assert "no items before the end of the collection" in failed.errors()[-1]["message"]
    assert sum(request.query.get("offset") == "100" for request in webflow.asked("/items")) == 3


@pytest.mark.parametrize("old", [False, True])
def test_short_pages(webflow, read, monkeypatch, old):
    """The end is where the total says; where nothing says it, at an empty page."""
    fill(webflow)
    answer, counts = webflow.answer, {}

    def short(request, base):
        if not request.path.endswith("/items"):
            return answer(request, base)
        made = answer(dataclasses.replace(request, query={**request.query, "limit": "60"}), base)
        (made if old else made["pagination"]).update(counts)
        return made
    monkeypatch.setattr(webflow, "answer", short)
    for total, asked in (({}, 4), ({"total": None}, 5)):
        counts.update(total)
        webflow.requests.clear()
        done = read("Blog Posts", **({"accept_version": "1.0.0", "api_key": OLD_TOKEN} if old else {}))
        assert [each["data"]["views"] for each in done.records()] == list(range(230))
        assert len(webflow.asked("/items")) == asked


@pytest.mark.parametrize("body", [
    {"code": "internal_error", "message": "x"}, {"items": None, "pagination": {"offset": 100, "total": 230}}, {"items": {}}, {"items": [{}]},
    {"items": [], "code": "x"}, [1]])
def test_an_error_with_a_good_status(webflow, read_patiently, monkeypatch, body):
    fill(webflow)
    answer = webflow.answer
    monkeypatch.setattr(webflow, "answer", lambda request, base: body if request.query.get("offset") == "100" else answer(request, base))
    failed = read_patiently("Blog Posts", "Authors", rc=1)
    assert failed.statuses()["Blog Posts"][-1] == "INCOMPLETE" and failed.statuses()["Authors"][-1] == "COMPLETE"
    assert "This is no answer of Webflow's API" in failed.errors()[-1]["message"]
    assert sum(request.query.get("offset") == "100" for request in webflow.asked("/items")) == 3


def test_changes_between_syncs(webflow, read):
    posts = webflow.collection("Posts", [("name", "PlainText")], [{"name": "a"}, {"name": "b"}])
    assert [each["data"]["name"] for each in read("Posts").records()] == ["a", "b"]
    posts["items"][:] = [{"name": "c"}]
    posts["fields"].append(("more", "Number"))
    assert [each["data"]["name"] for each in read("Posts").records()] == ["c"]


def test_the_walk_of_the_tutorial(firth, webflow, tmp_path, root):
    """examples/webflow-local-json/flow.yaml: a site's collections to Local JSON, from the real URL, by a proxy."""
    fill(webflow)
    env = {**webflow.pretend("api.webflow.com", tmp_path), "WEBFLOW_SITE_ID": SITE, "WEBFLOW_API_KEY": TOKEN,
           "FIRTH_LOCAL_ROOT": str(tmp_path / "local")}
    firth("run", pathlib.Path(root, "examples/webflow-local-json/flow.yaml"), "--once", env=env, expect=0)
    files = {path.name: [json.loads(line)["_airbyte_data"] for line in path.open()]
             for path in (tmp_path / "local" / "webflow-blog-test").glob("_airbyte_raw_*.jsonl")}
    assert {name: len(rows) for name, rows in files.items()} == {
        "_airbyte_raw_Blog_Posts.jsonl": 230, "_airbyte_raw_Authors.jsonl": 3, "_airbyte_raw_Nothing.jsonl": 0}
