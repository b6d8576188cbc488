"""Load on one address: `wrk` where it is installed, else a client of our own that does the same."""

import json
import selectors
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

# The answers name their addresses after the host asked; the same for all, so that the answers are the same.
HOST = "localhost:8000"
CONNECTIONS = 8
NO_HEADERS: Mapping[str, str] = {}
LONGEST_WAIT_SECONDS = 20
LAST_CHUNK = b"0\r\n\r\n"

# wrk prints for people; this prints for us, in microseconds.
WRK_REPORT = """
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format('JSON {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failed": %d}\\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


class LoadError(Exception):
    """Requests failed, so that what was measured means nothing."""


@dataclass(frozen=True)
class Load:
    """What came of it; times in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float


def generator() -> str:
    """The name of what makes the load."""
    return "wrk" if shutil.which("wrk") else "bench/load.py"


def put_load(
    port: int, path: str, seconds: float, connections: int = CONNECTIONS, headers: Mapping[str, str] = NO_HEADERS
) -> Load:
    """Ask for the path over so many connections, each again as soon as it is answered.

    Raises LoadError if an answer is neither 200 nor 304.
    """
    # wrk counts whole seconds.
    put = _wrk if generator() == "wrk" and seconds >= 1 else _own
    return put(port, path, seconds, connections, headers)


def _wrk(port: int, path: str, seconds: float, connections: int, headers: Mapping[str, str]) -> Load:
    with tempfile.TemporaryDirectory(prefix="kbase-bench-") as folder:
        script = Path(folder) / "report.lua"
        script.write_text(WRK_REPORT)
        options = ["-t1", f"-c{connections}", f"-d{round(seconds)}s", f"-s{script}", "--timeout", "20s"]
        options += [f"-H{name}: {value}" for name, value in {"Host": HOST, **headers}.items()]
        wrk = str(shutil.which("wrk"))
        output = subprocess.run(
            [wrk, *options, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True
        ).stdout
    found = json.loads(output.partition("JSON ")[2])
    if not found["requests"] and seconds < LONGEST_WAIT_SECONDS:
        # What is slow gets the time for an answer or two.
        return _wrk(port, path, seconds * 4, connections, headers)
    if found["failed"] or not found["requests"]:
        raise LoadError(f"{path}: {found['failed']} of {found['requests']} requests failed.")
    return Load(found["requests"], found["microseconds"] / 1e6, found["p50"] / 1e3, found["p99"] / 1e3)


def _own(port: int, path: str, seconds: float, connections: int, headers: Mapping[str, str]) -> Load:
    started = time.perf_counter()
    with selectors.DefaultSelector() as selector:
        clients = [Client(port, path, headers) for _ in range(connections)]
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.ask()
        # What is slow gets the time for an answer or two, so that there is something to count.
        while time.perf_counter() < started + seconds or not all(client.times for client in clients):
            for key, _ in selector.select(timeout=LONGEST_WAIT_SECONDS) or _give_up(path):
                if key.data.takes():
                    key.data.ask()
        elapsed = time.perf_counter() - started
        for client in clients:
            client.socket.close()
    times = sorted(time for client in clients for time in client.times)
    return Load(len(times), elapsed, _percentile(times, 50), _percentile(times, 99))


class Client:
    """One connection; `times` are those of its answers, in milliseconds."""

    def __init__(self, port: int, path: str, headers: Mapping[str, str] = NO_HEADERS) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.path = path
        self.headers = "".join(f"{name}: {value}\r\n" for name, value in {"Host": HOST, **headers}.items())
        self.times: list[float] = []

    def ask(self, path: str | None = None) -> None:
        """Ask for the path, or for the same as before."""
        self.path = path or self.path
        self.missing: int | None = None
        self.is_chunked = False
        self.head = b""
        self.asked = time.perf_counter()
        self.socket.sendall(f"GET {self.path} HTTP/1.1\r\n{self.headers}\r\n".encode())

    def takes(self) -> bool:
        """Take what has come; whether the answer is whole now."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise LoadError(f"{self.path}: the server closed the connection.")
        if self.is_chunked:
            self._go_on(data)
        elif self.missing is None:
            self._begin(data)
        else:
            self.missing -= len(data)
        if self.missing == 0:
            self.times.append((time.perf_counter() - self.asked) * 1000)
        return self.missing == 0

    def _begin(self, data: bytes) -> None:
        self.head += data
        head, end, body = self.head.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.lower().split(b"\r\n")
        if lines[0].split()[1] == b"304":
            self.missing = 0
            return
        if lines[0].split()[1] != b"200":
            raise LoadError(f"{self.path}: {lines[0].decode()}")
        lengths = [line for line in lines if line.startswith(b"content-length:")]
        if lengths:
            self.missing = int(lengths[0].partition(b":")[2]) - len(body)
        else:
            self.is_chunked, self.head = True, b""
            self._go_on(body)

    def _go_on(self, data: bytes) -> None:
        """Look for the chunk that ends an answer whose length is not told before; JSON has no line ends like it."""
        self.head = (self.head + data)[-len(LAST_CHUNK) :]
        if self.head == LAST_CHUNK:
            self.missing = 0


def _give_up(path: str) -> NoReturn:
    raise LoadError(f"{path}: no answer in {LONGEST_WAIT_SECONDS} seconds.")


def _percentile(times: list[float], percent: int) -> float:
    return times[min(len(times) * percent // 100, len(times) - 1)]
