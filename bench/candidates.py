"""Who answers: kbase, started as `make run` starts it, and beside it what it is compared with, on the same database."""

import os
import pickle
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from bench import plans
from bench.load import HOST
from bench.peers import datasette, directus
from kbase.reading.expressions import Param
from kbase.reading.fields import ON
from kbase.reading.statements import compile_statement
from regulations.models import Policy
from regulations.models.policies import status_on

PROJECT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
WARM_UP_SECONDS = 0.5
OURS = "kbase"
# It keeps what is as small as a count, so that pages are made anew: what ratios speak of.
COUNTS = "kbase, keeping counts"
UNCACHED = "kbase, keeping nothing"
DRF = "plain DRF"
NINJA = "django-ninja"
FASTAPI = "FastAPI"
FLOOR = "bare psycopg"
DATASETTE = "Datasette"
DIRECTUS = "Directus"
PEER_PYTHON = PROJECT / ".venv" / "bench" / "bin" / "python"


@dataclass(frozen=True)
class Server:
    """A server on the loopback, by its process and port. warm_up: for how many seconds it is asked before it is measured."""

    pid: int
    port: int
    warm_up: float = WARM_UP_SECONDS

    def get(self, address: str, **headers: str) -> bytes:
        """The body of an address; its host, if it has one, is not asked."""
        with self.open(address, **headers) as answer:
            body: bytes = answer.read()
        return body

    def open(self, address: str, **headers: str) -> Any:
        """The answer, to be read and closed."""
        path = address.removeprefix(f"http://{HOST}")
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Host": HOST, **headers})
        return urllib.request.urlopen(request)  # noqa: S310 (the scheme is ours)


@dataclass(frozen=True)
class Candidate:
    """How to start one that answers.

    command: Python's arguments for its server, where {port} stands for the port and {NAME} for a variable. needs_peers: whether it runs in
    the environment of the peers. prepare: writes what the server needs into its folder, and returns the variables that say so.
    program: what runs it instead of Python, as the command is written. is_there: whether it can run here; it may install itself.
    finish: clears away what prepare made, once the server has stopped. largest: the most policies that it is asked for.
    warm_up: as of a server.
    """

    name: str
    command: str
    variables: dict[str, str] = field(default_factory=dict)
    needs_peers: bool = False
    prepare: Callable[[Path, Sequence[str]], dict[str, str]] | None = None
    program: str = ""
    is_there: Callable[[], bool] = lambda: True
    finish: Callable[[], None] | None = None
    largest: int | None = None
    warm_up: float = WARM_UP_SECONDS

    @property
    def can_run(self) -> bool:
        return (PEER_PYTHON.exists() or not self.needs_peers) and self.is_there()

    def full_command(self, port: int, variables: Mapping[str, str]) -> list[str]:
        """The program and its arguments."""
        python = str(PEER_PYTHON) if self.needs_peers else sys.executable
        parts = [self.program or python, *self.command.split()]
        return [part.format(port=port, **variables) for part in parts]


def _floor_plans(folder: Path, addresses: Sequence[str]) -> dict[str, str]:
    (folder / "plans").write_bytes(pickle.dumps(plans.plans(addresses)))
    return {"PLANS": str(folder / "plans"), "PGOPTIONS": settings.DATABASES["default"]["OPTIONS"]["options"]}


def _status_rules(folder: Path, addresses: Sequence[str]) -> dict[str, str]:
    """The rules of status, which no other ORM knows, as the SQL that ours writes for them."""
    status = compile_statement(Policy.objects.order_by().values_list(status_on(ON)))
    in_force = compile_statement(Policy.objects.order_by().in_force(ON).values_list("pk"))
    assert all(isinstance(param, Param) for param in (*status.params, *in_force.params))
    selected = status.sql.removeprefix("SELECT ").rpartition(' AS "')[0]
    condition = in_force.sql.partition(" WHERE ")[2]
    (folder / "status.sql").write_text(selected.replace("%s", "%(on)s"))
    (folder / "in_force.sql").write_text(condition.replace("%s", "%(on)s"))
    return {"STATUS_SQL": str(folder / "status.sql"), "IN_FORCE_SQL": str(folder / "in_force.sql")}


