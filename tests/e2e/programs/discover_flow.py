"""A capture connector of Flow's protocol for `firth discover`: the file that its argument names has its `configSchema`
and the `bindings` that it discovers."""

import json
import sys


def main():
    told = json.load(open(sys.argv[1]))
    (verb, body), = json.loads(sys.stdin.readline()).items()
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
