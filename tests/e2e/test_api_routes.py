"""The API's lesser routes: scopes of definitions, OAuth that is not there, progress by stream, workspaces."""

import http.server
import json
import threading

import pytest

from api import FAKER, LOCAL_JSON, NOTHING, WORKSPACE, serve
from conftest import until

ORGANIZATION = "00000000-0000-0000-0000-000000000000"
OVER = ("succeeded", "failed", "cancelled")


@pytest.fixture
def client(firth):
    return serve(firth).api


def sync(client, connection):
    job = client.config("connections/sync", {"connectionId": connection})["job"]["id"]
    return until(lambda: (found := client.config("jobs/get", {"id": job}))["job"]["status"] in OVER and found["job"], "the end", 60)


# --- definitions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, known", [("source", FAKER), ("destination", LOCAL_JSON)])
def test_definitions_of_a_scope(client, kind, known):
    scope = {"scopeId": WORKSPACE, "scopeType": "workspace"}
    assert client.config(f"{kind}_definitions/get_for_scope", {"actorDefinitionId": known, **scope})[f"{kind}DefinitionId"] == known
    client.config(f"{kind}_definitions/get_for_scope", {"actorDefinitionId": NOTHING, **scope}, 404)
    client.config(f"{kind}_definitions/get_for_scope", {"actorDefinitionId": known, "scopeId": WORKSPACE}, 422)
    assert client.config(f"{kind}_definitions/list_private", {"workspaceId": WORKSPACE}) == {f"{kind}Definitions": []}
    stubs = client.config(f"{kind}_definitions/list_enterprise_stubs_for_workspace", {"workspaceId": WORKSPACE})
    assert stubs == {"enterpriseConnectorStubs": []}


@pytest.mark.parametrize("kind, known", [("source", FAKER), ("destination", LOCAL_JSON)])
def test_oauth_says_that_it_is_not_there(client, kind, known):
    for path in ("get_consent_url", "complete_oauth"):
        body = {f"{kind}DefinitionId": known, "workspaceId": WORKSPACE, "redirectUrl": "https://example.com"}
        answer = client.ask("POST", f"/api/v1/{kind}_oauths/{path}", body)
        assert answer.status == 404 and "has no OAuth here" in answer.json()["message"]
        client.config(f"{kind}_oauths/{path}", {**body, f"{kind}DefinitionId": NOTHING}, 404)


def test_oauth_of_the_public_api_says_so_too(client):
    body = {"redirectUrl": "https://example.com", "workspaceId": WORKSPACE, "sourceType": "shop"}
    answer = client.ask("POST", "/v1/sources/initiateOAuth", body)
    assert answer.status == 404 and "shop itself" in answer.json()["detail"]


def test_destinations_have_no_catalog(client):
    found = client.config("destinations/discover_schema", {"destinationId": client.destination()})
    assert "catalog" not in found and found["jobInfo"]["succeeded"] is False
    assert "whatever streams" in found["jobInfo"]["failureReason"]["externalMessage"]
    client.config("destinations/discover_schema", {"destinationId": NOTHING}, 404)


def test_versions_are_the_definitions_own(client):
    client.config("sources/upgrade_version", {"sourceId": client.source()}, 204)
    client.config("sources/upgrade_version", {"sourceId": NOTHING}, 404)
    client.config("destinations/upgrade_version", {"destinationId": client.destination()}, 204)


# --- jobs ---------------------------------------------------------------------------------------------------


def test_the_newest_job_of_each_stream(client):
    connection = client.connection(streams=("users", "products"))
    both = sync(client, connection)
    body = {"connectionId": connection, "streams": [{"streamName": "users"}, {"streamName": "products"}, {"streamName": "nobody"}]}
    found = {each["streamName"]: each for each in client.config("connections/last_job_per_stream", body)}
    assert set(found) == {"users", "products"} and {each["jobId"] for each in found.values()} == {both["id"]}
    assert found["users"]["recordsCommitted"] == 10 and found["users"]["jobStatus"] == "succeeded"
    assert found["users"]["endedAt"] >= found["users"]["startedAt"] > 0
    catalog = client.config("connections/get", {"connectionId": connection})["syncCatalog"]
    for each in catalog["streams"]:
        each["config"]["selected"] = each["stream"]["name"] == "users"
    client.config("connections/update", {"connectionId": connection, "syncCatalog": catalog})
    only = sync(client, connection)
    found = {each["streamName"]: each["jobId"] for each in client.config("connections/last_job_per_stream", body)}
    assert found == {"products": both["id"], "users": only["id"]}
    client.config("connections/last_job_per_stream", {**body, "connectionId": NOTHING}, 404)


