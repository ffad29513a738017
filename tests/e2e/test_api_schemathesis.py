"""The API against its own documents, by a property-based run: no 500, and every answer as it is documented."""

import copy
import json
import os
import subprocess

import pytest

from api import FAKER, LOCAL_JSON, NOTHING, WORKSPACE, serve
from conftest import FULL, ROOT

TOOL = ROOT / ".deps" / "schemathesis" / "bin" / "st"
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def ids(client):
    """What there is, by the names of members and parameters."""
    connection = client.connection()
    kept = client.config("connections/get", {"connectionId": connection})
    job = client.config("connections/sync", {"connectionId": connection})["job"]["id"]
    return {"workspaceId": WORKSPACE, "sourceDefinitionId": FAKER, "destinationDefinitionId": LOCAL_JSON,
            "actorDefinitionId": FAKER, "definitionId": FAKER, "connectionId": connection, "configId": connection,
            "sourceId": kept["sourceId"], "destinationId": kept["destinationId"], "sourceCloneId": kept["sourceId"],
            "destinationCloneId": kept["destinationId"], "id": job, "jobId": job}


def with_ids(doc, known):
    """The document; what a request names is what is there, or (in bodies) what is not. Answers stay as they are."""
    for operations in doc["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in known:
                    parameter["schema"] = {"enum": [known[parameter["name"]]]}
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                schema = copy.deepcopy(doc["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]])
                for name in known.keys() & schema.get("properties", {}).keys():
                    schema["properties"][name] = {
                        "enum": [known[name], NOTHING if isinstance(known[name], str) else 10 ** 9]}
                content["schema"] = schema
    return doc


@pytest.mark.parametrize("family, phases", [("v1", "fuzzing"), ("public/v1", "coverage,fuzzing"), ("firth/v1", "coverage,fuzzing")])
def test_answers_are_what_the_document_says(firth, family, phases, tmp_path):
    if not TOOL.exists():
        pytest.fail("schemathesis is missing: scripts/setup test")
    daemon = serve(firth)
    page = tmp_path / "openapi.json"
    page.write_text(json.dumps(with_ids(daemon.api.ask("GET", f"/api/{family}/openapi").json(), ids(daemon.api))))
    # The wrong passwords that are tried would keep out who comes with the right one, and leave 429 to be seen.
    token = daemon.api.public("POST", "applications/token", {"client_id": "airbyte", "client_secret": "password"})["access_token"]
    # What deletes would leave the others nothing to find; test_api.py has it. Events have no end; test_api_events.py has them.
    done = subprocess.run(
        [str(TOOL), "run", str(page), "--url", daemon.api.url, "--header", f"Authorization: Bearer {token}",
         "--checks", CHECKS, "--phases", phases, "--max-examples", "8" if FULL else "4", "--seed", "1",
         "--no-color", "--max-failures", "20", "--request-timeout", "60", "--generation-database", "none",
         "--exclude-path-regex", "/applications/token|/delete$|/events$", "--exclude-method", "DELETE"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False,
        env={**os.environ, "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-2000:]
    assert daemon.api.ask("GET", "/api/v1/health").status == 200
