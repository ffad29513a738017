"""Push captures: the seed's catalog takes documents by HTTP, all of a request or nothing, once for each id."""

import os
import pathlib
import signal
import socket
import subprocess
import urllib.error
import urllib.request

CATALOG = """
collections:
  acmeCo/example/webhooks:
    key: [/id]
    schema: {type: object, properties: {id: {type: string}}, required: [id]}
captures:
  acmeCo/example/webhook-ingest:
    endpoint:
      ingest: {}
    bindings:
      - target: acmeCo/example/webhooks
        resource: {name: webhooks}
"""


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def post(url, body, **headers):
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except urllib.error.URLError:
        return 0, ""


def test_seed_catalog(tmp_path):
    firth = os.environ.get("FIRTH_BIN", str(pathlib.Path(__file__).parents[2] / "build/firth"))
    (tmp_path / "flow.yaml").write_text(CATALOG)
    data, port = str(tmp_path / "data"), free_port()
    url = f"http://127.0.0.1:{port}/ingest/acmeCo/example/webhook-ingest/webhooks"
    with subprocess.Popen([firth, "run", str(tmp_path / "flow.yaml"), "--data-dir", data, "--ingest",
                           f"127.0.0.1:{port}", "-o", "json"], stdout=subprocess.DEVNULL) as running:
        try:
            while post(url, b'{"id":"a"}', **{"Idempotency-Key": "1"})[0] != 200:
                assert running.poll() is None
            assert post(url, b'{"id":"a"}', **{"Idempotency-Key": "1"}) == (200, '{"published":0,"duplicate":true}')
            status, why = post(url, b'[{"id":"b"},{"id":3}]')
            assert status == 400 and '"document":1' in why and '"keyword":"type"' in why
            assert post(url, b"id\nc\n", **{"Content-Type": "text/csv"}) == (200, '{"published":1}')
            assert post(url, b"x", **{"Content-Type": "image/png"})[0] == 415
            assert post(url + "x", b"{}")[0] == 404
        finally:
            running.send_signal(signal.SIGTERM)
    read = subprocess.run([firth, "read", "--data-dir", data, "acmeCo/example/webhooks"], capture_output=True,
                          text=True, check=True)
    assert read.stdout.splitlines() == ['{"id":"a"}', '{"id":"c"}']
