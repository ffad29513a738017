"""A client of the API for the tests: a daemon's address, a user, and what it answers."""

import base64
import json
import socket
import sqlite3
import ssl
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

WORKSPACE = "5ae6b09b-fdec-41af-aaf7-7d94cfc33ef6"
FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"
LOCAL_JSON = "a625d593-bba5-4a1c-a53d-2d246268a816"
NOTHING = "11111111-2222-4333-8444-555555555555"
COMMAND = 2  # enum control_origin, where built-in is 0


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:4000]!r}"


def basic(user="airbyte", password="password"):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Api:
    def __init__(self, url, authorization=basic()):
        self.url, self.authorization = url, authorization
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port)

    def ask(self, method, path, body=None, headers=None, timeout=60):
        """`body`: what is to be JSON, or bytes as they are."""
        full = {"Content-Type": "application/json"} if body is not None else {}
        if self.authorization:
            full["Authorization"] = self.authorization
        full.update(headers or {})
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method,
                                         headers={k: v for k, v in full.items() if v is not None})
        context = ssl._create_unverified_context() if self.url.startswith("https") else None
        try:
            with urllib.request.urlopen(request, timeout=timeout, context=context) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def config(self, path, body=None, expect=200):
        """POST /api/v1/PATH: the answer's JSON."""
        answer = self.ask("POST", f"/api/v1/{path}", {} if body is None else body)
        assert answer.status == expect, (path, body, answer)
        return answer.json() if answer.body else None

    def public(self, method, path, body=None, expect=200):
        answer = self.ask(method, f"/api/public/v1/{path}", body)
        assert answer.status == expect, (method, path, body, answer)
        return answer.json() if answer.body else None

    def connect(self):
        return socket.create_connection(self.address, timeout=30)

    def raw(self, request):
        """The bytes of the answer to these bytes, up to the end of the connection."""
        with self.connect() as peer:
            peer.sendall(request)
            return read_all(peer)

    # --- things that tests need ---

    def source(self, name="faker", **config):
        return self.config("sources/create", {"sourceDefinitionId": FAKER, "workspaceId": WORKSPACE, "name": name,
                                              "connectionConfiguration": {"count": 10, **config}})["sourceId"]

    def destination(self, folder="/local/files", name="files"):
        return self.config("destinations/create", {
            "destinationDefinitionId": LOCAL_JSON, "workspaceId": WORKSPACE, "name": name,
            "connectionConfiguration": {"destination_path": str(folder)}})["destinationId"]

    def connection(self, folder="/local/files", source=None, destination=None, streams=("users",), **more):
        source = source or self.source()
        destination = destination or self.destination(folder)
        catalog = self.config("sources/discover_schema", {"sourceId": source})["catalog"]
        catalog["streams"] = [s for s in catalog["streams"] if s["stream"]["name"] in streams]
        return self.config("connections/create", {
            "sourceId": source, "destinationId": destination, "status": "active", "syncCatalog": catalog,
            **more})["connectionId"]


def read_all(peer):
    found = b""
    while True:
        try:
            piece = peer.recv(65536)
        except ConnectionError:
            return found
        if not piece:
            return found
        found += piece


def serve(firth, *args, env=None):
    """A daemon that is ready, and its Api. Local JSON's /local is `files` in the data directory's folder."""
    root = firth.data_dir.parent / "files"
    daemon = firth.start("serve", *args, env={"FIRTH_LOCAL_ROOT": str(root), **(env or {})})
    line = daemon.wait_for_line(lambda text: "the API at " in text)
    daemon.api = Api(line.split("the API at ")[1].strip())
    return daemon


def register(firth, program):
    """A source by local command, or of a program in Python, straight into the control store: the API takes none. Its id."""
    command = program if isinstance(program, list) else [sys.executable, str(program)]
    with sqlite3.connect(firth.data_dir / "control.db") as db:
        db.execute("insert into definitions (id, side, name, origin, repository, tag, command, custom, created_ms, updated_ms)"
                   " values (?, 0, 'Secretive', ?, 'local/secretive', 'dev', ?, 1, 1, 1)",
                   (NOTHING, COMMAND, json.dumps(command)))
    return NOTHING


def destinations_can(firth, modes=("append", "overwrite", "append_dedup", "overwrite_dedup")):
    """From now on the spec of Local JSON says that it has these modes. (It is asked once: the daemon keeps it.)"""
    spec = {"connectionSpecification": {"type": "object"}, "supported_destination_sync_modes": modes}
    with sqlite3.connect(firth.data_dir / "control.db") as db:
        assert db.execute("update definitions set spec = ? where id = ?", (json.dumps(spec), LOCAL_JSON)).rowcount == 1


class Waiting:
    """A source whose check waits until it is let go: what asks for it waits too."""

    def __init__(self, firth, client, folder):
        self.client, self.folder = client, folder / "waiting"
        self.folder.mkdir()
        program = folder / "waiting.py"
        program.write_text(f"""
import json, os, sys, time
folder = {str(self.folder)!r}
if sys.argv[1] == "spec":
    print(json.dumps({{"type": "SPEC", "spec": {{"connectionSpecification": {{"type": "object"}}}}}}))
else:
    open(os.path.join(folder, "begun-" + str(os.getpid())), "w").close()
    while not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.01)
    print(json.dumps({{"type": "CONNECTION_STATUS", "connectionStatus": {{"status": "SUCCEEDED"}}}}))
""")
        self.body = {"sourceDefinitionId": register(firth, program), "workspaceId": WORKSPACE, "connectionConfiguration": {}}
        client.config("source_definition_specifications/get", self.body)

    def begun(self):
        return list(self.folder.glob("begun-*"))

    def let_go(self):
        (self.folder / "go").touch()

    def ask(self):
        """A check in a thread of its own; join() gives its status."""
        client, body = self.client, self.body

        class Asking(threading.Thread):
            def run(self):
                self.status = client.ask("POST", "/api/v1/scheduler/sources/check_connection", body).status

            def join(self, timeout=60):
                super().join(timeout)
                return self.status
        thread = Asking()
        thread.start()
        return thread