def test_did_the_job_before_succeed(client):
    connection = client.connection()
    first, second = sync(client, connection)["id"], sync(client, connection)["id"]
    ask = lambda job: client.config("jobs/did_previous_job_succeed", {"connectionId": connection, "jobId": job})["value"]
    assert (ask(first), ask(second), ask(second + 1)) == (False, True, True)
    last = client.config("jobs/get_last_replication_job_with_cancel", {"connectionId": connection})
    assert last["job"]["id"] == second
    shown = client.config("connections/getForJob", {"connectionId": connection, "jobId": first})
    assert shown["connectionId"] == connection
    client.config("connections/getForJob", {"connectionId": client.connection(), "jobId": first}, 404)
    client.config("connections/getForJob", {"connectionId": connection, "jobId": second + 99}, 404)


def test_progress_is_told_by_stream(client):
    connection = client.connection(source=client.source(count=2000000000), streams=("users", "products"))
    assert client.config("connections/sync_progress", {"connectionId": connection})["streams"] == []
    job = client.config("connections/sync", {"connectionId": connection})["job"]["id"]

    def told():
        found = client.config("connections/sync_progress", {"connectionId": connection})
        return found.get("jobId") == job and any(each["recordsEmitted"] > 0 for each in found["streams"]) and found
    found = until(told, "progress by stream", 60)
    assert {each["streamName"] for each in found["streams"]} <= {"users", "products"}
    assert all(each["configType"] == "sync" for each in found["streams"])
    client.config("jobs/cancel", {"id": job})


# --- workspaces ---------------------------------------------------------------------------------------------


def test_a_workspace_with_an_id_of_its_own(client):
    body = {"id": NOTHING, "name": "ours"}
    assert client.config("workspaces/create_if_not_exist", body)["workspaceId"] == NOTHING
    assert client.config("workspaces/create_if_not_exist", {**body, "name": "other"})["name"] == "ours"
    client.config("workspaces/create", body, 422)
    for path, by in (("list_by_organization_id", {"organizationId": ORGANIZATION}), ("list_by_user_id", {"userId": ORGANIZATION})):
        assert {each["workspaceId"] for each in client.config(f"workspaces/{path}", by)["workspaces"]} == {WORKSPACE, NOTHING}
    info = client.config("workspaces/get_organization_info", {"workspaceId": NOTHING})
    assert info["organizationId"] == ORGANIZATION
    client.config("workspaces/get_organization_info", {"workspaceId": FAKER}, 404)


def test_the_first_setup(client):
    body = {"email": "me@example.com", "anonymousDataCollection": False, "initialSetupComplete": True, "displaySetupWizard": False}
    assert client.config("instance_configuration/setup", body)["initialSetupComplete"] is True
    assert client.config("workspaces/get", {"workspaceId": WORKSPACE})["email"] == "me@example.com"
    client.config("instance_configuration/setup", {**body, "workspaceId": NOTHING}, 404)


