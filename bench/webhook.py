"""Durable webhooks: wrk sends documents of 500 bytes over kept connections; each answer comes after its commit.

CPU time of a request, of the listener (user and system, from /proc) and of wrk: what bounds the rate on a machine is
their sum. Two cores do RATE requests a second if it is below 2 s / RATE."""

import json
import os
import pathlib
import re
import signal
import subprocess

SECONDS = int(os.environ.get("BENCH_WEBHOOK", "5"))
RATE = 42000  # half of what nginx answers here with 204
CONNECTIONS = (64, 256)
PATH = "/ingest/acmeCo/hooks/hooks"
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}, "required": ["id"]}
SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"id":"abcdefgh-0123","n":42,"text":"' .. string.rep("x", 455) .. '"}'
"""


def ticks(pid):
    """User and system time so far, seconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def listener_of(pid):
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    if len(children) != 1:
        raise RuntimeError(f"firth run has {len(children)} processes, not the listener alone")
    return int(children[0])


def load(url, script, connections):
    """(requests, wrk's CPU seconds)."""
    before = os.times()
    said = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", script, url + PATH], check=True,
                          capture_output=True, text=True).stdout
    after = os.times()
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    return (int(re.search(r"(\d+) requests in", said).group(1)),
            after.children_user + after.children_system - before.children_user - before.children_system)


def bench(firth, folder, report):
    script, catalog = folder / "push.lua", folder / "webhook.yaml"
    script.write_text(SCRIPT)
    catalog.write_text(json.dumps({
        "collections": {"acmeCo/pushed": {"key": ["/id"], "schema": SCHEMA}},
        "captures": {"acmeCo/hooks": {"endpoint": {"ingest": {}}, "bindings": [
            {"target": "acmeCo/pushed", "resource": {"name": "hooks"}}]}}}))
    running = subprocess.Popen([firth, "run", catalog, "--data-dir", folder / "webhook", "--ingest", "127.0.0.1:0", "-o", "json"],
                               stdout=subprocess.PIPE, text=True)
    try:
        url = next((json.loads(line)["url"] for line in running.stdout if '"event":"listening"' in line), None)
        if not url:
            raise RuntimeError("firth run ended before it listened")
        # Not read any further: what it says of its commits fits a pipe, at a few lines a second.
        subprocess.run(["curl", "-s", "-f", "--retry", "50", "--retry-connrefused", "--json", '{"id":"first"}', url + PATH], check=True,
                       capture_output=True)
        listener = listener_of(running.pid)
        for connections in CONNECTIONS:
            before = ticks(listener)
            requests, theirs = load(url, script, connections)
            ours, theirs = ((ticks(listener) - before) / requests * 1e6, theirs / requests * 1e6)
            most = 2e6 / RATE
            report.line(f"webhook, {connections} connections", f"{ours:.1f} µs of CPU a request ({requests / SECONDS:.0f}/s here)",
                        f"wrk {theirs:.1f} µs", f"{2e6 / (ours + theirs):.0f}/s on two cores", f"{RATE}/s, both in {most:.1f} µs",
                        ours + theirs <= most)
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait()
        running.stdout.close()
