"""A deterministic, resumable source without end, for the kill tests.

Streams a and b, interleaved, each with its own STATE every few records; document n of a stream is always the
same bytes. Everything that it says in a run goes to `log`/<run>.jsonl before it goes to stdout, and the state
that it was given to <run>.state: the checker knows nothing else. It ends well once the file `finish` exists.

With `pace` it waits for so many seconds between its steps, and with `rounds` it ends well after so many of them.
With `refresh` in its config: a full refresh of stream a instead, so many records that name their run, with
states in between, which nobody may rely on.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e", "programs"))
import lean_json as json  # noqa: E402

STREAMS = {"a": 7, "b": 11}  # records between two states
BATCH = 3


def argument(name):
    return json.load(open(sys.argv[sys.argv.index(name) + 1])) if name in sys.argv else None


def record(stream, n):
    return b'{"type":"RECORD","record":{"stream":"%s","emitted_at":%d,"data":{"id":%d,"stream":"%s","text":"%s"}}}\n' % (
        stream.encode(), 1700000000000 + n, n, stream.encode(), b"x" * (n * 37 % 200))


def state(stream, n):
    return b'{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"%s"},"stream_state":{"n":%d}}}}\n' % (
        stream.encode(), n)


def check():
    print(json.dumps({"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}))


def discover(config):
    modes = ["full_refresh"] if "refresh" in config else ["full_refresh", "incremental"]
    streams = [{"name": name, "json_schema": {"type": "object"}, "supported_sync_modes": modes,
                "source_defined_cursor": True, "default_cursor_field": ["id"]} for name in STREAMS]
    print(json.dumps({"type": "CATALOG", "catalog": {"streams": streams}}))


def read(config):
    given = {each["stream"]["stream_descriptor"]["name"]: each["stream"]["stream_state"]["n"]
             for each in argument("--state") or []}
    run = f"{time.time_ns():020d}-{os.getpid()}"
    path = os.path.join(config["log"], run)
    with open(path + ".part", "w") as file:
        json.dump(given, file)
    os.rename(path + ".part", path + ".state")
    at = {name: given.get(name, 0) for name in STREAMS}
    with open(path + ".jsonl", "wb", buffering=0) as log:
        def say(data):
            log.write(data)
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

        rounds = config.get("rounds", sys.maxsize)
        while rounds > 0 and not os.path.exists(config["finish"]):
            rounds -= 1
            for name, every in STREAMS.items():
                said = b""
                for _ in range(BATCH):
                    at[name] += 1
                    said += record(name, at[name])
                    if at[name] % every == 0:
                        said += state(name, at[name])
                say(said)
            time.sleep(config.get("pace", 0.0005))  # its pace, so that a run is cut in many places: nothing waits for it
        say(b"".join(state(name, at[name]) for name in STREAMS))


def refresh(config):
    run = f"{time.time_ns():020d}-{os.getpid()}"
    open(os.path.join(config["log"], run + ".jsonl"), "x").close()
    for n in range(1, config["refresh"] + 1):
        data = {"id": n, "run": run}
        print(json.dumps({"type": "RECORD", "record": {"stream": "a", "emitted_at": 1700000000000, "data": data}}))
        if n % STREAMS["a"] == 0:
            sys.stdout.flush()
            time.sleep(0.0005)
            sys.stdout.buffer.write(state("a", n))


if sys.argv[1] == "spec":
    print(json.dumps({"type": "SPEC", "spec": {"connectionSpecification": {"type": "object"}}}))
elif sys.argv[1] == "check":
    check()
elif sys.argv[1] == "discover":
    discover(argument("--config"))
elif "refresh" in argument("--config"):
    refresh(argument("--config"))
else:
    read(argument("--config"))
