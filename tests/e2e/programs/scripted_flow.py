"""A capture connector that speaks Flow's protocol and does what its config says, right or wrong.

Config: `seen`, a file to which it appends every request that it gets; `spec`, `validated`, `applied`, `opened`:
what to answer instead of the usual (a string: log it and exit with 1); `sessions`: the steps of each session, the
last one's for all that follow; `silent`: `open` is not answered; `refuse`: by a binding's name, why `validate` fails of it; `term`: {"log", "exit", "say"} on SIGTERM.
"""

import fcntl
import lean_json as json
import os
import _signal as signal  # without the enumerations
import sys
import time

from leaving import leave


def log(text):
    print(text, file=sys.stderr, flush=True)


def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def say(message):
    write(json.dumps(message, separators=(",", ":")) + "\n")


class Connector:
    def __init__(self):
        self.config, self.acknowledged = {}, 0

    def request(self):
        """The next request, its verb; None at the end of the input."""
        line = sys.stdin.readline()
        if not line:
            return None, None
        request = json.loads(line)
        (verb, body), = request.items()
        if verb in ("apply", "open"):
            self.config = body["capture"]["config"]
        elif "config" in body:
            self.config = body["config"]
        with open(self.config["seen"], "a") as file:
            file.write(json.dumps({"verb": verb, "argv": sys.argv[1:], "body": body, "env": dict(os.environ)}) + "\n")
        return verb, body

    def answer(self, name, usual):
        answer = self.config.get(name, usual)
        if isinstance(answer, str):
            log(answer)
            sys.exit(1)
        say({name: answer})

    def refuse(self, name):
        if name in self.config.get("refuse", {}):
            log(self.config["refuse"][name])
            sys.exit(1)

    def acknowledge(self):
        verb, body = self.request()
        if verb is None:
            return False
        assert verb == "acknowledge", verb
        self.acknowledged += body["checkpoints"]
        return True

    def steps(self):
        sessions = self.config.get("sessions", [[]])
        with open(self.config["seen"]) as file:
            opened = sum(json.loads(line)["verb"] == "open" for line in file)
        return sessions[min(opened, len(sessions)) - 1]

    def step(self, step):
        (name, value), = step.items()
        if name == "docs":
            binding, rest = value.get("binding", 0), value.get("data", {})
            for n in range(value["from"], value["to"] + 1):
                say({"captured": {**({"binding": binding} if binding else {}), "doc": {"id": n, **rest}}})
        elif name in ("checkpoint", "captured", "sourcedSchema", "backfillBegin", "backfillComplete"):
            say({name: value})
        elif name == "patch":
            say({"checkpoint": {"state": {"updated": value, "mergePatch": True}}})
        elif name == "text":
            write(value + "\n")
        elif name == "partial":
            write(value)
        elif name == "bytes":
            sys.stdout.buffer.write(bytes.fromhex(value))
            sys.stdout.flush()
        elif name == "log":
            log(value)
        elif name == "touch":
            open(value, "w").close()
        elif name == "wait_file":
            while not os.path.exists(value):
                time.sleep(0.005)
        elif name == "acknowledged":
            while self.acknowledged < value:
                assert self.acknowledge(), "the input ended before the acknowledgement"
        elif name == "small_input":
            fcntl.fcntl(0, fcntl.F_SETPIPE_SZ, 4096)
        elif name == "trickle":
            for n in range(1, value + 1):
                say({"captured": {"doc": {"id": n}}})
                say({"checkpoint": {}})
                time.sleep(0.005)  # its pace, so that each has a commit of its own: nothing waits for it
        elif name == "close_output":
            os.close(1)
        elif name == "close_input":
            os.close(0)
        elif name == "input_end":
            while self.acknowledge():
                pass
        elif name == "exit":
            sys.exit(value)
        elif name == "leave":
            leave(value.pop("text").encode(), **value)
        elif name == "die":
            os.kill(os.getpid(), value)
        elif name == "ignore_term":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                signal.pause()
        elif name == "for_ever":
            while True:
                signal.pause()
        else:
            raise ValueError(name)

    def session(self):
        if not self.config.get("silent"):
            self.answer("opened", {})
        for step in self.steps():
            self.step(step)

    def run(self):
        verb, body = self.request()
        term = self.config.get("term")
        if term:
            def leave(*_):
                log(term["log"])
                if "say" in term:
                    say(term["say"])
                os._exit(term["exit"])
            signal.signal(signal.SIGTERM, leave)
        if verb == "spec":
            self.answer("spec", {"protocol": 3032023, "configSchema": {"type": "object"},
                                 "resourceConfigSchema": {"type": "object"}, "documentationUrl": "https://x"})
        elif verb == "validate":
            for each in body["bindings"]:
                self.refuse(each["resourceConfig"]["path"][-1])
            self.answer("validated", {"bindings": [{"resourcePath": each["resourceConfig"]["path"]}
                                                   for each in body["bindings"]]})
        elif verb == "apply":
            self.answer("applied", {})
        else:
            self.session()


Connector().run()
