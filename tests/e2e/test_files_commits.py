"""Documents into a bucket, each once, while a request of a session that is dead, or slow, arrives late."""

import concurrent.futures
import http.server
import json
import re
import threading

import pytest

from connector_suite.flow import FlowRunner, collection
from connector_suite.protocol import Runner, configured
from s3 import InFront

MADE = collection("acmeCo/users", ["/i"], {})
BINDING = {"resourceConfig": {"stream": "users"}, "resourcePath": ["users"], "collection": MADE, "deltaUpdates": True,
           "fieldSelection": {"keys": ["i"], "values": [], "document": "flow_document"}}


class Late(InFront):
    """One request is held up until it is let go; not before it has come whole, since who sends it may be killed then."""

    def arrived(self):
        gate = self.server
        counted = self.command != "GET" or gate.reads
        gate.left -= counted
        self.held = counted and gate.left == 0
        if self.held:
            gate.held = f"{self.command} {self.path}"
            gate.arrived.set()
            assert gate.let_go.wait(60)

    def change(self, status, text):
        if self.held:
            self.server.done.set()
        if status == 500 and "uploadId=" in self.path:  # moto's answer to a part of an upload that was aborted
            return 404, b"<Error><Code>NoSuchUpload</Code></Error>"
        return status, text


class Gate(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behind, reads):
        super().__init__(("127.0.0.1", 0), Late)
        self.behind, self.reads, self.left, self.held = behind, reads, 0, None
        self.arrived, self.let_go, self.done = threading.Event(), threading.Event(), threading.Event()

    def handle_error(self, *_):
        pass  # who asked is dead

    def release(self):
        self.let_go.set()
        assert self.done.wait(60)


class Task:
    """Sessions of one materialization, in a place of its own."""

    def __init__(self, firth, s3, bucket, name, reads):
        self.firth, self.s3, self.bucket, self.name = firth, s3, bucket, name
        self.gate = Gate(s3.port, reads)
        threading.Thread(target=self.gate.serve_forever, daemon=True).start()
        self.told = {}  # document: who was told that it is committed

    def config(self, port):
        return {"s3_bucket_name": self.bucket, "s3_bucket_path": self.name, "s3_endpoint": f"http://127.0.0.1:{port}",
                "access_key_id": self.s3.key_id, "secret_access_key": self.s3.secret,
                "format": {"format_type": "JSONL", "compression": {"compression_type": "No Compression"}}}

    def start(self, *more, gate=False):
        spec = {"name": "acmeCo/mat", "connectorType": "LOCAL", "bindings": [BINDING],
                "config": self.config(self.gate.server_port if gate else self.s3.port)}
        return FlowRunner(Runner([self.firth.path, "connector", "destination-s3"])).start(
            {"open": {"materialization": spec, "version": "1", "range": {}}}, *more)

    @staticmethod
    def transaction(n, by):
        return ({"acknowledge": {}}, {"flush": {}}, {"store": {"key": [n], "values": [], "doc": {"i": n, "by": by}}},
                {"startCommit": {"runtimeCheckpoint": {"n": n + 1}}})

    def answers(self, talk, n, by):
        """Has it committed? Its end, if not."""
        for verb in ("acknowledged", "flushed", "startedCommit"):
            got = talk.next()
            if not got or got[0] != verb:
                rc, _, err = talk.end()
                assert rc == 1 and any(why in err for why in ("fenced off", "went while", "NoSuchUpload")), (rc, err)
                return False
        self.told[n] = by
        return True

    def session(self, by, until, between=lambda: None):
        """Documents up to `until`; False if it was fenced off."""
        talk = self.start()
        n = talk.expect("opened")["runtimeCheckpoint"].get("n", 0)
        between()
        while n < until:
            talk.say(*self.transaction(n, by))
            if not self.answers(talk, n, by):
                return False
            n += 1
        rc, _, err = talk.end()
        assert rc == 0, err
        return True

    def documents(self):
        keys = [key for key in self.s3.keys(self.bucket, self.name + "/") if not key.split("/")[-1].startswith(".")]
        return sorted((d["i"], d["by"]) for key in keys for d in map(json.loads, self.s3.get(self.bucket, key).splitlines()))

    def victim(self, number):
        """A session that has a document to commit, and whose request `number` is held up."""
        assert self.session("first", 1)
        [key] = [key for key in self.s3.keys(self.bucket, self.name + "/x/") or self.s3.keys(self.bucket, self.name + "/")
                 if not key.split("/")[-1].startswith(".")]
        self.s3.client.create_multipart_upload(Bucket=self.bucket, Key=key + ".left")
        self.gate.left = number
        return self.start(*self.transaction(1, "victim"), gate=True)


def late(firth, s3, bucket, number, when, alive):
    """None, or what went wrong when this request of a session came so late."""
    task = Task(firth, s3, bucket, f"n{number}-{when}-{alive}", reads=alive)
    gate = task.gate
    victim = task.victim(number)
    assert gate.arrived.wait(60)
    if not alive:
        victim.kill()
    other = task.session("second", 3, between=gate.release if when == "opened" else lambda: None)
    if when == "committed":
        gate.release()
    if alive:
        opened = victim.next()
        if opened and opened[1]["runtimeCheckpoint"].get("n") == 1:
            task.answers(victim, 1, "victim")
        victim.kill()
    if not other or when == "committed":
        task.session("third", 3)
    assert task.session("last", 4)
    gate.shutdown()
    gate.server_close()
    found = task.documents()
    right = [n for n, _ in found] == [0, 1, 2, 3] and set(task.told.items()) <= set(found)
    left = [u for u in s3.uploads(bucket) if u["Key"].startswith(task.name + "/")]
    return None if right and not left else (gate.held, when, alive, found, task.told, left)


