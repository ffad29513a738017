"""The API, resource by resource, and every route of its documents at least once."""

import json
import pathlib
import re
import time

import jsonschema
import pytest

import manifests
import serving
from api import FAKER, LOCAL_JSON, NOTHING, WORKSPACE, Waiting, register, serve
from conftest import ROOT, until
from metrics import metrics

SECRET = "sEcr3t-value-of-a-config"
MASK = "**********"
OVER = ("succeeded", "failed", "cancelled")


@pytest.fixture
def client(firth):
    return serve(firth).api


def document(client, family):
    return client.ask("GET", f"/api/{family}/openapi").json()


def conforms(value, schema, doc):
    jsonschema.Draft202012Validator({**schema, "components": doc["components"]}).validate(value)


def ends(client, job, timeout=60):
    return until(lambda: (found := client.config("jobs/get", {"id": job}))["job"]["status"] in OVER and found,
                 f"the end of job {job}", timeout)


# --- every route --------------------------------------------------------------------------------------------


def sample(name, schema, doc, known):
    """A value for a member: of what there is, else one that its schema allows."""
    if name in known:
        return known[name]
    while "$ref" in schema:
        schema = doc["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if schema.get("format") == "uuid":
        return NOTHING
    if kind == "object" or "properties" in schema:
        return {key: sample(key, schema["properties"][key], doc, known) for key in schema.get("required", [])}
    if kind == "array":
        return [sample(name, schema["items"], doc, known)]
    return {"string": "some", "integer": 1, "boolean": True}[kind]


def walk(client, family, known):
    """Ask each route that deletes nothing, with what it needs; each answer is as its schema says."""
    doc = document(client, family)
    asked = set()
    for path, operations in doc["paths"].items():
        for method, operation in operations.items():
            if method == "delete" or path.endswith("/delete") or "oauth" in path.lower():
                continue
            body, query = None, []
            known["name"] = f"walked {len(asked)}"  # many names may be there once
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                body = sample(None, schema, doc, known)
                if "actorDefinitionId" in body:
                    body["actorDefinitionId"] = LOCAL_JSON if "destination" in path else FAKER
                if path.endswith("/notifications/try"):
                    body["slackConfiguration"] = known["slackConfiguration"]
                if path.endswith("/create_if_not_exist"):
                    body["id"] = WORKSPACE  # everybody else's id is a job's
            target = path
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    target = target.replace("{" + parameter["name"] + "}", str(known[parameter["name"]]))
                elif parameter["required"]:
                    query.append(f"{parameter['name']}={sample(parameter['name'], parameter['schema'], doc, known)}")
            answer = client.ask(method.upper(), target + ("?" + "&".join(query) if query else ""), body)
            assert answer.status in (200, 204), (method, path, body, answer)
            content = operation["responses"][str(answer.status)].get("content", {})
            schema = content.get("application/json", {}).get("schema")
            if schema:
                conforms(answer.json(), schema, doc)
            asked.add((method, path))
            if method == "post" and path.startswith("/api/public/v1/workspaces/{"):
                known["definitionId"] = answer.json()["id"]  # what the paths below it name
            job = answer.status == 200 and schema and answer.body.startswith(b"{") and answer.json()
            if job and ("jobId" in job or "job" in job) and method == "post":
                number = job.get("jobId") or (job["job"] or {}).get("id")
                if number:
                    ends(client, number)
    return asked


def names(client):
    """One of each thing, by the names that members and parameters have."""
    connection = client.connection()
    kept = client.config("connections/get", {"connectionId": connection})
    job = client.config("connections/sync", {"connectionId": connection})["job"]["id"]
    ends(client, job)
    image = {"name": "custom", "dockerRepository": "example/custom", "dockerImageTag": "1"}
    application = client.public("POST", "applications", {"name": "walk"})
    return {
        "workspaceId": WORKSPACE, "workspaceIds": [WORKSPACE], "slug": "default",
        "sourceDefinitionId": FAKER, "destinationDefinitionId": LOCAL_JSON, "actorDefinitionId": FAKER,
        "definitionId": None, "sourceDefinition": image, "destinationDefinition": image,
        "sourceId": kept["sourceId"], "destinationId": kept["destinationId"], "sourceCloneId": kept["sourceId"],
        "destinationCloneId": kept["destinationId"], "connectionId": connection, "connectionIds": [connection],
        "connectionConfiguration": {"count": 5, "destination_path": "/local/walked"},
        "configuration": {"sourceType": "faker", "destinationType": "local-json", "count": 5,
                          "destination_path": "/local/walked"},
        "streams": [{"streamName": "users"}], "id": job, "jobId": job, "attemptNumber": 0, "configId": connection,
        "configTypes": ["sync"], "connectionState": {"stateType": "not_set", "connectionId": connection},
        "cronExpression": "0 0 12 * * ?", "client_id": "airbyte", "client_secret": "password", "type": "source",
        "applicationId": application["id"], "manifest": manifests.SHOP,
        "slackConfiguration": {"webhook": "http://127.0.0.1:1/nobody"},
    }


def test_every_route(firth, tmp_path):
    client = serve(firth).api
    known = names(client)
    config, public = walk(client, "v1", known), walk(client, "public/v1", known)
    assert len(config) > 90 and len(public) > 25
    # And those that delete, which are no longer there then.
    connection = known["connectionId"]
    client.config("connections/delete", {"connectionId": connection}, 204)
    client.config("connections/get", {"connectionId": connection}, 404)
    for kind in ("source", "destination"):
        client.config(f"{kind}s/delete", {f"{kind}Id": known[f"{kind}Id"]}, 204)
        client.config(f"{kind}s/get", {f"{kind}Id": known[f"{kind}Id"]}, 404)
        custom = client.config(f"{kind}_definitions/list")[f"{kind}Definitions"]
        custom = [each for each in custom if each["custom"]]
        assert custom
        for each in custom:
            client.config(f"{kind}_definitions/delete", {f"{kind}DefinitionId": each[f"{kind}DefinitionId"]}, 204)
    for family in ("sources", "destinations", "connections"):
        one = family[:-1]
        for each in client.public("GET", f"{family}?limit=100")["data"]:
            client.public("DELETE", f"{family}/{each[one + 'Id']}", expect=204)
        assert client.public("GET", family)["data"] == []
    made = client.public("POST", "workspaces", {"name": "short-lived"})["workspaceId"]
    client.public("DELETE", f"workspaces/{made}", expect=204)
    made = client.config("workspaces/create", {"name": "short-lived"})["workspaceId"]
    client.config("workspaces/delete", {"workspaceId": made}, 204)
    client.config("workspaces/get", {"workspaceId": made}, 404)


def test_routes_in_the_document_are_those_that_are_there(client):
    doc = document(client, "v1")
    for path in doc["paths"]:
        assert client.ask("DELETE", path).status == 405, path
    assert client.ask("POST", "/api/v1/no/such", {}).status == 404


# --- sources and destinations -------------------------------------------------------------------------------


def test_definitions_are_the_built_in_connectors(client, firth):
    built_in = {each["name"] for each in firth("connectors", "-o", "json").json()}
    for kind in ("source", "destination"):
        found = client.config(f"{kind}_definitions/list")[f"{kind}Definitions"]
        shown = {each["dockerRepository"].rsplit("/", 1)[-1] for each in found}
        assert shown == {name for name in built_in if name.startswith(kind)}
        for each in found:
            spec = client.config(f"{kind}_definition_specifications/get", {
                f"{kind}DefinitionId": each[f"{kind}DefinitionId"], "workspaceId": WORKSPACE})
            assert spec["connectionSpecification"]["type"] == "object"
    assert client.config("source_definitions/get", {"sourceDefinitionId": FAKER})["dockerRepository"] == "airbyte/source-faker"
    client.config("destination_definitions/get", {"destinationDefinitionId": FAKER}, 404)


def test_configs_are_what_the_spec_wants(client):
    body = {"sourceDefinitionId": FAKER, "workspaceId": WORKSPACE, "name": "x", "connectionConfiguration": {"count": "many"}}
    answer = client.ask("POST", "/api/v1/sources/create", body)
    assert answer.status == 422
    assert answer.json()["validationErrors"][0]["propertyPath"] == "connectionConfiguration.count"
    assert "many" not in answer.body.decode()
    body = {"destinationDefinitionId": LOCAL_JSON, "workspaceId": WORKSPACE, "name": "x", "connectionConfiguration": {}}
    answer = client.ask("POST", "/api/v1/destinations/create", body)
    assert answer.status == 422 and "destination_path" in answer.json()["message"]
    problem = client.ask("POST", "/v1/sources", {"workspaceId": WORKSPACE, "name": "x", "configuration": {"sourceType": "fakr"}})
    assert problem.status == 422 and "did you mean faker?" in problem.json()["detail"]
    for missing in ("name", "workspaceId", "sourceDefinitionId", "connectionConfiguration"):
        body = {"sourceDefinitionId": FAKER, "workspaceId": WORKSPACE, "name": "x", "connectionConfiguration": {}}
        del body[missing]
        answer = client.ask("POST", "/api/v1/sources/create", body)
        assert answer.status == 422
        assert [each["propertyPath"] for each in answer.json()["validationErrors"]] == [missing]
    assert client.ask("POST", "/api/v1/sources/create", {
        "sourceDefinitionId": FAKER, "workspaceId": NOTHING, "name": "x", "connectionConfiguration": {}}).status == 404


def test_sources_change(client):
    one = client.source("one", seed=5)
    assert client.config("sources/get", {"sourceId": one})["connectionConfiguration"] == {"count": 10, "seed": 5}
    client.config("sources/update", {"sourceId": one, "name": "uno", "connectionConfiguration": {"count": 3}})
    client.config("sources/partial_update", {"sourceId": one, "connectionConfiguration": {"seed": 7}})
    found = client.config("sources/get", {"sourceId": one})
    assert found["name"] == "uno" and found["connectionConfiguration"] == {"count": 3, "seed": 7}
    copy = client.config("sources/clone", {"sourceCloneId": one, "sourceConfiguration": {"name": "copy"}})
    assert copy["sourceId"] != one and copy["connectionConfiguration"] == found["connectionConfiguration"]
    assert {each["name"] for each in client.config("sources/search", {"sourceDefinitionId": FAKER})["sources"]} == {"uno", "copy"}
    assert [each["name"] for each in client.config("sources/search", {"name": "copy"})["sources"]] == ["copy"]
    client.public("PATCH", f"sources/{one}", {"configuration": {"seed": 8}})
    client.public("PUT", f"sources/{copy['sourceId']}", {"name": "put", "configuration": {"sourceType": "faker", "count": 1}})
    assert client.config("sources/get", {"sourceId": one})["connectionConfiguration"] == {"count": 3, "seed": 8}
    assert client.config("sources/get", {"sourceId": copy["sourceId"]})["connectionConfiguration"] == {"count": 1}
    shown = client.public("GET", f"sources/{one}")
    assert shown["sourceType"] == "faker" and shown["configuration"]["sourceType"] == "faker"


def test_check_and_discover(client, firth):
    source, destination = client.source(), client.destination()
    assert client.config("sources/check_connection", {"sourceId": source})["status"] == "succeeded"
    assert client.config("destinations/check_connection", {"destinationId": destination})["status"] == "succeeded"
    (firth.data_dir.parent / "files" / "file").write_text("")
    bad = client.config("destinations/check_connection_for_update", {
        "destinationId": destination, "name": "x", "connectionConfiguration": {"destination_path": "/local/file/x"}})
    assert bad["status"] == "failed" and bad["message"]
    found = client.config("sources/discover_schema", {"sourceId": source})
    assert {each["stream"]["name"] for each in found["catalog"]["streams"]} == {"users", "products", "purchases"}
    again = client.config("sources/discover_schema", {"sourceId": source})
    assert again["catalogId"] == found["catalogId"]
    streams = client.ask("GET", f"/v1/streams?sourceId={source}").json()
    assert {each["streamName"] for each in streams} == {"users", "products", "purchases"}
    assert all("full_refresh_overwrite" in each["syncModes"] and ["id"] in each["propertyFields"] for each in streams)


def test_no_more_connectors_are_asked_than_eight(client, firth, tmp_path):
    """Beyond that the answer is 503, at once; the API answers all the while."""
    waits = Waiting(firth, client, tmp_path)
    asked = [waits.ask() for _ in range(8)]
    until(lambda: len(waits.begun()) == 8, "eight checks")
    assert client.ask("POST", "/api/v1/scheduler/sources/check_connection", waits.body).status == 503
    assert client.ask("GET", "/api/v1/health").status == 200
    waits.let_go()
    assert [each.join() for each in asked] == [200] * 8
    assert client.ask("POST", "/api/v1/scheduler/sources/check_connection", waits.body).status == 200


# --- secrets ------------------------------------------------------------------------------------------------

SPEC = {"connectionSpecification": {"type": "object", "properties": {
    "token": {"type": "string", "airbyte_secret": True}, "odd": {"type": "string", "airbyte_secret": True},
    "password": {"type": "string"}, "host": {"type": "string"}}}}


@pytest.fixture
def custom(tmp_path):
    """The program of a source with secrets in its spec, which says them wherever it can."""
    program = tmp_path / "source.py"
    program.write_text(f"""#!/usr/bin/env python3
import json, sys
verb = sys.argv[1]
config = json.load(open(sys.argv[sys.argv.index("--config") + 1])) if "--config" in sys.argv else {{}}
if verb == "spec":
    print(json.dumps({{"type": "SPEC", "spec": {SPEC!r}}}))
elif verb == "check":
    print(json.dumps({{"type": "CONNECTION_STATUS", "connectionStatus": {{"status": "FAILED", "message": "cannot log in with " + config["token"]}}}}))
elif verb == "discover":
    print("Traceback: token " + config["token"], file=sys.stderr)
    sys.exit(1)
""")
    program.chmod(0o755)
    return program


def test_secrets_are_never_shown(firth, client, custom):
    definition = register(firth, custom)
    config = {"token": SECRET, "odd": SECRET + "-odd", "password": SECRET + "-p", "host": "db.example"}
    made = client.config("sources/create", {"sourceDefinitionId": definition, "workspaceId": WORKSPACE, "name": "s",
                                            "connectionConfiguration": config})
    assert made["connectionConfiguration"] == {"token": MASK, "odd": MASK, "password": MASK, "host": "db.example"}
    source = made["sourceId"]
    every = [client.ask("POST", "/api/v1/sources/" + verb, {"sourceId": source, "workspaceId": WORKSPACE})
             for verb in ("get", "list", "search", "check_connection", "discover_schema")]
    every += [client.ask("POST", "/api/v1/sources/clone", {"sourceCloneId": source}),
              client.ask("GET", "/v1/sources"), client.ask("GET", f"/v1/sources/{source}"),
              client.ask("GET", f"/v1/streams?sourceId={source}"),
              client.ask("POST", "/api/v1/sources/update", {"sourceId": source, "name": "s", "connectionConfiguration": {
                  **config, "token": [SECRET]}})]
    assert all(SECRET not in answer.body.decode() for answer in every), every
    assert every[3].json()["status"] == "failed" and "cannot log in" in every[3].json()["message"]
    # What comes back masked keeps what was there.
    client.config("sources/update", {"sourceId": source, "name": "s", "connectionConfiguration": {
        **made["connectionConfiguration"], "host": "other.example"}})
    check = client.config("sources/check_connection", {"sourceId": source})
    assert check["status"] == "failed" and MASK not in check["message"]
    for path in pathlib.Path(firth.data_dir).rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path


# --- connections and jobs -----------------------------------------------------------------------------------


def test_as_in_the_tutorial(client, firth):
    """curl -u 'airbyte:password' -X POST …/api/v1/connections/sync: the job runs, with its first attempt."""
    connection = client.connection()
    found = client.config("connections/sync", {"connectionId": connection})
    assert found["job"]["configType"] == "sync" and found["job"]["configId"] == connection
    assert found["job"]["status"] in ("running", "succeeded")
    first = found["attempts"][0]
    assert first["attempt"]["id"] == 0 and first["attempt"]["status"] in ("running", "succeeded")
    assert isinstance(first["logs"]["logLines"], list)
    done = ends(client, found["job"]["id"])
    assert done["job"]["status"] == "succeeded", done
    assert done["attempts"][-1]["attempt"]["recordsSynced"] == 10
    assert done["attempts"][-1]["attempt"]["streamStats"][0]["streamName"] == "users"
    public = client.public("GET", f"jobs/{found['job']['id']}")
    assert public["status"] == "succeeded" and public["rowsSynced"] == 10 and public["duration"].startswith("PT")
    assert list((firth.data_dir.parent / "files").rglob("*.jsonl")), "the destination has its file"


def test_incremental_does_not_overwrite(client):
    """All that was synced before would be replaced by what is new."""
    connection = client.connection()
    kept = client.config("connections/get", {"connectionId": connection})
    for mode in ("overwrite", "overwrite_dedup"):
        catalog = json.loads(json.dumps(kept["syncCatalog"]))
        catalog["streams"][0]["config"].update(syncMode="incremental", destinationSyncMode=mode)
        for path, body in (("connections/create", {"sourceId": kept["sourceId"], "destinationId": kept["destinationId"], "status": "active"}),
                           ("connections/update", {"connectionId": connection}),
                           ("web_backend/connections/update", {"connectionId": connection})):
            refused = client.config(path, {**body, "syncCatalog": catalog}, expect=422)
            assert "syncCatalog.streams[0].config.destinationSyncMode" in json.dumps(refused), (path, refused)
            assert "the stream 'users' is read incrementally and overwrites" in json.dumps(refused), (path, refused)
    assert client.config("connections/get", {"connectionId": connection})["syncCatalog"] == kept["syncCatalog"]


def test_connections_change(client):
    connection = client.connection(name="first", prefix="p_")
    changed = client.config("connections/update", {
        "connectionId": connection, "name": "second", "namespaceDefinition": "customformat", "namespaceFormat": "x_${SOURCE_NAMESPACE}",
        "scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "0 0 12 * * ?", "cronTimeZone": "Europe/Berlin"}},
        "nonBreakingChangesPreference": "propagate_columns", "tags": [{"tagId": NOTHING, "workspaceId": WORKSPACE, "name": "t", "color": "#fff"}]})
    assert (changed["name"], changed["prefix"], changed["namespaceFormat"]) == ("second", "p_", "x_${SOURCE_NAMESPACE}")
    assert changed["scheduleData"] == {"cron": {"cronExpression": "0 0 12 * * ?", "cronTimeZone": "Europe/Berlin"}}
    assert changed["tags"][0]["name"] == "t"
    shown = client.public("GET", f"connections/{connection}")
    assert shown["schedule"] == {"scheduleType": "cron", "cronExpression": "0 0 12 * * ? Europe/Berlin"}
    assert shown["namespaceDefinition"] == "custom_format" and shown["nonBreakingSchemaUpdatesBehavior"] == "propagate_columns"
    basic = client.config("connections/update", {"connectionId": connection, "schedule": {"units": 3, "timeUnit": "days"}})
    assert basic["scheduleType"] == "basic" and basic["scheduleData"]["basicSchedule"] == {"timeUnit": "days", "units": 3}
    for wrong in ({"scheduleType": "cron"}, {"scheduleType": "cron", "scheduleData": {"cron": {"cronExpression": "x", "cronTimeZone": "UTC"}}},
                  {"scheduleType": "basic", "scheduleData": {"basicSchedule": {"units": 0, "timeUnit": "days"}}}, {"status": "locked"}):
        assert client.ask("POST", "/api/v1/connections/update", {"connectionId": connection, **wrong}).status == 422, wrong
    gone = client.connection(name="gone")
    for path in ("connections/update", "web_backend/connections/update"):
        ended = client.config(path, {"connectionId": gone, "status": "deprecated"})
        assert ended["status"] == "deprecated"
        client.config("connections/get", {"connectionId": gone}, 404)
        gone = client.connection(name="gone")
    client.public("PATCH", f"connections/{connection}", {"status": "inactive", "schedule": {"scheduleType": "manual"}})
    assert client.config("connections/get", {"connectionId": connection})["status"] == "inactive"
    assert client.config("connections/search", {"name": "second"})["connections"][0]["connectionId"] == connection
    ids = lambda **body: {each["connectionId"] for each in client.config("connections/search", body)["connections"]}
    others = {each["connectionId"] for each in client.config("connections/list", {"workspaceId": WORKSPACE})["connections"]} - {connection}
    assert others and ids(prefix="p_") == ids(namespaceFormat="x_${SOURCE_NAMESPACE}") == {connection}
    assert ids(scheduleType="cron") == set() and ids(scheduleType="manual") == others | {connection}
    of = lambda *sources: client.config("web_backend/connections/list", {"workspaceId": WORKSPACE, "sourceId": list(sources)})
    everything = of()["connections"]
    first, second = (each["source"]["sourceId"] for each in everything[:2])
    assert first != second and of(first, second)["num_connections"] == 2
    assert {each["source"]["sourceId"] for each in of(first)["connections"]} == {first}
    assert client.config("web_backend/connections/get", {"connectionId": connection})["source"]["name"] == "faker"


def test_public_connections_choose_streams(client):
    source, destination = client.source(), client.destination()
    body = {"sourceId": source, "destinationId": destination}
    whole = client.public("POST", "connections", body)
    assert {each["name"] for each in whole["configurations"]["streams"]} == {"users", "products", "purchases"}
    chosen = client.public("POST", "connections", {**body, "name": "chosen", "configurations": {"streams": [
        {"name": "users", "syncMode": "incremental_append", "cursorField": ["updated_at"]}, {"name": "products"}]}})
    modes = {each["name"]: each["syncMode"] for each in chosen["configurations"]["streams"]}
    assert modes == {"users": "incremental_append", "products": "full_refresh_overwrite"}
    patched = client.public("PATCH", f"connections/{chosen['connectionId']}", {"configurations": {"streams": [
        {"name": "users", "syncMode": "full_refresh_append"}]}})
    assert [each["syncMode"] for each in patched["configurations"]["streams"]] == ["full_refresh_append"]
    answer = client.ask("POST", "/v1/connections", {**body, "configurations": {"streams": [{"name": "user"}]}})
    assert answer.status == 422 and "did you mean 'users'?" in answer.json()["detail"]


def test_one_job_at_a_time_and_cancel(client):
    connection = client.connection(source=client.source(count=2000000000))
    job = client.config("connections/sync", {"connectionId": connection})["job"]["id"]
    assert client.ask("POST", "/api/v1/connections/sync", {"connectionId": connection}).status == 409
    problem = client.ask("POST", "/v1/jobs", {"connectionId": connection, "jobType": "sync"})
    assert problem.status == 409 and problem.json()["title"] == "state-conflict"
    client.config("jobs/cancel", {"id": job})
    done = ends(client, job)
    assert done["job"]["status"] == "cancelled"
    assert client.public("GET", f"jobs/{job}")["status"] == "cancelled"
    assert client.public("DELETE", f"jobs/{job}")["status"] == "cancelled"
    client.config("jobs/cancel", {"id": 10 ** 12}, 404)


def test_sync_does_not_wait_where_there_is_no_room(firth):
    client = serve(firth, "--jobs", "1").api
    endless = client.source(count=2000000000)
    running, *waiting = [client.connection(source=endless, name=f"endless {n}") for n in range(6)]
    job = client.config("connections/sync", {"connectionId": running})["job"]["id"]
    taken = []
    for connection in waiting:
        began = time.monotonic()
        found = client.config("connections/sync", {"connectionId": connection})
        taken.append(time.monotonic() - began)
        assert (found["job"]["status"], len(found["attempts"])) == ("pending", 1)
    # To wait until it begins takes a second each time; a machine that is busy does not take as long five times.
    assert min(taken) < 0.9, taken
    for each in waiting:
        client.config("jobs/cancel", {"id": client.config("jobs/list", {"configTypes": ["sync"], "configId": each})["jobs"][0]["job"]["id"]})
    client.config("jobs/cancel", {"id": job})
    assert ends(client, job)["job"]["status"] == "cancelled"


def test_jobs_are_listed(client):
    connection = client.connection()
    jobs = []
    for _ in range(5):
        jobs.append(client.config("connections/sync", {"connectionId": connection})["job"]["id"])
        ends(client, jobs[-1])
    body = {"configTypes": ["sync"], "configId": connection}
    every = client.config("jobs/list", body)
    assert [each["job"]["id"] for each in every["jobs"]] == jobs[::-1] and every["totalJobCount"] == 5
    page = client.config("jobs/list", {**body, "pagination": {"pageSize": 2, "rowOffset": 1}})
    assert [each["job"]["id"] for each in page["jobs"]] == jobs[::-1][1:3] and page["totalJobCount"] == 5
    assert client.config("jobs/list", {**body, "statuses": ["failed"]})["jobs"] == []
    assert client.config("jobs/list", {**body, "configTypes": ["get_spec"]})["jobs"] == []
    oldest = client.config("jobs/list", {**body, "orderByField": "createdAt", "orderByMethod": "ASC"})
    assert [each["job"]["id"] for each in oldest["jobs"]] == jobs
    seen, path = [], f"/v1/jobs?connectionId={connection}&limit=2"
    while path:
        found = client.ask("GET", path).json()
        seen += [each["jobId"] for each in found["data"]]
        path = found["next"].removeprefix(client.url)
    assert seen == jobs[::-1]
    last = client.config("jobs/get_last_replication_job", {"connectionId": connection})
    assert last["job"]["id"] == jobs[-1]
    status = client.ask("POST", "/api/v1/connections/status", {"connectionIds": [connection]}).json()
    assert status[0]["lastSyncJobId"] == jobs[-1] and status[0]["isRunning"] is False


def test_state_is_read_and_set(client):
    connection = client.connection()
    assert client.config("state/get", {"connectionId": connection})["stateType"] == "not_set"
    state = {"stateType": "stream", "connectionId": connection, "streamState": [
        {"streamDescriptor": {"name": "users"}, "streamState": {"updated_at": "2026-01-01T00:00:00Z", "n": 12345678901234567890}}]}
    client.config("state/create_or_update", {"connectionId": connection, "connectionState": state})
    found = client.config("state/get", {"connectionId": connection})
    assert found["stateType"] == "stream" and found["streamState"] == state["streamState"]
    assert client.ask("POST", "/api/v1/web_backend/state/get_type", {"connectionId": connection}).json() == "stream"


# --- pages --------------------------------------------------------------------------------------------------


def test_pages(client):
    made = [client.source(f"source {n}") for n in range(7)]
    seen, path, pages = [], "/v1/sources?limit=3&includeDeleted=false", 0
    while path:
        found = client.ask("GET", path).json()
        seen += [each["sourceId"] for each in found["data"]]
        pages += 1
        assert (found["previous"] == "") == (pages == 1)
        path = found["next"].removeprefix(client.url)
    assert pages == 3 and sorted(seen) == sorted(made)
    for wrong in ("limit=0", "limit=101", "limit=-1", "offset=-1", "limit=1e3", "workspaceIds=x", "includeDeleted=maybe"):
        assert client.ask("GET", f"/v1/sources?{wrong}").status == 422, wrong
    assert client.ask("GET", f"/v1/sources?workspaceIds={NOTHING}").json()["data"] == []
    assert len(client.ask("GET", f"/v1/sources?workspaceIds={NOTHING},{WORKSPACE}").json()["data"]) == 7


# --- metrics ------------------------------------------------------------------------------------------------


def test_metrics_are_those_of_the_documentation(client):
    shown = metrics(client)
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    page = (ROOT / "docs" / "api.md").read_text().split("## Metrics")[1]
    documented = set(re.findall(r"`(firth_\w+)", page))
    assert families <= documented and documented - families == {"firth_task_lag_seconds"}
    assert all(len(samples) <= 10 for samples in shown.values())  # a label's values are few and known


def test_metrics_count_what_jobs_and_tasks_do(firth, tmp_path):
    """Jobs by their end, durations, what they read and wrote; tasks by their state, sessions begun and failed."""
    serving.deploy(firth, serving.write(tmp_path / "flow.json", serving.capture(tmp_path, "runs", serving.records(1, 3)),
                                        serving.capture(tmp_path, "breaks", [{"exit": 3}])))
    client = serve(firth, "--retry-after", "100ms").api
    job = client.config("connections/sync", {"connectionId": client.connection("/local/counted")})["job"]["id"]
    until(lambda: client.config("jobs/get", {"id": job})["job"]["status"] == "succeeded", "the sync")
    shown = until(lambda: (found := metrics(client))["firth_task_sessions_failed_total"][""] >= 2 and found, "two failures of a task")
    assert shown["firth_jobs"]["succeeded"] == 1 and shown["firth_jobs"]["failed"] == 0
    assert shown["firth_jobs_ended_total"]["succeeded"] == 1 and shown["firth_attempts_total"][""] == 1
    buckets = shown["firth_attempt_duration_seconds_bucket"]
    assert buckets["+Inf"] == shown["firth_attempt_duration_seconds_count"][""] == 1
    assert sorted(buckets.values()) == list(buckets.values()) and 0 < shown["firth_attempt_duration_seconds_sum"][""] < 60
    assert shown["firth_records_emitted_total"][""] == shown["firth_records_committed_total"][""] == 10
    assert shown["firth_bytes_emitted_total"][""] >= shown["firth_bytes_committed_total"][""] > 0
    assert shown["firth_jobs_running"][""] == shown["firth_jobs_waiting"][""] == 0 and shown["firth_jobs_running_max"][""] == 16
    assert sum(shown["firth_tasks"].values()) == 2 and set(shown["firth_tasks"]) >= {"running", "backing off", "failed", "done"}
    assert shown["firth_task_sessions_total"][""] >= shown["firth_task_sessions_failed_total"][""] + 1
    assert shown["firth_task_documents_committed_total"][""] == 3 and shown["firth_task_bytes_committed_total"][""] > 0
