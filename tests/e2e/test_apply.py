"""`firth apply` refuses what both APIs refuse: with the file's line, and the place in it."""

import json

import pytest

import job_driving
from api import WORKSPACE, serve


def faker(**more):
    return {"sources": [{"name": "faker", "definition": "source-faker", "config": {"count": 1}}],
            "destinations": [{"name": "disk", "definition": "destination-local-json", "config": {"destination_path": "/local/x"}}],
            "connections": [{"name": "both", "source": "faker", "destination": "disk", "catalog": {"streams": []}}], **more}


def write(tmp_path, tree, name="made.yaml"):
    path = tmp_path / name
    path.write_text(json.dumps(tree, indent=1))
    return path


def refused(firth, path, *said):
    result = firth("apply", path)
    assert result.rc != 0 and all(each in result.err for each in said), result.err
    assert f"{path.name}:" in result.err, result.err
    return result.err


# --- other connectors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, definition", [("source", "scripted source"), ("destination", "destination-sqlite")])
def test_what_a_connection_uses_stays_of_its_connector(firth, tmp_path, kind, definition):
    """Its state says what the one before has: rows would be missing at another, and nobody told."""
    firth("apply", job_driving.write(tmp_path, []), expect=0)
    firth("apply", write(tmp_path, faker()), expect=0)
    other = faker()
    other[f"{kind}s"][0].update(definition=definition, config={"streams": [], "steps": [], "destination_path": "/local/x.db"})
    refused(firth, write(tmp_path, other), f"the {kind} '", "has another definition now", "1 connection uses it", "delete its connections first")
    for each in faker()["connections"]:
        firth("export", expect=0).out.index(each["name"])
    # Under another name, with a connection of another name, it may.
    name = other[f"{kind}s"][0]["name"]
    other[f"{kind}s"][0]["name"] = other["connections"][0][kind] = f"{name} 2"
    other["connections"][0]["name"] = "both 2"
    kept = faker()
    other[f"{kind}s"] += kept[f"{kind}s"]
    other["connections"] += kept["connections"]
    firth("apply", write(tmp_path, other), expect=0)


def test_what_no_connection_uses_may_be_of_another_connector(firth, tmp_path):
    tree = faker()
    tree.pop("connections")
    firth("apply", write(tmp_path, tree), expect=0)
    tree["destinations"][0].update(definition="destination-sqlite", config={"destination_path": "/local/x.db"})
    assert "~ destination disk" in firth("apply", write(tmp_path, tree), expect=0).out


# --- webhooks ------------------------------------------------------------------------------------------------------

URLS = ["ftp://a/s3cret", "http://", "javascript:1", "file:///etc/passwd", "hooks.example/s3cret", "https:///s3cret",
        "http://:80/s3cret", "http://a b/s3cret", "https://a/" + "x" * 2048, 5]


def spellings(url):
    """Of what a workspace's notifications may look like: the member, its value, and where the URL is in it."""
    slack = {"slackConfiguration": {"webhook": url}}
    yield "notificationSettings", {"sendOnFailure": {"notificationType": ["slack"], **slack}}, "sendOnFailure.slackConfiguration.webhook"
    yield "notifications", [{"notificationType": "slack", "sendOnFailure": True, **slack}], "[0].slackConfiguration.webhook"


def public(url):
    return {"success": {"webhook": {"enabled": False}}, "failure": {"webhook": {"enabled": True, "url": url}}}


def test_webhooks_that_cannot_be_told(firth):
    client = serve(firth).api
    for url in URLS:
        for member, value, place in spellings(url):
            answer = client.config("workspaces/update", {"workspaceId": WORKSPACE, member: value}, 422)
            named, = [each["propertyPath"] for each in answer["validationErrors"]]
            assert named == f"{member}{'' if place[0] == '[' else '.'}{place}", (url, answer)
            assert "s3cret" not in str(answer)
            client.config("workspaces/create", {"name": "new", member: value}, 422)
        for method, path in (("PATCH", f"workspaces/{WORKSPACE}"), ("POST", "workspaces")):
            answer = client.public(method, path, {"name": "x", "notifications": public(url)}, 422)
            assert answer["data"]["field"] == "notifications.failure.webhook.url" and "s3cret" not in str(answer), answer
    for none in ({"enabled": True}, {"enabled": True, "url": None}, {"enabled": True, "url": ""}):
        answer = client.public("PATCH", f"workspaces/{WORKSPACE}", {"notifications": {"failure": {"webhook": none}}}, 422)
        assert answer["data"]["field"] == "notifications.failure.webhook.url", answer
    for member, value, _ in spellings(""):
        client.config("workspaces/update", {"workspaceId": WORKSPACE, member: value}, 422)
    # What tells nobody needs none.
    slack = {"slackConfiguration": {"webhook": ""}}
    client.config("workspaces/update", {"workspaceId": WORKSPACE, "notificationSettings": {"sendOnFailure": {"notificationType": [], **slack}}})
    client.config("workspaces/update", {"workspaceId": WORKSPACE, "notifications": [{"notificationType": "slack", "sendOnFailure": False, **slack}]})
    client.public("PATCH", f"workspaces/{WORKSPACE}", {"notifications": {"failure": {"webhook": {"enabled": False}, "email": {"enabled": True}}}})


@pytest.mark.parametrize("url", URLS)
def test_webhooks_of_files_that_cannot_be_told(firth, tmp_path, url):
    for _, value, place in (*spellings(url), ("", public(url), "failure.webhook.url")):
        path = write(tmp_path, {"workspaces": [{"name": "told", "notifications": value}]})
        said = refused(firth, path, f"notifications{'' if place[0] == '[' else '.'}{place}")
        line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if '"webhook": ' in text and "{" not in text or '"url": ' in text)
        assert f"{path.name}:{line}:" in said and "s3cret" not in said, said
