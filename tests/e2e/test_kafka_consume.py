"""Collections as topics that are read: kcat and librdkafka, alone and in groups."""

import json
import os
import signal
import struct

import confluent_kafka
import confluent_kafka.admin
import pytest

import brokering
import pushing
import scripted
from brokering import Delivered, Raw, Reader, consumed, kcat
from conftest import until
from pushing import COLLECTION

OTHER = "acmeCo/example/other"
BOTH = {COLLECTION: {"name": "webhooks"}, OTHER: {"name": "other"}}


@pytest.fixture
def start(firth, tmp_path):
    def begin(*options, args=(), **more):
        begin.running, address = brokering.run(firth, pushing.catalog(tmp_path / "flow.json", *options, **more), *args)
        return address
    return begin


def push(running, *documents, path=pushing.PATH):
    client = pushing.Client(running.url)
    assert client.push(list(documents), path=path).status == 200
    client.close()


def test_documents_as_they_are(firth, start):
    """Bytes, keys, times; numbers keep their text."""
    address = start(None, None, {COLLECTION: {"key": ["/id", "/at/b", "/at/a~1c"], "schema": {"type": "object"}}})
    text = '{ "id":1,"at":{"a/c":"ä\\u00e4","b":true},"n":12345678901234567890.10}'
    client = pushing.Client(start.running.url)
    assert client.push(text).status == 200
    out = kcat(address, "-C", "-t", COLLECTION, "-o", "beginning", "-e", "-q", "-f", "%p|%o|%k|%s|%T")
    partition, offset, key, value, time = out.split("|")
    assert (partition, offset, key, value) == ("0", "0", '{"id":1,"at":{"b":true,"a/c":"ä\\u00e4"}}', text)
    assert int(time) > 1700000000000
    client.close()


def test_waiting_for_what_comes(firth, start):
    """A fetch that waits is answered by the commit, whoever pushed, also into a topic in which there was nothing."""
    address = start(None, BOTH)
    reader = Reader(address, topics=(COLLECTION, OTHER), fetch_wait_max_ms=30000)
    until(lambda: len(reader.assigned) == 2, "the assignment")
    push(start.running, {"id": "a"})
    reader.wait(1)
    push(start.running, {"id": "b"}, path=f"{pushing.BASE}/other")
    reader.wait(2)
    for number in range(20):
        push(start.running, {"id": str(number)})
        reader.wait(3 + number)
    assert reader.end()[:2] == [(COLLECTION, 0, {"id": "a"}), (OTHER, 0, {"id": "b"})]


def test_large_documents_and_many(start):
    address = start(None, None, {COLLECTION: {"key": ["/id"], "schema": {"type": "object"}}})
    sizes = [10, 5_000_000, 20, 4_500_000, *[1000] * 1000]
    for number, size in enumerate(sizes[:4]):
        push(start.running, {"id": number, "text": "x" * size})
    push(start.running, *({"id": number, "text": "x" * sizes[number]} for number in range(4, len(sizes))))
    for flags in ((), ("-X", "fetch.max.bytes=100000", "-X", "message.max.bytes=100000")):
        assert [(offset, len(value["text"])) for _, offset, _, value in consumed(address, *flags)] == list(enumerate(sizes))


def test_offsets_by_time(start):
    address = start()
    times = []
    for number in range(5):
        push(start.running, {"id": str(number)})
        times.append(int(kcat(address, "-C", "-t", COLLECTION, "-o", str(number), "-c", "1", "-q", "-f", "%T")))
        until(lambda: int(kcat(address, "-Q", "-t", f"{COLLECTION}:0:{times[-1]}").rpartition("offset ")[2]) >= 0, "its offset")
    for wanted, offset in [(0, 0), (times[0], 0), (times[4], times.index(times[4])), (times[4] + 1, -1), (-1, 5), (-2, 0)]:
        assert kcat(address, "-Q", "-t", f"{COLLECTION}:0:{wanted}").split()[-1] == str(offset), (wanted, times)


def test_an_offset_that_is_not_there(start):
    address = start()
    push(start.running, {"id": "a"})
    assert kcat(address, "-C", "-t", COLLECTION, "-o", "7", "-e", "-q", "-X", "auto.offset.reset=earliest") == '{"id": "a"}\n'