def test_notifications_are_kept_in_the_spelling_they_came_in(client):
    url, shown_url = "http://127.0.0.1:1/services/t0ken", "**********"

    def settings(webhook):
        return {"sendOnFailure": {"notificationType": ["slack"], "slackConfiguration": {"webhook": webhook}}}

    def old(webhook):
        return [{"notificationType": "slack", "sendOnSuccess": True, "sendOnFailure": True, "slackConfiguration": {"webhook": webhook}}]

    def public(webhook):
        return {"failure": {"webhook": {"enabled": True, "url": webhook}}}
    shown = client.config("workspaces/update", {"workspaceId": WORKSPACE, "notificationSettings": settings(url)})
    assert shown["notificationSettings"] == settings(shown_url) and shown["notifications"] == []
    shown = client.config("workspaces/update", {"workspaceId": WORKSPACE, "notifications": old(url)})
    assert shown["notifications"] == old(shown_url) and "notificationSettings" not in shown
    assert client.public("PATCH", f"workspaces/{WORKSPACE}", {"notifications": public(url)})["notifications"] == public(shown_url)
    made = client.public("POST", "workspaces", {"name": "told", "notifications": public(url)})
    assert made["notifications"] == public(shown_url)
    assert client.public("GET", f"workspaces/{made['workspaceId']}")["notifications"] == public(shown_url)
    for listed in (client.config("workspaces/list", {}), client.public("GET", "workspaces")):
        assert "t0ken" not in json.dumps(listed)


def test_a_webhook_that_comes_back_masked_is_the_one_that_is_there(client, hook, firth):
    """Its URL holds a token: it is in no answer, nor in any file in clear, and is told nevertheless."""
    masked = "**********"
    settings = {name: {"notificationType": ["slack"], "slackConfiguration": {"webhook": hook.url}} for name in ("sendOnSuccess", "sendOnFailure")}
    client.config("workspaces/update", {"workspaceId": WORKSPACE, "notificationSettings": settings})
    shown = client.config("workspaces/get", {"workspaceId": WORKSPACE})["notificationSettings"]
    assert shown["sendOnSuccess"]["slackConfiguration"]["webhook"] == masked
    client.config("workspaces/update", {"workspaceId": WORKSPACE, "name": "again", "notificationSettings": shown})
    wrong = client.config("workspaces/update", {"workspaceId": WORKSPACE, "notificationSettings": {"sendOnSync": shown["sendOnSuccess"]}}, 422)
    assert "notificationSettings.sendOnSync.slackConfiguration.webhook: " in wrong["message"] and "give the secret itself" in wrong["message"]
    client.config("workspaces/create", {"name": "another", "notificationSettings": shown}, 422)
    client.public("POST", "workspaces", {"name": "another", "notifications": shown}, 422)
    client.public("PATCH", f"workspaces/{WORKSPACE}", {"notifications": {"failure": {"webhook": {"url": masked}}}}, 422)
    connection = client.connection("/local/told", client.source(count=1))
    client.config("connections/sync", {"connectionId": connection})
    until(lambda: hook.got, "the webhook to be told")
    assert hook.got[0]["data"]["success"] is True
    for file in (each for each in firth.data_dir.rglob("*") if each.is_file()):
        assert b"secret-path" not in file.read_bytes(), file


@pytest.fixture
def hook():
    """A server for webhooks: what it got, and what it answers."""
    class Hook(http.server.BaseHTTPRequestHandler):
        got, status = [], 200

        def do_POST(self):
            Hook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(Hook.status)
            self.end_headers()

        def log_message(self, *args):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Hook.url = f"http://127.0.0.1:{server.server_port}/secret-path"
    yield Hook
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_notification_is_tried(client, hook):
    body = {"trigger": "sync_failure", "slackConfiguration": {"webhook": hook.url}}
    assert client.config("notifications/try_webhook", body) == {"status": "succeeded"}
    assert "sync_failure" in hook.got[0]["text"]
    older = {"notificationType": "slack", "sendOnSuccess": True, "sendOnFailure": True, "slackConfiguration": {"webhook": hook.url}}
    assert client.config("notifications/try", older)["status"] == "succeeded" and len(hook.got) == 2
    hook.status = 500
    failed = client.config("notifications/try_webhook", body)
    assert failed["status"] == "failed" and "status 500" in failed["message"] and "secret-path" not in failed["message"]
    nobody = client.config("notifications/try_webhook", {**body, "slackConfiguration": {"webhook": "http://127.0.0.1:1/x"}})
    assert nobody["status"] == "failed"
    for wrong in ("file:///etc/passwd", "x", "", "http://" + "x" * 3000):
        client.config("notifications/try_webhook", {**body, "slackConfiguration": {"webhook": wrong}}, 422)
