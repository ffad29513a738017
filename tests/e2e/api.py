"""A client of the API for the tests: a daemon's address, a user, and what it answers."""

import base64
import json
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request

WORKSPACE = "5ae6b09b-fdec-41af-aaf7-7d94cfc33ef6"
FAKER = "dfd88b22-b603-4c3d-aad7-3701784586b1"
LOCAL_JSON = "a625d593-bba5-4a1c-a53d-2d246268a816"
NOTHING = "11111111-2222-4333-8444-555555555555"


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
