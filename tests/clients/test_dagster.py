"""Dagster with PyPI's dagster-airbyte: its workspace, which asks both APIs, and the resource before that, which asks the config API."""

import pytest

import job_driving as driving
from api import WORKSPACE, serve
from conftest import until
from processes import descendants

WRONG = {"message": {"type": "TRACE", "trace": {"type": "ERROR", "emitted_at": 1.0, "error": {
    "message": "the table is gone", "failure_type": "config_error"}}}}
STEPS = {"good": driving.records(1, 3), "wrong": [*driving.records(1, 2), WRONG, {"exit": 1}],
         "endless": [*driving.records(1, 2), {"hang": True}]}


def by_workspace(url, workspace, client, secret):
    """Each connection's assets, and whether they could be materialized; the endless one has a second for it."""
    import dagster
    import dagster_airbyte

    def of(**more):
        return dagster_airbyte.AirbyteWorkspace(
            rest_api_base_url=url + "/api/public/v1", configuration_api_base_url=url + "/api/v1", workspace_id=workspace,
            client_id=client, client_secret=secret, poll_interval=0.1, **more)

    found = {}
    for each in dagster_airbyte.build_airbyte_assets_definitions(workspace=of()):
        name = each.op.name.rpartition("_")[2]
        (key, metadata), = each.metadata_by_key.items()
        columns = sorted(column.name for column in metadata["dagster/column_schema"].columns)
        airbyte = of(**({"poll_timeout": 1} if name == "endless" else {}))
        done = dagster.materialize([each], resources={"airbyte": airbyte}, raise_on_error=False)
        found[name] = [key.to_user_string(), columns, done.success]
    return found


def by_resource(host, port, connections):
    import dagster
    import dagster_airbyte
    airbyte = dagster_airbyte.AirbyteResource(host=host, port=port, username="airbyte", password="password", use_https=False, poll_interval=0.1)
    found = {}
    for name, connection in connections.items():
        try:
            done = airbyte.sync_and_poll(connection, poll_timeout=1 if name == "endless" else None)
            found[name] = [done.job_details["job"]["status"], done.connection_details["connectionId"] == connection]
        except dagster.Failure as failure:
            found[name] = failure.description.partition(" job")[0]
    loaded = dagster_airbyte.load_assets_from_airbyte_instance(airbyte).compute_cacheable_data()
    found["assets"] = sorted(key.to_user_string() for each in loaded for key in each.keys_by_output_name.values())
    return found


@pytest.fixture
def site(firth, tmp_path):
    """A daemon, its connections by name, and what became of the newest job of each."""
    for name, steps in STEPS.items():
        streams = [driving.stream("users")]
        if name != "good":  # its schema is left out: the source is asked for it
            del streams[0]["stream"]["jsonSchema"], streams[0]["config"]["selected"]
        driving.apply(firth, driving.write(tmp_path, steps, name=name, streams=streams, prefix=f"{name}_"), attempts_max=1)
    daemon = serve(firth)
    daemon.connections = {each["name"]: each["connectionId"] for each in
                          daemon.api.config("connections/list", {"workspaceId": WORKSPACE})["connections"]}
    yield daemon
    until(lambda: not descendants(daemon.pid), "the connectors to be gone")
    ended = {}
    for name, id in daemon.connections.items():
        jobs = daemon.api.config("jobs/list", {"configTypes": ["sync"], "configId": id})["jobs"]
        ended[name] = [each["job"]["status"] for each in jobs]
    assert ended == {"good": ["succeeded"], "wrong": ["failed"], "endless": ["cancelled"]}
    assert driving.ids(tmp_path, "good") == [1, 2, 3]


def test_its_workspace(site, dagster):
    made = site.api.public("POST", "applications", {"name": "dagster"})
    assert dagster(by_workspace, url=site.api.url, workspace=WORKSPACE, client=made["clientId"], secret=made["clientSecret"]) == {
        "good": ["good_users", ["id", "name"], True], "wrong": ["wrong_users", [], False], "endless": ["endless_users", [], False]}


def test_the_resource_before_it(site, dagster):
    host, port = site.api.address
    assert dagster(by_resource, host=host, port=str(port), connections=site.connections) == {
        "good": ["succeeded", True], "wrong": "Encountered unexpected state `failed` for", "endless": "Timeout: Airbyte",
        "assets": ["endless_users", "good_users", "wrong_users"]}
