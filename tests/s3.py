"""An S3 server for tests: moto's, on a free port, in a process of its own, ended by the fixture.

    def test_x(s3):
        s3.put("bucket", "dir/a.jsonl", b"{}\\n")     # makes the bucket
        assert s3.get("bucket", "dir/a.jsonl") == b"{}\\n"
        s3.url, s3.key_id, s3.secret, s3.region        # what a config needs
        s3.calls()                                     # [(method, path), …] so far

One server a run; buckets have names of their own, from `s3.bucket()`."""

import http.client
import http.server
import itertools
import os
import pathlib
import subprocess
import sys

import pytest

from conftest import until
from postgres import free_port


class S3:
    key_id, secret, region = "id", "not a secret", "us-east-1"
    _numbers = itertools.count(1)

    def __init__(self, port):
        import boto3  # here: half a second that only tests of buckets are to pay
        import botocore.config
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.client = boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id=self.key_id, aws_secret_access_key=self.secret,
            region_name=self.region, config=botocore.config.Config(proxies={}, s3={"addressing_style": "path"}))

    def bucket(self):
        name = f"bucket-{os.getpid()}-{next(self._numbers)}"
        self.client.create_bucket(Bucket=name)
        return name

    def put(self, bucket, key, body):
        self.client.put_object(Bucket=bucket, Key=key, Body=body)

    def get(self, bucket, key):
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, bucket, prefix=""):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def uploads(self, bucket):
        return self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])


class InFront(http.server.BaseHTTPRequestHandler):
    """A server in front of an S3 server (server.behind is its port); what it does otherwise, its `change` says."""
    protocol_version = "HTTP/1.1"

    def change(self, status, text):
        """What is answered in place of the S3 server's (status, text)."""
        return status, text

    def arrived(self):
        """A request has come whole."""

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.arrived()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        status, text = self.change(answer.status, answer.read())
        self.send_response(status)
        for name in ("ETag", "Content-Type"):
            if answer.getheader(name):
                self.send_header(name, answer.getheader(name))
        self.send_header("Content-Length", answer.getheader("Content-Length") if self.command == "HEAD" else str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = lambda self: self.do()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s3")
    port = free_port()
    program = pathlib.Path(sys.executable).parent / "moto_server"
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log, cwd=folder,
                                   env={**os.environ, "TMPDIR": str(folder)})
    try:
        def answers():
            assert process.poll() is None, (folder / "log").read_text()
            return b"Running on" in (folder / "log").read_bytes()
        until(answers, "the S3 server")
        yield S3(port)
    finally:
        process.kill()
        process.wait()
