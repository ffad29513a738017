"""Kafka clients: kcat (librdkafka) produces documents of 500 bytes with acks=all and idempotence, then reads them; Firth's listener
beside a real broker, in turns.

Records a second, CPU time of a record (user and system, of the server alone), and the server's memory at most. Firth syncs each group
of batches before it answers. The broker is there twice: with log.flush.interval.messages=1, by which it syncs each batch, as close to
the same durability as it goes; and as it comes, when it syncs whenever the kernel likes."""

import collections
import contextlib
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

import webhook

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests" / "clients"))

import kafka_broker  # noqa: E402

RECORDS = int(os.environ.get("BENCH_KAFKA", "300000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
TOPIC = "pushed"
PRODUCE = ("-P", "-t", TOPIC, "-X", "acks=all", "-X", "enable.idempotence=true", "-X", "linger.ms=5", "-l")


def consume(number):
    """What the round of this number has written."""
    return ("-C", "-t", TOPIC, "-p", "0", "-o", number * RECORDS, "-c", RECORDS, "-q")


class Server:
    def __init__(self, pid, address):
        self.pid, self.address = pid, address
        self.figures = collections.defaultdict(list)  # of each round: (records a second, µs of CPU a record)

    def run(self, name, *args):
        before, began = webhook.ticks(self.pid), time.monotonic()
        with open(os.devnull, "wb") as nowhere:
            subprocess.run(["kcat", "-b", self.address, *map(str, args)], check=True, stdout=nowhere, stderr=nowhere)
        seconds = time.monotonic() - began
        self.figures[name].append((RECORDS / seconds, (webhook.ticks(self.pid) - before) / RECORDS * 1e6))

    def rate(self, name):
        return statistics.median(rate for rate, _ in self.figures[name])

    def cost(self, name):
        return statistics.median(cost for _, cost in self.figures[name])

    def memory(self):
        """MB."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


@contextlib.contextmanager
def with_firth(firth, folder):
    catalog = folder / "kafka.yaml"
    catalog.write_text(json.dumps({
        "collections": {TOPIC: {"key": ["/id"], "schema": webhook.SCHEMA}},
        "captures": {"acmeCo/in": {"endpoint": {"ingest": {}}, "bindings": [{"target": TOPIC, "resource": {"name": "in"}}]}}}))
    running = subprocess.Popen([firth, "run", catalog, "--data-dir", folder / "kafka", "--ingest", "127.0.0.1:0", "--ingest-kafka",
                                "127.0.0.1:0", "-o", "json"], stdout=subprocess.PIPE, text=True)
    try:
        urls = (json.loads(line)["url"] for line in running.stdout if '"event":"listening"' in line)
        address = next(url for url in urls if url.startswith("kafka://")).partition("://")[2]
        threading.Thread(target=collections.deque, args=(running.stdout, 0), daemon=True).start()  # what it says is read on
        yield Server(webhook.listener_of(running.pid), address)
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait()


@contextlib.contextmanager
def with_broker(folder, **more):
    with kafka_broker.broker(ROOT / ".deps/kafka/lib", folder, **more) as (process, address):
        subprocess.run(["kcat", "-b", address, "-L", "-t", TOPIC], check=True, capture_output=True)  # makes the topic
        yield Server(process.pid, address)


def compare(report, ours, synced, plain):
    for name in ("produce", "consume"):
        report.line(f"kafka, {name}", f"{ours.rate(name):.0f} records/s",
                    f"broker {synced.rate(name):.0f}/s (unsynced {plain.rate(name):.0f}/s)",
                    f"{ours.rate(name) / synced.rate(name):.1f}x", "at least the broker's", ours.rate(name) >= synced.rate(name))
        report.line(f"kafka, {name}, CPU", f"{ours.cost(name):.2f} µs a record",
                    f"broker {synced.cost(name):.2f} µs (unsynced {plain.cost(name):.2f} µs)",
                    f"{synced.cost(name) / ours.cost(name):.1f}x", "at most the broker's", ours.cost(name) <= synced.cost(name))
    report.line("kafka, memory", f"{ours.memory():.0f} MB", f"broker {synced.memory():.0f} MB",
                f"{synced.memory() / ours.memory():.1f}x", "a tenth", ours.memory() * 10 <= synced.memory())


def bench(firth, folder, report):
    lines = folder / "documents"
    lines.write_text("".join('{"id":"%s","n":%d,"text":"%s"}\n' % (f"{each:012d}", each, "x" * 450) for each in range(RECORDS)))
    with (with_firth(firth, folder) as ours, with_broker(folder / "synced", log_flush_interval_messages=1) as synced,
          with_broker(folder / "plain") as plain):
        for number in range(ROUNDS):
            for server in (ours, synced, plain):
                server.run("produce", *PRODUCE, lines)
                server.run("consume", *consume(number))
        compare(report, ours, synced, plain)
