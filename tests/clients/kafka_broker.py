"""A real Kafka broker, alone, in a folder of its own: to see whether clients see the same of Firth (test_kafka_clients.py), and
what it costs (bench/kafka.py)."""

import contextlib
import pathlib
import socket
import subprocess
import time

START = 180  # seconds that a broker may take
PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/log
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def free_port():
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]


def java(lib, name, *args, options=("-Xmx512m",)):
    """The command that runs a class of the jars in `lib`."""
    return ["java", *options, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{lib}/*", name, *map(str, args)]


def wait_until_it_answers(process, address, log):
    end = time.monotonic() + START
    while subprocess.run(["kcat", "-b", address, "-L", "-m", "1"], capture_output=True, check=False).returncode != 0:
        if time.monotonic() > end or process.poll() is not None:
            raise RuntimeError(f"the broker did not start: {log.read_text()[-2000:]}")


@contextlib.contextmanager
def broker(lib, folder, advertised=None, **properties):
    """Its process and its address. `advertised`: what clients are told instead; `properties`:
    log_flush_interval_messages=1 for log.flush.interval.messages and the like."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    address, log, path = f"127.0.0.1:{port}", folder / "broker.log", folder / "server.properties"
    path.write_text(PROPERTIES.format(port=port, controller=free_port(), folder=folder, advertised=advertised or address)
                    + "".join(f"{name.replace('_', '.')}={value}\n" for name, value in properties.items()))
    subprocess.run(java(lib, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", path), check=True,
                   capture_output=True, timeout=START)
    with open(log, "wb") as output:
        process = subprocess.Popen(java(lib, "kafka.Kafka", path), stdout=output, stderr=output)
    try:
        wait_until_it_answers(process, address, log)
        yield process, address
    finally:
        process.terminate()
        process.wait()
