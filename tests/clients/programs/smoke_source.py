"""PyAirbyte's `source-smoke-test`, without the rest of PyAirbyte: that takes seconds to import, at each of a source's calls, and is not
used by it."""

import importlib.util
import sys
import types


def without_its_init(name, folders):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = folders


FOLDER, = importlib.util.find_spec("airbyte").submodule_search_locations
without_its_init("airbyte", [FOLDER])
without_its_init("airbyte.cli", [FOLDER + "/cli"])

from airbyte.cli.smoke_test_source.run import run  # noqa: E402

run()
