"""What a whole list as a file costs in memory."""

import threading
import time
from dataclasses import dataclass

from bench import processes
from bench.candidates import Server

LOOKS_PER_SECOND = 5
PART = 1 << 20


@dataclass(frozen=True)
class Export:
    """rows: how many lines came. peak_mib: the most memory of the server's processes meanwhile; before_mib: just before."""

    rows: int
    mib: float
    seconds: float
    before_mib: float
    peak_mib: float


def export(server: Server, address: str) -> Export:
    """Read the address, a file of lines, to its end."""
    before, peak = processes.memory_bytes(server.pid), 0
    done = threading.Event()

    def look() -> None:
        nonlocal peak
        while not done.wait(1 / LOOKS_PER_SECOND):
            peak = max(peak, processes.memory_bytes(server.pid))

    watch = threading.Thread(target=look)
    watch.start()
    started, rows, size = time.perf_counter(), 0, 0
    try:
        with server.open(address) as answer:
            while part := answer.read(PART):
                rows += part.count(b"\n")
                size += len(part)
    finally:
        done.set()
        watch.join()
    return Export(
        rows,
        round(size / 2**20, 1),
        round(time.perf_counter() - started, 1),
        round(before / 2**20),
        round(peak / 2**20),
    )
