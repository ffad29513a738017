"""Push captures by Kafka's protocol: kcat and librdkafka of today, message formats of yesterday, and bytes that are none."""

import signal
import struct
import subprocess

import confluent_kafka
import confluent_kafka.admin
import pytest

import brokering
import pushing
from brokering import Delivered, Raw, consumed, kcat
from conftest import until
from kafka_bytes import batch, error_of, produce, record
from pushing import COLLECTION

OTHER = "acmeCo/example/other"


@pytest.fixture
def start(firth, tmp_path):
    """start(endpoint, resources, …) -> the address of a running listener."""
    def begin(*options, args=(), **more):
        begin.running, address = brokering.run(firth, pushing.catalog(tmp_path / "flow.json", *options, **more), *args)
        return address
    return begin


def lines(name, count=3):
    return b"".join(b'{"id":"%s-%d"}\n' % (name.encode(), each) for each in range(count))


def test_every_format_and_compression(firth, start):
    """Record batches, and the two message formats before them, each as they come and compressed."""
    address = start()
    expected = []
    fallback = ("-X", "api.version.request=false", "-X")
    for version, flags in (("v2", ()), ("v1", (*fallback, "broker.version.fallback=0.10.0.0")),
                           ("v0", (*fallback, "broker.version.fallback=0.9.0.0"))):
        for codec in ("none", "gzip", "snappy", "lz4", *(["zstd"] if version == "v2" else [])):
            name = f"{version}-{codec}-{'x' * 200}"
            kcat(address, "-P", "-t", COLLECTION, "-z", codec, *flags, stdin=lines(name))
            expected += [f"{name}-{each}" for each in range(3)]
    assert [document["id"] for document in firth.read(COLLECTION)] == expected
    assert [value["id"] for *_, value in consumed(address)] == expected


def test_idempotent_producer_is_told_where_its_records_are(firth, start):
    address = start()
    producer = Delivered(address, enable_idempotence=True, linger_ms=5)
    for number in range(3000):
        producer.send(number, {"id": str(number)})
    told = producer.end()
    assert [told[number] for number in range(3000)] == list(range(3000))
    assert [(offset, key, value["id"]) for _, offset, key, value in consumed(address)] == [
        (number, f'{{"id":"{number}"}}', str(number)) for number in range(3000)]
    assert len(firth.read(COLLECTION)) == 3000


@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_acks(firth, start, acks):
    kcat(start(), "-P", "-t", COLLECTION, "-X", f"acks={acks}", stdin=lines("a", 100))
    until(lambda: len(firth.read(COLLECTION)) == 100, "the documents")


def test_one_invalid_record_refuses_the_batch(firth, start):
    address = start()
    producer = Delivered(address, enable_idempotence=True, linger_ms=200, batch_num_messages=3)
    for name, document in enumerate([{"id": "a"}, {"id": 3}, {"id": "c"}, {"id": "d"}, {"id": "e"}, {"id": "f"}]):
        producer.send(name, document)
    told = producer.end()
    assert [told[name] for name in range(3)] == ["INVALID_RECORD"] * 3
    # Its numbers are in no log: the producer begins a new epoch, and what follows is kept.
    assert [told[name] for name in range(3, 6)] == [0, 1, 2]
    assert [document["id"] for document in firth.read(COLLECTION)] == ["d", "e", "f"]


def test_why_a_record_is_invalid_is_told(start):
    """By the protocol's error and the record's place; the message itself librdkafka keeps to itself."""
    raw = Raw(start())
    records = b"".join(record(value) for value in (b'{"id":"a"}', b'{"id":3}'))
    answer = produce(raw, batch(records, 2))
    assert b"'/id'" in answer and b"keyword 'type'" in answer
    topics, = struct.unpack_from(">i", answer)
    size, = struct.unpack_from(">h", answer, 4)
    index, error, offset, _, _, errors, bad = struct.unpack_from(">ihqqqii", answer, 10 + size)
    assert (topics, index, error, offset, errors, bad) == (1, 0, 87, -1, 1, 1)
    raw.close()


