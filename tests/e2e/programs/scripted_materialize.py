"""A materialization connector without an endpoint, which answers as its config says, right or wrong.

Config: `seen`, a file as sqlite_materialize.py's; `delta`; `resource_schema`; `constraints`: {field: {"type", …}}; `say`: {request: [what to
answer to the first, to the second, …]}, each a list of steps instead of the usual answer: {a message}, {"text": raw
line}, {"part": bytes without a newline}, {"log": line}, {"exit": status}, {"close": stdout, and make this file},
{"wait": until this file is there}.
"""

import lean_json as json
import os
import sys
import time


def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()


class Connector:
    def __init__(self):
        self.config, self.count = {}, {}

    def note(self, way, message):
        with open(self.config["seen"], "a") as file:
            file.write(json.dumps({way: message}) + "\n")

    def usual(self, verb, body):
        if verb == "spec":
            return [{"spec": {"protocol": 3032023, "configSchema": {},
                              "resourceConfigSchema": self.config.get("resource_schema", {}),
                              "documentationUrl": "https://example.com"}}]
        if verb == "validate":
            given = self.config.get("constraints", {})
            return [{"validated": {"bindings": [{
                "resourcePath": [str(b["resourceConfig"].get("table", b["resourceConfig"]))], "deltaUpdates": bool(self.config.get("delta")),
                "caseInsensitiveFields": bool(self.config.get("case_insensitive")),
                "projectionConstraints": [
                    {"field": p["field"], "constraint": given.get(p["field"], {"type": "FIELD_OPTIONAL", "reason": "as you like"})}
                    for p in b["collection"]["projections"]]} for b in body["bindings"]]}}]
        return [{{"apply": "applied", "open": "opened", "acknowledge": "acknowledged", "flush": "flushed",
                  "startCommit": "startedCommit"}[verb]: {}}] if verb not in ("load", "store") else []

    def step(self, step):
        if "text" in step:
            write(step["text"] + "\n")
        elif "part" in step:
            write(step["part"])
        elif "log" in step:
            print(step["log"], file=sys.stderr, flush=True)
        elif "close" in step:
            os.close(1)
            open(step["close"], "w").close()
        elif "wait" in step:
            while not os.path.exists(step["wait"]):
                time.sleep(0.01)
        elif "exit" in step:
            os._exit(step["exit"])
        else:
            self.note("<", step)
            write(json.dumps(step, separators=(",", ":")) + "\n")

    def main(self):
        for line in sys.stdin:
            message = json.loads(line)
            (verb, body), = message.items()
            self.config = body.get("materialization", {}).get("config") or body.get("config") or self.config
            self.note(">", message)
            at = self.count[verb] = self.count.get(verb, 0) + 1
            said = self.config.get("say", {}).get(verb, [])
            for step in said[at - 1] if at <= len(said) and said[at - 1] is not None else self.usual(verb, body):
                self.step(step)


if __name__ == "__main__":
    Connector().main()
