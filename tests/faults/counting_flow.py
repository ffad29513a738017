"""A deterministic, resumable capture connector of Flow's without end, for the kill tests.

Bindings a and b share every checkpoint: a group has a few documents of each, and document n of a binding is always
the same bytes. Everything that it says in a session goes to `log`/<session>.jsonl before it goes to stdout, the state
that it was given to <session>.state, and how many of its checkpoints it was told are durable to <session>.acks, each
before anything follows from it: the checker knows nothing else. It ends well once the file `finish` exists.
"""

import os
import select
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e", "programs"))
import lean_json as json  # noqa: E402

SIZES = {"a": [3, 0, 7, 1], "b": [2, 5, 0, 1]}  # documents in a group, by the group's number


def document(binding, name, n):
    return b'{"captured":{%s"doc":{"id":%d,"stream":"%s","text":"%s"}}}\n' % (
        b'"binding":1,' if binding else b"", n, name.encode(), b"x" * (n * 37 % 200))


def group(number, at):
    said = b""
    for binding, name in enumerate("ab"):
        for _ in range(SIZES[name][number % 4]):
            at[name] += 1
            said += document(binding, name, at[name])
    patch = {"at": {**at, "old": None}, "last": {"group": number}}
    return said + json.dumps({"checkpoint": {"state": {"updated": patch, "mergePatch": True}}}).encode() + b"\n"


class Acknowledgements:
    def __init__(self, path):
        self.log, self.count, self.partial = open(path, "wb", buffering=0), 0, b""

    def take(self):
        """What has come, without waiting."""
        while select.select([0], [], [], 0)[0]:
            got = os.read(0, 65536)
            if not got:
                return
            *lines, self.partial = (self.partial + got).split(b"\n")
            for line in lines:
                self.count += json.loads(line)["acknowledge"]["checkpoints"]
                self.log.write(b"%d\n" % self.count)


def session(request):
    config, given = request["capture"]["config"], request["state"]
    run = f"{time.time_ns():020d}-{os.getpid()}"
    path = os.path.join(config["log"], run)
    with open(path + ".part", "w") as file:
        json.dump(given, file)
    os.rename(path + ".part", path + ".state")
    at = {name: given.get("at", {}).get(name, 0) for name in "ab"}
    number = given.get("last", {}).get("group", -1) + 1
    acknowledgements = Acknowledgements(path + ".acks")
    with open(path + ".jsonl", "wb", buffering=0) as log:
        os.write(1, b'{"opened":{"explicitAcknowledgements":true}}\n')
        while not os.path.exists(config["finish"]):
            said = group(number, at)
            log.write(said)
            # In two pieces, so that a kill finds groups that are half said.
            os.write(1, said[:len(said) // 2])
            time.sleep(0.0003)  # its pace, so that a run is cut in many places: nothing waits for it
            os.write(1, said[len(said) // 2:])
            number += 1
            acknowledgements.take()


def read_line():
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(0, 1)  # what follows it is for select
    return json.loads(line)


(verb, body), = read_line().items()
if verb == "spec":
    print(json.dumps({"spec": {"protocol": 3032023, "configSchema": {}, "resourceConfigSchema": {}}}))
elif verb == "validate":
    print(json.dumps({"validated": {"bindings": [{"resourcePath": [each["resourceConfig"]["name"]]}
                                                 for each in body["bindings"]]}}))
elif verb == "apply":
    print(json.dumps({"applied": {"state": {"updated": {"slot": 1}, "mergePatch": True}}}))
else:
    session(body)
