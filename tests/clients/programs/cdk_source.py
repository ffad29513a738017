"""airbyte_cdk's `source-declarative-manifest`, many times: a request a line, {"args", "out", "err"}; answered with the exit
status. Importing takes seconds, so it is done once, and each run is a fork."""

import functools
import gc
import json
import os
import sys
import time

from airbyte_cdk.cli.source_declarative_manifest._run import handle_command
from airbyte_cdk.sources.declarative import concurrent_declarative_source
from airbyte_cdk.sources.declarative.async_job.job_orchestrator import AsyncJobOrchestrator

AsyncJobOrchestrator._WAIT_TIME_BETWEEN_STATUS_UPDATE_IN_SECONDS = 0.05  # 5 s, without an option


really_sleep = time.sleep
time.sleep = lambda seconds: really_sleep(seconds if seconds < 0.5 else seconds / 100)  # waits before a further attempt, as short as Firth's in tests

# Half of what a short command takes is to read the schema of manifests, always the same.
concurrent_declarative_source.get_declarative_component_schema = functools.cache(concurrent_declarative_source.get_declarative_component_schema)
concurrent_declarative_source.get_declarative_component_schema()
gc.freeze()  # else each fork copies what it only looks at


def run(args):
    try:
        handle_command(args)
        return 0
    except SystemExit as end:
        return end.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1


for line in sys.stdin:
    request = json.loads(line)
    child = os.fork()
    if child == 0:
        for number, path in ((1, request["out"]), (2, request["err"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        status = run(request["args"])
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
