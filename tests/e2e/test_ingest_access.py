"""Who may push: tokens, origins, signatures, TLS."""

import base64
import gzip
import hashlib
import hmac
import json
import time

import pytest

import pushing
from pushing import BASE, COLLECTION, PATH, Client, documents

OTHER = "acmeCo/example/other"
SECRET = "It's a Secret to Everybody"


@pytest.fixture
def start(firth, tmp_path):
    def begin(*options, args=(), **more):
        begin.running, client = pushing.run(firth, pushing.catalog(tmp_path / "flow.json", *options, **more), *args)
        return client
    return begin


# --- tokens ------------------------------------------------------------------------------------------------

def test_token(firth, start):
    client = start({"authToken": "t0ken-1"}, {COLLECTION: {"name": "webhooks"}, OTHER: {"name": "other", "authToken": "t0ken-2"}})
    for headers, status in (({}, 401), ({"Authorization": "Bearer t0ken-2"}, 403), ({"Authorization": "Basic t0ken-1"}, 401),
                            ({"Authorization": "Bearer "}, 403), ({"Authorization": "bearer t0ken-1"}, 200)):
        answer = client.push({"id": "a"}, **headers)
        assert answer.status == status and "t0ken" not in answer.body, headers
    assert client.push({"id": "b"}, path=f"{BASE}/other", Authorization="Bearer t0ken-2").status == 200
    both = {COLLECTION: [{"id": "c"}], OTHER: [{"id": 3}]}
    for path in (BASE, "/ingest"):
        assert client.push(both, path=path, Authorization="Bearer t0ken-1").status == 403, "and nothing of schemas is told"
    assert len(documents(firth)) == 1
    assert "t0ken" not in "".join(start.running.out + start.running.err)


def test_who_may_not_hears_nothing_of_the_body(start):
    client = start({"authToken": "t"})
    assert client.push("[" * 1000).status == 401 == client.push("x", kind="image/png").status


def test_a_proxy_is_not_this_machine(start):
    """What comes from afar through a proxy on this machine says so."""
    client = start()
    assert client.push({"id": "a"}).status == 200
    for header in ({"X_Forwarded_For": "203.0.113.7"}, {"Forwarded": "for=203.0.113.7"}):
        answer = client.push({"id": "b"}, **header)
        assert answer.status == 403 and "authToken" in answer.json()["error"]


def test_opened_to_all(start):
    assert start(args=["--ingest-open"]).push({"id": "a"}, X_Forwarded_For="203.0.113.7").status == 200


# --- origins -----------------------------------------------------------------------------------------------

def preflight(client, origin):
    return client.ask("OPTIONS", PATH, headers={"Origin": origin, "Access-Control-Request-Method": "POST",
                                                "Access-Control-Request-Headers": "content-type"})


def test_origins(start):
    client = start({"corsOrigins": ["https://app.example.com"]})
    answer = preflight(client, "https://app.example.com")
    assert answer.status == 204 and answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"] and answer.headers["Vary"] == "Origin"
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type"
    refused = preflight(client, "https://evil.example.com")
    assert refused.status == 403 and "Access-Control-Allow-Origin" not in refused.headers
    pushed = client.push({"id": "a"}, Origin="https://app.example.com")
    assert pushed.status == 200 and pushed.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert client.push({"id": "a"}, Origin="https://evil.example.com").status == 403


def test_a_page_reads_why_it_was_refused(start):
    """Without the header a browser hides the answer from its page."""
    client = start({"corsOrigins": ["https://app.example.com"], "authToken": "t"})
    for body, headers, status in (({"id": "a"}, {}, 401), ({"id": 3}, {"Authorization": "Bearer t"}, 400)):
        refused = client.push(body, Origin="https://app.example.com", **headers)
        assert refused.status == status and refused.headers["Access-Control-Allow-Origin"] == "https://app.example.com"


