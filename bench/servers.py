"""Servers on a database with a generated world, started as `make run` starts them."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from bench.load import HOST

PROJECT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A server on the loopback, by its process and port."""

    pid: int
    port: int

    def get(self, address: str) -> bytes:
        """The body of an address; its host, if it has one, is not asked."""
        path = address.partition("/api/")[2]
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/{path}", headers={"Host": HOST})
        with urllib.request.urlopen(request) as answer:  # noqa: S310 (the scheme is ours)
            body: bytes = answer.read()
        return body


@contextmanager
def both_servers(database_url: str) -> Iterator[dict[str, Server]]:
    """Ours, and the baseline beside it on the same database, until the end of the block."""
    homes = {name: settings.KBASE_HOME / name for name in ("ours", "baseline")}
    ours = {"KBASE_HOME": str(homes["ours"]), "DATABASE_URL": database_url}
    theirs = {**ours, "KBASE_HOME": str(homes["baseline"]), "DJANGO_SETTINGS_MODULE": "bench.baseline.settings"}
    with ExitStack() as running:
        yield {
            "ours": running.enter_context(_server(homes["ours"], **ours)),
            "baseline": running.enter_context(_server(homes["baseline"], **theirs)),
        }


@contextmanager
def _server(home: Path, **variables: str) -> Iterator[Server]:
    home.mkdir(mode=0o711, parents=True, exist_ok=True)
    port = _free_port()
    with (home / "serve.log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=PROJECT,
            env={**os.environ, "PORT": str(port), **variables},
            stdout=log,
            stderr=log,
            # Ctrl-C is for us; we stop the servers ourselves.
            start_new_session=True,
        )
        try:
            _wait(process, port, home / "serve.log")
            yield Server(process.pid, port)
        finally:
            process.terminate()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The server does not start:\n{log.read_text()}")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz"):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    return port
