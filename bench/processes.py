"""What a process and all that it started have used."""

from contextlib import suppress

import psutil


def cpu_seconds(pid: int) -> float:
    """The processor time of the process tree so far, that of processes which have ended in it included."""
    total = 0.0
    for process in _tree(pid):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_bytes(pid: int) -> int:
    """The memory of the process tree; what processes share is counted once where the system can tell."""
    total = 0
    for process in _tree(pid):
        with suppress(psutil.NoSuchProcess):
            memory = process.memory_full_info()
            total += getattr(memory, "pss", 0) or memory.uss
    return total


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]
