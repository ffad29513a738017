"""Plays a connector's side of a transcript, as it was recorded from a real one: transcript_peer.py TRANSCRIPT FOLDER.

A transcript is lines: `# exec …` begins a process, `> ` is what it was sent, `< ` what it answered, `! ` what it logged.
A call that asks once (spec, validate, …) gets the answer to the first such request that was not played yet; `open` the
next session. An answer is given as soon as what it answers has come: loads and a flush may come before or after
`acknowledged`. Where the transcript has acknowledgements of a capture, it waits for as many. A runtime checkpoint that
the endpoint gives back is the one that it was given last.

FOLDER: `played.json` is what was played; `sent.jsonl` all that came, as {"session", "message"}; `startedCommit-N` is made
when the N-th was said, `idle` when a capture has said all that it has; `failed` says that the transcript was left.
"""

import json
import os
import pathlib
import signal
import sys

FOLDER = pathlib.Path(sys.argv[2])


def sections(path):
    """Processes, each a list of (mark, text)."""
    found = []
    for line in pathlib.Path(path).read_text().split("\n"):
        if line.startswith("# exec "):
            found.append([])
        elif found and line[:2] in ("> ", "< ", "! ", "# "):
            found[-1].append((line[0], line[2:]))
    return found


def verb_of(text):
    return next(iter(json.loads(text)))


def status(section):
    codes = [text for mark, text in section if mark == "#" and text.startswith("exit rc=")]
    return int(codes[0].removeprefix("exit rc=")) if codes else 0


def take_turn(name):
    path = FOLDER / "played.json"
    played = json.loads(path.read_text()) if path.exists() else {}
    played[name] = played.get(name, 0) + 1
    path.write_text(json.dumps(played))
    return played[name]


def receive(session):
    line = sys.stdin.readline()
    if not line:
        return None, None
    message = json.loads(line)
    with open(FOLDER / "sent.jsonl", "a") as sent:
        sent.write(json.dumps({"session": session, "message": message}) + "\n")
    return next(iter(message.items()))


def put(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def leave(text):
    (FOLDER / "failed").write_text(text)
    os._exit(99)


def log(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def for_all(text, bindings):
    """A capture's `validated`, for as many bindings as were asked about: all that was discovered, or the one recorded."""
    (name, answer), = json.loads(text).items()
    if name != "validated" or len(answer["bindings"]) == len(bindings):
        return text
    paths = [[binding["resourceConfig"][part] for part in ("namespace", "stream")] for binding in bindings]
    return json.dumps({name: {**answer, "bindings": [{"resourcePath": path} for path in paths]}})


def answer_once(found, verb, body):
    """The lines behind the request, up to the next one."""
    places = [(section, at) for section in found for at, (mark, text) in enumerate(section)
              if mark == ">" and verb_of(text) == verb]
    if not places:
        leave(f"{verb} was never asked in the transcript")
    section, at = places[min(take_turn(verb), len(places)) - 1]
    for mark, text in section[at + 1:]:
        if mark == ">":
            return 0
        if mark == "!":
            log(text)
        elif mark == "<":
            put(for_all(text, body["bindings"]) if verb == "validate" and "namespace" in str(body["bindings"]) else text)
    return status(section)


class Materialization:
    """What each answer waits for: the request of its kind that was sent as often."""
    CAUSES = {"opened": "open", "acknowledged": "acknowledge", "flushed": "flush", "startedCommit": "startCommit"}

    def __init__(self, section, number):
        self.section, self.number, self.came, self.said = section, number, {"open": 1}, {}

    def wait_for(self, verb, count):
        while self.came.get(verb, 0) < count:
            name, body = receive(self.number)
            if name is None:
                leave(f"the input ended where {verb} number {count} was due")
            self.came[name] = self.came.get(name, 0) + 1
            if name == "startCommit":
                (FOLDER / "checkpoint.json").write_text(json.dumps(body["runtimeCheckpoint"]))

    def answer(self, text):
        (name, body), = json.loads(text).items()
        if name == "loaded":
            self.wait_for("flush", self.said.get("flushed", 0) + 1)
        else:
            self.said[name] = self.said.get(name, 0) + 1
            self.wait_for(self.CAUSES[name], self.said[name])
        if name == "opened" and body.get("runtimeCheckpoint", {}).get("sources"):
            given = FOLDER / "checkpoint.json"
            body["runtimeCheckpoint"] = json.loads(given.read_text()) if given.exists() else {}
            text = json.dumps({"opened": body})
        put(text)
        if name == "startedCommit":
            (FOLDER / f"startedCommit-{len(list(FOLDER.glob('startedCommit-*'))) + 1}").touch()

    def play(self):
        # What it logs before it dies, it logs when it was asked for what it dies of.
        last = max((at for at, (mark, _) in enumerate(self.section) if mark == "<"), default=0)
        for at, (mark, text) in enumerate(self.section):
            if mark == "<":
                self.answer(text)
            elif mark == "!":
                if at > last and status(self.section):
                    self.wait_for("startCommit", self.said.get("startedCommit", 0) + 1)
                log(text)
        if not status(self.section):
            while receive(self.number)[0] is not None:
                pass


class Capture:
    def __init__(self, section, number):
        self.section, self.number, self.asked, self.heard, self.terminated = section, number, 0, 0, False

    def hear(self):
        while self.heard < self.asked:
            name, body = receive(self.number)
            if name != "acknowledge":
                leave(f"{name} came where {self.asked - self.heard} acknowledgements were due")
            self.heard += body["checkpoints"]

    def play(self):
        for mark, text in self.section[1:]:
            if mark == "<":
                self.hear()
                put(text)
            elif mark == "!":
                log(text)
            elif mark == ">" and verb_of(text) == "acknowledge":
                self.asked += json.loads(text)["acknowledge"]["checkpoints"]
            elif text == "SIGTERM":
                self.hear()
                (FOLDER / "idle").touch()
                signal.sigwait([signal.SIGTERM])


def main():
    found = sections(sys.argv[1])
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    verb, body = receive(0)
    if verb != "open":
        os._exit(answer_once(found, verb, body))
    sessions = [section for section in found if any(mark == ">" and verb_of(text) == "open" for mark, text in section)]
    first = int(os.environ.get("TRANSCRIPT_SESSION", "0"))
    number = first + take_turn("open")
    if number > len(sessions):
        leave(f"there is no session {number}")
    section = sessions[number - 1]
    with open(FOLDER / "sent.jsonl", "a") as sent:
        sent.write(json.dumps({"session": number, "message": {verb: body}}) + "\n")
    (Materialization if "materialization" in body else Capture)(section, number).play()
    os._exit(status(section))


main()
