"""A materialization connector that only counts, as fast as it can: what it is given goes nowhere. It finds nothing that is
asked for, and keeps no checkpoint. Config: `counts`, a file: the stores that were committed."""

import lean_json as json
import sys


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main():
    config, stores, committed = {}, 0, 0
    for line in sys.stdin.buffer:
        if line.startswith(b'{"store"'):
            stores += 1
        elif line.startswith(b'{"load"'):
            pass
        elif line.startswith(b'{"flush"'):
            say({"flushed": {}})
        elif line.startswith(b'{"acknowledge"'):
            say({"acknowledged": {}})
        elif line.startswith(b'{"startCommit"'):
            committed = stores
            with open(config["counts"], "w") as counts:
                counts.write(str(committed))
            say({"startedCommit": {}})
        else:
            (verb, body), = json.loads(line).items()
            config = body.get("materialization", {}).get("config") or body.get("config")
            if verb == "spec":
                say({"spec": {"protocol": 3032023, "configSchema": {}, "resourceConfigSchema": {}}})
            elif verb == "validate":
                say({"validated": {"bindings": [{"resourcePath": ["t"], "projectionConstraints": [
                    {"field": p["field"], "constraint": {"type": "FIELD_OPTIONAL"}} for p in b["collection"]["projections"]]}
                    for b in body["bindings"]]}})
            elif verb == "apply":
                say({"applied": {}})
            else:
                say({"opened": {"disableLoadOptimization": True}})


main()
