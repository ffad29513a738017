"""How a connector ends so that its reader finds the end of its output and of itself in one turn, whatever the machine's pace."""

import os
import select
import _signal as signal  # without the enumerations


def leave(data, status=0, killed_by=None):
    """Write the bytes, and end. The reader sleeps from before the last of them until the process has ended."""
    reader, me = os.getppid(), os.getpid()
    ready, told = os.pipe()
    if os.fork() == 0:
        for fd in (0, 1, 2):
            os.close(fd)
        os.setsid()
        end = select.poll()
        end.register(os.pidfd_open(me), select.POLLIN)
        os.write(told, b"x")
        end.poll()
        os.kill(reader, signal.SIGCONT)
        os._exit(0)
    os.read(ready, 1)
    view = memoryview(data)
    while len(view) > 4096:  # what the pipe does not hold has to be read
        view = view[os.write(1, view[:-4096]):]
    os.kill(reader, signal.SIGSTOP)
    while view:
        view = view[os.write(1, view):]
    if killed_by:
        os.kill(me, killed_by)
    os._exit(status)
