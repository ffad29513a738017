"""A connector that tells the secrets of its config, in every disguise, in every place.

Words: what it is (source, destination, capture, materialization), then Airbyte's. Its config's `place` is the verb at
which it tells them and fails. `SECRETS` are the config's values that are secret, some by name and some by the spec,
which lies about the first; `forms` are the ways in which one is told.
"""

import base64
import json
import os
import re
import sys
import urllib.parse

CONFIG = {
    "password": "named-one",
    "hush": "Hu$h/é \"x\"+1?",
    "auth": {"kind": "key", "material": "M4terial-key"},
    "headers": {"Accept": "text", "X-Auth": "h3ader-value"},
    "codes": [482913, 77],
    "account": json.dumps({"type": "service", "private_key": "-----BEGIN-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwgg\n"}),
}
SECRETS = ["named-one", "Hu$h/é \"x\"+1?", "M4terial-key", "h3ader-value", "482913", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwgg"]
SCHEMA = {
    "type": "object", "definitions": {"key": {"type": "object", "properties": {"material": {"$ref": "#/definitions/hidden"}}},
                                      "hidden": {"type": "string", "airbyte_secret": True, "secret": True}},
    "properties": {
        "password": {"type": "string", "airbyte_secret": False, "secret": False},
        "hush": {"type": "string", "airbyte_secret": True, "secret": True},
        "auth": {"oneOf": [{"properties": {"kind": {"const": "other"}}}, {"$ref": "#/definitions/key"}]},
        "headers": {"properties": {"Accept": {}}, "additionalProperties": {"$ref": "#/definitions/hidden"}},
        "codes": {"type": "array", "items": {"allOf": [{"airbyte_secret": True, "secret": True}]}},
    }}
STREAM = {"name": "users", "json_schema": {"type": "object", "properties": {"id": {"type": "integer"}}},
          "supported_sync_modes": ["full_refresh"], "source_defined_primary_key": [["id"]]}


def forms(secret):
    quoted = urllib.parse.quote(secret, safe="")
    encoded = [base64.b64encode(user + secret.encode()).decode() for user in (b"", b"user:", b"ab:", b"admin:")]
    return [secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3], json.dumps(secret, ensure_ascii=False)[1:-1],
            quoted, re.sub("%..", lambda found: found[0].lower(), quoted), urllib.parse.quote_plus(secret), urllib.parse.quote(quoted),
            *encoded, *(each.rstrip("=") for each in encoded),
            *(each.replace("+", "-").replace("/", "_") for each in encoded)]


def lines():
    for secret in SECRETS:
        yield from (f"connecting: <{form}>" for form in forms(secret))
        yield f"postgres://user:{urllib.parse.quote(secret, safe='')}@db.example/x?password={urllib.parse.quote_plus(secret)}"
    yield json.dumps(CONFIG)


def tell_stderr():
    """Also a secret in two reads of the pipe, a JSON log line, and one that is cut off in the midst of a secret."""
    text = "\n".join(lines()) + "\n"
    text += "".join(json.dumps({"level": "info", "msg": line, "config": CONFIG, "more": line}) + "\n" for line in lines())
    text += "x" * (8192 - 6 - len("<")) + "<" + SECRETS[2] + ">\n"
    data = text.encode()
    data += b"." * (16384 * 8 - 5 - len(data) % 16384 - 1) + b"\n" + SECRETS[3].encode() + b"\n"
    while data:
        data = data[os.write(2, data):]


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")


def trace(text):
    say({"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1, "error": {"message": text, "stack_trace": text}}})


def airbyte(what, verb, config):
    if verb == "spec":
        say({"type": "SPEC", "spec": {"connectionSpecification": SCHEMA, **(
            {"supported_destination_sync_modes": ["append"]} if what == "destination" else {})}})
    elif config["place"] == verb:
        tell_stderr()
        for line in lines():
            say({"type": "LOG", "log": {"level": "INFO", "message": line}})
            print(line.replace("{", "("))
        if verb == "check":
            say({"type": "CONNECTION_STATUS", "connectionStatus": {"status": "FAILED", "message": config["end"]}})
        else:
            trace(config["end"])
            sys.stdout.flush()
            sys.exit(1)
    elif verb == "check":
        say({"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}})
    elif verb == "discover":
        say({"type": "CATALOG", "catalog": {"streams": [STREAM]}})
    elif verb == "read":
        say({"type": "RECORD", "record": {"stream": "users", "data": {"id": 1}, "emitted_at": 1}})


def flow(what):
    (verb, body), = json.loads(sys.stdin.readline()).items()
    config = body.get(what, {}).get("config") or body.get("config", {})
    bindings = body.get("bindings", [])
    if verb == config.get("place"):
        tell_stderr()
        print(config["end"], file=sys.stderr, flush=True)
        print(config["end"], flush=True)
        sys.exit(1)
    path = "resourcePath"
    answers = {
        "spec": {"spec": {"protocol": 3032023, "configSchema": SCHEMA, "resourceConfigSchema": {}, "documentationUrl": "https://x"}},
        "validate": {"validated": {"bindings": [{path: [each["collection"]["name"]], **({"constraints": {}, "projectionConstraints": [
            {"field": p["field"], "constraint": {"type": "FIELD_OPTIONAL", "reason": "so"}} for p in each["collection"]["projections"]]}
            if what == "materialization" else {})} for each in bindings]}},
        "apply": {"applied": {}},
    }
    print(json.dumps(answers[verb]), flush=True)


if __name__ == "__main__":
    if sys.argv[1] in ("source", "destination"):
        path = sys.argv[sys.argv.index("--config") + 1] if "--config" in sys.argv else None
        airbyte(sys.argv[1], sys.argv[2], json.load(open(path)) if path else None)
    else:
        flow(sys.argv[1])
