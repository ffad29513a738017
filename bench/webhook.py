"""Durable webhooks: wrk sends documents of 500 bytes over kept connections; each answer comes after its commit. Beside it, in turns,
nginx, which throws the body away and answers 204, and a naive server of Node's that appends and syncs in groups
(peers/durable_server.js).

Requests a second, and the CPU time of one (user and system, from /proc), of the server and of wrk: on a machine that both
share their sum is what bounds the rate. And how long answers take at half of the rate."""

import collections
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import threading

SECONDS = int(os.environ.get("BENCH_WEBHOOK", "5"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
CONNECTIONS = (64, 256)
PEERS = pathlib.Path(__file__).resolve().parent / "peers"
PATH = "/ingest/acmeCo/hooks/hooks"
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}, "n": {"type": "integer"}}, "required": ["id"]}
SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"id":"abcdefgh-0123","n":42,"text":"' .. string.rep("x", 455) .. '"}'
"""
# wrk waits whole milliseconds before each request of a connection: some of them one more than others.
PACED = SCRIPT + "function delay() return math.floor(PAUSE + math.random()) end\n"
UNITS = {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}
NGINX = """daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ return 204; }} }}
}}
"""


def ticks(pid):
    """User and system time so far, seconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid):
    return [int(each) for each in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def listener_of(pid):
    found = children(pid)
    if len(found) != 1:
        raise RuntimeError(f"firth run has {len(found)} processes, not the listener alone")
    return found[0]


class Load(collections.namedtuple("Load", "rate server wrk p99")):
    """Requests a second, µs of CPU of one, and ms in which 99 of 100 were answered."""

    @property
    def cost(self):
        return self.server + self.wrk


def load(url, pids, script, connections):
    before, theirs = sum(map(ticks, pids)), os.times()
    said = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "-s", script, url + PATH], check=True,
                          capture_output=True, text=True).stdout
    after = os.times()
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    requests = int(re.search(r"(\d+) requests in", said).group(1))
    number, unit = re.search(r"99%\s+([0-9.]+)(us|ms|s|m)", said).groups()
    wrk = after.children_user + after.children_system - theirs.children_user - theirs.children_system
    return Load(float(re.search(r"Requests/sec:\s+([0-9.]+)", said).group(1)), (sum(map(ticks, pids)) - before) / requests * 1e6,
                wrk / requests * 1e6, float(number) * UNITS[unit])


# --- who answers ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def running(command, **more):
    process = subprocess.Popen([str(word) for word in command], text=True, **more)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        if process.stdout:
            process.stdout.close()


def wait_until_it_answers(url):
    subprocess.run(["curl", "-s", "-f", "--retry", "50", "--retry-connrefused", "--json", '{"id":"first"}', url + PATH], check=True,
                   capture_output=True)


@contextlib.contextmanager
def firth_answers(firth, folder):
    catalog = folder / "webhook.yaml"
    catalog.write_text(json.dumps({
        "collections": {"acmeCo/pushed": {"key": ["/id"], "schema": SCHEMA}},
        "captures": {"acmeCo/hooks": {"endpoint": {"ingest": {}}, "bindings": [
            {"target": "acmeCo/pushed", "resource": {"name": "hooks"}}]}}}))
    with running([firth, "run", catalog, "--data-dir", folder / "webhook", "--ingest", "127.0.0.1:0", "-o", "json"],
                 stdout=subprocess.PIPE) as process:
        url = next((json.loads(line)["url"] for line in process.stdout if '"event":"listening"' in line), None)
        if not url:
            raise RuntimeError("firth run ended before it listened")
        # What it says of its commits is read on.
        threading.Thread(target=collections.deque, args=(process.stdout, 0), daemon=True).start()
        wait_until_it_answers(url)
        yield url, [listener_of(process.pid)]


@contextlib.contextmanager
def nginx_answers(folder):
    folder.mkdir()
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        port = each.getsockname()[1]
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with running([program, "-p", folder, "-e", folder / "error.log", "-c", folder / "nginx.conf"]) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until_it_answers(url)
        yield url, children(process.pid)


@contextlib.contextmanager
def node_answers(folder):
    with running(["node", PEERS / "durable_server.js", folder / "node.log"], stdout=subprocess.PIPE) as process:
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        wait_until_it_answers(url)
        yield url, [process.pid]


# --- the comparison ---------------------------------------------------------------------------------------------------


def median(loads):
    return Load(*(statistics.median(each) for each in zip(*loads)))


def beside_each_other(servers, script, connections, report):
    found = {name: [] for name in servers}
    for _ in range(ROUNDS):
        for name, (url, pids) in servers.items():
            found[name].append(load(url, pids, script, connections))
    ours, nginx, node = (median(found[name]) for name in ("firth", "nginx", "node"))
    report.line(f"webhook, {connections} connections", f"{ours.rate:.0f} durable requests/s",
                f"nginx {nginx.rate:.0f}/s, Node {node.rate:.0f}/s", f"{ours.rate / nginx.rate:.2f}, {ours.rate / node.rate:.1f}x",
                "half of nginx's", ours.rate >= nginx.rate / 2)
    report.line(f"webhook, {connections} connections, CPU", f"{ours.server:.1f} µs a request (wrk {ours.wrk:.1f})",
                f"nginx {nginx.server:.1f} ({nginx.wrk:.1f}), Node {node.server:.1f} ({node.wrk:.1f})",
                f"{ours.cost / nginx.cost:.2f} with wrk's", "at most 2", ours.cost <= 2 * nginx.cost)
    return ours


def at_half_load(server, folder, full, connections, report):
    script = folder / "paced.lua"
    pause = 1.5 * 1000 * connections / full.rate  # and about half of that again for the answer
    script.write_text(f"local PAUSE = {pause}\n{PACED}")
    found = median([load(*server, script, connections) for _ in range(ROUNDS)])
    report.line(f"webhook, {connections} connections, half load", f"99% of answers within {found.p99:.1f} ms",
                f"at {found.rate:.0f}/s", f"{found.rate / full.rate:.2f} of its rate", "50 ms", found.p99 < 50)


def bench(firth, folder, report):
    script = folder / "push.lua"
    script.write_text(SCRIPT)
    with firth_answers(firth, folder) as ours, nginx_answers(folder / "nginx") as nginx, node_answers(folder) as node:
        for connections in CONNECTIONS:
            full = beside_each_other({"firth": ours, "nginx": nginx, "node": node}, script, connections, report)
            at_half_load(ours, folder, full, connections, report)
