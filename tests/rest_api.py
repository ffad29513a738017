"""A server of a REST API of somebody else's, made by a test: what front.py and webflow.py have in common.

It answers GETs by `answer`, in threads, keeps what it was asked (`requests`), and can be made to fail: `fault`. A
subclass says what the API's answers are, how it refuses, and whose token is right."""

import dataclasses
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse


class Refused(Exception):
    def __init__(self, status, message, headers=None):
        super().__init__(message)
        self.status, self.headers = status, headers or {}


@dataclasses.dataclass
class Request:
    path: str          # decoded
    query: dict        # name: last value
    headers: dict      # names in lower case
    at: float          # time.monotonic()
    status: int = 0    # 0: the connection ended without an answer


class RestApi:
    """`base` is its URL; under `base`/endless each list goes on for ever."""

    def __init__(self):
        self.lock = threading.RLock()
        self.requests, self.faults = [], []
        self.limit = None  # (calls, seconds): more than these in a window are refused by `limited`
        self.calls, self.window = 0, 0.0
        api = self

        class Handler(RestHandler):
            pass
        Handler.api = api
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def pretend(self, host, folder):
        """Environment of a program that takes this server for https://`host`: it is the proxy, and knows the key."""
        cert, key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={host}",
                        "-addext", f"subjectAltName=DNS:{host}", "-keyout", key, "-out", cert], check=True, capture_output=True)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(cert, key)
        # Whatever else is set on this machine, these go before it.
        return {"https_proxy": self.base, "no_proxy": "", "CURL_CA_BUNDLE": str(cert)}

    def fault(self, kind, path="", times=1, after=0, headers=None):
        """What befalls the next requests whose path has `path` in it: a status (503), "cut" (half of the answer, then
        the end of the connection), "lost" (no answer), "slow" (byte by byte), or "text" (200, but no JSON)."""
        with self.lock:
            self.faults.append({"kind": kind, "path": path, "times": times, "after": after, "headers": headers or {}})

    def take_fault(self, path):
        for fault in self.faults:
            if fault["path"] in path and fault["times"]:
                if fault["after"]:
                    fault["after"] -= 1
                    continue
                fault["times"] -= 1
                return fault
        return {"kind": None, "headers": {}}

    def asked(self, path=""):
        with self.lock:
            return [request for request in self.requests if path in request.path]

    def spend(self):
        """The headers that tell what is left; refused if nothing is."""
        if not self.limit:
            return {}
        calls, seconds = self.limit
        if time.time() >= self.window:
            self.window, self.calls = float(int(time.time()) + seconds), 0
        self.calls += 1
        headers = self.limit_headers(max(0, calls - self.calls))
        if self.calls > calls:
            raise Refused(429, "Too many requests", headers)
        return headers

    # --- what a subclass says ---------------------------------------------------------------------------------

    def authorize(self, request):
        raise NotImplementedError

    def answer(self, request, base):
        """JSON of a request; `base` is the URL that its links begin with."""
        raise NotImplementedError

    def limit_headers(self, left):
        raise NotImplementedError

    def refusal(self, status, message):
        raise NotImplementedError


class RestHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # an answer is one packet
    tunnel = None       # https://host, where it pretends to be that

    def log_message(self, *args):
        pass

    def hang_up(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def reply(self, status, body, headers, kind):
        if kind == "text":
            body = b"<html>We will be back soon.</html>"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        if kind == "cut":
            self.wfile.write(body[:len(body) // 2])
            return self.hang_up()
        if kind != "slow":
            return self.wfile.write(body)
        for at in range(0, len(body), 7):
            self.wfile.write(body[at:at + 7])
            self.wfile.flush()

    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        self.connection = self.api.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb", -1), self.connection.makefile("wb", self.wbufsize)
        self.tunnel = "https://" + self.path.removesuffix(":443")
        self.close_connection = False

    def do_GET(self):
        api = self.api
        parsed = urllib.parse.urlsplit(self.path)
        path, base = urllib.parse.unquote(parsed.path), self.tunnel or api.base
        endless = path.startswith("/endless/")
        if endless:
            path, base = path[len("/endless"):], base + "/endless"
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(path, dict(urllib.parse.parse_qsl(parsed.query)), headers, time.monotonic())
        with api.lock:
            api.requests.append(request)
            fault = api.take_fault(path)
            more = {}
            try:
                if isinstance(fault["kind"], int):
                    raise Refused(fault["kind"], "made by the test", fault["headers"])
                if fault["kind"] == "lost":
                    return self.hang_up()
                more = api.spend()
                api.authorize(request)
                status, value = 200, api.endless(request, base) if endless else api.answer(request, base)
            except Refused as refused:
                status, value, more = refused.status, api.refusal(refused.status, str(refused)), refused.headers
            request.status = status
        self.reply(status, json.dumps(value).encode(), more, fault["kind"])
