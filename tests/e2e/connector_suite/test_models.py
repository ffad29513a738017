"""Every message of ours, loaded with the models of Airbyte's own development kit."""

import pathlib
import subprocess

from connector_suite.connectors import DESTINATIONS, SOURCES
from connector_suite.protocol import configured

RECORD = (b'{"type":"RECORD","record":{"stream":"a","data":{},"emitted_at":1}}\n'
          b'{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"a"},"stream_state":{}}}}\n')
STREAM = {"name": "a", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}


def test_messages_load(request, tmp_path, airbyte_source_faker):
    sessions = []
    for connector in (next(each for each in SOURCES if each.name == "source-faker"), DESTINATIONS[0]):
        run, config = connector.runner(request, tmp_path), connector.config(tmp_path)
        sessions += [run("spec"), run("check", config=config), run("check", config=connector.bad[0])]
        if connector.kind == "source":
            sessions.append(run("discover", config=config))
            streams = sessions[-1].one("CATALOG")["catalog"]["streams"]
            sessions.append(run("read", config=config, catalog=configured(streams)))
            sessions.append(run("read", config=config, catalog={"streams": 1}))
        else:
            catalog = configured([STREAM], destination_sync_mode="append_dedup")
            sessions.append(run("write", config=config, catalog=catalog, stdin=RECORD))
    out = b"".join(session.out for session in sessions)
    kinds = {m["type"] for session in sessions for m in session.messages}
    assert kinds == {"SPEC", "CONNECTION_STATUS", "CATALOG", "RECORD", "STATE", "TRACE", "LOG"}
    python = pathlib.Path(airbyte_source_faker).parent / "python"
    done = subprocess.run([python, pathlib.Path(__file__).with_name("load_messages.py")], input=out,
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert int(done.stdout) == out.count(b"\n") > 90
