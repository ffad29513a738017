"""PyPI's airbyte-api, what Airflow's newer providers, PyAirbyte and people's scripts stand on, in both of its generations."""

import pytest

import job_driving as driving
from api import LOCAL_JSON, WORKSPACE, serve
from clients.other_python import Raised
from conftest import DEADLINE, until
from processes import descendants

AUTHS = ["basic", "client credentials"]


def resources(url, auth, workspace, local_json, folder):
    """Sources, destinations and connections: made, shown, listed page by page, changed, deleted."""
    import airbyte_api
    from airbyte_api import api as requests, models

    def signed_in():
        if auth["kind"] == "basic":
            security = models.Security(basic_auth=models.SchemeBasicAuth(username="airbyte", password="password"))
        else:
            security = models.Security(client_credentials=models.SchemeClientCredentials(
                client_id=auth["id"], client_secret=auth["secret"], token_url=url + "/applications/token"))
        return airbyte_api.AirbyteAPI(server_url=url, security=security)

    client = signed_in()
    found = {"workspaces": [each.workspace_id for each in client.workspaces.list_workspaces(
        request=requests.ListWorkspacesRequest()).workspaces_response.data]}
    made = [client.sources.create_source(request=models.SourceCreateRequest(
        name=f"faker {n}", workspace_id=workspace, configuration=models.SourceFaker(count=10 + n, seed=7)))
        .source_response for n in range(5)]
    pages = []
    for offset in (0, 2, 4, 6):
        page = client.sources.list_sources(request=requests.ListSourcesRequest(limit=2, offset=offset)).sources_response
        pages.append([each.source_id for each in page.data])
    found["pages"] = [len(page) for page in pages]
    assert sorted(sum(pages, [])) == sorted(each.source_id for each in made)
    client.sources.patch_source(request=requests.PatchSourceRequest(
        source_id=made[0].source_id, source_patch_request=models.SourcePatchRequest(name="renamed")))
    found["name"] = client.sources.get_source(
        request=requests.GetSourceRequest(source_id=made[0].source_id)).source_response.name
    for each in made[1:]:
        assert client.sources.delete_source(
            request=requests.DeleteSourceRequest(source_id=each.source_id)).status_code == 204
    if local_json:  # the newer generation knows its own destinations only
        destination = client.destinations.create_destination(request=models.DestinationCreateRequest(
            name="files", workspace_id=workspace, definition_id=local_json,
            configuration={"destinationType": "local-json", "destination_path": folder})).destination_response
        again = client.destinations.list_destinations(
            request=requests.ListDestinationsRequest(workspace_ids=[workspace])).destinations_response.data
        assert [each.destination_id for each in again] == [destination.destination_id]
        found["destination"] = destination.destination_type
        client.destinations.delete_destination(
            request=requests.DeleteDestinationRequest(destination_id=destination.destination_id))
    return found


def syncs(url, source, destination, deadline):
    """A connection through its whole life, and its jobs."""
    import time
    import airbyte_api
    from airbyte_api import api as requests, models
    client = airbyte_api.AirbyteAPI(server_url=url, security=models.Security(
        basic_auth=models.SchemeBasicAuth(username="airbyte", password="password")))
    offered = client.streams.get_stream_properties(request=requests.GetStreamPropertiesRequest(source_id=source))
    found = {"streams": sorted(each.stream_name for each in offered.stream_properties_response)}
    connection = client.connections.create_connection(request=models.ConnectionCreateRequest(
        name="faker to files", source_id=source, destination_id=destination,
        schedule=models.AirbyteAPIConnectionSchedule(schedule_type=models.ScheduleTypeEnum.MANUAL),
        configurations=models.StreamConfigurations(streams=[models.StreamConfiguration(
            name="users", sync_mode=models.ConnectionSyncModeEnum.FULL_REFRESH_OVERWRITE)]))).connection_response

    def ended(job):
        over = time.monotonic() + deadline
        while True:
            shown = client.jobs.get_job(request=requests.GetJobRequest(job_id=job)).job_response
            if shown.status.value in ("succeeded", "failed", "cancelled"):
                return shown
            assert time.monotonic() < over, f"job {job} is {shown.status.value} after {deadline} s"
            time.sleep(0.05)

    def run(kind):
        return ended(client.jobs.create_job(request=models.JobCreateRequest(
            connection_id=connection.connection_id, job_type=kind)).job_response.job_id)

    jobs = [run(models.JobTypeEnum.SYNC), run(models.JobTypeEnum.SYNC), run(models.JobTypeEnum.RESET)]
    found["jobs"] = [[each.job_type.value, each.status.value, each.rows_synced] for each in jobs]
    listed = []
    for offset in (0, 2):
        page = client.jobs.list_jobs(request=requests.ListJobsRequest(
            connection_id=connection.connection_id, limit=2, offset=offset, order_by="createdAt|ASC")).jobs_response
        listed += [each.job_id for each in page.data]
    assert listed == [each.job_id for each in jobs]
    client.connections.patch_connection(request=requests.PatchConnectionRequest(
        connection_id=connection.connection_id, connection_patch_request=models.ConnectionPatchRequest(
            name="paused", status=models.ConnectionStatusEnum.INACTIVE)))
    shown = client.connections.get_connection(
        request=requests.GetConnectionRequest(connection_id=connection.connection_id)).connection_response
    found["connection"] = [shown.name, shown.status.value, shown.schedule.schedule_type.value]
    found["mode"] = shown.configurations.streams[0].sync_mode.value
    client.connections.delete_connection(
        request=requests.DeleteConnectionRequest(connection_id=connection.connection_id))
    found["left"] = len(client.connections.list_connections(
        request=requests.ListConnectionsRequest()).connections_response.data)
    return found


