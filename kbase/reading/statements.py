"""Querysets compiled once into statements, and statements run as they are.

The ORM writes the SQL: it knows aliases, joins and correlation. It writes it once for each shape of request; what
differs between two requests of one shape are the values of its Params.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from psycopg.sql import Literal

from kbase.reading import clock, versions
from kbase.reading.cursors import fetched, kept_by_the_database
from kbase.reading.expressions import Param

# A few hundred kilobytes of rendered records.
ROWS_AT_ONCE = 200

_PLACEHOLDER = re.compile(r"%(.)")
_READ_FROM = re.compile(r'\b(?:FROM|JOIN)\s+(?:LATERAL\s+)?"?(\w+)')


@dataclass(frozen=True)
class Statement:
    """A statement and the parameters that it takes, in their order."""

    sql: str
    params: tuple[Param, ...]

    @cached_property
    def tables(self) -> frozenset[str]:
        """The tables that it reads, and whatever else it reads from."""
        return frozenset(_READ_FROM.findall(self.sql))

    def rows(self, values: Mapping[str, Any], using: str = "default") -> list[tuple[Any, ...]]:
        """Run it with these values; a column of type json comes as the bytes that PostgreSQL rendered."""
        return self._run(self.sql, values, using)

    def array(self, values: Mapping[str, Any]) -> bytes:
        """Run it with these values; its rows, of one column, come as one JSON array.

        With them comes what versions the tables have, which so need not be asked for after it.
        """
        [[rows, seen]] = self._run(self._of_array if clock.current() else self._of_array_and_versions, values)
        versions.saw(seen)
        found: bytes = rows
        return found

    @cached_property
    def _of_array(self) -> str:
        return f"SELECT array_to_json(ARRAY({self.sql})), NULL::text"

    @cached_property
    def _of_array_and_versions(self) -> str:
        return f"SELECT array_to_json(ARRAY({self.sql})), ({versions.VERSIONS})"

    def _run(self, sql: str, values: Mapping[str, Any], using: str = "default") -> list[tuple[Any, ...]]:
        # What looks back is another statement to PostgreSQL, which would else plan one of them anew at each turn.
        sql = f"/* as known */ {sql}" if clock.current() else sql
        versions.note(self.tables)
        return fetched(sql, [param.value_in(values) for param in self.params], using)

    def batches(self, values: Mapping[str, Any], using: str = "default") -> Iterator[list[tuple[Any, ...]]]:
        """Run it, and give its rows a few at a time, all of them as of one moment, however many there are."""
        versions.note(self.tables)
        # The database's cursor looks at one snapshot from its first row to its last.
        with transaction.atomic(using), kept_by_the_database("batches", using) as cursor:
            cursor.execute(self.sql, [param.value_in(values) for param in self.params])
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                yield rows


def compile_statement(rows: QuerySet, using: str = "default") -> Statement:
    """The queryset as a statement. Constants stand in its text, where the planner sees them; Params stay open."""
    sql, params = rows.query.get_compiler(using).as_sql()
    given = iter(params)
    left_open: list[Param] = []

    def fill(match: re.Match[str]) -> str:
        if match[1] != "s":
            return match[0]
        value = next(given)
        if isinstance(value, Param):
            left_open.append(value)
            return "%s"
        return Literal(value).as_string().replace("%", "%%")

    return Statement(_PLACEHOLDER.sub(fill, sql), tuple(left_open))


def counting(statement: Statement) -> Statement:
    """The statement that counts the rows of another."""
    return Statement(f"SELECT count(*) FROM ({statement.sql}) AS matches", statement.params)  # noqa: S608 (compiled by the ORM)


def added(one: Statement, other: Statement) -> Statement:
    """The statement that adds the counts of two."""
    return Statement(f"SELECT ({one.sql}) + ({other.sql})", one.params + other.params)
