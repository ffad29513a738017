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


# --- jobs --------------------------------------------------------------------------------------------------


def job_runs(log):
    """Of each run of the source: when it began (ms), what it was given, how many records of each stream it said, and the
    state that it ended with."""
    runs = []
    for path in sorted(pathlib.Path(log).glob("*.jsonl")):
        given, counts, state = json.loads(path.with_suffix(".state").read_text()), {"a": 0, "b": 0}, {}
        for line in path.read_bytes().split(b"\n")[:-1]:
            message = json.loads(line)
            if message["type"] == "RECORD":
                counts[message["record"]["stream"]] += 1
            else:
                stream = message["state"]["stream"]
                state[stream["stream_descriptor"]["name"]] = stream["stream_state"]["n"]
        runs.append((int(path.name.split("-")[0]) // 10**6, given, counts, state))
    return runs


def check_attempt(job, attempt, run, following):
    """What is said of one attempt, beside what its run of the source said and what the next run was given."""
    who = f"job {job['id']}, attempt {attempt['number']}"
    committed = {each["name"]: each["stats"]["recordsCommitted"] for each in attempt["streams"]}
    problems = [f"{who}: {each['name']} has more committed than emitted" for each in attempt["streams"]
                if each["stats"]["recordsCommitted"] > each["stats"]["recordsEmitted"]]
    if sum(committed.values()) != attempt["stats"]["recordsCommitted"]:
        problems.append(f"{who}: its statistics are not those of its streams")
    if not run:
        return problems + [f"{who} has committed {committed}, and its source never ran" for _ in [0] if any(committed.values())]
    _, given, counts, state = run
    for name in "ab":
        number, after = committed.get(name, 0), following.get(name, 0) if following is not None else None
        if number > counts[name]:
            problems.append(f"{who}: {name} has {number} committed, and the source said {counts[name]}")
        if after is not None and given.get(name, 0) + number > after:
            problems.append(f"{who}: {name} has {number} committed after {given.get(name, 0)}, and the next run was given {after}")
        if attempt["status"] == "succeeded" and number != counts[name]:
            problems.append(f"{who} succeeded: {name} has {number} committed, and the source said {counts[name]}")
        if attempt["status"] == "succeeded" and after is not None and after != state[name]:
            problems.append(f"{who} succeeded: {name} ended at {state[name]}, and the next run was given {after}")
    return problems


def check_jobs(jobs, log):
    """Of one connection's jobs, in order: that each is over, and what is said of it is so."""
    runs, problems = job_runs(log), []
    for job in jobs:
        attempts = job["attemptList"]
        if job["status"] not in ("succeeded", "failed", "cancelled") or job["endedMs"] < job["createdMs"]:
            problems.append(f"job {job['id']} is {job['status']}")
        if [each["number"] for each in attempts] != list(range(job["attempts"])):
            problems.append(f"job {job['id']} has {job['attempts']} attempts, and {len(attempts)} are kept")
        wanted = ["failed"] * (len(attempts) - 1) + ["succeeded" if job["status"] == "succeeded" else "failed"]
        if [each["status"] for each in attempts] != wanted:
            problems.append(f"job {job['id']} is {job['status']}, its attempts are {[each['status'] for each in attempts]}")
        for each in ("recordsCommitted", "recordsEmitted", "bytesCommitted"):
            if job["stats"][each] != sum(attempt["stats"][each] for attempt in attempts):
                problems.append(f"job {job['id']}: {each} is not the sum of its attempts'")
        for attempt in attempts:
            if attempt["status"] == "failed" and not all(each["origin"] and each["message"] for each in attempt["failures"] or [{"origin": ""}]):
                problems.append(f"job {job['id']}, attempt {attempt['number']} failed, and nothing says why")
            within = [at for at, run in enumerate(runs) if attempt["createdMs"] <= run[0] <= attempt["endedMs"]]
            if len(within) > 1:
                problems.append(f"job {job['id']}, attempt {attempt['number']} ran its source {len(within)} times")
            following = next((runs[at + 1][1] for at in within[-1:] if at + 1 < len(runs)), None)
            problems += check_attempt(job, attempt, runs[within[-1]] if within else None, following)
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