def test_without_origins_no_web_page_may(start):
    client = start()
    assert client.push({"id": "a"}, Origin="https://evil.example.com").status == 403
    assert preflight(client, "https://evil.example.com").status == 403


def test_every_origin_beside_a_token_is_refused(firth, tmp_path):
    path = pushing.catalog(tmp_path / "flow.json", {"authToken": "t", "corsOrigins": ["*"]})
    assert "'authToken'" in firth("check", path, expect=3).err


# --- signatures --------------------------------------------------------------------------------------------

def mac(secret, text, algorithm="sha256"):
    return hmac.new(secret.encode(), text if isinstance(text, bytes) else text.encode(), algorithm)


BODY = b'{"id": "a"}'


def test_github(firth, start):
    client = start({"metadata": ["headers"]}, {COLLECTION: {"name": "webhooks", "signature": {"provider": "github", "secret": SECRET}}})
    right = "sha256=" + mac(SECRET, BODY).hexdigest()
    assert client.push(BODY).status == 401
    for wrong in ("sha256=", "sha256=00", right[7:], "sha1=" + right[7:], right[:-1], right + "0", "sha256=" + "0" * 4096):
        assert client.push(BODY, X_Hub_Signature_256=wrong).status == 401, wrong
    assert client.push(BODY + b" ", X_Hub_Signature_256=right).status == 401
    assert client.push(BODY, X_Hub_Signature_256=right).status == 200
    assert client.push(BODY, X_Hub_Signature_256=right.upper().replace("SHA", "sha"), X_Forwarded_For="8.8.8.8").status == 200
    both = b'{"webhooks": [%s]}' % BODY
    assert client.push(both, path=BASE, X_Hub_Signature_256="sha256=" + mac(SECRET, both).hexdigest()).status == 200
    told = [each["_meta"]["headers"] for each in documents(firth)]
    assert len(told) == 3 and not any("X-Hub-Signature-256" in each for each in told)


@pytest.mark.parametrize("age, status", [(0, 200), (290, 200), (-290, 200), (310, 401), (-310, 401)])
def test_stripe(start, age, status):
    client = start({"signature": {"provider": "stripe", "secret": "whsec_x"}})
    then = int(time.time()) - age
    right = mac("whsec_x", f"{then}.".encode() + BODY).hexdigest()
    assert client.push(BODY, Stripe_Signature=f"t={then},v1={'0' * 64},v1={right},v0=x").status == status
    for wrong in (f"t={then}", f"v1={right}", f"t={then},v0={right}", f"t={then + 1},v1={right}", "t=,v1=", "", "t", ",,,"):
        assert client.push(BODY, Stripe_Signature=wrong).status == 401, wrong


def test_slack(firth, start):
    client = start({"signature": {"provider": "slack", "secret": SECRET, "maxAge": 60}})
    body = b"id=a&text=hi+there"

    def push(then, signed=None):
        right = "v0=" + mac(SECRET, b"v0:%d:" % (signed or then) + body).hexdigest()
        return client.push(body, kind="application/x-www-form-urlencoded", X_Slack_Signature=right,
                           X_Slack_Request_Timestamp=str(then)).status

    now = int(time.time())
    assert (push(now), push(now - 100), push(now, now - 1)) == (200, 401, 401)
    assert documents(firth) == [{"id": "a", "text": "hi there"}]


def test_twilio(firth, start):
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    client = start({"signature": {"provider": "twilio", "secret": "12345", "url": url}})
    form = b"id=CA1&From=%2B14158675309&Digits=1234"
    right = base64.b64encode(mac("12345", url + "Digits1234From+14158675309idCA1", "sha1").digest()).decode()
    kind = "application/x-www-form-urlencoded"
    assert client.push(form, kind=kind, X_Twilio_Signature=right).status == 200
    assert client.push(form + b"&x=1", kind=kind, X_Twilio_Signature=right).status == 401
    digest = hashlib.sha256(BODY).hexdigest()
    signed = base64.b64encode(mac("12345", f"{url}&bodySHA256={digest}", "sha1").digest()).decode()
    alone = base64.b64encode(mac("12345", url, "sha1").digest()).decode()
    assert client.push(BODY, path=f"{PATH}?bodySHA256={digest}", X_Twilio_Signature=signed).status == 200
    assert client.push(BODY + b" ", path=f"{PATH}?bodySHA256={digest}", X_Twilio_Signature=signed).status == 401
    assert client.push(BODY, path=f"{PATH}?bodySHA256={digest}", X_Twilio_Signature=alone).status == 401, "of any body"
    assert [each["id"] for each in documents(firth)] == ["CA1", "a"]


