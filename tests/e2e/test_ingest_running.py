"""Push captures under `firth run` and the daemon: deploys that drop no connection, what survives deaths, pressure."""

import concurrent.futures
import gzip
import json
import os
import pathlib
import re
import resource
import signal
import socket
import threading

import pytest

import pushing
import serving
from conftest import until
from pushing import BASE, COLLECTION, NAME, PATH, Client, documents

OTHER = "acmeCo/example/other"


def serve(firth, path, *args):
    serving.deploy(firth, path)
    daemon = firth.start("serve", "--ingest", "127.0.0.1:0", "--retry-after", "1ms", *args)
    return daemon, pushing.started(daemon)


def test_under_the_daemon(firth, tmp_path):
    _, client = serve(firth, pushing.catalog(tmp_path / "flow.json"))
    assert client.push({"id": "a"}, Idempotency_Key="k").json() == {"published": 1}
    status = firth("status", "-o", "json", expect=0).json()
    assert status["daemon"]["ingest_url"].startswith("http://127.0.0.1:")
    task = next(each for each in status["tasks"] if each["task"] == NAME)
    assert task["state"] == "running"
    assert [each["collection"] for each in task["collections"]] == [COLLECTION], "notes are not shown"
    assert status["daemon"]["ingest_url"] in firth("status", expect=0).out


def test_a_deploy_drops_no_connection(firth, tmp_path):
    """Another capture comes, one changes, one goes: the connection and the process stay; nobody hears 404 of what is there."""
    path = tmp_path / "flow.json"
    daemon, client = serve(firth, pushing.catalog(path))
    process = pushing.listener_of(daemon)
    told, ended = [], threading.Event()

    def push():
        own = Client(daemon.url)
        while not ended.is_set():
            answer = own.push({"id": "x"})
            assert answer.status != 503 or answer.headers["Retry-After"] == "1"
            told.append(answer.status)
        return own.sockets

    with concurrent.futures.ThreadPoolExecutor() as pool:
        pushes = pool.submit(push)
        pushing.catalog(path, {"authToken": "t"}, {COLLECTION: {"name": "webhooks", "authToken": None}, OTHER: {"name": "other"}})
        assert serving.deploy(firth, path) == {NAME: "change"}
        until(lambda: client.push({"id": "o"}, path=f"{BASE}/other", Authorization="Bearer t").status == 200, "the new resource")
        pushing.catalog(path, {"maxBodyBytes": 10})
        serving.deploy(firth, path)
        until(lambda: client.push({"id": "too large for it"}).status == 413, "the new limit")
        until(lambda: client.push({"id": "o"}, path=f"{BASE}/other").status == 404, "the resource to go")
        ended.set()
        assert pushes.result() == 1 == client.sockets
    assert set(told) <= {200, 401, 413, 503} and 200 in told
    # One that cannot begin is away: whoever sends is to try again.
    (firth.data_dir / "collections").rename(tmp_path / "kept")
    (firth.data_dir / "collections").write_text("")
    pushing.catalog(path, {"maxBodyBytes": 20})
    serving.deploy(firth, path)
    answer = until(lambda: (said := client.push({"id": "x"})).status == 503 and said, "the refusal")
    assert answer.headers["Retry-After"] == "1" and "try again" in answer.json()["error"]
    assert pushing.listener_of(daemon) == process


def test_a_capture_that_is_removed_has_no_path(firth, tmp_path):
    path = tmp_path / "flow.json"
    _, client = serve(firth, pushing.catalog(path))
    catalog = json.loads(path.read_text())
    del catalog["captures"]
    path.write_text(json.dumps(catalog))
    serving.deploy(firth, path, "--prune")
    until(lambda: client.push({"id": "a"}).status == 404, "the path to go")
    assert client.sockets == 1


def test_ids_and_documents_survive_the_listener(firth, tmp_path):
    daemon, client = serve(firth, pushing.catalog(tmp_path / "flow.json"))
    for number in range(300):
        assert client.push({"id": str(number)}, Idempotency_Key=str(number)).json() == {"published": 1}
    process = pushing.listener_of(daemon)
    os.kill(process, signal.SIGKILL)
    client = pushing.started(daemon)
    assert pushing.listener_of(daemon) != process
    for number in (0, 150, 299):
        assert client.push({"id": str(number)}, Idempotency_Key=str(number)).json()["duplicate"], number
    assert [each["id"] for each in documents(firth)] == [str(number) for number in range(300)]


