"""kafkajs, Kafka's own Java client and librdkafka: each produces idempotently over connections that are cut, and reads in groups
whose members come and go. At the level `full` the same tests, with the same expectations, are of a real broker too."""

import contextlib
import json
import os
import signal
import subprocess

import confluent_kafka.admin
import pytest

import brokering
import pushing
from clients.kafka_broker import broker, java
from conftest import FULL, Firth, ROOT, Running, binary, until

PEERS = ROOT / ".deps" / "kafka"
CLIENTS = ("kafkajs", "java", "librdkafka")
TOPICS = {client: (f"{client}-1", f"{client}-2") for client in CLIENTS}
COUNT = 100
SECONDS = 150  # that a client may take: a JVM on two busy cores
CUT = 0.2  # the chance that an answer is lost with its connection


class Server:
    """Clients know it by its proxy alone; topics are there, and nothing is in them."""

    def __init__(self, proxy):
        self.proxy, self.address = proxy, proxy.address

    @contextlib.contextmanager
    def cutting(self, gentle=False):
        before, self.proxy.chance, self.proxy.gentle = self.proxy.cuts, CUT, gentle
        yield
        self.proxy.chance = 0.0
        assert self.proxy.cuts > before, "it was about something"


@contextlib.contextmanager
def firth_serves(proxy, folder):
    firth = Firth(binary("FIRTH_BIN", "build/firth"), folder / "data", folder)
    topics = {topic: {"name": topic} for both in TOPICS.values() for topic in both}
    try:
        yield brokering.run(firth, pushing.catalog(folder / "flow.json", None, topics), "--ingest-kafka-advertise", proxy.address)[1]
    finally:
        firth.stop_all()


@contextlib.contextmanager
def broker_serves(proxy, folder):
    with broker(PEERS / "lib", folder, advertised=proxy.address) as (_, address):
        yield address


def create_topics(address):
    """The broker's; Firth says that they are there."""
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": address})
    made = admin.create_topics([confluent_kafka.admin.NewTopic(topic, 1) for both in TOPICS.values() for topic in both])
    for each in made.values():
        error = each.exception(brokering.TIMEOUT)
        assert not error or error.args[0].name() == "TOPIC_ALREADY_EXISTS", error


@pytest.fixture(scope="module", params=["firth"] + (["broker"] if FULL else []))
def server(request, tmp_path_factory):
    if not (PEERS / "installed").exists():
        pytest.fail("kafkajs and Kafka's Java client are not installed: run scripts/setup test")
    target = []
    proxy = brokering.Proxy(lambda: target[0] if target else None)
    serves = {"firth": firth_serves, "broker": broker_serves}[request.param]
    with serves(proxy, tmp_path_factory.mktemp(request.param)) as address:
        target.append(address)
        create_topics(proxy.address)
        yield Server(proxy)
    proxy.close()


def expected(topic, count):
    """(partition, offset, key, value) of all there is."""
    return [(0, n, f'{{"id":"{n}"}}', {"id": str(n), "topic": topic}) for n in range(count)]


def send(server, topics, first, count, **config):
    """By librdkafka; what it is told of each."""
    producer = brokering.Delivered(server.address, **config)
    for number in range(first, first + count):
        for topic in topics:
            producer.send((topic, number), {"id": str(number), "topic": topic}, topic=topic, key=f'{{"id":"{number}"}}')
    return producer.end()


def ended(command, **more):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=SECONDS, check=False, **more)
    assert done.returncode == 0, done
    return done.stdout


# --- kafkajs ----------------------------------------------------------------------------------------------------------


def kafkajs(server, what):
    told = ended(["node", ROOT / "tests/clients/programs/kafkajs_client.js", what, server.address, COUNT, *TOPICS["kafkajs"]],
                 env={**os.environ, "NODE_PATH": str(PEERS / "js/node_modules")})
    return [json.loads(line) for line in told.splitlines()]


def test_kafkajs(server):
    topics = TOPICS["kafkajs"]
    with server.cutting(gentle=True):  # a part of an answer ends kafkajs, a connection that ends in its first moments too
        told = kafkajs(server, "produce")
    assert [(each["told"], each["error"]) for each in told] == [(topic, 0) for topic in topics for _ in range(0, COUNT, 10)]
    for topic in topics:
        assert brokering.consumed(server.address, topic=topic) == expected(topic, COUNT)
    took = [each for each in kafkajs(server, "share") if "told" not in each]
    assert sorted((each["topic"], 0, each["offset"], each["key"], each["value"]) for each in took if each["held"]) == [
        (topic, *each) for topic in topics for each in expected(topic, COUNT + 11)]


