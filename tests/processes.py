"""Processes that Firth started, seen through /proc: its children, all below them, and whether they are gone."""

import os


def _stat(pid):
    """State and parent of a process, or None if there is none."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            state, parent = stat.read().rsplit(")", 1)[1].split()[:2]
            return state, int(parent)
    except OSError:
        return None


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def descendants(pid):
    """The processes below `pid`, in no order."""
    parents = {int(each): _stat(each) for each in os.listdir("/proc") if each.isdigit()}
    found, todo = set(), [pid]
    while todo:
        parent = todo.pop()
        below = {child for child, stat in parents.items() if stat and stat[1] == parent} - found
        found |= below
        todo += below
    return found


def gone(pid):
    """Ended, whether its parent has noticed or not."""
    stat = _stat(pid)
    return stat is None or stat[0] == "Z"
