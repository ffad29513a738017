"""The API and requests that mean harm: huge, slow, broken, many."""

import gzip
import json
import os
import signal
import socket
import struct
import threading

import pytest

import api
from api import Waiting, basic, read_all, serve
from conftest import until

LINE = b"POST /api/v1/workspaces/get HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + basic().encode() + b"\r\n"


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


def alive(client):
    return client.ask("GET", "/v1/workspaces").status == 200


@pytest.mark.parametrize("body", [b"{", b"nothing", b"[1,2]", b"\xff\xfe{}", b'{"workspaceId":1,"workspaceId":2}', b'{"a":' * 5000,
                                  b"\x00", b'"text"', b'{"workspaceId":"\xff"}'])
def test_bodies_that_are_no_json_objects(firth, body):
    client = serve(firth).api
    answer = client.ask("POST", "/api/v1/workspaces/get", body)
    assert answer.status in (400, 422), answer
    assert answer.json()["message"]
    assert alive(client)


@pytest.mark.parametrize("body, field", [
    ({}, "workspaceId"), ({"workspaceId": 7}, "workspaceId"), ({"workspaceId": None}, "workspaceId"),
    ({"workspaceId": "no uuid"}, "workspaceId"), ({"workspaceId": ["x"]}, "workspaceId"),
    ({"workspaceId": api.WORKSPACE, "includeTombstone": "yes"}, "includeTombstone")])
def test_wrong_values_are_named(firth, body, field):
    client = serve(firth).api
    answer = client.ask("POST", "/api/v1/workspaces/get", body)
    assert answer.status == 422, answer
    assert [each["propertyPath"] for each in answer.json()["validationErrors"]] == [field]
    assert client.ask("GET", "/api/public/v1/jobs?limit=x").json()["data"]["field"] == "limit"


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/xml", "application/jsonx"])
def test_other_types(firth, kind):
    client = serve(firth).api
    assert client.ask("POST", "/api/v1/workspaces/list", b"{}", {"Content-Type": kind}).status == 415
    # What curl -d says of JSON.
    assert client.ask("POST", "/api/v1/workspaces/list", b"{}",
                      {"Content-Type": "application/x-www-form-urlencoded"}).status == 200


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/api/v1/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
                                  "/api/v1/health%00.txt", "/api/v1/%00", "/api/v1/workspaces/get/../list", "/api/v1", "/..", "/v1",
                                  "/api/v1//health", "/api/public/v1/sources/..%2f..%2fetc", "/api/public/v1/jobs/1%2F2",
                                  "/api/public/v1/jobs/x", "/api/public/v1/jobs/99999999999999999999", "/metrics/x"])
def test_paths_lead_nowhere(firth, path):
    client = serve(firth).api
    answer = client.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {basic()}\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) in (400, 404, 405), answer
    assert b"root:" not in answer
    assert alive(client)


@pytest.mark.parametrize("line", ["GET http://localhost:5/api/v1/health", "GET http://", "OPTIONS *", "CONNECT localhost:5", "GET x",
                                  "POST api/v1/workspaces/list"])
