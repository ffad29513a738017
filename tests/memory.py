"""Where the tests' files are: in memory, if there is plenty. What a disk's file system takes to make and to sync thousands of small
files, in the kernel, is a fifth of the processors' time of a run, and more of the waiting. What shows that the store loses nothing
has its files on a disk, which wants blocks written as a disk wants them: such a file of tests calls `leave`."""

import os
import pathlib
import tempfile

MEMORY, NEEDED = pathlib.Path("/dev/shm"), 8 << 30  # all files of a run side by side, several times


BEFORE = tempfile.gettempdir()


def use():
    """From now on temporary files of this process and of those that it starts; what TMPDIR names is taken as it is."""
    if "TMPDIR" in os.environ:
        return
    try:
        free = os.statvfs(MEMORY)
    except OSError:
        return
    if os.access(MEMORY, os.W_OK) and free.f_bavail * free.f_frsize > NEEDED:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def leave():
    """Temporary files are where they would be without `use`. For the head of a file of tests."""
    os.environ["TMPDIR"] = tempfile.tempdir = BEFORE
