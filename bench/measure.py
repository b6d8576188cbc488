"""Who answers how often, how soon and at what cost: the candidates take turns, and the median of the rounds counts."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import Any

from bench import processes
from bench.load import put_load
from bench.questions import Question, same
from bench.servers import Server

ROUNDS = 3
WARM_UP_SECONDS = 0.5
RUN_SECONDS = 2.0
# So much processor time in a tenth of a second is none.
IDLE_SECONDS = 0.02
SETTLING_STEPS = 100


@dataclass(frozen=True)
class Figures:
    """Of one candidate on one request. Times are milliseconds; CPU is that of all cores, per request."""

    requests_per_second: float
    p50: float
    p99: float
    app_cpu: float
    database_cpu: float

    @property
    def cpu(self) -> float:
        """Server and database together."""
        return self.app_cpu + self.database_cpu


class DifferentAnswersError(Exception):
    """The candidates do not say the same, so that comparing them means nothing."""


def check_equal(questions: list[Question], servers: Mapping[str, Server]) -> None:
    """Raise DifferentAnswersError unless both servers answer each question alike."""
    for question in questions:
        ours, theirs = (servers[name].get(getattr(question, name)) for name in ("ours", "baseline"))
        if not same(question, ours, theirs):
            raise DifferentAnswersError(f"Both answer “{question.name}” differently:\n{ours[:600]!r}\n{theirs[:600]!r}")


def measure(
    questions: list[Question], servers: Mapping[str, Server], database_pid: int, say: Callable[[str], None]
) -> dict[str, dict[str, Figures]]:
    """The figures of each candidate for each question, by their names."""
    runs: dict[str, dict[str, list[Figures]]] = {
        question.name: {name: [] for name in servers} for question in questions
    }
    for number in range(ROUNDS):
        say(f"Round {number + 1} of {ROUNDS} ...")
        for question in questions:
            for name, server in servers.items():
                runs[question.name][name].append(_run(server, getattr(question, name), database_pid))
    return {question: {name: _median(found) for name, found in of.items()} for question, of in runs.items()}


def _run(server: Server, path: str, database_pid: int) -> Figures:
    put_load(server.port, path, WARM_UP_SECONDS)
    _settle(server, database_pid)
    app, database = processes.cpu_seconds(server.pid), processes.cpu_seconds(database_pid)
    load = put_load(server.port, path, RUN_SECONDS)
    app, database = processes.cpu_seconds(server.pid) - app, processes.cpu_seconds(database_pid) - database
    _settle(server, database_pid)
    each = 1000 / load.requests
    return Figures(load.requests / load.seconds, load.p50, load.p99, app * each, database * each)


def _settle(server: Server, database_pid: int) -> None:
    """Let both finish what nobody waits for any more, so that it burdens no other run."""
    for _ in range(SETTLING_STEPS):
        before = processes.cpu_seconds(server.pid) + processes.cpu_seconds(database_pid)
        time.sleep(0.1)
        if processes.cpu_seconds(server.pid) + processes.cpu_seconds(database_pid) - before < IDLE_SECONDS:
            return


def _median(runs: list[Figures]) -> Figures:
    """Of each figure by itself."""
    columns: dict[str, Any] = {
        field.name: round(median(asdict(run)[field.name] for run in runs), 3) for field in fields(Figures)
    }
    return Figures(**columns)