def test_collections_of_other_captures(firth, tmp_path):
    """Whatever is in the store is a topic, and its partitions the tasks that wrote it; what Firth keeps there for itself is none."""
    pulled = json.loads(scripted.capture(tmp_path, [scripted.records(1, 5), scripted.state(5)], {"users": "acmeCo/pulled"}).read_text())
    whole = json.loads(pushing.catalog(tmp_path / "flow.json").read_text())
    for kind in ("collections", "captures"):
        whole[kind].update(pulled[kind])
    (tmp_path / "flow.json").write_text(json.dumps(whole))
    running, address = brokering.run(firth, tmp_path / "flow.json")
    client = pushing.Client(running.url)
    assert client.push({"id": "a"}, Idempotency_Key="a note").status == 200
    client.close()
    until(lambda: firth("read", "acmeCo/pulled").out.count("\n") == 5, "what is pulled")
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": address})
    assert sorted(admin.list_topics(timeout=brokering.TIMEOUT).topics) == [COLLECTION, "acmeCo/pulled"]
    assert [(partition, offset, key, value["id"]) for partition, offset, key, value in consumed(address, topic="acmeCo/pulled")] == [
        (0, n, None, n + 1) for n in range(5)]
    producer = Delivered(address)
    producer.send("a", {"id": 7}, topic="acmeCo/pulled")
    assert producer.end() == {"a": "TOPIC_AUTHORIZATION_FAILED"}, "at once: it would never be otherwise"
    # A collection that two tasks write has a partition for each: the push capture's own is the first.
    whole["captures"]["acmeCo/test"]["bindings"][0]["target"] = COLLECTION
    whole["collections"][COLLECTION]["schema"] = {"type": "object"}
    whole["collections"][COLLECTION]["key"] = ["/id"]
    (tmp_path / "flow.json").write_text(json.dumps(whole))
    running.signal(signal.SIGTERM)
    running.wait()
    running, address = brokering.run(firth, tmp_path / "flow.json")
    until(lambda: len(firth.read(COLLECTION)) == 6, "what both brought")
    found = consumed(address)
    assert sorted((partition, offset, value["id"]) for partition, offset, _, value in found) == [
        (0, 0, "a"), *((1, n, n + 1) for n in range(5))]


def test_a_member_that_is_silent_is_out(start):
    address = start(None, BOTH)
    silent = Raw(address)
    # Joined by hand, in the first version: no id is asked for, and nothing more is heard of it.
    text = lambda value: struct.pack(">h", len(value)) + value.encode()  # noqa: E731
    metadata = struct.pack(">hi", 0, 1) + text(COLLECTION) + struct.pack(">i", 0)
    answer = silent.ask(11, 0, text("group") + struct.pack(">i", 1000) + text("") + text("consumer") + struct.pack(">i", 1)
                        + text("range") + struct.pack(">i", len(metadata)) + metadata)
    assert answer[:2] == b"\0\0"
    reader = Reader(address, partition_assignment_strategy="range")
    until(lambda: len(reader.assigned) == 1, "its partition, once the other's session is over")
    silent.close()
    reader.end()


def test_names_that_cannot_be(start):
    """A NUL, or what is not UTF-8, in a name: each request says so, and the listener lives on."""
    address = start()
    listener = pushing.listener_of(start.running)
    raw = Raw(address)
    text = lambda value: struct.pack(">h", len(value)) + value  # noqa: E731
    one = struct.pack(">i", 1)
    nobody = text(b"")  # the member, or its instance
    topic, group, bad_topic, unknown = text(COLLECTION.encode()), 24, 17, 25
    for bad in text(b"group\0x"), text(b"\xff\xfe"):
        protocol = text(b"consumer") + one + text(b"range") + one + b"x"
        assert raw.ask(11, 2, bad + struct.pack(">ii", 200, 200) + nobody + protocol)[4:6] == struct.pack(">h", group)
        for key, rest in (14, one + nobody + struct.pack(">i", 0)), (12, one + nobody), (13, nobody):
            assert raw.ask(key, 0, bad + rest) == struct.pack(">h", group) + (b"\0" * 4 if key == 14 else b"")
        commit = lambda name, of, said, partition=0: raw.ask(8, 2, name + struct.pack(">i", -1) + nobody + struct.pack(">q", -1) + one + of + one  # noqa: E731
                                                + struct.pack(">iq", partition, 7) + text(said))[-2:]
        assert commit(bad, topic, b"") == struct.pack(">h", group)
        assert commit(text(b"right"), bad, b"") == struct.pack(">h", bad_topic)
        assert commit(text(b"right"), topic, b"a\xff") == struct.pack(">h", 42)
        assert raw.ask(9, 2, bad + struct.pack(">i", 0))[-2:] == struct.pack(">h", group)
        member = raw.ask(12, 0, text(b"right") + one + bad)
        assert member == struct.pack(">h", unknown)
    assert commit(text(b"right"), topic, b"a\0b") == b"\0\0", "what a client says of an offset is its own"
    for of, partition in ((topic, 7), (text(b"acmeCo/nobody"), 0)):
        assert commit(text(b"right"), of, b"", partition) == struct.pack(">h", 3), "there is no such topic, or partition"
    hidden = text(COLLECTION.encode() + b"\0x")
    assert raw.ask(3, 0, one + hidden).endswith(struct.pack(">hhi", bad_topic, 0, 0))
    assert struct.pack(">ih", 0, bad_topic) in raw.ask(0, 2, struct.pack(">hi", -1, 1000) + one + hidden + one + struct.pack(">ii", 0, 0))
    assert struct.pack(">h", bad_topic) in raw.ask(19, 0, one + hidden + struct.pack(">ih", 1, 1) + struct.pack(">iii", 0, 0, 1000))
    raw.close()
    assert pushing.listener_of(start.running) == listener


