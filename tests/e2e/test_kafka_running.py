"""The Kafka listener under the daemon: deploys that drop no connection, bytes beyond its limits, clients by the thousand, metrics."""

import concurrent.futures
import gzip
import os
import pathlib
import queue
import re
import signal
import socket
import struct
import threading

import pytest
from backports import zstd

import brokering
import pushing
import serving
import sockets
from api import Api
from brokering import Raw, Reader
from conftest import until
from kafka_bytes import batch, error_of, produce, record
from metrics import metrics
from pushing import COLLECTION

AWAY = {5, 19, 20}  # LEADER_NOT_AVAILABLE, NOT_ENOUGH_REPLICAS…: to be tried again
NOT_KEPT, MAYBE_KEPT, TOO_LARGE = 19, 20, 10
VERSIONS = struct.pack(">ihhih", 10, 18, 0, 7, -1)


@pytest.fixture
def serve(firth, tmp_path):
    """serve(): a daemon with the seed's push capture; its `api` and its Kafka `address`."""
    def begin(*options, args=()):
        serving.deploy(firth, pushing.catalog(tmp_path / "flow.json", *options))
        daemon = firth.start("serve", "--ingest", "127.0.0.1:0", "--ingest-kafka", "127.0.0.1:0", "--retry-after", "1ms", *args)
        daemon.api = Api(daemon.wait_for_line("the API at ").split("the API at ")[1].strip())
        daemon.client = pushing.started(daemon)
        daemon.address = addresses(daemon)[-1]
        return daemon
    return begin


def addresses(daemon):
    until(lambda: any("Kafka clients are served at " in line for line in daemon.err + daemon.out), "the Kafka listener")
    return [line.split("Kafka clients are served at ")[1].split()[0] for line in list(daemon.err + daemon.out)
            if "Kafka clients are served at " in line]


def one(name):
    return batch(record(b'{"id":"%s"}' % name.encode()), 1)


def test_a_deploy_drops_no_connection(firth, tmp_path, serve):
    """A producer and a group go on while the capture is changed: neither connects again, and what was acknowledged is there."""
    daemon = serve()
    process, ending, told = pushing.listener_of(daemon), threading.Event(), queue.Queue()
    reader = Reader(daemon.address)
    raw = Raw(daemon.address)

    def push():
        number = 0
        while not ending.is_set():
            answer = produce(raw, one(str(number)))
            told.put((str(number), error_of(answer)[0] if answer else None))
            number += 1

    thread = threading.Thread(target=push)
    thread.start()
    try:
        for limit in (1000, 2000, 3000):
            reader.wait(len(reader.got) + 5)
            pushing.catalog(tmp_path / "flow.json", {"maxBodyBytes": limit})
            serving.deploy(firth, tmp_path / "flow.json")
            until(lambda size=limit + 1: daemon.client.push({"id": "x" * size}).status == 413, "the new limit")
            until(lambda size=limit - 20: daemon.client.push({"id": "x" * size}).status == 200, "what is within it")
    finally:
        ending.set()
        thread.join()
    answers = [told.get() for _ in range(told.qsize())]
    acknowledged = [name for name, error in answers if error == 0]
    assert {error for _, error in answers} <= {0, *AWAY} and acknowledged
    stored = [document["id"] for document in firth.read(COLLECTION)]
    reader.wait(len(stored))
    assert raw.ask(18, 0)[:2] == b"\0\0" and pushing.listener_of(daemon) == process
    raw.close()
    assert [value["id"] for _, _, value in reader.end()] == stored
    open_ones = {name for name, error in answers if error == MAYBE_KEPT}
    assert [name for name in stored if not name.startswith("x") and name not in open_ones] == acknowledged


def compressed(data, codec):
    """A batch of so many bytes of records."""
    return batch(data, 1, attributes=codec)


def test_beyond_the_limits(firth, serve):
    """Little that becomes much, requests that are too long, connections of which half is closed: nothing is kept, nobody waits."""
    daemon = serve({"maxBodyBytes": 1 << 17})
    raw = Raw(daemon.address)
    zeros, process = bytes(64 << 20), pushing.listener_of(daemon)
    before = pushing.resident(process)
    for codec, bomb in ((1, gzip.compress(zeros)), (4, zstd.compress(zeros)), (0, record(b'{"id":"%s"}' % (b"x" * (1 << 17))))):
        assert error_of(produce(raw, compressed(bomb, codec))) == (TOO_LARGE, -1), codec
    assert pushing.resident(process) - before < 48 << 20
    raw.close()
    for head in (struct.pack(">i", (1 << 31) - 1), struct.pack(">i", -1), struct.pack(">i", 66 << 20)):
        raw = Raw(daemon.address)
        raw.socket.sendall(head)
        assert raw.ended(), head
        raw.close()
    half = Raw(daemon.address)
    half.socket.sendall(VERSIONS + VERSIONS[:5])
    half.socket.shutdown(socket.SHUT_WR)
    half.ended()
    half.close()
    raw = Raw(daemon.address)
    assert error_of(produce(raw, one("kept"))) == (0, 0)
    raw.close()
    assert firth.read(COLLECTION) == [{"id": "kept"}]


