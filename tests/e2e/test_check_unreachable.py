"""A check of what cannot be reached: somebody waits for the answer, which comes within seconds and not after all the attempts that a sync
makes."""

import json
import subprocess
import time

from manifests import SHOP
from postgres import free_port

SECONDS = 20  # two attempts and the wait between them, on a machine that is busy


def test_nobody_there(firth, s3, sheets, tmp_path):
    """All at once: a port that is closed, and one where TLS is not spoken."""
    closed = f"http://127.0.0.1:{free_port()}"
    bucket = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "endpoint": closed}
    configs = {
        "source-s3": {**bucket, "bucket": "b", "streams": [{"name": "s", "globs": ["**"]}]},
        "source-s3 tls": {**bucket, "bucket": "b", "streams": [{"name": "s", "globs": ["**"]}], "endpoint": s3.url.replace("http:", "https:")},
        "destination-s3": {"access_key_id": "k", "secret_access_key": "s", "s3_bucket_name": "b", "s3_bucket_path": "p", "s3_bucket_region": "us-east-1",
                           "s3_endpoint": closed, "format": {"format_type": "JSONL"}},
        "source-file": {"url": f"{closed}/a.csv", "dataset_name": "a", "format": "csv", "provider": {"storage": "HTTPS"}},
        "source-google-sheets": sheets.source_config(api_base=closed),
        "destination-google-sheets": sheets.config(api_base=closed),
        "source-declarative-manifest": {"api_key": "k", "url": closed, "__injected_declarative_manifest": SHOP},
    }
    begun, running = time.monotonic(), {}
    for name, config in configs.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(config))
        running[name] = subprocess.Popen([firth.path, "connector", name.split()[0], "check", "--config", path], stdout=subprocess.PIPE)
    for name, process in running.items():
        try:
            out = process.communicate(timeout=max(0.1, begun + SECONDS - time.monotonic()))[0]
        finally:
            process.kill()
        messages = [json.loads(line) for line in out.splitlines()]
        [status] = [m["connectionStatus"] for m in messages if m["type"] == "CONNECTION_STATUS"]
        assert status["status"] == "FAILED" and "127.0.0.1" in status["message"], (name, status)
