"""A source that changes: what it has is in a file, which its config's `world` names.

{"streams": {NAME: {"key": [POINTER…], "schema": {…}, "documents": […], "fallback": bool, "disable": bool}}, "fail": TEXT}

Called with a verb it speaks Airbyte's protocol, without one Flow's capture protocol. It reads each binding's documents
from where its state says, and ends.
"""

import lean_json as json
import sys


def say(message):
    print(json.dumps(message), flush=True)


def argument(name):
    with open(sys.argv[sys.argv.index(name) + 1]) as file:
        return json.load(file)


def world_of(config):
    with open(config["world"]) as file:
        world = json.load(file)
    if world.get("fail"):
        print(world["fail"], file=sys.stderr)
        sys.exit(1)
    return world["streams"]


def flow():
    (verb, body), = json.loads(sys.stdin.readline()).items()
    if verb == "spec":
        say({"spec": {"protocol": 3032023, "configSchema": {"type": "object"}, "documentationUrl": "https://x",
                      "resourceConfigSchema": {"type": "object"}, "resourcePathPointers": ["/stream"]}})
    elif verb == "discover":
        say({"discovered": {"bindings": [
            {"recommendedName": name, "resourceConfig": {"stream": name}, "documentSchema": stream["schema"],
             "key": stream["key"], "disable": stream.get("disable", False), "resourcePath": [name],
             "isFallbackKey": stream.get("fallback", False)} for name, stream in world_of(body["config"]).items()]}})
    elif verb == "validate":
        say({"validated": {"bindings": [{"resourcePath": [each["resourceConfig"]["stream"]]}
                                        for each in body["bindings"]]}})
    elif verb == "apply":
        say({"applied": {}})
    else:
        streams, state = world_of(body["capture"]["config"]), body["state"]
        say({"opened": {}})
        for number, binding in enumerate(body["capture"]["bindings"]):
            documents = streams.get(binding["resourceConfig"]["stream"], {"documents": []})["documents"]
            begin = state.get(binding["stateKey"], 0)
            for document in documents[begin:]:
                say({"captured": {"binding": number, "doc": document}})
            if begin < len(documents):
                say({"checkpoint": {"state": {"updated": {binding["stateKey"]: len(documents)}, "mergePatch": True}}})


def airbyte(verb):
    if verb == "spec":
        say({"type": "SPEC", "spec": {"connectionSpecification": {"type": "object"}}})
        return
    streams = world_of(argument("--config"))
    if verb == "check":
        say({"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}})
    elif verb == "discover":
        say({"type": "CATALOG", "catalog": {"streams": [
            {"name": name, "json_schema": stream["schema"], "supported_sync_modes": ["full_refresh", "incremental"],
             "source_defined_cursor": True, "source_defined_primary_key": [pointer[1:].split("/") for pointer in stream["key"]]}
            for name, stream in streams.items()]}})
    else:
        for name, stream in streams.items():
            for document in stream["documents"]:
                say({"type": "RECORD", "record": {"stream": name, "data": document, "emitted_at": 1}})


flow() if len(sys.argv) == 1 else airbyte(sys.argv[1])