def test_bombs_by_every_way(firth, serve):
    """Little that becomes much when it is decoded and parsed, by websockets and Kafka at once: what all hold is bounded together. A websocket
    waits for room, a producer is told to send it again; others are served, and nothing is kept twice."""
    daemon = serve()
    bomb = b'{"id":"b","v":[' + b"0," * (6 << 20) + b"0]}"
    packed = batch(gzip.compress(record(bomb)), 1, attributes=1)
    process, reader = pushing.listener_of(daemon), Raw(daemon.address)

    def by_websocket(_):
        peer = sockets.Socket(daemon, timeout=120)
        peer.send(sockets.text(bomb)).processed(1)
        peer.drop()

    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        pushes = [pool.submit(by_websocket, number) for number in range(5)]
        name = COLLECTION.encode()
        for number in range(6):
            reader.send(struct.pack(f">hhihhhiih{len(name)}siii", 0, 8, number, -1, -1, -1, 1000, 1, len(name), name, 1, 0, len(packed)) + packed)
        answers = [reader.answer(number) for number in range(6)]
        for number in range(20):
            assert daemon.client.push({"id": str(number)}).status == 200
        for push in pushes:
            push.result()
    reader.close()
    errors = [error_of(answer)[0] for answer in answers]
    assert set(errors) <= {0, NOT_KEPT} and 0 in errors, errors
    assert all((struct.unpack(">i", answer[-4:])[0] > 0) == (error != 0) for answer, error in zip(answers, errors, strict=True)), "told to wait"
    peak = int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{process}/status").read_text())[1])
    assert peak < 640 << 10, f"{peak} KiB"
    assert sum(each["id"] == "b" for each in firth.read(COLLECTION)) == 5 + errors.count(0)


def test_idle_connections(serve):
    """Ten thousand, as far as the machine lets: they cost their memory, and hold nobody up."""
    with pushing.descriptors(10000) as count:
        daemon = serve()
        process, raw = pushing.listener_of(daemon), Raw(daemon.address)
        host, port = raw.socket.getpeername()
        before = pushing.resident(process)
        idle = [socket.create_connection((host, port)) for _ in range(count)]
        assert error_of(produce(raw, one("a"))) == (0, 0)
        for each in idle[::count // 20]:
            each.sendall(VERSIONS)
            assert each.recv(1000)[4:10] == struct.pack(">ih", 7, 0)
        assert (pushing.resident(process) - before) / count < 8 << 10
        for each in idle:
            each.close()
        raw.close()


def test_metrics(serve):
    """What was pushed by each protocol, what was refused, who is connected; it goes on counting when the listener has died."""
    daemon = serve()
    assert daemon.client.push({"id": "a"}, Idempotency_Key="k").status == 200
    assert daemon.client.push({"id": "a"}, Idempotency_Key="k").json()["duplicate"]
    # Refused is also the question by which it was found that the capture has begun.
    assert daemon.client.push({"id": 5}).status == 400 and daemon.client.push({"id": "a"}, path="/ingest/none").status == 404
    peer = sockets.Socket(daemon)
    peer.send(sockets.text('{"id":"b"}'))
    peer.processed(1)
    raw = Raw(daemon.address)
    assert error_of(produce(raw, one("c"))) == (0, 2) and error_of(produce(raw, batch(record(b"{"), 1)))[0] == 87

    def counted(**results):
        found = metrics(daemon.api)
        return found if {name: found["firth_pushes_total"][name] for name in results} == results else None

    shown = until(lambda: counted(durable=3, duplicate=1, refused=4, full=0, stopped=0), "what was pushed")
    assert shown["firth_push_connections"] == {"http": 1, "websocket": 1, "kafka": 1}
    assert shown["firth_pushes_waiting"][""] == shown["firth_pushed_bytes_waiting"][""] == 0
    os.kill(pushing.listener_of(daemon), signal.SIGKILL)
    until(lambda: len(addresses(daemon)) == 2, "the next listener")
    raw = Raw(addresses(daemon)[-1])
    until(lambda: error_of(produce(raw, one("d")))[0] == 0, "the capture to begin")
    shown = until(lambda: counted(durable=4, duplicate=1, refused=4), "what was pushed before, and since")
    assert shown["firth_push_connections"] == {"http": 0, "websocket": 0, "kafka": 1}
    raw.close()
    until(lambda: metrics(daemon.api)["firth_push_connections"]["kafka"] == 0, "the end of the connection")
