"""A session of processes that ends as a whole: tests/run and tests/forker.py start them."""

import contextlib
import os
import signal
import threading


def end_of(leader, said, limit):
    """Waits for the child that leads a session, `limit` seconds at most (the file `said` tells if it was killed then). Nothing of the
    session outlives it. Gives (exit code, its seconds of the processors)."""
    ended = threading.Event()

    def watch():
        if not ended.wait(limit):
            with open(said, "a") as output:
                print(f"\ntests/run: not ended after {limit} s; killed", file=output)
            os.killpg(leader, signal.SIGKILL)

    watcher = threading.Thread(target=watch)
    watcher.start()
    # The number of a child that was not waited for stays its own, so the group is the session's.
    os.waitid(os.P_PID, leader, os.WEXITED | os.WNOWAIT)
    ended.set()
    watcher.join()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
    _, status, used = os.wait4(leader, 0)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