def tried(firth, s3, bucket, *case):
    try:
        return late(firth, s3, bucket, *case)
    except AssertionError as failure:
        return case, failure


@pytest.mark.parametrize("share", [5, pytest.param(1, marks=pytest.mark.full)])
def test_late_requests(firth, s3, share):
    """Whichever request of a session comes late, in opening or committing, and whether the session has been killed since or
    was only slow. Not in full, each fifth of these."""
    bucket, cases = s3.bucket(), []
    for alive in False, True:
        count = Task(firth, s3, bucket, f"count-{alive}", reads=alive)
        talk = count.victim(10**6)
        talk.expect("opened")
        assert count.answers(talk, 1, "victim") and talk.end()[0] == 0
        cases += [(number + 1, when, alive) for number in range(10**6 - count.gate.left) for when in ("opened", "committed")]
    assert len(cases) > 20
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        wrong = [each for each in pool.map(lambda case: tried(firth, s3, bucket, *case), cases[::share]) if each]
    assert not wrong, "\n".join(map(str, wrong))


# --- uploads that are gone --------------------------------------------------------------------------------------------

def abort(s3, bucket, prefix):
    [upload] = [u for u in s3.uploads(bucket) if u["Key"].startswith(prefix)]
    s3.client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return upload["Key"]


def complete(s3, bucket, prefix):
    [upload] = [u for u in s3.uploads(bucket) if u["Key"].startswith(prefix)]
    named = {"Bucket": bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
    parts = [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]} for p in s3.client.list_parts(**named)["Parts"]]
    s3.client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})


@pytest.mark.parametrize("meanwhile", [abort, complete])
def test_an_upload_that_is_gone(firth, s3, meanwhile):
    """Of a connection, when its file is to be seen: aborted, as by another sync of the stream, is no success; completed, by a
    request whose answer was lost, is one."""
    task = Task(firth, s3, s3.bucket(), "x", reads=False)
    task.gate.left = 3
    stream = {"name": "users", "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"]}
    told = threading.Thread(target=lambda: (task.gate.arrived.wait(60), meanwhile(s3, task.bucket, "x/"), task.gate.release()))
    told.start()
    session = Runner([firth.path, "connector", "destination-s3"])(
        "write", config=task.config(task.gate.server_port),
        catalog=configured([stream], "full_refresh", destination_sync_mode="append"),
        stdin=b'{"type":"RECORD","record":{"stream":"users","data":{},"emitted_at":1}}\n'
              b'{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"users"},"stream_state":{}}}}\n'
              b'{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1,"stream_status":{"stream_descriptor":'
              b'{"name":"users"},"status":"COMPLETE"}}}\n')
    told.join()
    assert task.gate.held.startswith("POST") and "uploadId" in task.gate.held
    if meanwhile is abort:
        assert session.rc == 1 and not session.states() and "it was aborted" in session.errors()[0]["message"]
    else:
        assert session.rc == 0 and len(session.states()) == 1 and len(s3.keys(task.bucket)) == 1


def test_an_upload_that_is_gone_after_a_crash(firth, s3):
    """A reader may have moved the object on, and is believed to have where nobody can have aborted the upload by rule yet. What
    was seen to be published is not looked for."""
    task = Task(firth, s3, s3.bucket(), "x", reads=False)

    def age():
        """The last commit's uploads, as if begun in 1970."""
        name = [key for key in s3.keys(task.bucket, "x/.firth.") if not key.endswith(".00000000.json")][-1]
        text = re.sub(rb'begun\\":\d+', rb'begun\\":1', s3.get(task.bucket, name))
        assert b'begun\\":1}' in text or b'begun\\":1,' in text
        s3.put(task.bucket, name, text)

    def opened():
        talk = task.start()
        got = talk.next()
        return got and got[1]["runtimeCheckpoint"], talk.end()

    assert task.session("first", 1)
    [key] = s3.keys(task.bucket, "x/users/")
    s3.client.delete_object(Bucket=task.bucket, Key=key)
    age()
    checkpoint, (rc, _, err) = opened()
    assert (checkpoint, rc, err) == ({"n": 1}, 0, "")

    def crashed(n):
        """When all of document n but its being seen was done."""
        task.gate.arrived.clear(), task.gate.let_go.clear()
        task.gate.left = 4 + 4  # opening: claim, first commit, two removals; then an upload, its part, the commit, and:
        talk = task.start(*task.transaction(n, "victim"), gate=True)
        assert talk.expect("opened")["runtimeCheckpoint"] == {"n": n} and task.gate.arrived.wait(60)
        assert "POST" in task.gate.held and "uploadId" in task.gate.held, task.gate.held
        talk.kill()
        return abort(s3, task.bucket, "x/")

    key = crashed(1)
    checkpoint, (rc, _, err) = opened()
    assert (checkpoint, rc) == ({"n": 2}, 0) and f"{key} belongs to the last commit and is not there" in err
    key = crashed(2)
    age()
    checkpoint, (rc, _, err) = opened()
    assert checkpoint is None and rc != 0 and "put any object of this name there" in err
    s3.put(task.bucket, key, b"")
    checkpoint, (rc, _, err) = opened()
    assert (checkpoint, rc, err) == ({"n": 3}, 0, "")
