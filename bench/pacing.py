"""Requests sent when they are due, whether or not earlier ones are answered: as many readers do who do not know each other."""

import selectors
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from bench.load import Client, LoadError

CONNECTIONS = 16
LONGEST_WAIT_SECONDS = 30
LONGEST_LOOK_SECONDS = 0.05
SEED = 5

# What kind of request it is, and its address.
Asked = tuple[str, str]


@dataclass
class Answers:
    """How long each request took from when it was due, in milliseconds, by its kind; and what went wrong."""

    by_kind: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)

    @property
    def times(self) -> list[float]:
        return [each for times in self.by_kind.values() for each in times]


def percentile(times: Sequence[float], percent: float) -> float:
    ordered = sorted(times)
    return round(ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)], 2)


def read(port: int, asked: Sequence[Asked], per_second: float | None, seconds: float) -> Answers:
    """Ask for these addresses in any order, so often a second, or, without a rate, as soon as a connection is free."""
    with selectors.DefaultSelector() as selector:
        readers = _Readers(port, asked, per_second, selector)
        ends = readers.upcoming + seconds
        while (now := time.perf_counter()) < ends:
            readers.send(now)
            readers.receive(until=ends)
        while readers.busy and time.perf_counter() < ends + LONGEST_WAIT_SECONDS:
            readers.receive(until=ends + LONGEST_WAIT_SECONDS)
        return readers.ended()


class _Readers:
    """Connections of which some wait for answers, and the times at which requests are due."""

    def __init__(
        self, port: int, asked: Sequence[Asked], per_second: float | None, selector: selectors.BaseSelector
    ) -> None:
        self.asked, self.per_second, self.selector = asked, per_second, selector
        self.random = Random(SEED)
        self.answers = Answers()
        self.idle = deque(Client(port, "") for _ in range(CONNECTIONS))
        self.busy: dict[Client, tuple[str, float]] = {}
        self.due: deque[float] = deque()
        self.upcoming = time.perf_counter()
        for client in self.idle:
            selector.register(client.socket, selectors.EVENT_READ, client)

    def send(self, now: float) -> None:
        """Send what is due, as far as connections are free."""
        if self.per_second is None:
            self.due.extend([now] * len(self.idle))
        while self.per_second and self.upcoming <= now:
            self.due.append(self.upcoming)
            self.upcoming += self.random.expovariate(self.per_second)
        while self.idle and self.due:
            client, (kind, address) = self.idle.popleft(), self.random.choice(self.asked)
            self.busy[client] = (kind, self.due.popleft())
            client.ask(address)

    def receive(self, until: float) -> None:
        """Take what comes before the next request is due."""
        sends = min(self.upcoming, until) if self.per_second else until
        wait = min(max(sends - time.perf_counter(), 0), LONGEST_LOOK_SECONDS)
        for key, _ in self.selector.select(wait):
            client = key.data
            try:
                if client.takes():
                    kind, since = self.busy.pop(client)
                    self.answers.by_kind[kind].append((time.perf_counter() - since) * 1000)
                    self.idle.append(client)
            except LoadError as error:
                self.answers.errors.append(str(error))
                del self.busy[client]
                self.selector.unregister(client.socket)
                client.socket.close()

    def ended(self) -> Answers:
        unanswered = len(self.busy) + len(self.due)
        if unanswered > CONNECTIONS or self.busy:
            self.answers.errors.append(f"{unanswered} requests were not answered")
        for client in {*self.idle, *self.busy}:
            client.socket.close()
        return self.answers
