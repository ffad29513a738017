"""An Airbyte source for `firth discover`: its spec and its streams are in the file that FIRTH_TEST_SOURCE or the first
argument names: {"spec": {…}, "streams": […], "refuse": {"field": value}}. `check` fails while the config's field has
that value."""

import lean_json as json
import sys


def say(message):
    print(json.dumps(message), flush=True)


def main():
    told = json.load(open(sys.argv[1]))
    verb = sys.argv[2]
    config = json.load(open(sys.argv[sys.argv.index("--config") + 1])) if "--config" in sys.argv else {}
    if verb == "spec":
        say({"type": "SPEC", "spec": {"connectionSpecification": told["spec"]}})
    elif verb == "check":
        refused = [name for name, value in told.get("refuse", {}).items() if config.get(name) == value]
        status = {"status": "FAILED", "message": f"the server does not like {refused[0]}"} if refused else {
            "status": "SUCCEEDED"}
        say({"type": "CONNECTION_STATUS", "connectionStatus": status})
    elif verb == "discover":
        json.dump(config, open(sys.argv[1] + ".config", "w"))
        say({"type": "CATALOG", "catalog": {"streams": [{"supported_sync_modes": ["full_refresh"], "json_schema": {
            "type": "object", "properties": {"id": {"type": "integer"}}}, **each} for each in told["streams"]]}})


main()
