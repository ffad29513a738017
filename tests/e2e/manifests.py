"""A manifest for the tests, and a program that runs manifests, in the place of Airbyte's."""

import os
import sys

SHOP = {
    "version": "6.5.0", "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["items"]},
    "streams": [{"type": "DeclarativeStream", "name": "items", "rows": 3}],
    "spec": {"type": "Spec", "documentation_url": "https://example.com/shop", "connection_specification": {"$ref": "#/definitions/schema"}},
    "definitions": {"schema": {"type": "object", "required": ["api_key"],
                               "properties": {"api_key": {"type": "string", "airbyte_secret": True}}}},
}

# What Airbyte's low-code source is, as far as it matters here: it reads its manifest in its config.
MACHINE = f"""#!{sys.executable}
import json, sys
verb = sys.argv[1]
config = json.load(open(sys.argv[sys.argv.index("--config") + 1]))
streams = config["__injected_declarative_manifest"]["streams"]
say = lambda **message: print(json.dumps(message), flush=True)
if verb == "check":
    right = config["api_key"] == "K-1234"
    say(type="CONNECTION_STATUS", connectionStatus={{"status": "SUCCEEDED"}} if right else {{"status": "FAILED", "message": "the key is wrong"}})
elif verb == "discover":
    say(type="CATALOG", catalog={{"streams": [{{"name": s["name"], "json_schema": {{"type": "object", "properties": {{"id": {{"type": "integer"}}}}}}, "supported_sync_modes": ["full_refresh"]}} for s in streams]}})
elif verb == "read":
    for s in streams:
        for n in range(s["rows"]):
            say(type="RECORD", record={{"stream": s["name"], "data": {{"id": n}}, "emitted_at": 1}})
        for status in ("STARTED", "COMPLETE"):
            say(type="TRACE", trace={{"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": {{"stream_descriptor": {{"name": s["name"]}}, "status": status}}}})
"""


def machine(tmp_path):
    """An environment in which the program is on PATH."""
    folder = tmp_path / "machine"
    folder.mkdir()
    program = folder / "source-declarative-manifest"
    program.write_text(MACHINE)
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}