def test_targets_of_proxies(firth, line):
    client = serve(firth).api
    for _ in range(2):
        answer = client.raw(f"{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert status_of(answer) in (400, 404, 405), answer
    assert alive(client)


def test_methods(firth):
    client = serve(firth).api
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = client.ask(method, "/api/v1/workspaces/get")
        assert answer.status == 405 and answer.headers["Allow"] == "POST"
    assert client.ask("BREW", "/api/v1/health").status == 405
    preflight = client.ask("OPTIONS", "/api/v1/workspaces/get", None, {"Origin": "https://else.example", "Access-Control-Request-Method": "POST"})
    assert preflight.status == 405 and not [name for name in preflight.headers if name.startswith("Access-Control")]
    absent = client.ask("HEAD", "/api/public/v1/jobs/9")
    assert absent.status == 404 and absent.body == b"" and int(absent.headers["Content-Length"]) > 0
    assert client.ask("POST", "/api/public/v1/jobs/1", {}).headers["Allow"] == "GET, DELETE"
    head = client.ask("HEAD", "/api/v1/health")
    assert head.status == 200 and head.body == b""


def test_slash_at_the_end(firth):
    client = serve(firth).api
    assert client.config("workspaces/get/", {"workspaceId": api.WORKSPACE})["workspaceId"] == api.WORKSPACE
    assert client.config("workspaces/get", {"workspaceId": api.WORKSPACE.upper()})["workspaceId"] == api.WORKSPACE
    assert client.ask("GET", "/api/public/v1/workspaces/").status == 200


def test_bodies_that_are_too_large(firth):
    client = serve(firth).api
    length = b"Content-Type: application/json\r\nContent-Length: 17000000\r\n\r\n"
    assert status_of(client.raw(LINE + length)) == 413
    assert status_of(client.raw(LINE + b"Content-Length: 99999999999999999999999\r\n\r\n")) in (400, 413)
    piece = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    with client.connect() as peer:
        peer.sendall(LINE + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for _ in range(17):
            peer.sendall(piece)
        peer.sendall(b"0\r\n\r\n")
        assert status_of(read_all(peer)) == 413
    with client.connect() as peer:  # without an end
        peer.sendall(LINE + b"Transfer-Encoding: chunked\r\n\r\n")
        with pytest.raises(OSError):
            for _ in range(1000):
                peer.sendall(piece)
    assert alive(client)


def test_lengths_that_are_said_twice(firth):
    """A proxy might go by the other one: what is left would be a request."""
    client = serve(firth).api
    body = b'{"workspaceId": "%s"}' % api.WORKSPACE.encode()
    length = b"Content-Length: %d\r\n" % len(body)
    end = b"Content-Type: application/json\r\nConnection: close\r\n\r\n" + body
    assert status_of(client.raw(LINE + length + end)) == 200
    for twice in length + length, b"content-length: 1\r\n" + length, length + b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\n" * 2:
        assert status_of(client.raw(LINE + twice + end)) == 400, twice
    # Nor by what it may read otherwise: answered at once, and not read on as if it were the body.
    for other in b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding: identity\r\n":
        assert status_of(client.raw(LINE + other + end)) == 501, other
    for broken in b"Content-Length : 2\r\n" + length, b"Transfer-Encoding : chunked\r\n" + length, b"Host: localhost\r\n" + length:
        assert status_of(client.raw(LINE + broken + end)) == 400, broken
    assert status_of(client.raw(LINE + b"Transfer-Encoding: Chunked\r\n" + end.replace(body, b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)))) == 200


def test_bodies_that_are_encoded(firth):
    client = serve(firth).api
    body = json.dumps({"workspaceId": api.WORKSPACE}).encode()
    assert client.ask("POST", "/api/v1/workspaces/get", body, {"Content-Encoding": "Identity"}).status == 200
    for encoding in "gzip", "br", "identity, gzip":
        assert client.ask("POST", "/api/v1/workspaces/get", gzip.compress(body), {"Content-Encoding": encoding}).status == 415


def timer_of(port):
    """The kernel's timer of our end of the connection from that port: "02" asks the other end whether it is there."""
    with open("/proc/net/tcp", encoding="ascii") as sockets:
        for line in sockets:
            _, _, peer, state, _, timer = line.split()[:6]
            if peer.endswith(f":{port:04X}") and state == "01":
                return timer.partition(":")[0]


def test_clients_that_are_gone_without_a_word(firth):
    client = serve(firth).api
    with client.connect() as peer:
        peer.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        peer.recv(10)
        port = peer.getsockname()[1]
        until(lambda: timer_of(port) == "02", "the kernel to look after the connection")


def test_nobody_sends_a_body_without_a_password(firth):
    client = serve(firth).api
    answer = client.raw(b"POST /api/v1/workspaces/get HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
    assert status_of(answer) == 401  # before a byte of it was read


def test_heads_that_are_too_large(firth):
    client = serve(firth).api
    many = b"".join(b"X-%d: y\r\n" % n for n in range(10000))
    assert status_of(client.raw(LINE + many + b"\r\n")) in (None, 413, 431)
    assert status_of(client.raw(LINE + b"X: " + b"y" * 100000 + b"\r\n\r\n")) in (None, 413, 431)
    assert status_of(client.raw(b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n")) in (None, 400, 413, 414, 431)
    assert alive(client)


@pytest.mark.parametrize("request_", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 1000,
                                      b"GET /api/v1/health HTTP/1.1\r\n\r\n", b"POST /v1/jobs HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
                                      b"GET / HTTP/1.1\r\nHost: a\r\nBad\x00: x\r\n\r\n"])
def test_what_is_no_http(firth, request_):
    client = serve(firth, "--client-timeout", "300ms").api
    with client.connect() as peer:
        peer.sendall(request_)
        peer.shutdown(socket.SHUT_WR)
        assert b" 500 " not in read_all(peer)
    assert alive(client)


def test_no_header_is_made_by_a_request(firth):
    client = serve(firth).api
    answer = client.raw(b"GET /v1/workspaces?limit=1%0d%0aX-Made:%20yes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: "
                        + basic().encode() + b"\r\n\r\n")
    assert status_of(answer) == 422
    assert b"X-Made" not in answer.split(b"\r\n\r\n")[0]


def test_slow_clients_are_left(firth):
    client = serve(firth, "--client-timeout", "300ms").api
    with client.connect() as silent, client.connect() as slow, client.connect() as half:
        slow.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        half.sendall(LINE + b"Content-Length: 100\r\n\r\n{")
        for peer in (silent, slow, half):
            assert status_of(read_all(peer)) in (None, 400, 408)
    # A drop now and then does not help.
    with client.connect() as drip:
        stop = threading.Event()

        def send():
            try:
                while not stop.wait(0.02):
                    drip.sendall(b"X-A: b\r\n")
            except OSError:
                pass
        drip.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n")
        thread = threading.Thread(target=send)
        thread.start()
        assert status_of(read_all(drip)) in (None, 400, 408)
        stop.set()
        thread.join()
    assert alive(client)


def test_a_hundred_connections(firth):
    client = serve(firth).api
    request = b"GET /v1/workspaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + basic().encode() + b"\r\n\r\n"
    idle = [client.connect() for _ in range(100)]
    busy = [client.connect() for _ in range(100)]
    for _ in range(3):  # each connection is kept
        for peer in busy:
            peer.sendall(request)
        for peer in busy:
            found = b""
            while b"\r\n\r\n" not in found or not found.endswith(b"}"):
                found += peer.recv(65536)
            assert status_of(found) == 200
    until(lambda: b"firth_http_connections 20" in client.ask("GET", "/metrics").body, "200 connections")
    for peer in idle + busy:
        peer.close()
    until(lambda: b"firth_http_connections 1\n" in client.ask("GET", "/metrics").body, "these to be gone")


def test_stopping_answers_who_waits(firth, tmp_path):
    """A connector that hangs does not keep the daemon, and who asked is told."""
    daemon = serve(firth)
    waits = Waiting(firth, daemon.api, tmp_path)
    asked = [waits.ask() for _ in range(4)]
    until(lambda: len(waits.begun()) == 4, "four checks")
    pids = [int(path.name.split("-")[1]) for path in waits.begun()]
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert [each.join() for each in asked] == [503] * 4
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the end of the connectors")


def test_a_connector_that_hangs_is_ended_and_named(firth, tmp_path):
    daemon = serve(firth)
    waits = Waiting(firth, daemon.api, tmp_path)
    source = daemon.api.config("sources/create", {**waits.body, "name": "hangs"})["sourceId"]
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    client = serve(firth, "--ask-timeout", "1s").api
    checked = client.config("sources/check_connection", {"sourceId": source})
    assert checked["status"] == "failed" and "the source 'Secretive', asked for 'check', did not answer within 1 s" in checked["message"]
    found = client.config("sources/discover_schema", {"sourceId": source})
    reason = found["jobInfo"]["failureReason"]
    assert "asked for 'discover', did not answer within 3 s" in reason["externalMessage"] and reason["failureType"] == "system_error"
    until(lambda: not alive_processes(waits), "the end of the connectors")


def alive_processes(waits):
    return [pid for pid in (path.name.split("-")[1] for path in waits.begun()) if os.path.exists(f"/proc/{pid}")]


def test_connectors_that_hang_hold_up_nothing_else(firth, tmp_path):
    """As many as may be asked hang: lists, syncs and Firth's own API go on; one more question is refused at once."""
    client = serve(firth).api
    connection = client.connection()
    waits = Waiting(firth, client, tmp_path)
    asked = [waits.ask() for _ in range(8)]
    until(lambda: len(waits.begun()) == 8, "eight checks")
    refused = client.ask("POST", "/api/v1/scheduler/sources/check_connection", waits.body)
    assert refused.status == 503 and "8 connectors are being asked already" in refused.json()["message"]
    assert [each["connectionId"] for each in client.config("connections/list", {"workspaceId": api.WORKSPACE})["connections"]] == [connection]
    job = client.config("connections/sync", {"connectionId": connection})["job"]["id"]
    until(lambda: client.config("jobs/get", {"id": job})["job"]["status"] == "succeeded", "the sync")
    assert client.ask("GET", "/api/firth/v1/status").status == 200
    waits.let_go()
    assert [each.join() for each in asked] == [200] * 8


@pytest.mark.parametrize("how", ["closes", "half-closes", "resets"])
def test_a_client_that_goes_ends_its_question(firth, tmp_path, how):
    """A question that nobody hears the answer of is given up with its connector, and its place is free."""
    client = serve(firth).api
    waits = Waiting(firth, client, tmp_path)
    body = json.dumps(waits.body).encode()
    request = (b"POST /api/v1/scheduler/sources/check_connection HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\n"
               b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (basic().encode(), len(body), body))
    peers = [client.connect() for _ in range(8)]
    for peer in peers:
        peer.sendall(request)
    until(lambda: len(waits.begun()) == 8, "eight checks")
    for peer in peers:
        if how == "half-closes":
            peer.shutdown(socket.SHUT_WR)
            continue
        if how == "resets":
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
    until(lambda: not alive_processes(waits), "the end of the connectors")
    for peer in peers:
        peer.close()
    waits.let_go()
    until(lambda: client.ask("POST", "/api/v1/scheduler/sources/check_connection", waits.body).status == 200, "room for a question")
    assert alive(client)


def test_an_error_tells_nothing_of_the_inside(firth):
    client = serve(firth).api
    answer = client.ask("POST", "/api/v1/connections/get", {"connectionId": api.NOTHING})
    assert answer.status == 404
    text = json.dumps(answer.json())
    assert str(firth.data_dir) not in text and "sqlite" not in text.lower()
    problem = client.ask("GET", f"/v1/connections/{api.NOTHING}")
    assert problem.status == 404 and problem.headers["Content-Type"] == "application/problem+json"
    assert problem.json()["title"] == "resource-not-found"
