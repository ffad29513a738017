"""A capture connector of Flow's protocol for `firth discover`: the file that its argument names has its `configSchema`
and the `bindings` that it discovers; `refuse`: {verb: {field: value}}: it fails while the config's field has that value;
`crash`: lines that it logs then, before it dies by a signal."""

import lean_json as json
import os
import _signal as signal  # without the enumerations
import sys


def main():
    told = json.load(open(sys.argv[1]))
    (verb, body), = json.loads(sys.stdin.readline()).items()
    for field, value in told.get("refuse", {}).get(verb, {}).items():
        if body["config"].get(field) == value and told.get("crash"):
            print("\n".join(told["crash"]), file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        if body["config"].get(field) == value:
            print(f"cannot use address or {field}", file=sys.stderr)
            sys.exit(1)
    if verb == "spec":
        answer = {"spec": {"protocol": 3032023, "configSchema": told["configSchema"], "documentationUrl": "https://x",
                           "resourceConfigSchema": {"type": "object"},
                           "resourcePathPointers": ["/namespace", "/stream"]}}
    elif verb == "discover":
        json.dump(body, open(sys.argv[1] + ".asked", "w"))
        answer = {"discovered": {"bindings": told["bindings"]}}
    else:
        answer = {"validated": {"bindings": [{"resourcePath": [each["resourceConfig"]["stream"]]}
                                             for each in body["bindings"]]}}
    print(json.dumps(answer), flush=True)


main()