def test_commits_survive(firth, start, tmp_path):
    """Committed offsets are there after a SIGKILL; a log that was dropped and begun anew has none."""
    address = start()
    push(start.running, *({"id": str(number)} for number in range(10)))
    reader = Reader(address)
    reader.wait(10)
    reader.commit()
    reader.end(leave=False)
    os.kill(pushing.listener_of(start.running), signal.SIGKILL)
    until(lambda: len(brokering.addresses(start.running)) > 1, "the next listener")
    address = brokering.addresses(start.running)[-1]
    running = start.running
    running.url = [json.loads(line)["url"] for line in list(running.out) if '"url":"http' in line][-1]
    client = pushing.Client(running.url)
    until(lambda: client.ask("GET", pushing.BASE).status != 503, "the capture to begin")
    client.close()
    push(running, {"id": "next"})
    again = Reader(address)
    again.wait(1)
    assert again.end() == [(COLLECTION, 10, {"id": "next"})]
    running.signal(signal.SIGTERM)
    running.wait()
    firth("drop", pushing.NAME, "--yes", expect=0)
    address = start()
    push(start.running, {"id": "anew"})
    anew = Reader(address)
    anew.wait(1)
    assert anew.end() == [(COLLECTION, 0, {"id": "anew"})]


def test_groups_are_told(start):
    address = start()
    push(start.running, {"id": "a"})
    reader = Reader(address, group="told", client_id="one", group_instance_id="instance-1")
    reader.wait(1)
    reader.commit()
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": address})
    described = admin.describe_consumer_groups(["told"])["told"].result(brokering.TIMEOUT)
    assert described.state == confluent_kafka.ConsumerGroupState.STABLE and len(described.members) == 1
    member = described.members[0]
    assert (member.client_id, member.host, member.group_instance_id) == ("one", "127.0.0.1", "instance-1")
    assert [(each.topic, each.partition) for each in member.assignment.topic_partitions] == [(COLLECTION, 0)]
    listed = admin.list_consumer_groups().result(brokering.TIMEOUT).valid
    assert [(group.group_id, group.state) for group in listed] == [("told", confluent_kafka.ConsumerGroupState.STABLE)]
    # A static member that is started again takes its own place at once, without the old one's leaving.
    reader.end(leave=False)
    again = Reader(address, group="told", group_instance_id="instance-1")
    until(lambda: len(again.assigned) == 1, "its partition")
    again.end()
    committed = admin.list_consumer_group_offsets([confluent_kafka.ConsumerGroupTopicPartitions("told")])["told"]
    assert [(each.topic, each.offset) for each in committed.result(brokering.TIMEOUT).topic_partitions] == [(COLLECTION, 1)]


def test_reading_needs_the_token(start, tmp_path):
    """Where there is one, also on this machine: neither topics nor groups are shown."""
    (tmp_path / "token").write_text("r3ader")
    address = start({"authToken": "t"}, args=["--ingest-kafka-token", tmp_path / "token"])
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": address})
    topics = admin.list_topics(timeout=brokering.TIMEOUT).topics
    assert list(topics) == [COLLECTION] and topics[COLLECTION].error
    reader = Reader(address)
    until(lambda: reader.failures, "the refusal")
    reader.end()
