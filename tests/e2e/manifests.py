"""A manifest for the tests; and a program that runs manifests, in the place of Airbyte's."""

import os
import sqlite3
import sys

# Against an API of the test's own (`url`: tests/clients/mock_api.py); `rows` is what the program below makes of it.
SHOP = {
    "version": "6.5.0", "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["items"]},
    "streams": [{
        "type": "DeclarativeStream", "name": "items", "rows": 3, "primary_key": ["id"],
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": "{{ config.get('url', 'http://127.0.0.1:9') }}", "path": "/pages", "http_method": "GET",
                          "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['api_key'] }}"}},
            "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["data"]}},
            "paginator": {"type": "DefaultPaginator",
                          "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"},
                          "page_size_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "size"},
                          "pagination_strategy": {"type": "PageIncrement", "page_size": 3}}},
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "properties": {"id": {"type": "integer"}}}}}],
    "spec": {"type": "Spec", "documentation_url": "https://example.com/shop", "connection_specification": {"$ref": "#/definitions/schema"}},
    "definitions": {"schema": {"type": "object", "required": ["api_key"],
                               "properties": {"api_key": {"type": "string", "airbyte_secret": True}, "url": {"type": "string"}}}},
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
    """The program, in a folder of its own."""
    folder = tmp_path / "machine"
    folder.mkdir()
    program = folder / "source-declarative-manifest"
    program.write_text(MACHINE)
    program.chmod(0o755)
    return program


def on_path(program):
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"}


def run_by(firth, program):
    """From now on manifests are run by this program; None: by the built-in."""
    if not (firth.data_dir / "control.db").exists():
        firth("connectors", "add", "source-first", "--image", "airbyte/source-faker:1", expect=0)
        firth("connectors", "remove", "source-first", expect=0)
    with sqlite3.connect(firth.data_dir / "control.db") as db:
        db.execute("delete from settings where name = 'connectors.manifest_program'")
        if program:
            db.execute("insert into settings (name, value) values ('connectors.manifest_program', ?)", (str(program),))