def test_deletions(firth, start):
    address = start()
    producer = Delivered(address)
    producer.send("kept", {"id": "a"})
    producer.send("gone", None, key=b'{"id":"a"}')
    producer.end()
    refused = Delivered(address)
    refused.send("text", None, key=b"a")
    assert refused.end() == {"text": "INVALID_RECORD"}
    assert firth.read(COLLECTION) == [{"id": "a"}, {"id": "a", "_meta": {"op": "d"}}]


def test_metadata(firth, start):
    address = start({"metadata": True})
    producer = Delivered(address)
    producer.send("a", {"id": "a", "_meta": {"own": 1}}, key=b"k\xc3\xa4", headers=[("trace", b"t1"), ("none", None)],
                  timestamp=1700000000123)
    producer.send("b", {"id": "b"}, timestamp=1700000000124)
    producer.end()
    first, second = firth.read(COLLECTION)
    assert first["_meta"].pop("receivedAt") and second["_meta"].pop("receivedAt")
    assert first == {"_meta": {"own": 1, "headers": {"trace": "t1", "none": None}, "key": "kä",
                               "timestamp": "2023-11-14T22:13:20.123Z"}, "id": "a"}
    assert second["_meta"] == {"headers": {}, "key": None, "timestamp": "2023-11-14T22:13:20.124Z"}


# --- topics ------------------------------------------------------------------------------------------------

def test_topics(start):
    address = start(None, {COLLECTION: {"name": "webhooks"}, OTHER: {"name": "other"}})
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": address})
    metadata = admin.list_topics(timeout=brokering.TIMEOUT)
    assert sorted(metadata.topics) == [OTHER, COLLECTION]
    assert all(list(topic.partitions) == [0] for topic in metadata.topics.values())
    unknown = admin.list_topics("acmeCo/none", timeout=brokering.TIMEOUT).topics["acmeCo/none"]
    assert unknown.error.code() == confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART
    created = admin.create_topics([confluent_kafka.admin.NewTopic(COLLECTION), confluent_kafka.admin.NewTopic("new")])
    for name, code in ((COLLECTION, "TOPIC_ALREADY_EXISTS"), ("new", "POLICY_VIOLATION")):
        error = created[name].exception(brokering.TIMEOUT).args[0]
        assert error.name() == code and ("catalog" in error.str() or name == COLLECTION)
    deleted = admin.delete_topics([COLLECTION, "new"])
    for name, code in ((COLLECTION, "TOPIC_DELETION_DISABLED"), ("new", "UNKNOWN_TOPIC_OR_PART")):
        assert deleted[name].exception(brokering.TIMEOUT).args[0].name() == code


