"""Counts that are kept: a table says how many records have which values, and is summed instead of the records counted.

Each row counts the records told apart by some dimensions, and stands for all values of the others; so a question is
answered by the rows that tell records apart by just those dimensions which it names.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable

from kbase.reading.expressions import ArrayOf
from kbase.reading.parameters import Condition
from kbase.reading.statements import Statement, compile_statement

# The values that a filter's parameters are met by: each parameter's name with one of them.
Asked = Iterable[tuple[str, Any]]


@dataclass(frozen=True)
class Dimension:
    """A filter by whose values records are told apart.

    column: has the value in the table. whole: stands there in rows for all values. has: the condition that it is one of
    some values. repeats: whether a record may have several values, and is then counted under each.
    value: the value as a facet names it, if not as it stands in the column.
    """

    column: str
    whole: Any
    has: Condition
    repeats: bool = False
    value: Combinable | None = None


@dataclass(frozen=True)
class Tallies:
    """Declares such a table, for questions about now; none of the past.

    rows: all of its rows. counted: the column of how many records a row counts, a whole number; some may be negative.
    dimensions: by the names of their filters. tells_apart: whether it has rows that tell records apart by just these.
    """

    rows: QuerySet
    counted: str
    dimensions: Mapping[str, Dimension]
    tells_apart: Callable[[frozenset[str]], bool]

    def covers(self, asked: Asked, facet: str | None = None) -> bool:
        """Whether it can count the records that meet these, or tell them apart by the values of a facet."""
        pairs = list(asked)
        names = self._named(pairs, facet)
        return names <= self.dimensions.keys() and self.tells_apart(names) and self._are_apart(pairs)

    def count(self, asked: Asked) -> Statement:
        """The statement that counts the records that meet these."""
        rows = compile_statement(self._matching(list(asked), None).values_list(self.counted))
        return Statement(f"SELECT coalesce(sum(n), 0)::bigint FROM ({rows.sql}) AS counted (n)", rows.params)  # noqa: S608 (compiled by the ORM)

    def tallied(self, asked: Asked, facet: str) -> Statement:
        """The statement that finds each value of a facet, and how many of the records that meet these have it."""
        dimension = self.dimensions[facet]
        value = dimension.value or F(dimension.column)
        rows = compile_statement(self._matching(list(asked), facet).values_list(value, self.counted))
        sql = f"SELECT held, sum(n)::bigint FROM ({rows.sql}) AS counted (held, n) GROUP BY held HAVING sum(n) > 0"  # noqa: S608 (compiled by the ORM)
        return Statement(sql, rows.params)

    def _named(self, pairs: Asked, facet: str | None) -> frozenset[str]:
        named = {name.partition("__")[0] for name, _ in pairs}
        return frozenset(named | {facet} if facet else named)

    def _are_apart(self, pairs: list[tuple[str, Any]]) -> bool:
        """Whether each record is counted once, where the values are counted each by itself and then added."""
        parts = [(*name.partition("__")[::2], value) for name, value in pairs]
        many = [(base, suffix, value) for base, suffix, value in parts if self.dimensions[base].repeats]
        is_one = all(suffix in ("", "all") and isinstance(value, ArrayOf) for _, suffix, value in many)
        of_one = all(suffix in ("", "not") for base, suffix, _ in parts if not self.dimensions[base].repeats)
        return is_one and of_one and len({base for base, _, _ in many}) == len(many)

    def _matching(self, pairs: list[tuple[str, Any]], facet: str | None) -> QuerySet:
        named = self._named(pairs, facet)
        rows = self.rows.order_by()
        for name, dimension in self.dimensions.items():
            whole = Q(**{dimension.column: dimension.whole})
            rows = rows.filter(~whole if name in named else whole)
        for name, value in pairs:
            base, _, suffix = name.partition("__")
            met = self.dimensions[base].has(value)
            rows = rows.filter(~met if suffix == "not" else met)
        return rows