def test_ports_are_kept(firth, tmp_path):
    """What listened at any port is there again after its death and after a restart; where it cannot be, that is told."""
    def run():
        running = firth.start("run", path, "--ingest", "127.0.0.1:0", "--ingest-kafka", "127.0.0.1:0", "-o", "json", "--retry-after", "1ms")
        return running, listening(running)

    def listening(running):
        told = [json.loads(running.wait_for_line('"event":"listening"')) for _ in range(2)]
        return [(each["url"], each.get("lostPort")) for each in told]

    path = pushing.catalog(tmp_path / "flow.json")
    running, first = run()
    os.kill(pushing.listener_of(running), signal.SIGKILL)
    assert listening(running) == first
    running.signal(signal.SIGTERM)
    running.wait()
    running, again = run()
    assert again == first
    running.signal(signal.SIGTERM)
    running.wait()
    port = int(first[0][0].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        _, (http, kafka) = run()
        assert http[1] == port and http[0] != first[0][0] and kafka == first[1]


def test_ids_survive_a_restart_of_all(firth, tmp_path):
    path = pushing.catalog(tmp_path / "flow.json", {"idWindow": 10})
    for life in range(3):
        running, client = pushing.run(firth, path)
        for number in range(20 * life, 20 * life + 20):
            assert client.push({"id": str(number)}, Idempotency_Key=str(number)).json() == {"published": 1}
        running.signal(signal.SIGTERM)
        running.wait()
    _, client = pushing.run(firth, path)
    assert client.push({"id": "x"}, Idempotency_Key="50").json()["duplicate"]
    assert client.push({"id": "x"}, Idempotency_Key="49").json() == {"published": 1}, "past the window"
    assert len(documents(firth)) == 61


def test_two_captures_of_one_path(firth, tmp_path):
    path = pushing.catalog(tmp_path / "flow.json", {}, {COLLECTION: {"name": "webhooks", "path": "/hooks/a"}})
    catalog = json.loads(path.read_text())
    catalog["collections"][OTHER] = catalog["collections"][COLLECTION]
    catalog["captures"]["acmeCo/second"] = {"endpoint": {"ingest": {}}, "bindings": [
        {"target": OTHER, "resource": {"name": "other", "path": "/hooks/a"}}]}
    path.write_text(json.dumps(catalog))
    running = firth.start("run", path, "--ingest", "127.0.0.1:0", "-o", "json")
    error = json.loads(running.wait_for_line(lambda line: '"error"' in line and '"ended"' in line))["error"]["message"]
    assert "/hooks/a" in error and NAME in error and "acmeCo/second" in error


def test_many_at_once_share_commits(firth, tmp_path):
    running, client = pushing.run(firth, pushing.catalog(tmp_path / "flow.json"))

    def push(number):
        own = Client(running.url)
        return [own.push({"id": f"{number}-{each}"}).status for each in range(20)]

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        assert all(status == 200 for answers in pool.map(push, range(32)) for status in answers)
    assert client.push({"id": "last"}).status == 200
    assert len({each["id"] for each in documents(firth)}) == 641
    assert pushing.commits_of(running, 641) < 641


def test_large_requests_beside_each_other(firth, tmp_path):
    """Past the stage a request's documents are appended at once, and still come whole or not at all."""
    running, _ = pushing.run(firth, pushing.catalog(tmp_path / "flow.json"))
    many = [{"id": str(number), "text": "x" * 1000} for number in range(12000)]

    def push(body):
        return Client(running.url).push(body).status

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(push, [many, many + [{"id": 3}], [{"id": "s"}], many, [{"id": "s"}] * 9]))
    assert answers == [200, 400, 200, 200, 200]
    assert len(documents(firth)) == 24010


def test_bombs(firth, tmp_path):
    """Requests of 200 bytes that become 16 MiB, and ten times that when they are parsed: what all of them hold is bounded, whoever is
    beyond it hears when to come again, and others are served."""
    running, client = pushing.run(firth, pushing.catalog(tmp_path / "flow.json"))
    bomb = gzip.compress(gzip.compress(b'{"id":"b","v":[' + b"0," * ((8 << 20) - 20) + b"0]}"))
    listener = pushing.listener_of(running)

    def push(_):
        own = Client(running.url)
        answer = own.push(bomb, Content_Encoding="gzip, gzip")
        own.close()
        assert answer.status == 200 or (answer.status == 503 and answer.headers["Retry-After"]), answer
        return answer.status

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = pool.map(push, range(10))
        for number in range(20):
            assert client.push({"id": str(number)}).status == 200
        answers = list(answers)
    assert 200 in answers and 503 in answers
    peak = int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{listener}/status").read_text())[1])
    assert peak < 512 << 10, f"{peak} KiB"
    assert client.push(bomb, Content_Encoding="gzip, gzip").status == 200, "what was held is given back"


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_whoever_waits_at_the_end_is_answered(firth, tmp_path, stop):
    running, _ = pushing.run(firth, pushing.catalog(tmp_path / "flow.json"))
    acknowledged, begun = [], threading.Event()

    def push(number):
        own = Client(running.url)
        try:
            for each in range(10000):
                answer = own.push({"id": f"{number}-{each}"})
                if answer.status != 200:
                    return answer.status
                acknowledged.append(f"{number}-{each}")
                if len(acknowledged) > 50:
                    begun.set()
        except OSError:
            pass
        return 0

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = [pool.submit(push, number) for number in range(8)]
        assert begun.wait(60)
        running.signal(stop)
        running.wait()
        assert {each.result() for each in results} <= {0, 503}
    stored = [each["id"] for each in documents(firth)]
    assert set(acknowledged) <= set(stored) and len(stored) == len(set(stored))


