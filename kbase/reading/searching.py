"""Finding the records of a list by words. Where the words are, and what is relevant, the project says."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import Expression, Q, QuerySet

from kbase.reading.ordering import Column
from kbase.reading.problems import BadRequest, Fault

# The parameter by which lists are searched, and the order of what it finds: the best first.
PARAMETER = "q"
RELEVANCE = "relevance"
LONGEST_QUERY = 400

_DISTANCE = "search_distance"

# How much is found: so little that its ids are known; more; so much that whoever looks through the records in their
# order soon meets enough of it, and should not gather and sort it all.
WHOLE, SOME, MANY = "whole", "some", "many"


@dataclass(frozen=True)
class Sought:
    """What is looked for: the values that the statement takes, and how the words were understood if not as sent.

    extent: how much is found. The values tell the most relevant of it, and if it is WHOLE all of it.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    understood_as: str | None = None
    extent: str = SOME

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def shape(self) -> str:
        """As far as it shapes statements; empty if nothing is looked for."""
        return self.extent if self else ""


NOTHING = Sought()


class Search(ABC):
    """How the records of a collection are found by words."""

    def __init__(self, collection: str) -> None:
        self.collection = collection

    @abstractmethod
    def understand(self, text: str) -> Sought:
        """What is looked for. Asks the database, as of the moment that is asked about."""

    @abstractmethod
    def is_found(self, shape: str, record: str = "pk") -> Q | Expression:
        """The condition on a row that it is found; what is looked for stands in it as Params.

        shape: of what is looked for (see Sought). record: the column with the record's id.
        """

    @abstractmethod
    def is_ranked(self, record: str = "pk") -> Q:
        """The condition on a row that it is among the most relevant of what is found. All others are as far."""

    @abstractmethod
    def distance(self) -> Expression:
        """How far a row is from what is looked for, as an integer: the most relevant has the least."""

    def apply(self, rows: QuerySet, shape: str, record: str = "pk") -> QuerySet:
        """The rows that are found."""
        return rows.filter(self.is_found(shape, record))

    def measured(self, rows: QuerySet) -> QuerySet:
        """The rows with their distances, so that they can be ordered by relevance."""
        return rows.annotate(**{_DISTANCE: self.distance()})


# An order that exists only where something is looked for.
BY_RELEVANCE = Column(RELEVANCE, _DISTANCE, models.IntegerField(), is_nullable=False, directions=("",))


def read_query(parameter: str, text: str) -> str:
    """The words to look for, as sent.

    Raises BadRequest for a text without a letter or digit, and for one that is too long.
    """
    if len(text) > LONGEST_QUERY:
        detail = f"{parameter} may have {LONGEST_QUERY} characters at most."
        raise BadRequest([Fault(parameter, "out_of_range", detail)])
    if not any(character.isalnum() for character in text):
        raise no_words()
    return text


def no_words() -> BadRequest:
    """The fault of a query in which there is nothing to look for."""
    detail = f"{PARAMETER} has no letter or digit; say what to look for, or leave it out."
    return BadRequest([Fault(PARAMETER, "empty", detail)])
