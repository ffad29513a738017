"""SIGKILL of the listener at random moments while idempotent Kafka producers push to it: every record that was acknowledged
is there once, in its producer's order, and where its producer was told. (That an acknowledgement ahead of the commit would be seen,
test_ingest_kills.py shows of the same queue.)"""

import os
import random
import signal
import threading

import brokering
import memory
import pushing
from conftest import FULL, until
from faults.test_kills import seed

memory.leave()

KILLS = 200 if FULL else 20
PRODUCERS = 2


class Load:
    """Idempotent producers behind one address, whichever listener there is behind it."""

    def __init__(self, firth, tmp_path, **env):
        self.firth, self.env, self.lives = firth, env, []
        self.told = [{} for _ in range(PRODUCERS)]
        self.sent = [0] * PRODUCERS
        self.failures, self.ending = [], threading.Event()
        self.catalog = pushing.catalog(tmp_path / "flow.json")
        self.proxy = brokering.Proxy(self.address)
        self.start()
        self.threads = [threading.Thread(target=self._produce, args=(number,), daemon=True) for number in range(PRODUCERS)]
        for thread in self.threads:
            thread.start()

    def start(self):
        self.lives.append(self.firth.start(
            "run", self.catalog, "--ingest", "127.0.0.1:0", "--ingest-kafka", "127.0.0.1:0", "--ingest-kafka-advertise",
            self.proxy.address, "-o", "json", "--retry-after", "1ms", env=self.env))

    def address(self):
        known = brokering.addresses(self.lives[-1]) if self.lives else []
        return known[-1] if known else None

    def listeners(self):
        return sum(len(brokering.addresses(life)) for life in self.lives)

    def _produce(self, name):
        try:
            producer = brokering.Delivered(self.proxy.address, enable_idempotence=True, linger_ms=1, batch_num_messages=5,
                                           retry_backoff_ms=1, retry_backoff_max_ms=20, reconnect_backoff_ms=1,
                                           reconnect_backoff_max_ms=20)
            producer.told = self.told[name]
            while not self.ending.is_set():
                producer.send(self.sent[name], {"id": f"{name}-{self.sent[name]}"})
                self.sent[name] += 1
                while self.sent[name] - len(producer.told) > 50 and not self.ending.is_set():
                    producer.producer.poll(0.01)
            assert producer.producer.flush(brokering.TIMEOUT) == 0
        except BaseException as error:
            self.failures.append(error)

    def more(self, count, what):
        goal = sum(map(len, self.told)) + count
        until(lambda: self.failures or sum(map(len, self.told)) >= goal, what)
        assert not self.failures, self.failures

    def kill(self, chooser, whole):
        """SIGKILL, after as many acknowledgements as the chooser says; `whole`: of the supervisor too."""
        before = self.listeners()
        self.more(chooser.randint(1, 100), "acknowledgements before a kill")
        if whole:
            self.lives[-1].signal(signal.SIGKILL)
            self.lives[-1].process.wait()
            self.start()
        else:
            os.kill(until(lambda: pushing.listener_of(self.lives[-1]), "the listener"), signal.SIGKILL)
        until(lambda: self.failures or self.listeners() > before, "the next listener")

    def end(self):
        self.more(10, "the last acknowledgements")
        self.ending.set()
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures
        self.lives[-1].signal(signal.SIGTERM)
        self.lives[-1].wait()
        self.proxy.close()


def problems(load, documents):
    found = [document["id"] for document in documents]
    wrong = []
    for name, told in enumerate(load.told):
        own = [each for each in found if each.startswith(f"{name}-")]
        if own != [f"{name}-{number}" for number in range(load.sent[name])]:
            wrong.append(f"of producer {name} there are {len(own)} ({len(set(own))} different) of {load.sent[name]}, or out of order")
        wrong += [f"{name}-{number} was said to be at {offset}" for number, offset in told.items()
                  if isinstance(offset, str) or (offset >= 0 and (offset >= len(found) or found[offset] != f"{name}-{number}"))]
    return wrong


def with_kills(firth, tmp_path, kills, **env):
    choice = seed()
    chooser = random.Random(choice)
    load = Load(firth, tmp_path, **env)
    try:
        for number in range(kills):
            load.kill(chooser, number % 5 == 4)
        load.end()
    finally:
        load.ending.set()
    return load, problems(load, firth.read(pushing.COLLECTION)), f"seed {choice}"


def test_idempotent_producers_survive_kills(firth, tmp_path):
    load, wrong, how = with_kills(firth, tmp_path, KILLS)
    assert not wrong, (how, wrong[:10])
    assert sum(map(len, load.told)) > KILLS, how