def test_idle_connections(firth, tmp_path):
    """Ten thousand, as far as the machine lets: they cost their memory, and hold nobody up."""
    with pushing.descriptors(10000) as count:
        running, client = pushing.run(firth, pushing.catalog(tmp_path / "flow.json"))
        process = pushing.listener_of(running)
        before = pushing.resident(process)
        address = pushing.address_of(running)
        idle = [socket.create_connection(address) for _ in range(count)]
        assert client.push({"id": "a"}).status == 200
        for each in idle[::count // 20]:
            each.sendall(request(b'{"id":"b"}'))
            assert b" 200 " in each.recv(1000)
        assert (pushing.resident(process) - before) / count < 24 << 10
        for each in idle:
            each.close()


def test_more_connections_than_descriptors(firth, tmp_path):
    """Those past them wait until others have gone; who is served is served on, and commits have their files."""
    daemon = firth.start("serve", "--ingest", "127.0.0.1:0", "--retry-after", "1ms")
    daemon.wait_for_line("serving ")
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (200, 200))
    serving.deploy(firth, pushing.catalog(tmp_path / "flow.json"))
    client = pushing.started(daemon)
    idle = [socket.create_connection(pushing.address_of(daemon)) for _ in range(400)]
    for _ in range(20):
        assert client.push({"id": "a"}).status == 200
    idle[-1].sendall(request(b'{"id":"b"}'))
    for each in idle[:-1]:
        each.close()
    assert b" 200 " in idle[-1].recv(1000)
    idle[-1].close()
    assert len(documents(firth)) == 21


def test_every_capture_comes_back(firth, tmp_path):
    """The process that they share dies, again and again: that is no failure of theirs, and the wait grows no longer."""
    path = pushing.catalog(tmp_path / "flow.json")
    catalog = json.loads(path.read_text())
    catalog["collections"][OTHER] = catalog["collections"][COLLECTION]
    catalog["captures"]["acmeCo/second"] = {"endpoint": {"ingest": {}}, "bindings": [
        {"target": OTHER, "resource": {"name": "other"}}]}
    path.write_text(json.dumps(catalog))
    running, client = pushing.run(firth, path)

    def taken(path, life):
        """A capture that is being started is no path that nobody has: a sender would not come again."""
        status = client.push({"id": str(life)}, path=path).status
        assert status in (200, 503), (path, life, status)
        return status == 200
    for life in range(4):
        for each in ("/ingest/acmeCo/second/other", PATH):
            until(lambda path=each: taken(path, life), f"{each} in life {life}")
        os.kill(pushing.listener_of(running), signal.SIGKILL)
        client = pushing.started(running)
    assert [each["id"] for each in documents(firth)] == [each["id"] for each in documents(firth, OTHER)] == list("0123")
    waits = [json.loads(line) for line in running.out if '"event":"waiting"' in line]
    assert len(waits) == 8 and {(each["why"], each["delayMs"]) for each in waits} == {("backoff", 1)}


def raw(running, *parts, gone=False):
    """What is answered to these bytes, up to the end of the connection. `gone`: nobody waits for it."""
    with socket.create_connection(pushing.address_of(running), timeout=30) as peer:
        answer = b""
        try:
            for part in parts:
                peer.sendall(part)
            while not gone and (chunk := peer.recv(65536)):
                answer += chunk
        except ConnectionError:  # it is closed on what nobody wants to read
            pass
        return answer


def request(body, length=None, more=b""):
    return (f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) if length is None else length}\r\n".encode() + more
            + b"\r\n" + body)


def test_clients_that_are_none(firth, tmp_path):
    running, client = pushing.run(firth, pushing.catalog(tmp_path / "flow.json"))
    close = b"Connection: close\r\n"
    # Two requests in one piece, and one in pieces.
    answer = raw(running, request(b'{"id":"a"}') + request(b'{"id":"b"}', more=close))
    assert answer.count(b'{"published":1}') == 2
    whole = request(b'{"id":"c"}', more=close)
    assert raw(running, *(whole[at:at + 1] for at in range(len(whole)))).count(b'{"published":1}') == 1
    # A body that ends too soon is none, also where what came would be one.
    raw(running, request(b'{"id":"half"}', 100), gone=True)
    raw(running, request(b'{"id":"unread"}')[:-1], gone=True)
    assert b" 400 " in raw(running, request(b"", 0, b"Transfer-Encoding: chunked\r\n") + b"zz\r\n")[:20]
    for garbage in (b"\x16\x03\x01\x02\x00", b"POST\r\n\r\n", b"\r\n" * 100, b"GET / HTTP/9.9\r\n\r\n"):
        raw(running, garbage, gone=True)
    many = b"".join(b"X-%d: y\r\n" % number for number in range(5000))
    assert b" 200 " not in raw(running, request(b'{"id":"many"}', more=close + many))[:20]
    # What the clients leave open holds nobody up.
    with socket.create_connection(pushing.address_of(running)) as slow:
        slow.sendall(request(b'{"id":"slow"}', 100))
        assert client.push({"id": "last"}).status == 200
    assert [each["id"] for each in documents(firth)] == ["a", "b", "c", "last"]