# --- Java -------------------------------------------------------------------------------------------------------------

SMALL = ("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
ROUND_ROBIN = "partition.assignment.strategy=org.apache.kafka.clients.consumer.RoundRobinAssignor"


def java_producer(server, topic):
    lines = "".join('{"id":"%d"}|{"id":"%d","topic":"%s"}\n' % (n, n, topic) for n in range(COUNT))
    ended(java(PEERS / "lib", "org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server", server.address, "--topic", topic,
               "--property", "parse.key=true", "--property", "key.separator=|", "--producer-property", "enable.idempotence=true",
               "--producer-property", "reconnect.backoff.max.ms=50", "--message-send-max-retries", 1000, "--retry-backoff-ms", 10,
               "--batch-size", 300, "--timeout", 1, options=SMALL), input=lines)


def test_java(server):
    """The Java client shares a group with librdkafka: each has a topic; when it leaves, the other goes on where it was."""
    topics = TOPICS["java"]
    with server.cutting():
        java_producer(server, topics[0])
    assert brokering.consumed(server.address, topic=topics[0]) == expected(topics[0], COUNT)
    reader = brokering.Reader(server.address, "java", topics, partition_assignment_strategy="roundrobin")
    until(lambda: len(reader.assigned) == 2, "both topics")
    reader.wait(COUNT)
    reader.commit()
    consumer = Running(java(PEERS / "lib", "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", server.address,
                            "--include", "|".join(topics), "--group", "java", "--consumer-property", ROUND_ROBIN, "--property",
                            "print.key=true", "--property", "print.offset=true", options=SMALL), os.environ, ROOT)
    try:
        until(lambda: len(reader.assigned) == 1, "a topic for each", SECONDS)
        (topic, _), = reader.assigned
        other, = set(topics) - {topic}
        begin = {topics[0]: COUNT, topics[1]: 0}
        for each in topics:
            send(server, [each], begin[each], 10)
        reader.wait(COUNT + 10)
        until(lambda: len(consumer.out) == 10, "what Java reads")
        reader.commit()
        consumer.signal(signal.SIGTERM)
        until(lambda: len(reader.assigned) == 2, "both topics again")
        for each in topics:
            send(server, [each], begin[each] + 10, 1)
        reader.wait(COUNT + 12)
    finally:
        consumer.kill()
    assert consumer.out == ['Offset:%d\t%s\t%s' % (offset, key, json.dumps(value))
                            for _, offset, key, value in expected(other, begin[other] + 10)[begin[other]:]]
    got = sorted((topic, offset) for topic, offset, _ in reader.end())
    assert got == sorted((each, n) for each in topics for n in range(begin[each] + 11)
                         if each == topic or not begin[each] <= n < begin[each] + 10)


# --- librdkafka -------------------------------------------------------------------------------------------------------


def test_librdkafka(server):
    """Answers are lost while up to five batches are on their way; each record is kept once, in order. Two members have a topic
    each; when one leaves, the other has both, and goes on where that one was."""
    topics = TOPICS["librdkafka"]
    with server.cutting():
        told = send(server, topics, 0, COUNT, enable_idempotence=True, linger_ms=1, batch_num_messages=10, retry_backoff_ms=1,
                    reconnect_backoff_ms=1, reconnect_backoff_max_ms=20)
    assert told == {(topic, n): n for topic in topics for n in range(COUNT)}
    for topic in topics:
        assert brokering.consumed(server.address, topic=topic) == expected(topic, COUNT)
    first = brokering.Reader(server.address, "librdkafka", topics, partition_assignment_strategy="roundrobin")
    first.wait(2 * COUNT)
    first.commit()
    second = brokering.Reader(server.address, "librdkafka", topics, partition_assignment_strategy="roundrobin")
    until(lambda: len(first.assigned) == len(second.assigned) == 1 and first.assigned != second.assigned, "half of them each")
    send(server, topics, COUNT, 10)
    first.wait(2 * COUNT + 10)
    second.wait(10)
    assert {topic for topic, *_ in second.got} == {topic for topic, _ in second.assigned}
    first.commit()
    second.commit()
    left = second.end()
    until(lambda: len(first.assigned) == 2, "all partitions again")
    send(server, topics, COUNT + 10, 1)
    first.wait(2 * COUNT + 12)
    assert sorted(left + first.end(), key=lambda each: each[:2]) == [
        (topic, offset, value) for topic in topics for _, offset, _, value in expected(topic, COUNT + 11)]
