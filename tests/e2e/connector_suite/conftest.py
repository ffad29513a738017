import collections

import pytest

from conftest import FULL
from connector_suite.connectors import DESTINATIONS, SOURCES
from connector_suite.protocol import configured
from sdk_programs import sdk, sdk_programs  # noqa: F401 (fixtures)

Read = collections.namedtuple("Read", "session streams catalog config")
_reads = {}


def pytest_generate_tests(metafunc):
    def those(connectors, face):
        return [each for each in connectors if getattr(each, face)]

    for name, values in (("source", [each for each in those(SOURCES, "airbyte") if each.reads]), ("destination", those(DESTINATIONS, "airbyte")),
                         ("connector", those(SOURCES + DESTINATIONS, "airbyte")),
                         ("flow_source", those(SOURCES, "flow")), ("flow_destination", those(DESTINATIONS, "flow"))):
        if name in metafunc.fixturenames:
            quick = metafunc.definition.get_closest_marker("quick_to_start")
            left_out = quick and not (FULL and quick.kwargs.get("or_full"))
            metafunc.parametrize(name, [each for each in values if not (left_out and each.slow)], ids=lambda c: c.name)


@pytest.fixture(autouse=True)
def server(request, tmp_path):
    for name in ("source", "destination", "connector", "flow_source", "flow_destination"):
        if name in request.fixturenames:
            request.getfixturevalue(name).start(request, tmp_path)


@pytest.fixture
def full_read(request, tmp_path, source):
    """discover and one read of everything, made once per connector."""
    if source.name not in _reads:
        run, config = source.runner(request, tmp_path), source.config(tmp_path)
        discovered = run("discover", config=config)
        assert discovered.rc == 0, discovered
        streams = discovered.one("CATALOG")["catalog"]["streams"]
        catalog = configured(streams)
        _reads[source.name] = Read(run("read", config=config, catalog=catalog, state="[]"), streams, catalog, config)
    return _reads[source.name]
