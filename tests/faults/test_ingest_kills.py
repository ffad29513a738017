"""SIGKILL of the listener at random moments while clients push to it, by HTTP and by websocket: every request and message
that was acknowledged is there, whole, once for its id; and planted bugs show that this would be seen."""

import collections
import http.client
import json
import os
import random
import signal
import threading

import pytest

import memory
import pushing
import sockets
from conftest import FULL, until
from faults.test_kills import POINTS, seed

memory.leave()

KILLS = 200 if FULL else 20
CLIENTS = 8  # of which every other has a websocket
WINDOW = 20  # messages that such a one sends ahead
EACH = 3  # documents of a request


class Load:
    """Clients that push, each request until it is acknowledged, and what they know of each."""

    def __init__(self, firth, tmp_path, endpoint=None, **env):
        self.sent, self.acknowledged, self.duplicates = set(), set(), 0
        self.lock, self.ending = threading.Lock(), threading.Event()
        self.failures, self.lives = [], []
        self.gone = 0  # listeners that were killed: their ports may be others' by now
        self.firth, self.env = firth, env
        self.catalog = pushing.catalog(tmp_path / "flow.json", endpoint)
        self.start()
        self.told_of_many = 0
        self.threads = [threading.Thread(target=self._socket if number % 2 else self._client, args=(number,), daemon=True)
                        for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def start(self):
        self.lives.append(self.firth.start("run", self.catalog, "--ingest", "127.0.0.1:0", "-o", "json", "--retry-after", "1ms",
                                           env=self.env))

    def urls(self):
        """Of every listener that there was, the one that there is last."""
        return [json.loads(line)["url"] for life in self.lives for line in list(life.out) if '"event":"listening"' in line]

    def live(self):
        """The listener's, unless it was killed and the next has not said where it is."""
        urls = self.urls()
        return urls[-1] if len(urls) > self.gone else None

    def _client(self, name):
        try:
            number, connection = 0, None
            while not self.ending.is_set():
                if not connection and (url := self.live()):
                    connection = pushing.Client(url, timeout=10)
                key = f"{name}-{number}"
                if connection and self._push(connection, key):
                    number += 1
                else:
                    if connection:
                        connection.close()
                    connection = None
                    self.ending.wait(0.01)  # as clients do, and the listener has to begin on the same cores
        except BaseException as error:
            self.failures.append(error)

    def _push(self, connection, key):
        self.sent.add(key)
        try:
            answer = connection.push([{"id": f"{key}/{each}"} for each in range(EACH)], Idempotency_Key=key)
        except (OSError, http.client.HTTPException):
            return False
        if answer.status != 200:
            assert answer.status == 503, answer
            return False
        with self.lock:
            self.acknowledged.add(key)
            self.duplicates += "duplicate" in answer.json()
        return True

    def _socket(self, name):
        """A websocket of one id: whatever was not acknowledged goes again, over the next connection."""
        try:
            told = 0
            while not self.ending.is_set():
                if not self.live():
                    self.ending.wait(0.01)
                    continue
                try:
                    told = self._pushes(name, told)
                except (OSError, sockets.Ended, AssertionError) as error:
                    if isinstance(error, AssertionError) and "503" not in str(error):
                        raise
                    self.ending.wait(0.01)
        except BaseException as error:
            self.failures.append(error)

    def _pushes(self, name, told):
        peer = sockets.Socket(self, path=f"{pushing.PATH}?id=client-{name}&from={told}", timeout=10)
        sent = told
        try:
            while not self.ending.is_set():
                while sent < told + WINDOW:
                    sent += 1
                    key = f"{name}-{sent}"
                    self.sent.add(key)
                    peer.send(sockets.text(json.dumps([{"id": f"{key}/{each}"} for each in range(EACH)])))
                before, told = told, peer.receive()["Processed"]
                assert before < told <= sent
                with self.lock:
                    self.acknowledged.update(f"{name}-{number}" for number in range(before + 1, told + 1))
                    self.told_of_many += told - before > 1
        except (OSError, sockets.Ended):
            pass
        finally:
            peer.drop()
        return told

    @property
    def url(self):
        return self.urls()[-1]

    def more(self, count, what):
        """Wait for so many further acknowledgements."""
        goal = len(self.acknowledged) + count
        until(lambda: self.failures or len(self.acknowledged) >= goal, what)
        assert not self.failures, self.failures

    def kill(self, chooser, whole):
        """SIGKILL, after as many acknowledgements as the chooser says; `whole`: of the supervisor too, which begins
        without the delay that failures in a row make long."""
        before = len(self.urls())
        self.more(chooser.randint(1, 60), "acknowledgements before a kill")
        self.gone = before
        if whole:
            self.lives[-1].signal(signal.SIGKILL)
            self.lives[-1].process.wait()
            self.start()
        else:
            os.kill(until(lambda: pushing.listener_of(self.lives[-1]), "the listener"), signal.SIGKILL)
        until(lambda: len(self.urls()) > before, "the next listener")

    def end(self):
        self.more(CLIENTS, "the last acknowledgements")
        self.ending.set()
        for thread in self.threads:
            thread.join()
        self.lives[-1].signal(signal.SIGTERM)
        self.lives[-1].wait()
        assert not self.failures


def problems(load, documents):
    """What is wrong with the collection, by what the clients know."""
    found = collections.defaultdict(list)
    for document in documents:
        key, _, each = document["id"].rpartition("/")
        found[key].append(int(each))
    wrong = [f"{key} was acknowledged and is not there" for key in load.acknowledged - set(found)]
    wrong += [f"{key} was never sent" for key in set(found) - load.sent]
    wrong += [f"{key} has the documents {there}" for key, there in found.items() if there != list(range(EACH))]
    return wrong


def with_kills(firth, tmp_path, kills, **env):
    choice = seed()
    chooser = random.Random(choice)
    load = Load(firth, tmp_path, **env)
    for number in range(kills):
        load.kill(chooser, number % 5 == 4)
    load.end()
    return load, problems(load, firth.read(pushing.COLLECTION)), f"seed {choice}"


def test_pushes_survive_kills(firth, tmp_path):
    load, wrong, how = with_kills(firth, tmp_path, KILLS)
    assert not wrong, (how, wrong[:10])
    # It was about something: requests whose answer was lost with their listener were sent again, and known.
    assert len(load.acknowledged) > KILLS and load.duplicates > 0 and load.told_of_many > 0, how


@pytest.mark.parametrize("point", ["ingest.committed", *(point for point in POINTS if "commit" in point)])
def test_pushes_survive_death_at(firth_dev, tmp_path, point):
    load = Load(firth_dev, tmp_path, FIRTH_FAULT_KILL=f"{point}:5")
    until(lambda: load.failures or len(load.urls()) > 4, f"four deaths at {point}")
    load.ending.set()
    for thread in load.threads:
        thread.join()
    load.lives[-1].kill()
    assert not load.failures
    assert not problems(load, firth_dev.read(pushing.COLLECTION))
    assert load.acknowledged


def test_a_planted_bug_is_caught(firth_dev, tmp_path):
    """Who is told before the commit is told too much. Not each kill comes in between."""
    choice = seed()
    chooser = random.Random(choice)
    load = Load(firth_dev, tmp_path, FIRTH_FAULT_PLANT="ingest.acknowledge-ahead")

    def missing():
        told = set(load.acknowledged)
        return told - {document["id"].rpartition("/")[0] for document in firth_dev.read(pushing.COLLECTION)}

    for number in range(60):
        load.kill(chooser, False)
        if number % 5 == 4 and (missed := missing()) and missed & missing():  # not what is about to be durable
            break
    load.end()
    wrong = problems(load, firth_dev.read(pushing.COLLECTION))
    assert any("is not there" in each for each in wrong), f"seed {choice}"
