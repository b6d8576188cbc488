"""A table that stands in for a collection's records where their ids are looked for and counted.

A page is found by its ids first. Where a filter stands on related rows, or the order and a filter go against each other,
no index of the records' own table has both; a table of copies can, kept by the database, with a row for each record
and one more for each of its parts (a policy's topics). Then an index alone finds the ids, in the order of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Expression, Q, QuerySet

from kbase.reading.expressions import ArrayOf, Items, Param
from kbase.reading.filters import ResourceFilter
from kbase.reading.parameters import Condition, Parameter
from kbase.reading.statements import Statement, compile_statement, counting
from kbase.reading.tallies import Tallies

# Filters with what shapes them, as in a Filtering.
Shape = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Copies:
    """A table of copies, and the filters that its rows can be asked for by.

    rows: all of its rows. record: the column with the id of the record that a row stands for.
    same: the filters whose conditions are true of its rows as they are, because it has the columns that they look at.
    instead: for other filters the condition that a row has any of some values.
    """

    rows: QuerySet
    record: str
    same: frozenset[str]
    instead: Mapping[str, Condition]

    def has(self, name: str) -> bool:
        """Whether its rows can be asked for by this parameter of a filter."""
        base, _, suffix = name.partition("__")
        return base in self.same or (base in self.instead and suffix in ("", "not", "all"))

    def condition(self, name: str, declared: Parameter) -> Condition:
        """The condition on its rows that stands for this parameter, declared as it is."""
        base, _, suffix = name.partition("__")
        if base in self.same:
            assert declared.condition, f"{name}: the filter of a column has a condition"
            return declared.condition
        has_any = self.instead[base]
        return (lambda value: ~has_any(value)) if suffix == "not" else has_any


@dataclass(frozen=True)
class Covering(Copies):
    """Declares such a table, for questions about now; and about a past moment, if it can tell what was changed since.

    part: the filter by whose values the further rows are told apart. whole, parts: the condition of the one row of each
        record, and that of the others; of_part: that of the rows of one part.
    order: the columns by which its rows can be ordered.
    codes: the coded values of a record that its rows tell, by the names of the serializer's fields.
    counted: for filters that are no column of the same name, the values by which rows are counted for a facet.
    tallies: the counts that are kept, if any are; they are asked where they can answer.
    changed: finds in one row an array of the ids of all records of which its rows may have said something else at the
        past moment that is asked about.
    """

    part: str
    whole: Q
    parts: Q
    of_part: Condition
    order: frozenset[str]
    codes: Mapping[str, Expression] = field(default_factory=dict)
    counted: Mapping[str, Callable[[QuerySet], QuerySet]] = field(default_factory=dict)
    tallies: Tallies | None = None
    changed: Statement | None = None

    @property
    def path(self) -> str:
        """Leads from its rows to their records; the record's column is a foreign key."""
        return f"{self.rows.model._meta.get_field(self.record).name}__"

    def covers(self, shape: Shape, order: Iterable[str] = ()) -> bool:
        """Whether it can answer these filters, in an order of these columns."""
        return set(order) <= self.order and all(self.has(name) for name, _ in shape)

    def matching(self, filters: Mapping[str, Parameter], shape: Shape) -> QuerySet:
        """The rows of the records that meet the filters, each record once."""
        asked = list(_values(filters, shape))
        # If one part is asked for, its rows are those of the records in question.
        driving = next((pair for pair in asked if self._is_one_part(*pair)), None)
        if driving is None:
            return self._kept(self.rows.filter(self.whole), filters, asked)
        asked.remove(driving)
        return self._kept(self.rows.filter(self.of_part(driving[1])), filters, asked)

    def unchanged(self, filters: Mapping[str, Parameter], shape: Shape, changed: Param) -> QuerySet:
        """The rows of the records that meet the filters, without those of the changed, which are told by their ids."""
        return self.matching(filters, shape).exclude(**{f"{self.record}__in": Items(changed)})

    def count(self, filters: Mapping[str, Parameter], shape: Shape) -> Statement:
        """The statement that counts the records that meet the filters."""
        asked = list(_values(filters, shape))
        if self.tallies and self.tallies.covers(asked):
            return self.tallies.count(asked)
        return counting(compile_statement(self.matching(filters, shape).order_by().values(self.record)))

    def counts(self, name: str) -> bool:
        """Whether it can count the records by the values of this filter."""
        return name in self.same or name in self.counted or name == self.part

    def facet(self, filterset: type[ResourceFilter], shape: Shape, name: str) -> Statement:
        """The statement that counts the records that meet the filters by the values of this one."""
        facet = filterset.facets()[name]
        filters = filterset.base_filters
        asked = list(_values(filters, shape))
        if self.tallies and self.tallies.covers(asked, name):
            return facet.shown(self.tallies.tallied(asked, name))
        if name == self.part:
            rows = self._kept(self.rows.filter(self.parts), filters, asked)
        else:
            rows = self.matching(filters, shape)
        values = self.counted.get(name, facet.values)
        return replace(facet, values=values, repeats=False).statement(rows.order_by())

    def _is_one_part(self, name: str, value: Any) -> bool:
        return name in (self.part, f"{self.part}__all") and isinstance(value, ArrayOf)

    def _kept(self, rows: QuerySet, filters: Mapping[str, Parameter], asked: Iterable[tuple[str, Any]]) -> QuerySet:
        for name, value in asked:
            rows = rows.filter(self.condition(name, filters[name])(value))
        return rows


def _values(filters: Mapping[str, Parameter], shape: Shape) -> Iterable[tuple[str, Any]]:
    for name, shaped in shape:
        for value in filters[name].values(name, shaped):
            yield name, value
