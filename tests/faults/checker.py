"""Reads only what the source said and what came of it; says what is wrong."""

import json
import pathlib


def said(log):
    """{stream: {n: data bytes}} of all runs, and the states given to each run in order."""
    documents, given = {"a": {}, "b": {}}, []
    for path in sorted(pathlib.Path(log).glob("*.jsonl")):
        # The last line may be cut: the source was killed while it wrote.
        for line in path.read_bytes().split(b"\n")[:-1]:
            message = json.loads(line)
            if message["type"] != "RECORD":
                continue
            record = message["record"]
            data = line[line.index(b'"data":') + 7:-2]
            known = documents[record["stream"]].setdefault(record["data"]["id"], data)
            assert known == data, "the source itself is not deterministic"
    for path in sorted(pathlib.Path(log).glob("*.state")):
        given.append(json.loads(path.read_text()))
    return documents, given


def last_run(log):
    """{stream: n}: the last document that the last run said."""
    path = sorted(pathlib.Path(log).glob("*.jsonl"))[-1]
    last = {}
    for line in path.read_bytes().split(b"\n")[:-1]:
        message = json.loads(line)
        if message["type"] == "STATE":
            stream = message["state"]["stream"]
            last[stream["stream_descriptor"]["name"]] = stream["stream_state"]["n"]
    return last


def states_only_grow(given):
    """What is wrong with the states that the runs were given: a state that went back is a lost commit."""
    problems, before = [], {}
    for number, state in enumerate(given):
        for stream, n in state.items():
            if n < before.get(stream, 0):
                problems.append(f"run {number} was given {stream}={n} after {before[stream]}")
            before[stream] = n
    return problems


def check_collection(stream, collection, log):
    """Every document once, in order, byte for byte, up to the last that the (clean) last run said."""
    documents, given = said(log)
    end = last_run(log)[stream]
    problems = states_only_grow(given)
    for position, data in enumerate(collection, start=1):
        if documents[stream].get(position) != data:
            problems.append(f"{stream}: document {position} is {data[:60]!r}, it should be "
                            f"{(documents[stream].get(position) or b'(nothing)')[:60]!r}")
            break
    if len(collection) != end:
        problems.append(f"{stream}: {len(collection)} documents, it should be {end}")
    return problems


def check_destination(stream, rows, log):
    """Every document at least once, none that was never said."""
    documents, given = said(log)
    end = last_run(log)[stream]
    problems = states_only_grow(given)
    got = set(rows)
    missing = [n for n in range(1, end + 1) if documents[stream][n] not in got]
    if missing:
        problems.append(f"{stream}: {len(missing)} documents are missing, the first {missing[0]} of {end}")
    strange = got - set(documents[stream].values())
    if strange:
        problems.append(f"{stream}: {len(strange)} rows that the source never said: {next(iter(strange))[:80]!r}")
    return problems


# --- connectors of Flow's ----------------------------------------------------------------------------------


def flow_sessions(log):
    """What each session was given, said and heard, in order: [(state, {binding: [documents]}, [positions after each
    checkpoint], checkpoints heard of)]."""
    sessions = []
    for path in sorted(pathlib.Path(log).glob("*.jsonl")):
        documents, checkpoints = {"a": [], "b": []}, []
        for line in path.read_bytes().split(b"\n")[:-1]:
            message = json.loads(line)
            if "captured" in message:
                documents["ab"[message["captured"].get("binding", 0)]].append(line[line.index(b'"doc":') + 6:-2])
            else:
                checkpoints.append({name: message["checkpoint"]["state"]["updated"]["at"][name] for name in "ab"})
        acks = path.with_suffix(".acks").read_bytes().split(b"\n")[:-1]
        given = json.loads(path.with_suffix(".state").read_text())
        sessions.append((given, documents, checkpoints, int(acks[-1]) if acks else 0))
    return sessions


def check_flow(collections, final, log):
    """Every document once, in order, byte for byte, up to the last checkpoint; nothing heard of as durable was lost.
    `final`: the state that one more session is given."""
    problems, said = [], {"a": {}, "b": {}}
    sessions = flow_sessions(log)
    following = [given for given, *_ in sessions[1:]] + [final]
    for number, (given, documents, checkpoints, heard) in enumerate(sessions):
        for name in "ab":
            at = given.get("at", {}).get(name, 0)
            for n, document in enumerate(documents[name], start=at + 1):
                assert said[name].setdefault(n, document) == document, "the connector itself is not deterministic"
        after = following[number].get("at", {})
        durable = {name: checkpoints[heard - 1][name] for name in "ab"} if heard else given.get("at", {})
        for name in "ab":
            if durable.get(name, 0) > after.get(name, 0):
                problems.append(f"session {number} heard that {name}={durable[name]} is durable, and the next was given "
                                f"{after.get(name, 0)}")
            if given.get("at", {}).get(name, 0) > after.get(name, 0):
                problems.append(f"session {number + 1} was given {name}={after.get(name, 0)} after {given['at'][name]}")
        if "old" in after or following[number].get("slot") != 1:
            problems.append(f"session {number + 1} was given a state that no patches make: {following[number]}")
    end = sessions[-1][2][-1] if sessions[-1][2] else sessions[-1][0].get("at", {})
    for name in "ab":
        for position, data in enumerate(collections[name], start=1):
            if said[name].get(position) != data:
                problems.append(f"{name}: document {position} is {data[:60]!r}, it should be "
                                f"{(said[name].get(position) or b'(nothing)')[:60]!r}")
                break
        if len(collections[name]) != end[name] or final.get("at", {}).get(name) != end[name]:
            problems.append(f"{name}: {len(collections[name])} documents, and the state says {final}; it should be {end[name]}")
    return problems
