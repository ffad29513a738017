"""A Firth that serves Kafka clients, the clients, and a proxy that cuts their connections."""

import json
import queue
import random
import socket
import struct
import subprocess
import threading

import confluent_kafka

import pushing
from conftest import until
from pushing import COLLECTION

TIMEOUT = 60  # seconds that a client may take


def run(firth, path, *args, **more):
    """(the `firth run`, the address of its Kafka listener), once the capture takes documents."""
    running = firth.start("run", path, "--ingest", "127.0.0.1:0", "--ingest-kafka", "127.0.0.1:0", "-o", "json", "--retry-after",
                          "1ms", *args, **more)
    pushing.started(running)
    return running, address_of(running)


def addresses(running):
    return [json.loads(line)["url"].partition("://")[2] for line in list(running.out)
            if '"event":"listening"' in line and "kafka://" in line]


def address_of(running):
    """It is told behind that of HTTP, which may take documents already."""
    return until(lambda: addresses(running), "the address for Kafka's clients")[0]


def kcat(address, *args, stdin=b"", rc=0):
    done = subprocess.run(["kcat", "-b", address, *map(str, args)], input=stdin, capture_output=True, timeout=TIMEOUT, check=False)
    assert done.returncode == rc, done
    return done.stdout.decode()


def consumed(address, *args, topic=COLLECTION):
    """[(partition, offset, key, value)] of all there is."""
    out = kcat(address, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J", *args)
    lines = [json.loads(line) for line in out.splitlines()]
    return [(line["partition"], line["offset"], line["key"], json.loads(line["payload"])) for line in lines]


class Delivered:
    """A confluent-kafka producer, and what it is told of each record: its offset, or the error's name."""

    def __init__(self, address, **config):
        self.told = {}
        self.producer = confluent_kafka.Producer({"bootstrap.servers": address, "message.timeout.ms": TIMEOUT * 1000, "log_level": 0,
                                                  **{name.replace("_", "."): value for name, value in config.items()}})

    def send(self, name, document, topic=COLLECTION, **more):
        value = document if document is None or isinstance(document, bytes) else json.dumps(document).encode()
        self.producer.produce(topic, value, on_delivery=lambda error, message: self._tell(name, error, message), **more)
        self.producer.poll(0)

    def _tell(self, name, error, message):
        assert name not in self.told, "it is told once"
        self.told[name] = error.name() if error else message.offset()

    def end(self):
        assert self.producer.flush(TIMEOUT) == 0
        return self.told


class Reader:
    """A consumer of a group, in a thread that polls it; what it was given and what it holds."""

    def __init__(self, address, group="group", topics=(COLLECTION,), **config):
        self.got, self.assigned, self.ending, self.asked = [], set(), threading.Event(), queue.Queue()
        self.failures = []
        self.consumer = confluent_kafka.Consumer({
            "bootstrap.servers": address, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
            "heartbeat.interval.ms": 100, "session.timeout.ms": 30000, "log_level": 0,
            **{name.replace("_", "."): value for name, value in config.items()}})
        self.consumer.subscribe(list(topics), on_assign=self._assign, on_revoke=self._revoke)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _assign(self, _, partitions):
        self.assigned = {(each.topic, each.partition) for each in partitions}

    def _revoke(self, *_):
        self.assigned = set()

    def _run(self):
        try:
            while not self.ending.is_set():
                message = self.consumer.poll(0.02)
                if message is not None and not message.error():
                    self.got.append((message.topic(), message.offset(), json.loads(message.value())))
                elif message is not None and not message.error().retriable():
                    self.failures.append(message.error())
                while not self.asked.empty():
                    self.asked.get()()
        except BaseException as error:
            self.failures.append(error)

    def do(self, what):
        """In its thread, which alone may use the consumer."""
        done = queue.Queue()
        self.asked.put(lambda: done.put(what(self.consumer)))
        return done.get(timeout=TIMEOUT)

    def wait(self, count):
        until(lambda: self.failures or len(self.got) >= count, f"{count} documents")
        assert not self.failures, self.failures

    def commit(self):
        self.do(lambda consumer: consumer.commit(asynchronous=False))

    def end(self, leave=True):
        self.ending.set()
        self.thread.join()
        if leave:
            self.consumer.close()
        return self.got


class Proxy:
    """To whatever `target()` says is there ("HOST:PORT", or None). With a chance, and after LONGEST answers surely, it cuts a
    connection when an answer passes, with or without the answer: the request was taken, and its client does not know."""

    LONGEST = 8
    gentle = False  # the answer to a Produce alone is lost, and as a whole: not every client bears more

    def __init__(self, target, chance=0.0, seed=0):
        self.target, self.chance, self.chooser, self.cuts, self.passed = target, chance, random.Random(seed), 0, 0
        self.lock = threading.Lock()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            try:
                host, _, port = (self.target() or "127.0.0.1:1").rpartition(":")
                server = socket.create_connection((host, int(port)))
            except OSError:
                client.close()
                continue
            asked = [None]  # the request that was sent last, by its number
            threading.Thread(target=self._pump, args=(client, server, asked, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, asked, True), daemon=True).start()

    def _cut(self, data, asked):
        with self.lock:
            if self.gentle and asked[0] != 0:
                return None
            self.passed += 1
            if not self.chance or (self.chooser.random() >= self.chance and self.passed < self.LONGEST):
                return None
            self.cuts, self.passed = self.cuts + 1, 0
            return data[:self.chooser.choice([0, len(data) if self.gentle else len(data) // 2, len(data)])]

    def _pump(self, source, target, asked, answers):
        try:
            while data := source.recv(1 << 16):
                if not answers and len(data) >= 6:
                    asked[0] = struct.unpack_from(">h", data, 4)[0]
                cut = self._cut(data, asked) if answers else None
                target.sendall(data if cut is None else cut)
                if cut is not None:
                    break
        except OSError:
            pass
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listening.close()


class Raw:
    """A connection that speaks bytes."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=TIMEOUT)

    def send(self, payload):
        self.socket.sendall(struct.pack(">i", len(payload)) + payload)

    def ask(self, key, version, body=b"", correlation=7):
        """The answer behind its correlation; None: the connection was ended."""
        self.send(struct.pack(">hhih", key, version, correlation, -1) + body)
        return self.answer(correlation)

    def answer(self, correlation=7):
        head = self._exactly(4)
        if head is None:
            return None
        frame = self._exactly(struct.unpack(">i", head)[0])
        assert struct.unpack(">i", frame[:4])[0] == correlation
        return frame[4:]

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            try:
                more = self.socket.recv(size - len(data))
            except ConnectionError:
                return None
            if not more:
                return None
            data += more
        return data

    def ended(self):
        return self._exactly(1) is None

    def close(self):
        self.socket.close()
