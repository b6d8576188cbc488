"""One list made of rows of several models: a UNION ALL, whose parts the ORM writes."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Expression, Field

from kbase.reading.statements import Statement


class Outer(Expression):
    """A column of what a part stands beside (see `beside`): `page.<name>`."""

    def __init__(self, name: str, output_field: Field) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return f"page.{self.name}", []


def union(parts: Iterable[Statement]) -> Statement:
    """The rows of all parts; there is one part at least, and all have the same columns."""
    found = list(parts)
    sql = " UNION ALL ".join(f"({part.sql})" for part in found)
    return Statement(sql, tuple(param for part in found for param in part.params))


def first_rows(rows: Statement, columns: str, size: int, *, is_descending: bool = False) -> Statement:
    """The first rows by all of their columns, whose names are given with commas between them."""
    names = columns.split(",")
    order = ", ".join(f"{name} DESC" if is_descending else name for name in names)
    sql = f"SELECT * FROM ({rows.sql}) AS every ({', '.join(names)}) ORDER BY {order} LIMIT {int(size)}"  # noqa: S608 (compiled by the ORM)
    return Statement(sql, rows.params)


def beside(page: Statement, parts: Iterable[Statement], order: str) -> Statement:
    """For each row of the page what the parts tell of it, in this order: the row's columns, then theirs.

    The parts know the row's columns as Outer.
    """
    told = union(parts)
    sql = f"SELECT page.*, told.* FROM ({page.sql}) AS page CROSS JOIN LATERAL ({told.sql}) AS told ORDER BY {order}"  # noqa: S608 (compiled by the ORM)
    return Statement(sql, page.params + told.params)
