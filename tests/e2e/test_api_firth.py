"""Firth's own API: what is deployed and how it does, and documents of collections."""

import json
import urllib.parse

import jsonschema
import pytest

from api import NOTHING, WORKSPACE, serve
from conftest import until
from manifests import SHOP
from test_autodiscover import ORDERS, USERS, World

CATALOG = {
    "captures": {"acmeCo/fake": {
        "endpoint": {"connector": {"image": "airbyte/source-faker:6.2.38", "config": {"count": 20, "seed": 1}}},
        "bindings": [{"resource": {"stream": "users"}, "target": "acmeCo/users"}]}},
    "collections": {"acmeCo/users": {"key": ["/id"], "schema": {"type": "object", "required": ["id"]}}},
}


@pytest.fixture
def client(firth, tmp_path):
    catalog = tmp_path / "flow.json"
    catalog.write_text(json.dumps(CATALOG))
    firth("run", "--once", catalog, expect=0)
    firth("deploy", "--yes", catalog)
    return serve(firth).api


def ask(client, path, status=200):
    answer = client.ask("GET", f"/api/firth/v1/{path}")
    assert answer.status == status, answer
    return answer.json()


def test_the_document_tells_the_routes(client):
    doc = ask(client, "openapi")
    assert set(doc["paths"]) == {"/api/firth/v1/openapi", "/api/firth/v1/session", "/api/firth/v1/password", "/api/firth/v1/events", "/api/firth/v1/manifests", "/api/firth/v1/commands", "/api/firth/v1/collections", "/api/firth/v1/discovery",
                                 "/api/firth/v1/connections", "/api/firth/v1/connections/{connectionId}/history", "/api/firth/v1/log", "/api/firth/v1/status", "/api/firth/v1/documents",
                                 "/api/firth/v1/jobs/{jobId}/attempts/{attemptNumber}/log"}
    for path, query in (("status", ""), ("documents", "?collection=acmeCo/users")):
        schema = doc["paths"][f"/api/firth/v1/{path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**schema, "components": doc["components"]}).validate(ask(client, path + query))


def test_status_is_that_of_the_command(client, firth):
    told = ask(client, "status")
    task, = told["tasks"]
    assert (task["task"], task["kind"]) == ("acmeCo/fake", "capture")
    assert told["daemon"]["url"] == client.url
    assert task["collections"][0]["collection"] == "acmeCo/users" and task["collections"][0]["documents"] >= 20
    assert set(firth("status", "-o", "json", expect=0).json()["tasks"][0]) == set(task)


def test_the_log_of_a_task(client, firth):
    """Followed from where it was read to; for people; and only of what is deployed."""
    path = "/api/firth/v1/log?task=acmeCo/fake"
    until(lambda: '"ended"' in client.ask("GET", path).body.decode(), "the end of a session")
    answer = client.ask("GET", path)
    assert answer.status == 200 and answer.headers["Content-Disposition"] == 'attachment; filename="acmeCo-fake.jsonl"'
    lines, next = answer.body.splitlines(keepends=True), int(answer.headers["Firth-Next-Offset"])
    assert [json.loads(line) for line in lines[:2]] == [{key: value for key, value in each.items() if key != "task"}
                                                        for each in firth("logs", "acmeCo/fake", "-o", "json", expect=0).lines()[:2]]
    assert client.ask("GET", f"{path}&from={next - len(lines[-1])}").body.startswith(lines[-1])
    assert " INFO session 1 completed" in client.ask("GET", f"{path}&format=text").body.decode()
    assert ask(client, "log?task=acmeCo/other", 404) and ask(client, "log", 422) and ask(client, "log?task=acmeCo/fake&from=x", 422)


def test_documents_from_a_number_on(client):
    every = ask(client, "documents?collection=acmeCo/users&limit=20")
    assert [each["number"] for each in every["documents"]] == list(range(20)) and every["notices"] == []
    assert all(each["writer"] == "acmeCo/fake" and each["document"]["id"] for each in every["documents"])
    some = ask(client, "documents?collection=acmeCo/users&from=5&limit=3&task=acmeCo/fake")
    assert some["documents"] == every["documents"][5:8]
    assert ask(client, "documents?collection=acmeCo/users&from=100000")["documents"] == []


def test_documents_with_a_value(client):
    """The daemon captures the same users again meanwhile: each may be there twice."""
    seventh = ask(client, "documents?collection=acmeCo/users&limit=20")["documents"][7]
    user = seventh["document"]
    id, name = user["id"], urllib.parse.quote(json.dumps(user["name"]))
    for query in (f"where=/id={id}", f"where=/id={id}&where=/name={name}"):
        first, *again = ask(client, f"documents?collection=acmeCo/users&{query}")["documents"]
        assert first == seventh and all(each["document"]["id"] == id for each in again)
    assert ask(client, f"documents?collection=acmeCo/users&where=/id={id}&where=/name=nobody")["documents"] == []
    assert all(each["number"] > 7 for each in ask(client, f"documents?collection=acmeCo/users&where=/id={id}&from=8")["documents"])


@pytest.mark.parametrize("query, status, said", [
    ("collection=acmeCo/users&where=id", 422, "--where"), ("collection=acmeCo/users" + 9 * "&where=/id=1", 422, "at most 8"),
    ("", 422, "collection"), ("collection=", 422, "collection"), ("collection=acmeCo/user", 404, "did you mean acmeCo/users?"),
    ("collection=acmeCo/users&task=nobody", 404, "nobody"), ("collection=--help", 404, "no collection"),
    ("collection=acmeCo/users&task=--help", 404, "--help"), ("collection=acmeCo/users&limit=0", 422, "limit"),
    ("collection=acmeCo/users&limit=1001", 422, "limit"), ("collection=acmeCo/users&from=-1", 422, "from")])
def test_what_is_asked_wrongly(client, query, status, said):
    assert said in ask(client, f"documents?{query}", status)["message"]


def test_a_collection(client):
    told = ask(client, "collections?name=acmeCo/users&task=acmeCo/fake")
    doc = ask(client, "openapi")
    schema = doc["paths"]["/api/firth/v1/collections"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": doc["components"]}).validate(told)
    assert told["key"] == ["/id"] and told["inferred"] is False
    assert told["writeSchema"] == told["readSchema"] == {"type": "object", "required": ["id"]}
    field, = [each for each in told["fields"] if each["pointer"] == "/id"]
    assert field["key"] and field["required"]


def discovery(client, task, status=200):
    answer = client.ask("POST", "/api/firth/v1/discovery", {"task": task})
    assert answer.status == status, answer
    return answer.json()


def test_what_the_source_of_a_capture_has(client):
    told = discovery(client, "acmeCo/fake")
    doc = ask(client, "openapi")
    schema = doc["paths"]["/api/firth/v1/discovery"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": doc["components"]}).validate(told)
    assert {each["stream"]: each["bound"] for each in told["streams"]} == {"users": True, "products": False, "purchases": False}
    users, = [each for each in told["streams"] if each["bound"]]
    assert users == {"stream": "users", "target": "acmeCo/users", "key": ["/id"], "bound": True, "enabled": True, "found": True}
    assert "nobody" in discovery(client, "nobody", 404)["message"]
    assert discovery(client, "--help", 404) and discovery(client, "", 422)


def test_a_source_that_has_no_streams_any_more_or_fails(firth, tmp_path):
    world = World(tmp_path)
    world.has(users=USERS)
    world.write(auto="{}")
    world.path.write_text(world.text().replace("    autoDiscover: {}\n", ""))
    firth("deploy", "--yes", world.path, expect=0)
    client = serve(firth).api
    world.has(orders=ORDERS)
    found = {each["stream"]: each for each in discovery(client, "acmeCo/shop")["streams"]}
    assert found["users"] == {"stream": "users", "target": "acmeCo/users", "key": [], "bound": True, "enabled": True, "found": False}
    assert found["orders"]["found"] and not found["orders"]["bound"] and found["orders"]["key"] == ["/nr"]
    world.fails("the shop is closed")
    assert "the shop is closed" in discovery(client, "acmeCo/shop", 422)["message"]


@pytest.mark.parametrize("query, status, said", [
    ("", 422, "name"), ("name=acmeCo/users", 422, "task"), ("name=acmeCo/users&task=nobody", 404, "nobody"),
    ("name=acmeCo/none&task=acmeCo/fake", 404, "acmeCo/none")])
def test_a_collection_that_is_asked_for_wrongly(client, query, status, said):
    assert said in ask(client, f"collections?{query}", status)["message"]


def test_connections_and_their_history(client):
    schedule = {"scheduleType": "basic", "scheduleData": {"basicSchedule": {"units": 2, "timeUnit": "hours"}}}
    by_hand, every = client.connection(name="by hand"), client.connection(folder="/local/other", name="every", **schedule)
    first = client.config("connections/sync", {"connectionId": by_hand})["job"]["id"]
    until(lambda: client.config("jobs/get_light", {"id": first})["job"]["status"] == "succeeded", "the first sync")
    until(lambda: [job["status"] for job in ask(client, f"connections/{every}/history")["jobs"]] == ["succeeded"], "its first job")
    due = ask(client, f"connections/{every}/history")["nextRunAt"]
    doc = ask(client, "openapi")
    for path, of in ((f"connections/{by_hand}/history", "connections/{connectionId}/history"), ("connections", "connections")):
        schema = doc["paths"][f"/api/firth/v1/{of}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**schema, "components": doc["components"]}).validate(ask(client, path))
    listed = {each["name"]: each for each in ask(client, "connections")["connections"]}
    assert listed["by hand"]["connectionId"] == by_hand and listed["by hand"]["latestSyncJobStatus"] == "succeeded"
    assert "nextRunAt" not in listed["by hand"] and listed["every"]["nextRunAt"] == due
    assert listed["every"]["source"] == {"id": listed["every"]["source"]["id"], "name": "faker", "connector": "Sample Data"}
    # Two hours after the job before it, not after now.
    job, = ask(client, f"connections/{every}/history")["jobs"]
    assert due == job["createdAt"] + 7200 and job["scheduled"]

    second = client.config("connections/clear", {"connectionId": by_hand})["job"]["id"]
    until(lambda: client.config("jobs/get_light", {"id": second})["job"]["status"] == "succeeded", "the clear")
    history = ask(client, f"connections/{by_hand}/history")
    assert [(job["id"], job["configType"]) for job in history["jobs"]] == [(second, "reset_connection"), (first, "sync")]
    assert history["total"] == 2 and history["jobs"][1]["recordsCommitted"] == 10 and history["jobs"][1]["bytesCommitted"] > 0
    assert history["jobs"][1]["durationMs"] > 0
    assert history["jobs"][1]["createdAt"] <= history["jobs"][1]["startedAt"] <= history["jobs"][1]["endedAt"]
    one = ask(client, f"connections/{by_hand}/history?limit=1")
    assert [job["id"] for job in one["jobs"]] == [second] and one["total"] == 2
    for limit in ("0", "2001", "x"):
        ask(client, f"connections/{by_hand}/history?limit={limit}", 422)
    for id in (NOTHING, "x"):
        ask(client, f"connections/{id}/history", 404)


def test_a_connector_by_the_text_of_its_manifest(client):
    # JSON is YAML too, but for how it begins.
    for name, text in (("json", json.dumps(SHOP)), ("yaml", "# shop\n" + json.dumps(SHOP, indent=1))):
        answer = client.ask("POST", "/api/firth/v1/manifests", {"name": name, "manifest": text})
        assert answer.status == 200, answer
        spec = client.config("source_definition_specifications/get", {
            "workspaceId": WORKSPACE, "sourceDefinitionId": answer.json()["sourceDefinitionId"]})
        assert set(spec["connectionSpecification"]["properties"]) == {"api_key", "url"}
    for body, field, said in (({"name": "x", "manifest": "a: [1"}, "manifest", "manifest:"), ({"name": "x", "manifest": "{}"}, "manifest", "DeclarativeSource"),
                              ({"name": " ", "manifest": "{}"}, "name", "blank"), ({"name": "x", "manifest": "a" * (2 << 20) + "a"}, "manifest", "limit")):
        answer = client.ask("POST", "/api/firth/v1/manifests", body)
        assert answer.status == 422 and said in answer.json()["message"], answer
        assert answer.json()["validationErrors"][0]["propertyPath"] == field


def test_nobody_asks_without_a_password(client):
    client.authorization = None
    for path in ("status", "documents?collection=acmeCo/users", "collections?name=acmeCo/users&task=acmeCo/fake", "openapi", "connections", f"connections/{NOTHING}/history", "events?topic=jobs"):
        ask(client, path, 401)
