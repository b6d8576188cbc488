"""Rows on their way into the database: numbered, completed by the models' defaults, and sent by COPY."""

from typing import Any

from django.db import connection, models


class Table:
    """The rows of a model that wait to be written. Values are those of the database, days ISO texts.

    columns: those whose values are given with each row, in this order; the others have the model's defaults.
    """

    def __init__(self, model: Any, columns: str) -> None:
        self.model = model
        self.named = columns.split()
        given = {"id", *self.named}
        others = [field for field in model._meta.concrete_fields if field.column not in given]
        self.others = tuple(field.get_db_prep_save(field.get_default(), connection) for field in others)
        self.columns = ["id", *self.named, *(field.column for field in others)]
        self.last_id = 0
        self.rows: list[tuple[Any, ...]] = []

    def add(self, *values: Any) -> int:
        """Add a row; return its id, which counts from 1."""
        self.last_id += 1
        self.rows.append((self.last_id, *values, *self.others))
        return self.last_id

    def write(self, cursor: Any) -> None:
        """Send the rows that wait, and forget them."""
        if not self.rows:
            return
        names = ", ".join(f'"{column}"' for column in self.columns)
        with cursor.copy(f'COPY "{self.model._meta.db_table}" ({names}) FROM STDIN') as copy:
            for row in self.rows:
                copy.write_row(row)
        self.rows = []


def link_table(field: "models.ManyToManyField[Any, Any]") -> Table:
    """The rows that link two models: their ids, first that of the model which declares the field."""
    return Table(field.remote_field.through, f"{field.m2m_column_name()} {field.m2m_reverse_name()}")