def test_configurations(start):
    """Tools ask for them before they show a topic: of the client library's version, and of each other by hand."""
    resource = confluent_kafka.admin.ConfigResource
    topic, none, broker = resource("topic", COLLECTION), resource("topic", "acmeCo/none"), resource("broker", "1")
    address = start()
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": address})
    told = admin.describe_configs([topic, none, broker])
    found = told[topic].result(brokering.TIMEOUT)
    assert {name: each.value for name, each in found.items()} == {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime"}
    assert all(each.is_read_only and each.is_default and not each.is_sensitive for each in found.values())
    assert told[none].exception(brokering.TIMEOUT).args[0].code() == confluent_kafka.KafkaError.UNKNOWN_TOPIC_OR_PART
    assert told[broker].result(brokering.TIMEOUT) == {}

    raw, name, wanted, no_text = Raw(address), COLLECTION.encode(), b"cleanup.policy", struct.pack(">h", -1)
    def text(value):
        return struct.pack(">h", len(value)) + value
    for version in range(4):
        asked = struct.pack(">ib", 1, 2) + text(name) + struct.pack(">i", 1) + text(wanted) + b"\0" * (version >= 1) + b"\0" * (version >= 3)
        assert raw.ask(32, version, asked) == (
            struct.pack(">iih", 0, 1, 0) + no_text + b"\2" + text(name) + struct.pack(">i", 1) + text(wanted) + text(b"delete") + b"\1" +
            (b"\5" if version else b"\1") + b"\0" + b"\0\0\0\0" * (version >= 1) + (b"\7" + no_text) * (version >= 3)), version
    compact = bytes([len(name) + 1]) + name
    assert raw.ask(32, 4, b"\0\2\2" + compact + b"\0\0\0\1\0") == (
        b"\0" + struct.pack(">i", 0) + b"\2\0\0\0\2" + compact + b"\3" +
        b"".join(bytes([len(key) + 1]) + key + bytes([len(value) + 1]) + value + b"\1\5\0\1" + bytes([kind, 30]) +
                 b"the same for every collection\0" for key, value, kind in
                 ((b"cleanup.policy", b"delete", 7), (b"message.timestamp.type", b"LogAppendTime", 2))) + b"\0\0")
    assert raw.ask(32, 0, struct.pack(">ib", 1, 8) + text(b"x") + struct.pack(">i", -1))[8:10] == struct.pack(">h", 42)
    raw.close()


def test_two_topics_in_one_client(firth, start):
    producer = Delivered(start(None, {COLLECTION: {"name": "webhooks"}, OTHER: {"name": "other"}}), enable_idempotence=True)
    for number in range(100):
        producer.send(number, {"id": str(number)}, topic=(COLLECTION, OTHER)[number % 2])
    assert sorted(producer.end().values()) == sorted([*range(50)] * 2)
    assert len(firth.read(COLLECTION)) == len(firth.read(OTHER)) == 50


def test_transactions_are_refused(start):
    producer = confluent_kafka.Producer({"bootstrap.servers": start(), "transactional.id": "t"})
    with pytest.raises(confluent_kafka.KafkaException) as refusal:
        producer.init_transactions(20)
    assert refusal.value.args[0].code() != confluent_kafka.KafkaError._TIMED_OUT, refusal.value


# --- who may -----------------------------------------------------------------------------------------------

def sasl(password, user="somebody"):
    return {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_username": user, "sasl_password": password,
            "message_timeout_ms": 3000}


def test_tokens(firth, start, tmp_path):
    (tmp_path / "token").write_text("r3ader\n")
    address = start({"authToken": "t0ken-1"}, {COLLECTION: {"name": "webhooks"}, OTHER: {"name": "other", "authToken": "t0ken-2"}},
                    args=["--ingest-kafka-token", tmp_path / "token"])
    for config, collection, told in ((sasl("t0ken-1"), COLLECTION, 0), (sasl("t0ken-2"), OTHER, 0),
                                     (sasl("t0ken-1"), OTHER, "TOPIC_AUTHORIZATION_FAILED"),
                                     (sasl("r3ader"), COLLECTION, "TOPIC_AUTHORIZATION_FAILED"),
                                     ({"message_timeout_ms": 3000}, COLLECTION, "TOPIC_AUTHORIZATION_FAILED")):
        producer = Delivered(address, **config)
        producer.send("a", {"id": "a"}, topic=collection)
        assert producer.end() == {"a": told}, config
    failures = []
    wrong = confluent_kafka.Producer({"bootstrap.servers": address, "error_cb": failures.append,
                                      **{name.replace("_", "."): value for name, value in sasl("wrong").items()}})
    until(lambda: wrong.poll(0.01) or any(error.name() == "_AUTHENTICATION" for error in failures), "the refusal")
    flags = [part for name, value in sasl("r3ader").items() for part in ("-X", f"{name.replace('_', '.')}={value}")
             if name != "message_timeout_ms"]
    assert [value for *_, value in consumed(address, *flags)] == [{"id": "a"}]
    assert "Topic authorization failed" in kcat_refused(address)
    assert not [secret for secret in ("t0ken", "r3ader") if secret in "".join(start.running.out + start.running.err)]
    assert len(firth.read(COLLECTION)) == len(firth.read(OTHER)) == 1


def kcat_refused(address):
    done = subprocess.run(["kcat", "-b", address, "-C", "-t", COLLECTION, "-o", "beginning", "-e", "-q"], capture_output=True,
                          timeout=brokering.TIMEOUT, check=False)
    assert done.returncode != 0
    return done.stderr.decode()


def test_the_old_handshake(start):
    """SaslHandshake's first version: the name and password follow as bytes of their own."""
    raw = Raw(start({"authToken": "t0ken"}))
    assert raw.ask(17, 0, struct.pack(">h5s", 5, b"PLAIN"))[:2] == b"\0\0"
    raw.send(b"\0user\0t0ken")
    assert raw._exactly(4) == b"\0\0\0\0"
    assert raw.ask(18, 0)[:2] == b"\0\0"
    raw.close()


def test_tls(firth, start, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "k.pem", "-out", tmp_path / "c.pem",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"], check=True, capture_output=True)
    address = start({"authToken": "t0ken"}, args=["--ingest-tls-cert", tmp_path / "c.pem", "--ingest-tls-key", tmp_path / "k.pem"])
    producer = Delivered(address, **{**sasl("t0ken"), "security_protocol": "SASL_SSL", "ssl_ca_location": str(tmp_path / "c.pem"),
                                     "message_timeout_ms": 20000})
    for number in range(500):  # also larger than TLS's records
        producer.send(number, {"id": str(number), "text": "x" * (number * 100)})
    assert list(producer.end().values()) == list(range(500))
    raw = Raw(address)
    raw.send(b"\0\x12\0\0\0\0\0\7\xff\xff")
    assert raw.ended(), "it is no handshake"
    host, _, port = address.rpartition(":")
    pushing.refuses_old_tls((host, int(port)))
    assert len(firth.read(COLLECTION)) == 500


# --- bytes -------------------------------------------------------------------------------------------------

def test_sequences(firth, start):
    """What a producer's numbers mean, and that they outlive the process, and the name of the resource."""
    raw = Raw(start())
    send = lambda first, count, epoch=0, connection=None: error_of(produce(  # noqa: E731
        connection or raw, batch(b"".join(record(b'{"id":"%d"}' % each) for each in range(first, first + count)), count, 77, epoch, first)))
    duplicate, out_of_order, fenced = 46, 45, 47
    assert send(5, 5) == (out_of_order, -1), "its first batch begins at 0"
    assert send(0, 5) == (0, 0)
    assert send(5, 5) == (0, 5)
    assert send(0, 5) == (0, 0) and send(5, 5) == (0, 5), "they are known, and where they are"
    assert send(11, 1) == (out_of_order, -1)
    for each in range(10, 15):
        assert send(each, 1) == (0, each)
    assert send(0, 5) == (duplicate, -1), "known, but not where"
    assert send(0, 1, epoch=1) == (0, 15) and send(15, 1) == (fenced, -1)
    assert send(2, 1, epoch=2) == (out_of_order, -1)
    raw.close()
    start.running.signal(signal.SIGTERM)
    start.running.wait()
    again = Raw(start({}, {COLLECTION: {"name": "renamed"}}))
    assert send(0, 1, 1, again) == (0, 15) and send(14, 1, 0, again) == (fenced, -1)
    assert send(1, 1, 1, again) == (0, 16)
    again.close()
    assert len(firth.read(COLLECTION)) == 17


@pytest.mark.parametrize("body, error", [
    (b"", 2), (b"x" * 100, 76), (b"\0" * 100, 2), (batch(record(b'{"id":"a"}'), 1, checksum=1), 2),
    (batch(record(b'{"id":"a"}'), 2), 2), (batch(record(b'{"id":"a"}') + b"x", 1), 2), (batch(record(b'{"id":"a"}', headers=5), 1), 2),
    (batch(b"\x01", 1), 2), (batch(record(b'{"id":"a"}'), 1, attributes=32), 87), (batch(record(b'{"id":"a"}'), 1, attributes=16), 42),
    (batch(b"", 1, attributes=1), 2), (batch(b"xxxx", 1, attributes=2), 2), (batch(b"xxxx", 1, attributes=3), 2),
    (batch(b"xxxx", 1, attributes=4), 2), (batch(b"xxxx", 1, attributes=5), 76), (batch(record(b"{"), 1), 87),
    (batch(record(b'{"id":"a"}'), 1, producer=5), 87), (batch(record(b'{"id":"a"}'), 1) * 2, 2),
], ids=str)
def test_batches_that_are_none(request, body, error):
    raw = request.getfixturevalue("shared")()
    assert error_of(produce(raw, body)) == (error, -1)
    assert raw.ask(18, 0)[:2] == b"\0\0", "the connection stays"
    raw.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One listener of the build with sanitizers, for all that is refused; nothing was kept at the end."""
    from conftest import Firth, binary
    folder = tmp_path_factory.mktemp("shared")
    firth = Firth(binary("FIRTH_DEV_BIN", "build-dev/firth"), folder / "data", folder)
    running, address = brokering.run(firth, pushing.catalog(folder / "flow.json"))
    yield lambda: Raw(address)
    raw = Raw(address)
    assert raw.ask(18, 0)[:2] == b"\0\0"
    raw.close()
    running.signal(signal.SIGTERM)
    assert running.wait() == 130  # 1, if a sanitizer had found something
    assert firth.read(COLLECTION) == []
    firth.stop_all()


@pytest.mark.parametrize("payload", [
    b"", b"\0", b"\0\x12\0", b"\x7f\xff\0\0\0\0\0\7\xff\xff", b"\0\0\0\x63\0\0\0\7\xff\xff", b"\0\x12\0\3\0\0\0\7\x7f\xff", b"\0\3\0\1\0\0\0\7\xff\xff\x7f\xff\xff\xff",
    b"\0\3\0\x09\0\0\0\7\xff\xff\0\xff\xff\xff\xff\xff\xff", b"\0\0\0\3\0\0\0\7\xff\xff\xff\xff\xff\xff\0\0\0\0\x7f\xff\xff\xff",
    b"\0\1\0\4\0\0\0\7\xff\xff" + b"\xff" * 17 + b"\0\0\0\1", b"\0\2\0\1\0\0\0\7\xff\xff" + b"\xff" * 40, b"\0\x24\0\0\0\0\0\7\xff\xff\0\0\0\x10",
    b"\0\x13\0\0\0\0\0\7\xff\xff\0\0\0\1",
], ids=str)
def test_requests_that_are_none(shared, payload):
    raw = shared()
    raw.send(payload)
    assert raw.ended()
    raw.close()


def test_other_protocols(shared):
    for greeting in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\xff" * 100, b"\0" * 4):
        raw = shared()
        raw.socket.sendall(greeting)
        assert raw.ended(), greeting
        raw.close()


def test_a_version_that_is_none_of_ours(shared):
    """A client that is newer than we are asks again in a version that we have named."""
    raw = shared()
    answer = raw.ask(18, 99)
    error, count = struct.unpack_from(">hi", answer)
    apis = {key: (least, most) for key, least, most in struct.iter_unpack(">hhh", answer[6:6 + 6 * count])}
    assert error == 35 and apis[18] == (0, 3) and apis[0][1] >= 9 and apis[1][0] == 4
    assert raw.ask(18, 0)[:2] == b"\0\0"
    raw.close()


def test_byte_by_byte_and_many_at_once(shared):
    raw = shared()
    request = struct.pack(">ihhih", 10, 18, 0, 7, -1)
    for byte in request:
        raw.socket.sendall(bytes([byte]))
    assert raw.answer()[:2] == b"\0\0"
    raw.socket.sendall(request * 5000)
    for _ in range(5000):
        assert raw.answer()[:2] == b"\0\0"
    raw.close()
