"""An Airbyte source that does what its config says, step by step, to show how Firth copes.

`spec` takes the steps of the environment variable SPEC, else it says that any object is a config.
config: {"streams": [name | {name, namespace, modes, schema, …}], "steps": [step…], "check": [step…], "discover": [step…],
         "seen": path, "tokens": path}
A step: {"message": any JSON} {"text": a raw line} {"hex": raw bytes, no newline added} {"stderr": text}
{"records": {"stream", "from", "to", "data"?, "fill"?: bytes more}} {"state": {"stream", "n"}} {"sleep_until": path} {"touch": path} {"hang": true}
{"ignore_sigterm": true} {"endless": a raw line, for ever} {"exit": status} {"kill": signal} {"drained": wait until its output is read}
{"leave": {"text", "status"?, "killed_by"?}} (see leaving.py) {"flood": {"bytes"}}
Every verb appends {"verb", "state", "catalog"} to `seen`; `read` its config's refresh_token to `tokens`.
"""

import fcntl
import lean_json as json
import os
import _signal as signal  # without the enumerations
import sys
import termios
import time

from leaving import leave

ANY_CONFIG = {"message": {"type": "SPEC", "spec": {"connectionSpecification": {"type": "object"}}}}
SUCCEEDED = {"message": {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}}


def argument(name):
    return json.load(open(sys.argv[sys.argv.index(name) + 1])) if name in sys.argv else None


def write(data):
    sys.stdout.buffer.write(data)


def message(value):
    write(json.dumps(value).encode() + b"\n")


def stream(entry):
    entry = {"name": entry} if isinstance(entry, str) else dict(entry)
    modes = entry.pop("modes", ["full_refresh", "incremental"])
    schema = entry.pop("schema", {"type": "object"})
    return {"source_defined_cursor": "incremental" in modes, "supported_sync_modes": modes, "json_schema": schema,
            **entry}


def step(kind, value):
    if kind == "message":
        message(value)
    elif kind == "text":
        write(value.encode() + b"\n")
    elif kind == "hex":
        write(bytes.fromhex(value))
    elif kind == "stderr":
        sys.stderr.write(value + "\n")
        sys.stderr.flush()
    elif kind == "records":
        fill = {"x": "y" * value["fill"]} if value.get("fill") else {}
        for n in range(value["from"], value["to"] + 1):
            message({"type": "RECORD", "record": {"stream": value["stream"], "emitted_at": 1700000000000,
                                                  "data": {"id": n, **value.get("data", {}), **fill}}})
    elif kind == "state":
        message({"type": "STATE", "state": {"type": "STREAM", "stream": {
            "stream_descriptor": {"name": value["stream"]}, "stream_state": {"n": value["n"]}}}})
    elif kind == "sleep_until":
        sys.stdout.buffer.flush()
        while not os.path.exists(value):
            time.sleep(0.005)
    elif kind == "touch":
        sys.stdout.buffer.flush()
        open(value, "w").close()
    elif kind == "ignore_sigterm":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    elif kind == "hang":
        sys.stdout.buffer.flush()
        while True:
            signal.pause()
    elif kind == "flood":
        chunk = b"x" * 65536
        for _ in range(value["bytes"] // len(chunk)):
            write(chunk)
    elif kind == "endless":
        while True:  # until the pipe breaks, most likely within a line
            write(value.encode() + b"\n")
    elif kind == "exit":
        sys.stdout.buffer.flush()
        os._exit(value)
    elif kind == "drained":
        sys.stdout.buffer.flush()
        while int.from_bytes(fcntl.ioctl(1, termios.FIONREAD, bytes(4)), sys.byteorder):
            time.sleep(0.005)
    elif kind == "leave":
        sys.stdout.buffer.flush()
        leave(value.pop("text").encode(), **value)
    elif kind == "kill":
        sys.stdout.buffer.flush()
        os.kill(os.getpid(), value)


def main():
    config, verb = argument("--config") or {}, sys.argv[1]
    if config.get("seen"):
        with open(config["seen"], "a") as seen:
            seen.write(json.dumps({"verb": verb, "state": argument("--state"), "catalog": argument("--catalog")}) + "\n")
    if verb == "spec":
        for each in json.loads(os.environ.get("SPEC", "null")) or [ANY_CONFIG]:
            step(*next(iter(each.items())))
    elif verb == "check":
        for each in config.get("check", [SUCCEEDED]):
            step(*next(iter(each.items())))
    elif verb == "discover":
        for each in config.get("discover", []):
            step(*next(iter(each.items())))
        message({"type": "CATALOG", "catalog": {"streams": [stream(each) for each in config["streams"]]}})
    elif verb == "read":
        if config.get("tokens"):
            with open(config["tokens"], "a") as tokens:
                tokens.write(json.dumps({"token": config.get("refresh_token")}) + "\n")
        for each in config["steps"]:
            step(*next(iter(each.items())))


main()
