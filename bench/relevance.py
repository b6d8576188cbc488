"""How good search is: known queries, and at which place a record stands that answers them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import yaml

QUERIES = Path(__file__).resolve().parent / "relevance.yaml"
LOOKED_AT = 10

# Finds the records for a query, as collection/key, the best first.
Find = Callable[[str], list[str]]


@dataclass(frozen=True)
class Judgement:
    """A query, and the place (from 1) of the first record that answers it; None if it is not among the first ten."""

    query: str
    answers: tuple[str, ...]
    place: int | None
    found: tuple[str, ...]


def judged(find: Find) -> list[Judgement]:
    """All known queries, judged."""
    return [_judge(find, entry["query"], tuple(entry["answers"])) for entry in yaml.safe_load(QUERIES.read_text())]


def mean_reciprocal_rank(judgements: Iterable[Judgement]) -> float:
    """The mean of 1 for an answer in the first place, 1/2 in the second ..., 0 beyond the tenth."""
    return mean(1 / judgement.place if judgement.place else 0 for judgement in judgements)


def recall(judgements: Iterable[Judgement]) -> float:
    """The share of the queries that have an answer among the first ten."""
    return mean(judgement.place is not None for judgement in judgements)


def measures(judgements: list[Judgement]) -> dict[str, float]:
    """What is kept of them."""
    return {
        "queries": len(judgements),
        "mean_reciprocal_rank": round(mean_reciprocal_rank(judgements), 3),
        f"recall_at_{LOOKED_AT}": round(recall(judgements), 3),
    }


def told(judgements: list[Judgement]) -> str:
    """The two measures, and each query whose answer does not stand first."""
    head = (
        f"Search: {len(judgements)} queries, MRR {mean_reciprocal_rank(judgements):.3f},"
        f" recall@{LOOKED_AT} {recall(judgements):.3f}"
    )
    lines = [
        f"  “{judgement.query}”: {judgement.place or 'not found'}; before it {', '.join(_before(judgement)) or 'nothing'}"
        for judgement in judgements
        if judgement.place != 1
    ]
    return "\n".join([head, *lines])


def asked_here(query: str) -> list[str]:
    """What /search/ finds in the database of this process."""
    # Django may be imported only once it is set up.
    from django.test import Client

    sent = {"q": query, "page_size": LOOKED_AT}
    answer = Client(headers={"host": "localhost"}).get("/api/v1/search/", sent).json()
    return [f"{row['collection']}/{row['key']}" for row in answer["results"]]


def _judge(find: Find, query: str, answers: tuple[str, ...]) -> Judgement:
    found = tuple(find(query)[:LOOKED_AT])
    place = next((number for number, key in enumerate(found, start=1) if key in answers), None)
    return Judgement(query, answers, place, found)


def _before(judgement: Judgement) -> tuple[str, ...]:
    return judgement.found[: (judgement.place or 4) - 1]
