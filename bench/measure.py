"""Who answers how often, how soon and at what cost: the candidates take turns, and the median of the rounds counts."""

import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import Any
from urllib.error import HTTPError

from bench import processes, worlds
from bench.candidates import Server
from bench.load import LoadError, put_load
from bench.questions import Question, same

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


# By question and candidate.
Results = Mapping[str, Mapping[str, Figures]]


class DifferentAnswersError(Exception):
    """The candidates do not say the same, so that comparing them means nothing."""


def check_equal(questions: Sequence[Question], servers: Mapping[str, Server]) -> set[tuple[str, str]]:
    """Raise DifferentAnswersError unless all who are asked answer alike.

    Returns the questions, by their names, with those who do not answer them at all, as when a query takes too long.
    """
    silent = set()
    for question in questions:
        ours, *others = (name for name in servers if question.is_for(name))
        expected = servers[ours].get(question.address_for(ours))
        for name in others:
            try:
                found = servers[name].get(question.address_for(name))
            except HTTPError:
                silent.add((question.name, name))
                continue
            if not same(question, name, expected, found):
                raise DifferentAnswersError(
                    f"{name} answers “{question.name}” differently:\n{expected[:900]!r}\n{found[:900]!r}"
                )
    return silent


def measure(
    questions: Sequence[Question],
    servers: Mapping[str, Server],
    silent: Set[tuple[str, str]],
    rounds: int,
    seconds: float,
    say: Callable[[str], None],
) -> Results:
    """The figures of each candidate for each question, by their names. The candidates take turns; the silent are left out."""
    runs: dict[str, dict[str, list[Figures]]] = {
        question.name: {name: [] for name in servers if question.is_for(name) and (question.name, name) not in silent}
        for question in questions
    }
    for number in range(rounds):
        say(f"Round {number + 1} of {rounds} ...")
        for question in questions:
            for name, found in runs[question.name].items():
                try:
                    found.append(_run(servers[name], question, question.address_for(name), seconds))
                except LoadError as error:
                    # Asked once it answered, but not under load; the others go on.
                    say(f"{name} is left out of “{question.name}”: {error}")
    return {question: {name: _median(found) for name, found in of.items() if found} for question, of in runs.items()}


def _run(server: Server, question: Question, path: str, seconds: float) -> Figures:
    database_pid = worlds.server_pid()
    asked = (question.connections, question.headers)
    put_load(server.port, path, server.warm_up, *asked)
    _settle(server, database_pid)
    app, database = processes.cpu_seconds(server.pid), processes.cpu_seconds(database_pid)
    load = put_load(server.port, path, seconds, *asked)
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
