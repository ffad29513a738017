"""A Firth with push captures, and clients of it: one connection each, kept, as real ones keep theirs."""

import contextlib
import http.client
import json
import pathlib
import resource
import socket
import ssl
import subprocess
import warnings

from conftest import until

NAME = "acmeCo/example/webhook-ingest"
COLLECTION = "acmeCo/example/webhooks"
BASE = f"/ingest/{NAME}"
PATH = f"{BASE}/webhooks"
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}, "n": {"type": ["integer", "null"]}},
          "required": ["id"]}


def catalog(path, endpoint=None, resources=None, collections=None, **capture):
    """The seed's catalog; `resources`: {collection: resource} instead of its one."""
    resources = resources or {COLLECTION: {"name": "webhooks"}}
    path.write_text(json.dumps({
        "collections": {name: {"key": ["/id"], "schema": SCHEMA, **(collections or {}).get(name, {})}
                        for name in {**resources, **(collections or {})}},
        "captures": {NAME: {"endpoint": {"ingest": endpoint or {}}, **capture, "bindings": [
            {"target": name, "resource": resource} for name, resource in resources.items()]}}}))
    return path


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read().decode()

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body}"


class Client:
    """One connection. `sockets` counts how often it had to be opened."""

    def __init__(self, url, timeout=60):
        scheme, _, address = url.partition("://")
        self.sockets = 0
        if scheme == "https":
            self.http = http.client.HTTPSConnection(address, timeout=timeout, context=ssl._create_unverified_context())
        else:
            self.http = http.client.HTTPConnection(address, timeout=timeout)

    def ask(self, method, path, body=None, headers=None):
        if self.http.sock is None:
            self.sockets += 1
        self.http.request(method, path, body=body, headers=headers or {})
        return Answer(self.http.getresponse())

    def push(self, body, path=PATH, kind="application/json", method="POST", **headers):
        """`headers`: X_Signature for X-Signature."""
        body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        return self.ask(method, path, body, {"Content-Type": kind,
                                             **{name.replace("_", "-"): value for name, value in headers.items()}})

    def push_lines(self, headers, body, path=PATH):
        """`headers`: pairs, of which several may have one name."""
        self.http.putrequest("POST", path)
        for name, value in [*headers, ("Content-Length", str(len(body)))]:
            self.http.putheader(name, value)
        self.http.endheaders(body)
        return Answer(self.http.getresponse())

    def close(self):
        self.http.close()


def started(running):
    """A client of the captures of a `firth run -o json` or a `firth serve`, once they take documents."""
    line = running.wait_for_line(lambda line: '"event":"listening"' in line or "push captures take documents at" in line)
    url = json.loads(line)["url"] if line.startswith("{") else line.split(" documents at ")[1].split("/ingest/")[0]
    running.url = url
    client = Client(url)
    until(lambda: client.ask("GET", BASE).status != 503, "the capture to begin")
    return client


def run(firth, path, *args, **more):
    running = firth.start("run", path, "--ingest", "127.0.0.1:0", "-o", "json", "--retry-after", "1ms", *args, **more)
    return running, started(running)


def commits_of(running, documents):
    """How many commits that many documents took, once they have been told: four times a second."""
    def told():
        for line in list(running.out):
            if '"event":"progress"' in line:
                each = json.loads(line)
                if sum(binding["committedDocuments"] for binding in each["bindings"]) == documents:
                    return each["commits"]
        return None
    return until(told, f"{documents} documents to be told")


def certificate(folder):
    """The arguments that make it HTTPS."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
                    "-subj", "/CN=here", "-keyout", "k.pem", "-out", "c.pem"], check=True, capture_output=True, cwd=folder)
    return ["--ingest-tls-cert", folder / "c.pem", "--ingest-tls-key", folder / "k.pem"]


def address_of(running):
    """Where its listener is, for a socket."""
    host, _, port = running.url.partition("://")[2].partition(":")
    return host, int(port)


def documents(firth, collection=COLLECTION):
    return firth.read(collection)


@contextlib.contextmanager
def descriptors(most):
    """As many as the machine lets, for this process and those after it: how many sockets a test may have, up to `most`."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield most if before[1] == resource.RLIM_INFINITY else max(100, min(most, before[1] - 2000))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def resident(process):
    """In bytes."""
    return int(pathlib.Path(f"/proc/{process}/statm").read_text().split()[1]) * resource.getpagesize()


def listener_of(running):
    """The pid of its process of push captures."""
    for each in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = each.parent.name, each.read_text().rpartition(")")[2].split()
            if int(rest[1]) == running.pid and b"\0ingest\0" in (each.parent / "cmdline").read_bytes():
                return int(pid)
        except OSError:
            continue
    return None


def refuses_old_tls(address):
    """Does the listener at (host, port) shake hands by TLS 1.2, and not by 1.1 or 1.0, with a client that has nothing else?"""
    for version, agreed in ((ssl.TLSVersion.TLSv1, False), (ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        with socket.create_connection(address, timeout=60) as plain:
            try:
                with context.wrap_socket(plain) as wrapped:
                    assert agreed, wrapped.version()
            except OSError as error:
                assert not agreed, (version, error)
