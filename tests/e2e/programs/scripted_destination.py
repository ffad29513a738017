"""An Airbyte destination that keeps every message it gets and misbehaves as its config says.

config: {"out": path, "modes": […], "echo": "each" | "last" | "none" | "twice" | "wrong" | "reordered", "exit": status,
"exit_after": n messages, "check": status, "check_exit": status, "check_lines": stdout lines before its answer, "stderr": text, "lines": extra stdout lines,
"rejected": how many records each echo says that it did not write}
`out` gets the lines as they came; `out`.catalog the configured catalog.
"""

import lean_json as json
import os
import shutil
import sys


def argument(name):
    return sys.argv[sys.argv.index(name) + 1]


def main():
    verb = sys.argv[1]
    if verb == "spec":
        modes = json.loads(os.environ.get("DESTINATION_MODES", '["append", "overwrite", "append_dedup"]'))
        schema = json.loads(os.environ.get("DESTINATION_SPEC", '{"type": "object"}'))
        print(json.dumps({"type": "SPEC", "spec": {"connectionSpecification": schema,
                                                   "supported_destination_sync_modes": modes}}))
        return
    config = json.load(open(argument("--config")))
    if verb == "check":
        for line in config.get("check_lines", []):
            print(line)
        status = config.get("check", {"status": "SUCCEEDED"})
        print(json.dumps({"type": "CONNECTION_STATUS", "connectionStatus": status}))
        sys.exit(config.get("check_exit", 0))
    shutil.copyfile(argument("--catalog"), config["out"] + ".catalog")
    if config.get("stderr"):
        print(config["stderr"], file=sys.stderr, flush=True)
    for line in config.get("lines", []):
        print(line, flush=True)
    echo, held, taken = config.get("echo", "each"), [], 0
    with open(config["out"], "ab") as out:
        for line in sys.stdin.buffer:
            out.write(line)
            taken += 1
            if taken == config.get("exit_after"):
                out.flush()
                os._exit(config.get("exit", 0))
            message = json.loads(line)
            if message["type"] != "STATE":
                continue
            out.flush()
            if echo == "each":
                # As the real ones do: parsed and written again, with statistics.
                message["state"]["destinationStats"] = {"recordCount": float(taken)}
                if "rejected" in config:
                    message["state"]["destinationStats"]["rejectedRecordCount"] = config["rejected"]
                print(json.dumps(message), flush=True)
            elif echo == "twice":
                print(json.dumps(message) + "\n" + json.dumps(message), flush=True)
            elif echo == "wrong":
                message["state"]["stream"]["stream_state"] = {"n": -1}
                print(json.dumps(message), flush=True)
            else:
                held.append(json.dumps(message))
    if echo == "last":
        print(held[-1], flush=True)
    elif echo == "reordered":
        for line in sorted(held, key=lambda text: json.loads(text)["state"]["stream"]["stream_descriptor"]["name"]):
            print(line, flush=True)
    os._exit(config.get("exit", 0)) if config.get("exit") else None


main()