def test_hmac(start):
    client = start({"signature": {"provider": "hmac", "secret": SECRET, "header": "X-Sign", "algorithm": "sha512",
                                  "encoding": "base64", "prefix": "v2 ", "template": "{timestamp}|{body}|",
                                  "timestampHeader": "X-Time"}})
    now = str(int(time.time()))
    right = "v2 " + base64.b64encode(mac(SECRET, f"{now}|".encode() + BODY + b"|", "sha512").digest()).decode()
    assert client.push(BODY, X_Sign=right, X_Time=now).status == 200
    for headers in ({"X_Sign": right}, {"X_Time": now}, {"X_Sign": right[3:], "X_Time": now}, {"X_Sign": right, "X_Time": now + "1"},
                    {"X_Sign": right, "X_Time": "x"}):
        assert client.push(BODY, **headers).status == 401, headers


def test_a_signature_is_of_what_was_sent(start):
    """Not of what it is when it is decoded."""
    client = start({"signature": {"provider": "github", "secret": SECRET}})
    packed = gzip.compress(BODY)
    for signed, status in ((packed, 200), (BODY, 401)):
        assert client.push(packed, Content_Encoding="gzip",
                           X_Hub_Signature_256="sha256=" + mac(SECRET, signed).hexdigest()).status == status


# --- TLS ---------------------------------------------------------------------------------------------------

def test_what_may_come_once(firth, start):
    """Two of what says who sends, what, or which id: neither counts."""
    client = start({"idFromHeader": "X-Id", "corsOrigins": ["https://a.example"], "signature": {
        "provider": "hmac", "secret": "s", "header": "X-Mac", "timestampHeader": "X-Time", "template": "{timestamp}{body}"}})
    now = str(int(time.time()))
    right = [("X-Mac", mac("s", now.encode() + BODY).hexdigest()), ("X-Time", now), ("X-Id", "1")]
    for name, value in (*right, ("X-Id", "2"), ("Authorization", "Bearer t"), ("content-type", "text/csv"), ("Origin", "https://a.example")):
        answer = client.push_lines([*right, *([] if name in dict(right) else [(name, value)]), (name, value)], BODY)
        assert answer.status == 400 and name.lower() in answer.json()["error"].lower() and "twice" in answer.json()["error"], (name, answer)
    assert client.push_lines(right, BODY).json() == {"published": 1}
    assert len(documents(firth)) == 1


def test_tls(firth, start, tmp_path):
    client = start(args=pushing.certificate(tmp_path))
    assert start.running.url.startswith("https://")
    assert client.push({"id": "a", "text": "x" * 100000}).json() == {"published": 1}
    pushing.refuses_old_tls(pushing.address_of(start.running))
    with pytest.raises(OSError):
        Client(start.running.url.replace("https", "http"), timeout=5).push({"id": "b"})
    assert len(documents(firth)) == 1


def test_tls_that_cannot_be(firth, tmp_path):
    path = pushing.catalog(tmp_path / "flow.json")
    running = firth.start("run", path, "--ingest", "127.0.0.1:0", "-o", "json", "--ingest-tls-cert", tmp_path / "no.pem",
                          "--ingest-tls-key", tmp_path / "no.pem")
    assert "no.pem" in json.loads(running.wait_for_line('"event":"ended"'))["error"]["message"]
