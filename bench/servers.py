"""A database of our own with a generated world, and servers on it, started as `make run` starts them."""

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
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections, transaction

from bench import generate
from bench.load import HOST
from kbase import embedded

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


def make_database(size: int) -> None:
    """Make the database anew, with `size` policies and all that belongs to them."""
    _begin_anew()
    with transaction.atomic():
        generate.fill(size)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        # What the load has dirtied is written now, not while we measure.
        cursor.execute("CHECKPOINT")
    connections.close_all()


def make_knowledge() -> None:
    """Make the database anew, with the knowledge of fixtures/."""
    _begin_anew()
    call_command("load_knowledge", verbosity=0)


def _begin_anew() -> None:
    """Make the database anew, empty."""
    connections.close_all()
    server = embedded.server_in(settings.EMBEDDED_DATA)
    server.hold()
    with psycopg.connect(
        host=str(server.socket_folder), user=embedded.USER, dbname="postgres", autocommit=True
    ) as administration:
        administration.execute(f"DROP DATABASE IF EXISTS {embedded.DATABASE} WITH (FORCE)")
        administration.execute(f"CREATE DATABASE {embedded.DATABASE}")
    call_command("migrate", verbosity=0, interactive=False)


def database_pid() -> int:
    """The process of the database server, the parent of all that work for it."""
    return int((settings.EMBEDDED_DATA / "postmaster.pid").read_text().split()[0])


@contextmanager
def both_servers() -> Iterator[dict[str, Server]]:
    """Ours, and the baseline beside it on the same database, until the end of the block."""
    socket_folder = embedded.server_in(settings.EMBEDDED_DATA).socket_folder
    url = f"postgresql://{embedded.USER}@{quote(str(socket_folder), safe='')}/{embedded.DATABASE}"
    theirs = {
        "DJANGO_SETTINGS_MODULE": "bench.baseline.settings",
        "KBASE_HOME": str(settings.KBASE_HOME / "baseline"),
        "DATABASE_URL": url,
    }
    with ExitStack() as running:
        ours = running.enter_context(_server(settings.KBASE_HOME))
        baseline = running.enter_context(_server(settings.KBASE_HOME / "baseline", **theirs))
        yield {"ours": ours, "baseline": baseline}


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
