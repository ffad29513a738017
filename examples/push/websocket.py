"""Push each line of the input as a message of its own, and wait until all are durable (pip install websockets).

python3 websocket.py ws://127.0.0.1:8080/ingest/acmeCo/example/webhook-ingest/webhooks < documents.jsonl"""

import json
import sys

from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

with connect(sys.argv[1]) as socket:
    lines = [line for line in sys.stdin if line.strip()]
    for line in lines:
        socket.send(line)
    try:
        for said in socket:
            if json.loads(said).get("Processed") == len(lines):
                print(f"{len(lines)} messages are durable")
                break
            if "Error" in said:
                print(said)
    except ConnectionClosedError as closed:
        sys.exit(f"closed: {closed.rcvd.code if closed.rcvd else 'without a word'}")
