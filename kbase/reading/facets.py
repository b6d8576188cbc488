"""Facets: how many of the rows that are asked for have each value of a filter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import QuerySet
from psycopg.sql import Literal

from kbase.reading.statements import Statement, compile_statement

# A facet has its most frequent values; so many can be looked over.
MOST_VALUES = 100


@dataclass(frozen=True)
class Facet:
    """How rows are counted by the values of a filter.

    values: from the rows that are asked for to a query of one column, which has each row's value or values; to one of
        two columns, the value and the row, where a row may come to the same value more than once.
    named: a statement of what can be counted: the value as it is held, as it is asked for, and its label.
    repeats: whether `values` has the second column.
    """

    values: Callable[[QuerySet], QuerySet]
    named: Callable[[], Statement]
    repeats: bool = False

    def statement(self, rows: QuerySet) -> Statement:
        """The statement that finds value, label and count; the most frequent first, then by the value.

        Rows without a value are in no count.
        """
        counted = compile_statement(self.values(rows))
        source = f"({counted.sql}) AS counted (held)"
        if self.repeats:
            # Grouped first, so that a row counts once for each value however it comes to it.
            source = f"(SELECT held FROM ({counted.sql}) AS pairs (held, counted) GROUP BY held, counted) AS counted"  # noqa: S608 (compiled by the ORM)
        return self.shown(Statement(f"SELECT held, count(*) AS tally FROM {source} GROUP BY held", counted.params))  # noqa: S608 (compiled by the ORM)

    def shown(self, tallies: Statement) -> Statement:
        """The statement that finds value, label and count, where another one finds the values as held, and the counts."""
        named = self.named()
        sql = (
            f"SELECT value, label, tally FROM ({tallies.sql}) AS tallies (held, tally)"  # noqa: S608 (compiled by the ORM)
            f" JOIN ({named.sql}) AS named (named, value, label) ON named = held"
            f' ORDER BY tally DESC, value COLLATE "C" LIMIT {MOST_VALUES}'
        )
        return Statement(sql, tallies.params + named.params)


def named_words(labels: Mapping[str, str]) -> Statement:
    """The words of a coded value with their labels."""
    rows = ", ".join(f"({_literal(word)}, {_literal(word)}, {_literal(label)})" for word, label in labels.items())
    return Statement(f"VALUES {rows}", ())


def named_records(model: type[models.Model], key: str) -> Statement:
    """The records of a model: their ids, their keys, and their names or titles."""
    fields = {field.name for field in model._meta.get_fields()}
    label = "name" if "name" in fields else "title"
    return compile_statement(model._base_manager.order_by().values_list("pk", key, label))


def as_json(rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """What a facet's statement found, as it is answered."""
    return [{"value": value, "label": label, "count": count} for value, label, count in rows]


def _literal(text: str) -> str:
    return Literal(text).as_string().replace("%", "%%") + "::text"
