"""Who asks an S3 server: a role that is assumed (by a key, by the container), session tokens, and again before they expire."""

import datetime
import http.server
import json
import threading
import urllib.parse

import pytest

from connector_suite.protocol import Runner, configured

LISTING = b"""<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a.jsonl</Key><Size>8</Size>
<ETag>"x"</ETag><LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents></ListBucketResult>"""
STREAM = [{"name": "s", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}]


class Cloud(http.server.ThreadingHTTPServer):
    """A bucket, a service that gives credentials for a role, and one that gives a container its own."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.assumed, self.requests, self.valid_for, self.refusal, self.contained = [], [], 3600, None, 0

    def expires(self):
        return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.valid_for)).strftime(
            "%Y-%m-%dT%H:%M:%SZ")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"x"')
        self.end_headers()
        self.wfile.write(body)

    def who(self):
        key = self.headers.get("Authorization", "").partition("Credential=")[2].split("/")
        return key[0], key[3] if len(key) > 3 else None, self.headers.get("x-amz-security-token")

    def do_POST(self):
        cloud = self.server
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        cloud.assumed.append((self.who(), form))
        if cloud.refusal:
            self.answer(403, f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{cloud.refusal}</Message></Error></ErrorResponse>".encode())
            return
        n = len(cloud.assumed)
        self.answer(200, f"""<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ROLE{n}</AccessKeyId>
            <SecretAccessKey>s{n}</SecretAccessKey><SessionToken>t{n}+/=</SessionToken><Expiration>{cloud.expires()}</Expiration>
            </Credentials></AssumeRoleResult></AssumeRoleResponse>""".encode())

    def do_GET(self):
        cloud = self.server
        if self.path.startswith("/container"):
            cloud.contained += 1
            assert self.headers["Authorization"] == "Bearer of-the-container"
            self.answer(200, json.dumps({"AccessKeyId": "CONTAINED", "SecretAccessKey": "s", "Token": "t",
                                         "Expiration": cloud.expires()}).encode())
            return
        cloud.requests.append(self.who())
        self.answer(200, LISTING if "list-type" in self.path else b'{"n":1}\n')


@pytest.fixture
def cloud():
    server = Cloud()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def read(firth, cloud, config=None, env=None):
    config = {"bucket": "some.bucket", "streams": [{"name": "s"}], "endpoint": cloud.url, "aws_access_key_id": "OWN",
              "aws_secret_access_key": "secret", **(config or {})}
    return Runner([firth.path, "connector", "source-s3"], env)("read", config=config, catalog=configured(STREAM, "full_refresh"))


def test_a_role(firth, cloud):
    session = read(firth, cloud, {"role_arn": "arn:aws:iam::1:role/x", "external_id": "é=1", "aws_session_token": "mine",
                                  "region_name": "eu-west-1"})
    assert session.rc == 0 and [r["data"]["n"] for r in session.records()] == [1], session
    [(who, form)] = cloud.assumed
    assert who == ("OWN", "sts", "mine")
    assert form == {"Action": "AssumeRole", "RoleArn": "arn:aws:iam::1:role/x", "RoleSessionName": "firth",
                    "Version": "2011-06-15", "ExternalId": "é=1"}
    assert len(cloud.requests) >= 2 and set(cloud.requests) == {("ROLE1", "s3", "t1+/=")}


def test_by_the_container(firth, cloud):
    """Nobody gives a key: the container does, and it assumes the role, with the environment's external id."""
    env = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": cloud.url + "/container",
           "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Bearer of-the-container", "AWS_ASSUME_ROLE_EXTERNAL_ID": "env"}
    no_key = {"aws_access_key_id": "", "aws_secret_access_key": ""}
    assert read(firth, cloud, no_key, env).rc == 0
    assert cloud.contained == 1 and set(cloud.requests) == {("CONTAINED", "s3", "t")} and not cloud.assumed
    cloud.requests.clear()
    assert read(firth, cloud, {**no_key, "role_arn": "r"}, env).rc == 0
    assert cloud.assumed[0][0] == ("CONTAINED", "sts", "t") and cloud.assumed[0][1]["ExternalId"] == "env"
    assert set(cloud.requests) == {("ROLE1", "s3", "t1+/=")}


def test_refused(firth, cloud):
    cloud.refusal = "OWN is not authorized to perform: sts:AssumeRole"
    session = read(firth, cloud, {"role_arn": "arn:aws:iam::1:role/x"})
    message = session.errors()[0]["message"]
    assert session.rc != 0 and not cloud.requests and cloud.refusal in message and "arn:aws:iam::1:role/x" in message
    session = read(firth, cloud, {"role_arn": "r", "aws_access_key_id": "", "aws_secret_access_key": ""},
                   {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})
    assert "give an access key" in session.errors()[0]["message"]


def test_estuarys_spelling(firth, cloud):
    config = {"region": "eu-central-1", "bucket": "some.bucket", "advanced": {"endpoint": cloud.url},
              "credentials": {"auth_type": "AWSIAM", "aws_region": "us-west-2", "aws_role_arn": "arn:aws:iam::1:role/y"}}
    status = Runner([firth.path, "connector", "source-s3"], {"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "x"})(
        "check", config=config).one("CONNECTION_STATUS")["connectionStatus"]
    assert status["status"] == "SUCCEEDED", status
    [(who, form)] = cloud.assumed
    assert who[:2] == ("ENV", "sts") and form["RoleArn"] == "arn:aws:iam::1:role/y"


def test_with_moto(firth, s3):
    """A real server of both: reading and writing."""
    bucket = s3.bucket()
    keys = {"role_arn": "arn:aws:iam::123456789012:role/of-mine", "external_id": "x"}
    destination = {"s3_bucket_name": bucket, "s3_bucket_path": "x", "s3_endpoint": s3.url, "access_key_id": s3.key_id,
                   "secret_access_key": s3.secret, "format": {"format_type": "JSONL"}, **keys}
    text = b'{"type":"RECORD","record":{"stream":"s","data":{"n":1},"emitted_at":1}}\n'
    assert Runner([firth.path, "connector", "destination-s3"])("write", stdin=text, config=destination, catalog=configured(
        STREAM, "full_refresh", destination_sync_mode="append")).rc == 0
    source = {"bucket": bucket, "endpoint": s3.url, "aws_access_key_id": s3.key_id, "aws_secret_access_key": s3.secret,
              "streams": [{"name": "s"}], **keys}
    session = Runner([firth.path, "connector", "source-s3"])("read", config=source, catalog=configured(STREAM, "full_refresh"))
    assert [r["data"]["_airbyte_data"] for r in session.records()] == [{"n": 1}]