SERVE = "manage.py serve"
WORKERS = os.cpu_count() or 1
UVICORN = f"-m uvicorn --workers {WORKERS} --log-level warning --no-access-log --port {{port}}"
GRANIAN = (
    f"-m granian --interface wsgi --workers {WORKERS} --blocking-threads 1 --no-ws --log-level warning --port {{port}}"
)
CANDIDATES = [
    Candidate(OURS, SERVE),
    Candidate(COUNTS, SERVE, {"KBASE_CACHE_KIB": "16"}),
    Candidate(UNCACHED, SERVE, {"KBASE_CACHE_KIB": "0"}),
    Candidate(DRF, SERVE, {"DJANGO_SETTINGS_MODULE": "bench.baseline.settings"}),
    Candidate(NINJA, SERVE, {"DJANGO_SETTINGS_MODULE": "bench.peers.ninja_settings"}, needs_peers=True),
    Candidate(
        FASTAPI,
        f"{UVICORN} bench.peers.fastapi_app:app",
        needs_peers=True,
        prepare=_status_rules,
    ),
    Candidate(
        FLOOR,
        f"{GRANIAN} bench.peers.floor:application",
        prepare=_floor_plans,
    ),
    Candidate(
        DATASETTE,
        "-m datasette serve --immutable {COPY} --metadata {QUERIES} --host 127.0.0.1 --port {port} "
        "--setting sql_time_limit_ms 20000 --setting max_returned_rows 1000",
        needs_peers=True,
        prepare=datasette.prepare,
    ),
    Candidate(
        DIRECTUS,
        "{DIRECTUS} start",
        program="{NODE}",
        is_there=directus.is_installed,
        prepare=directus.prepare,
        finish=directus.finish,
        # Its tables live in a copy of the whole world, and a copy of a million policies takes too long and too much room.
        largest=100_000,
        # Until then Node.js compiles, and a request costs twice as much.
        warm_up=10,
    ),
]


def named(names: Sequence[str]) -> list[Candidate]:
    """The candidates with these names, or parts of names; those that cannot run here are left out."""
    found = [each for each in CANDIDATES if any(name.lower() in each.name.lower() for name in names)]
    return [each for each in found if each.can_run]


def fitting(candidates: Sequence[Candidate], size: int) -> list[Candidate]:
    """Those who are asked for so many policies; says who is not."""
    found = [each for each in candidates if each.largest is None or size <= each.largest]
    for each in candidates:
        if each not in found:
            told = (
                f"{each.name} is asked for {each.largest:,} policies at most: its copy of the world would be too dear."
            )
            print(told, file=sys.stderr, flush=True)
    return found


@contextmanager
def started(
    candidates: Sequence[Candidate], database_url: str, addresses: Callable[[str], Sequence[str]]
) -> Iterator[dict[str, Server]]:
    """The servers of the candidates on the database, by their names, until the end of the block.

    addresses: what each will be asked, by its name. `connection` speaks with the database, too.
    """
    with ExitStack() as running:
        prepared = {}
        # All before the first server: a database is copied only while nobody is connected to it.
        for each in candidates:
            if each.finish:
                running.callback(each.finish)
            try:
                prepared[each.name] = _prepared(each, addresses(each.name))
            except subprocess.SubprocessError as error:
                _say(f"{each.name} is left out, as it cannot be set up: {error}")
        yield {
            each.name: running.enter_context(_server(each, database_url, prepared[each.name]))
            for each in candidates
            if each.name in prepared
        }


def _prepared(candidate: Candidate, addresses: Sequence[str]) -> dict[str, str]:
    folder = settings.KBASE_HOME / candidate.name.replace(" ", "-").replace(",", "")
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    prepared = candidate.prepare(folder, addresses) if candidate.prepare else {}
    connection.close()
    return {"KBASE_HOME": str(folder), **candidate.variables, **prepared}


@contextmanager
def _server(candidate: Candidate, database_url: str, prepared: Mapping[str, str]) -> Iterator[Server]:
    folder, port = Path(prepared["KBASE_HOME"]), _free_port()
    variables = {"DATABASE_URL": database_url, "PORT": str(port), "PYTHONPATH": str(PROJECT), **prepared}
    ours = {name: value for name, value in os.environ.items() if name != "KBASE_CACHE_KIB"}
    with (folder / "serve.log").open("w+") as log:
        process = subprocess.Popen(
            candidate.full_command(port, variables),
            cwd=PROJECT,
            env={**ours, **variables},
            stdout=log,
            stderr=log,
            # Ctrl-C is for us; we stop the servers ourselves.
            start_new_session=True,
        )
        try:
            _wait(process, port, folder / "serve.log")
            yield Server(process.pid, port, candidate.warm_up)
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
    except urllib.error.HTTPError:
        # It has no such page, but it is there.
        return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    return port


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
