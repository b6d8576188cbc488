"""The figures that we want to reach, and what was measured of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bench.candidates import COUNTS, DATASETTE, DIRECTUS, DRF, FASTAPI, FLOOR, NINJA, OURS, UNCACHED
from bench.measure import Figures, Results

Worlds = Mapping[int, Results]

MILLION = 1_000_000
STEADY = [
    "newest 50",
    "HK, custody, in force",
    "topic",
    "topic, in force",
    "in force on an old day",
    "two topics at once",
    "companies by authorisation",
    "one policy",
    "a deep page",
]


@dataclass(frozen=True)
class Verdict:
    """A figure, what it should be, and what it is."""

    figure: str
    wanted: str
    measured: float
    is_met: bool


@dataclass(frozen=True)
class Target:
    """A figure that has to be at least, or at most, `bound`. measured: finds it; KeyError where it was not measured."""

    figure: str
    bound: float
    measured: Callable[[Worlds], float]
    at_most: bool = False
    unit: str = ""

    def verdict(self, worlds: Worlds) -> Verdict:
        found = round(self.measured(worlds), 2)
        is_met = found <= self.bound if self.at_most else found >= self.bound
        return Verdict(self.figure, f"{'≤' if self.at_most else '≥'} {self.bound:g}{self.unit}", found, is_met)


def verdicts(worlds: Worlds, exports: Mapping[int, Mapping[str, float]]) -> list[Verdict]:
    """What became of the targets, as far as they were measured.

    worlds: the results by the number of policies. exports: what an export cost (see exports.Export), by the same.
    """
    found = []
    for target in wanted():
        try:
            found.append(target.verdict(worlds))
        except (KeyError, ValueError):
            continue
    if MILLION in exports:
        peak = exports[MILLION]["peak_mib"]
        found.append(Verdict("export of a million, the server's memory", "≤ 200 MiB", peak, peak <= 200))
    return found


def wanted() -> list[Target]:
    """What we want to reach."""
    lists = "HK, custody, in force"
    return [
        Target("newest 50, requests × plain DRF", 10, _times("newest 50", DRF)),
        Target(f"{lists}, requests × plain DRF", 12, _times(lists, DRF)),
        Target(f"{lists}, at a million, requests × plain DRF", 25, _times(lists, DRF, MILLION)),
        Target("newest 50, requests × django-ninja", 10, _times("newest 50", NINJA)),
        Target("newest 50, requests × FastAPI", 7, _times("newest 50", FASTAPI)),
        Target("newest 50, as shipped, requests × FastAPI", 7, _times("newest 50", FASTAPI, of=OURS)),
        *(
            Target(f"newest 50, CPU of {other} ÷ {told}", bound, _cheaper_than(other, of))
            for other, bound in ((DIRECTUS, 8), (DATASETTE, 2))
            for told, of in (("ours, made anew", COUNTS), ("ours, as shipped", OURS))
        ),
        Target("newest 50, requests ÷ bare psycopg, both counting", 0.75, _times("newest 50", FLOOR, of=UNCACHED)),
        Target("304, CPU of its 200, made anew, ÷ its own", 3, _cheaper_unchanged),
        *(Target(f"{name}, requests lost from 10,000 to a million", 20, _lost(name), True, " %") for name in STEADY),
        *_in_time(40, ["four facets"]),
        *_in_time(15, ["count of a topic", "count of two filters", "search", "search, rare word", "suggest"]),
        *(
            Target(f"{name}, as known ÷ live, CPU", 5, _dearer_than(f"{name}, as known", name), True)
            for name in ("newest 50", lists)
        ),
        *_in_time(30, ["country page", "matrix, 50 by 12"]),
    ]


def _in_time(limit: float, questions: Iterable[str]) -> Iterator[Target]:
    """How long an answer takes at a million: made anew with nothing kept, and as shipped, once it has been made."""
    for name in questions:
        yield Target(f"{name} at a million, p50", limit, _p50(name, UNCACHED), True, " ms")
        yield Target(f"{name} at a million, kept, p50", limit, _p50(name, OURS), True, " ms")


def _of(worlds: Worlds, question: str, candidate: str = COUNTS, size: int | None = None) -> Figures:
    """Of a world of middle size unless said otherwise."""
    return worlds[size or sorted(worlds)[len(worlds) // 2]][question][candidate]


def _times(question: str, other: str, size: int | None = None, of: str = COUNTS) -> Callable[[Worlds], float]:
    return lambda worlds: (
        _of(worlds, question, of, size).requests_per_second / _of(worlds, question, other, size).requests_per_second
    )


def _cheaper_than(other: str, of: str) -> Callable[[Worlds], float]:
    """How many times less processor time the newest page costs: the peers are one process, so that requests say less."""
    return lambda worlds: _of(worlds, "newest 50", other).cpu / _of(worlds, "newest 50", of).cpu


def _cheaper_unchanged(worlds: Worlds) -> float:
    """What an answer costs that has to be made, against the news that it is the same as before."""
    return _of(worlds, "newest 50").cpu / _of(worlds, "newest 50, unchanged (304)", OURS).cpu


def _dearer_than(question: str, other: str) -> Callable[[Worlds], float]:
    return lambda worlds: _of(worlds, question).cpu / _of(worlds, other).cpu


def _lost(question: str) -> Callable[[Worlds], float]:
    def lost(worlds: Worlds) -> float:
        small, large = (_of(worlds, question, size=size).requests_per_second for size in (10_000, MILLION))
        return 100 * (1 - large / small)

    return lost


def _p50(question: str, candidate: str) -> Callable[[Worlds], float]:
    return lambda worlds: _of(worlds, question, candidate, MILLION).p50
