"""What a wrong request is answered: which member is wrong, for each member of each body and each parameter of each route."""

import copy

import pytest

from api import FAKER, LOCAL_JSON, NOTHING, WORKSPACE, serve
from conftest import Firth, binary
from test_api import document, names, sample

PRIVATE = {"connectionConfiguration", "configuration"}


def resolved(schema, doc):
    while "$ref" in schema:
        schema = doc["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def of_type(schema, doc):
    """What the schema is when it is not null, and whether null is as good as nothing."""
    schema = resolved(schema, doc)
    nullable = False
    for word in ("anyOf", "oneOf"):
        if word in schema:
            nullable |= any(each.get("type") == "null" for each in schema[word])
            schema = resolved(next(each for each in schema[word] if each.get("type") != "null"), doc)
    kind = schema.get("type")
    if isinstance(kind, list):
        nullable |= "null" in kind
        kind, = [each for each in kind if each != "null"]
    return schema, kind, nullable


def wrong_values(schema, kind):
    if kind == "array":
        return [7, "text", {"a": 1}]
    if kind == "object" or "properties" in schema:
        return [7, "text", [1]]
    if kind == "boolean":
        return [7, "yes", [True]]
    if kind in ("integer", "number"):
        return ["1", [1], True] + ([1.5, 10 ** 30] if kind == "integer" else [])
    if kind == "string":
        found = [7, ["text"], {"a": 1}]
        if "enum" in schema:
            found.append("no such word")
        if schema.get("format") in ("uuid", "date-time"):
            found.append("neither")
        return found
    return ["no such word"] if "enum" in schema else []


def mutations(schema, doc, body, place, known, depth=0):
    """(path, change) for each way in which a body may be wrong; `change` does it to a copy."""
    schema, kind, _ = of_type(schema, doc)
    if depth > 5:
        return
    for name, member in schema.get("properties", {}).items():
        path = f"{place}.{name}" if place else name
        inner, inner_kind, nullable = of_type(member, doc)
        required = name in schema.get("required", [])
        for value in wrong_values(inner, inner_kind):
            yield path, lambda target, n=name, v=value: target.__setitem__(n, v)
        if required:
            yield path, lambda target, n=name: target.pop(n)
            yield path, lambda target, n=name: target.__setitem__(n, None)
        if name in PRIVATE:
            continue
        if inner_kind == "object" or "properties" in inner:
            fill = sample(name, inner, doc, {}) if inner.get("properties") else {}
            for below, change in mutations(inner, doc, None, path, known, depth + 1):
                yield below, lambda target, n=name, c=change, f=fill: (target.__setitem__(n, copy.deepcopy(f)), c(target[n]))
        if inner_kind == "array":
            item, item_kind, _ = of_type(inner["items"], doc)
            for value in wrong_values(item, item_kind):
                yield f"{path}[0]", lambda target, n=name, v=value: target.__setitem__(n, [v])
            if item_kind == "object" or "properties" in item:
                fill = sample(name, item, doc, {})
                for below, change in mutations(item, doc, None, f"{path}[0]", known, depth + 1):
                    yield below, lambda target, n=name, c=change, f=fill: (target.__setitem__(n, [copy.deepcopy(f)]), c(target[n][0]))


def field_of(answer):
    found = answer.json()
    if "validationErrors" in found:
        return [each["propertyPath"] for each in found["validationErrors"]]
    return [found.get("data", {}).get("field")]


@pytest.mark.parametrize("family", ["v1", "public/v1"])
def test_every_member_of_every_body(firth, family):
    client = serve(firth).api
    doc, known = document(client, family), names(client)
    wrong, count = [], 0
    for path, operations in doc["paths"].items():
        for method, operation in operations.items():
            target = path
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    target = target.replace("{" + parameter["name"] + "}", str(known.get(parameter["name"]) or NOTHING))
            if "requestBody" not in operation or path.endswith("applications/token"):
                continue
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            body = sample(None, schema, doc, known)
            if path.endswith("/create_if_not_exist"):
                body["id"] = WORKSPACE  # everybody else's id is a job's
            for place, change in mutations(schema, doc, body, "", known):
                changed = copy.deepcopy(body)
                change(changed)
                answer = client.ask(method.upper(), target, changed)
                count += 1
                if answer.status != 422 or field_of(answer) != [place]:
                    wrong.append((method, path, place, str(changed)[:200], answer))
    assert count > 500 and not wrong, "\n".join(map(str, wrong[:200]))


# --- what handlers find wrong -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("errors")
    firth = Firth(binary("FIRTH_BIN", "build/firth"), folder / "data", folder)
    yield serve(firth).api
    firth.stop_all()


def refused(client, path, body, field, status=422):
    answer = client.ask("POST", f"/api/v1/{path}", body)
    assert answer.status == status and field_of(answer) == [field], (path, body, answer)
    return answer.json()["message"]


@pytest.mark.parametrize("name", ["", " \t\n", "n" * 1025, "a\0b"])
def test_names(client, name):
    kept = client.source("named")
    other = {"workspaceId": WORKSPACE, "name": name}
    image = {"name": name, "dockerRepository": "example/x", "dockerImageTag": "1"}
    for path, body, field in (
            ("workspaces/create", {"name": name}, "name"), ("workspaces/update_name", other, "name"), ("workspaces/update", other, "name"),
            ("sources/create", {**other, "sourceDefinitionId": FAKER, "connectionConfiguration": {}}, "name"),
            ("sources/update", {"sourceId": kept, "name": name, "connectionConfiguration": {"count": 1}}, "name"),
            ("source_definitions/create_custom", {"workspaceId": WORKSPACE, "sourceDefinition": image}, "sourceDefinition.name")):
        refused(client, path, body, field)
    for path, body in (("workspaces", {"name": name}), ("sources", {**other, "definitionId": FAKER, "configuration": {}}), ("applications", {"name": name})):
        answer = client.ask("POST", f"/api/public/v1/{path}", body)
        assert answer.status == 422 and field_of(answer) == ["name"], answer


def test_what_contradicts_other_things(client):
    source, destination = client.source(), client.destination()
    workspace = client.config("workspaces/create", {"name": "other"})["workspaceId"]
    elsewhere = client.config("sources/create", {"sourceDefinitionId": FAKER, "workspaceId": workspace, "name": "x", "connectionConfiguration": {}})["sourceId"]
    refused(client, "connections/create", {"sourceId": elsewhere, "destinationId": destination, "status": "active"}, "destinationId")
    connection = client.connection(source=source, destination=destination)
    for path in ("clear/stream", "refresh"):
        refused(client, f"connections/{path}", {"connectionId": connection, "streams": [{"streamName": "nobody"}]}, "streams")
    client.config("connections/update", {"connectionId": connection, "status": "inactive"})
    refused(client, "connections/sync", {"connectionId": connection}, "connectionId")
    answer = client.ask("POST", "/v1/jobs", {"connectionId": connection, "jobType": "sync"})
    assert answer.status == 422 and field_of(answer) == ["connectionId"]
    refused(client, "source_definitions/delete", {"sourceDefinitionId": FAKER}, "sourceDefinitionId")
    image = {"name": "twice", "dockerRepository": "example/x", "dockerImageTag": "1"}
    client.config("source_definitions/create_custom", {"workspaceId": WORKSPACE, "sourceDefinition": image})
    refused(client, "source_definitions/create_custom", {"workspaceId": WORKSPACE, "sourceDefinition": image}, "sourceDefinition.name")


def stream(name="users", **more):
    return {"streamDescriptor": {"name": name}, **more}


def test_states_that_are_not_of_their_type(client):
    """They were none, and what there was was lost."""
    connection = client.connection()
    kept = {"stateType": "stream", "streamState": [stream(streamState={"n": 1})]}
    put = lambda state: {"connectionId": connection, "connectionState": {"connectionId": connection, **state}}
    client.config("state/create_or_update", put(kept))
    for state, field in (
            ({"stateType": "stream"}, "streamState"), ({"stateType": "stream", "globalState": {"streamStates": []}}, "streamState"),
            ({"stateType": "global"}, "globalState"), ({"stateType": "global", "streamState": []}, "globalState"),
            ({"stateType": "legacy"}, "state"), ({"stateType": "legacy", "state": "text"}, "state"),
            ({**kept, "connectionId": NOTHING}, "connectionId"),
            ({"stateType": "stream", "streamState": [stream(streamState={}), stream(streamState={})]}, "streamState[1].streamDescriptor"),
            ({"stateType": "stream", "streamState": [stream(streamState=7)]}, "streamState[0].streamState"),
            ({"stateType": "global", "globalState": {"shared_state": [], "streamStates": []}}, "globalState.shared_state"),
            ({"stateType": "global", "globalState": {"streamStates": [stream(), stream()]}}, "globalState.streamStates[1].streamDescriptor")):
        for path in ("create_or_update", "create_or_update_safe"):
            refused(client, f"state/{path}", put(state), f"connectionState.{field}")
    assert client.config("state/get", {"connectionId": connection})["streamState"] == kept["streamState"]
    assert client.config("state/create_or_update", put({"stateType": "stream", "streamState": []}))["stateType"] == "not_set"


@pytest.mark.parametrize("path, body", [
    ("sources/list_paginated", {"workspaceIds": [WORKSPACE]}), ("connections/list_paginated", {"workspaceIds": [WORKSPACE]}),
    ("jobs/list", {"configTypes": ["sync"]}), ("workspaces/list_paginated", {"workspaceIds": [WORKSPACE]})])
def test_pages_that_are_none(client, path, body):
    refused(client, path, {**body, "pagination": {"pageSize": 0}}, "pagination.pageSize")
    refused(client, path, {**body, "pagination": {"pageSize": -1}}, "pagination.pageSize")
    refused(client, path, {**body, "pagination": {"rowOffset": -1}}, "pagination.rowOffset")


def test_pages_by_cursor(client):
    workspace = {"workspaceId": client.config("workspaces/create", {"name": "paged"})["workspaceId"]}
    made = {client.config("sources/create", {**workspace, "sourceDefinitionId": FAKER, "name": f"s{i}", "connectionConfiguration": {}})["sourceId"] for i in range(5)}
    destination = client.config("destinations/create", {**workspace, "destinationDefinitionId": LOCAL_JSON, "name": "d",
                                                        "connectionConfiguration": {"destination_path": "/local/x"}})["destinationId"]
    connections = {client.config("connections/create", {"sourceId": each, "destinationId": destination, "status": "active"})["connectionId"] for each in made}
    for path, kind, wanted in (("sources/list", "source", made), ("web_backend/connections/list", "connection", connections)):
        found, cursor, sizes = [], {}, []
        for _ in range(4):
            page = [each[f"{kind}Id"] for each in client.config(path, {**workspace, "pageSize": 2, **cursor})[f"{kind}s"]]
            sizes.append(len(page))
            found += page
            cursor = {"cursor": page[-1]} if page else cursor
        assert sizes == [2, 2, 1, 0] and set(found) == wanted
        refused(client, path, {**workspace, "cursor": NOTHING}, "cursor")
        refused(client, path, {**workspace, "pageSize": 0}, "pageSize")


def test_clones_with_another_config(client):
    source = client.source("to clone", seed=7)
    same = client.config("sources/clone", {"sourceCloneId": source})
    assert same["name"] == "to clone (copy)" and same["connectionConfiguration"] == {"count": 10, "seed": 7}
    other = client.config("sources/clone", {"sourceCloneId": source, "sourceConfiguration": {"name": "other", "connectionConfiguration": {"count": 3}}})
    assert other["name"] == "other" and other["connectionConfiguration"] == {"count": 3}
    refused(client, "sources/clone", {"sourceCloneId": source, "sourceConfiguration": {"connectionConfiguration": {"count": "many"}}},
            "sourceConfiguration.connectionConfiguration.count")


def test_searches_and_filters(client):
    tag = {"tagId": NOTHING, "workspaceId": WORKSPACE, "name": "t", "color": "FF0000"}
    source, destination = client.source("alpha"), client.destination(name="omega")
    one = client.connection(source=source, destination=destination, name="B one", tags=[tag])
    two = client.connection(source=client.source("beta"), destination=destination, name="a two")
    client.config("connections/update", {"connectionId": two, "status": "inactive"})
    search = lambda **by: {each["connectionId"] for each in client.config("connections/search", by)["connections"]} & {one, two}
    assert search() == {one, two} and search(status="inactive") == {two} and search(status="locked") == set()
    assert search(source={"name": "alpha"}) == {one} and search(source={"sourceId": source}) == {one}
    assert search(source={"name": "nobody"}) == set() and search(destination={"name": "omega"}) == {one, two}
    assert search(destination={"destinationDefinitionId": NOTHING}) == set()
    listed = lambda **by: [each["connectionId"] for each in client.config(
        "web_backend/connections/list", {"workspaceId": WORKSPACE, **by})["connections"] if each["connectionId"] in (one, two)]
    assert set(listed()) == {one, two}
    for filters, wanted in (({"states": ["ACTIVE"]}, {one}), ({"states": ["inactive"]}, {two}), ({"statuses": ["HEALTHY"]}, set()),
                            ({"tagIds": [NOTHING]}, {one}), ({"sourceDefinitionIds": [FAKER]}, {one, two}), ({"sourceDefinitionIds": [NOTHING]}, set()),
                            ({"destinationDefinitionIds": [LOCAL_JSON]}, {one, two}), ({"destinationDefinitionIds": [FAKER]}, set()),
                            ({"searchTerm": "TWO"}, {two}), ({"states": [], "statuses": []}, {one, two})):
        assert set(listed(filters=filters)) == wanted, filters
    paged = lambda **by: {each["connectionId"] for each in client.config("connections/list_paginated", {"workspaceIds": [WORKSPACE], **by})["connections"]}
    assert paged(tagIds=[NOTHING]) == {one} and paged(tagIds=[source]) == set() and {one, two} <= paged(tagIds=[])
    assert {each["connectionId"] for each in client.public("GET", f"connections?tagIds={NOTHING}")["data"]} == {one}
    assert listed(sortKey="connectionName_asc") == [two, one] and listed(sortKey="sourceName_asc") == [one, two]
    assert listed(sortKey="sourceName_desc") == [two, one]
    refused(client, "web_backend/connections/list", {"workspaceId": WORKSPACE, "sortKey": "colour"}, "sortKey")
    refused(client, "web_backend/connections/list", {"workspaceId": WORKSPACE, "filters": {"states": ["sleeping"]}}, "filters.states[0]")


@pytest.mark.parametrize("repository, right", [
    ("airbyte/source-faker", True), ("localhost:5000/me/my_source.x", True), ("mine", True),
    ("-x", False), ("a b", False), ("me/mine:1", False), ("me//mine", False), ("me/", False), ("/me", False), ("a:x/b", False), ("a:/b", False),
    ("me/--privileged", False), ("me/$(id)", False), ("me/mine\n", False), ("x" * 256, False)])
def test_a_repository_s_name(firth, repository, right):
    client = serve(firth).api
    body = {"name": "own", "dockerRepository": repository, "dockerImageTag": "1", "documentationUrl": "http://x"}
    answer = client.config("source_definitions/create_custom", {"workspaceId": WORKSPACE, "sourceDefinition": body}, 200 if right else 422)
    assert right or answer["validationErrors"][0]["propertyPath"] == "sourceDefinition.dockerRepository"
