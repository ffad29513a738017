"""A connector changes its config (CONTROL) while the API asks it: what a token was exchanged for is kept."""

import json
import sqlite3

import pytest

import api
import job_driving
from test_jobs_config import source, state, token, tokens

SUCCEEDED = {"message": {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}}
FAILED = {"message": {"type": "CONNECTION_STATUS", "connectionStatus": {"status": "FAILED", "message": "not with token-1-xyzzy"}}}


class Served:
    """A daemon, its client, and the source and connection of a file of job_driving's."""

    def __init__(self, firth, tmp_path, **more):
        self.firth = firth
        job_driving.apply(firth, job_driving.write(tmp_path, [state(1)], source=source(tmp_path, **more)))
        self.client = api.serve(firth).api
        self.source, = self.client.config("sources/list", {"workspaceId": api.WORKSPACE})["sources"]
        self.id = {"sourceId": self.source["sourceId"]}

    def check(self, **changes):
        if not changes:
            return self.client.config("sources/check_connection", self.id)
        given = {**self.source["connectionConfiguration"], **changes}
        return self.client.config("sources/check_connection_for_update", {
            **self.id, "name": "x", "connectionConfiguration": given})


def kept(firth, side="source"):
    """The config of the file's source or destination as the control store has it."""
    text = firth("export", "--with-secrets", "--file", "-", expect=0).out
    section = text.split(f"\n{side}s:\n")[1]
    return json.loads(section.split("\n    config: ")[1].split("\n")[0])


def test_of_a_check(firth, tmp_path):
    served = Served(firth, tmp_path, check=[token(1, extra=1.50), SUCCEEDED])
    answer = served.check()
    assert answer["status"] == "succeeded" and answer["jobInfo"]["connectorConfigurationUpdated"] is True
    assert "xyzzy" not in json.dumps(answer)
    assert kept(firth) == {**source(tmp_path), **kept(firth), "refresh_token": "token-1-xyzzy", "extra": 1.5}
    assert served.check()["jobInfo"]["connectorConfigurationUpdated"] is False, "it says what is so already"
    assert job_driving.wait(firth, job_driving.start(firth))["status"] == "succeeded"
    assert tokens(tmp_path) == ["token-1-xyzzy"]
    for file in firth.data_dir.rglob("*"):  # nowhere in clear
        assert not file.is_file() or b"token-1-xyzzy" not in file.read_bytes(), file


@pytest.mark.parametrize("end, said", [
    (FAILED, "not with ***"), ({"kill": 11}, "signal 11"), ({"exit": 3}, "status 3")])
def test_of_a_check_that_fails(firth, tmp_path, end, said):
    """What was exchanged works no more, whatever came of it."""
    served = Served(firth, tmp_path, check=[token(1), end])
    answer = served.check()
    assert answer["status"] == "failed" and said in answer["message"] and "xyzzy" not in answer["message"]
    assert kept(firth)["refresh_token"] == "token-1-xyzzy"


def test_of_several_messages_all_members_count(firth, tmp_path):
    served = Served(firth, tmp_path, check=[token(1, a=1), token(2, b=2), SUCCEEDED])
    served.check()
    found = kept(firth)
    assert (found["refresh_token"], found["a"], found["b"]) == ("token-2-xyzzy", 1, 2)


def test_of_a_discovery(firth, tmp_path):
    served = Served(firth, tmp_path, discover=[token(1)])
    first = served.client.config("sources/discover_schema", served.id)
    assert first["jobInfo"]["connectorConfigurationUpdated"] is True
    assert kept(firth)["refresh_token"] == "token-1-xyzzy"
    again = served.client.config("sources/discover_schema", served.id)
    assert again["catalogId"] == first["catalogId"]
    verbs = [json.loads(line)["verb"] for line in (tmp_path / "seen").read_text().splitlines()]
    assert verbs.count("discover") == 1, "what was found is of the config as it is now"


def test_of_a_discovery_that_fails(firth, tmp_path):
    served = Served(firth, tmp_path, discover=[token(1), {"exit": 1}])
    assert "catalog" not in served.client.config("sources/discover_schema", served.id)
    assert kept(firth)["refresh_token"] == "token-1-xyzzy"


def test_what_is_not_saved_yet_is_not_kept(firth, tmp_path):
    """Of a config with changes, what was given as it is kept is replaced there; the changes are their owner's."""
    served = Served(firth, tmp_path, check=[token(1), SUCCEEDED])
    answer = served.check(refresh_token="token-8-xyzzy", seen=str(tmp_path / "other"))
    assert answer["status"] == "succeeded" and answer["jobInfo"]["connectorConfigurationUpdated"] is False
    assert kept(firth)["refresh_token"] == "token-0-xyzzy"
    answer = served.check(seen=str(tmp_path / "other"))  # the masked token is the kept one
    assert answer["jobInfo"]["connectorConfigurationUpdated"] is True
    assert (kept(firth)["refresh_token"], kept(firth)["seen"]) == ("token-1-xyzzy", str(tmp_path / "seen"))


def test_of_a_config_that_nobody_keeps(firth, tmp_path):
    served = Served(firth, tmp_path)
    config = source(tmp_path, streams=["users"], check=[token(5), SUCCEEDED], discover=[token(6)])
    body = {"sourceDefinitionId": served.source["sourceDefinitionId"], "workspaceId": api.WORKSPACE, "connectionConfiguration": config}
    assert served.client.config("scheduler/sources/check_connection", body)["status"] == "succeeded"
    assert served.client.config("scheduler/sources/discover_schema", body)["catalog"]["streams"]
    assert kept(firth)["refresh_token"] == "token-0-xyzzy"


def test_what_the_spec_does_not_allow_is_refused(firth, tmp_path):
    served = Served(firth, tmp_path, check=[token(7, extra=[1]), SUCCEEDED])
    spec = {"connectionSpecification": {"type": "object", "properties": {"extra": {"type": "string"}}}}
    served.client.config("source_definition_specifications/get", {"sourceDefinitionId": served.source["sourceDefinitionId"], "workspaceId": api.WORKSPACE})
    with sqlite3.connect(f"{firth.data_dir}/control.db") as db:
        assert db.execute("update definitions set spec = ? where name = 'scripted source'", (json.dumps(spec),)).rowcount == 1
    answer = served.check()
    assert answer["status"] == "failed" and "own spec does not allow" in answer["message"] and "xyzzy" not in answer["message"]
    assert kept(firth)["refresh_token"] == "token-0-xyzzy"


def test_of_a_destination(firth, tmp_path):
    line = json.dumps(token(5)["message"])
    job_driving.apply(firth, job_driving.write(tmp_path, [state(1)], destination={"refresh_token": "token-4-xyzzy", "check_lines": [line]}))
    client = api.serve(firth).api
    found, = client.config("destinations/list", {"workspaceId": api.WORKSPACE})["destinations"]
    answer = client.config("destinations/check_connection", {"destinationId": found["destinationId"]})
    assert answer["status"] == "succeeded" and answer["jobInfo"]["connectorConfigurationUpdated"] is True
    assert kept(firth, "destination")["refresh_token"] == "token-5-xyzzy"