def cancels(url, connection, deadline):
    import time
    import airbyte_api
    from airbyte_api import api as requests, models
    client = airbyte_api.AirbyteAPI(server_url=url, security=models.Security(
        basic_auth=models.SchemeBasicAuth(username="airbyte", password="password")))
    job = client.jobs.create_job(request=models.JobCreateRequest(
        connection_id=connection, job_type=models.JobTypeEnum.SYNC)).job_response
    try:
        client.jobs.create_job(request=models.JobCreateRequest(
            connection_id=connection, job_type=models.JobTypeEnum.SYNC))
        second = 200
    except Exception as error:
        second = error.status_code
    over = time.monotonic() + deadline
    while (status := client.jobs.get_job(request=requests.GetJobRequest(job_id=job.job_id)).job_response.status.value) != "running":
        assert status == "pending" and time.monotonic() < over, f"the job is {status} after {deadline} s"
        time.sleep(0.05)
    ended = client.jobs.cancel_job(request=requests.CancelJobRequest(job_id=job.job_id)).job_response
    return [second, ended.status.value]


def absent(url, job):
    import airbyte_api
    from airbyte_api import api as requests, models
    airbyte_api.AirbyteAPI(server_url=url, security=models.Security(basic_auth=models.SchemeBasicAuth(
        username="airbyte", password="password"))).jobs.get_job(request=requests.GetJobRequest(job_id=job))


@pytest.fixture
def daemon(firth):
    return serve(firth)


@pytest.mark.parametrize("auth", AUTHS)
def test_resources(airbyte_api, daemon, auth):
    sign_in = {"kind": auth}
    if auth != "basic":
        made = daemon.api.public("POST", "applications", {"name": "script"})
        sign_in |= {"id": made["clientId"], "secret": made["clientSecret"]}
    old = airbyte_api.generation == "0.53"
    found = airbyte_api(resources, url=daemon.api.url + "/api/public/v1", auth=sign_in, workspace=WORKSPACE,
                        local_json=LOCAL_JSON if old else None, folder="/local/out")
    kept, = daemon.api.config("sources/list", {"workspaceId": WORKSPACE})["sources"]
    assert (kept["name"], kept["connectionConfiguration"].items() >= {"count": 10, "seed": 7}.items()) == ("renamed", True)
    assert found == {"workspaces": [WORKSPACE], "pages": [2, 2, 1, 0], "name": "renamed",
                     **({"destination": "local-json"} if old else {})}


def test_syncs(airbyte_api, daemon, tmp_path):
    source, destination = daemon.api.source(count=20, seed=7), daemon.api.destination("/local/out")
    found = airbyte_api(syncs, url=daemon.api.url + "/api/public/v1", source=source, destination=destination, deadline=DEADLINE)
    assert found == {
        "streams": ["products", "purchases", "users"],
        "jobs": [["sync", "succeeded", 20], ["sync", "succeeded", 20], ["reset", "succeeded", 0]],
        "connection": ["paused", "inactive", "manual"], "mode": "full_refresh_overwrite", "left": 0}
    # The reset has emptied what two syncs had written.
    assert (tmp_path / "files" / "out" / "_airbyte_raw_users.jsonl").read_text() == ""


def test_cancels(airbyte_api, daemon, firth, tmp_path):
    driving.apply(firth, driving.write(tmp_path, driving.records(1, 2) + [{"hang": True}]))
    connection = daemon.api.config("connections/list", {"workspaceId": WORKSPACE})["connections"][0]["connectionId"]
    assert airbyte_api(cancels, url=daemon.api.url + "/v1", connection=connection, deadline=DEADLINE) == [409, "cancelled"]
    until(lambda: not descendants(daemon.pid), "the connectors to be gone")


def test_what_is_not_there(airbyte_api, daemon):
    with pytest.raises(Raised) as error:
        airbyte_api(absent, url=daemon.api.url + "/api/public/v1", job=999)
    assert error.value.kind == "SDKError" and "404" in str(error.value)
