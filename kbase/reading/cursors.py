"""Cursors whose statements PostgreSQL prepares."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from threading import local
from typing import Any

import psycopg
from django.db import connections
from psycopg.adapt import Loader

# As many as statements are kept (see answers).
TEXTS_KEPT = 4000

_PLACEHOLDER = re.compile(r"%(.)")


class _Bytes(Loader):
    def load(self, data: Any) -> bytes:
        return bytes(data)


class _Cursor(psycopg.RawCursor[tuple[Any, ...]]):
    """Takes the ORM's placeholders, which it numbers as PostgreSQL does: psycopg would take a long text apart each time."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query if params is None else _numbered(query), params, **options)


# One for each connection of the thread, by its alias.
_cursors = local()


def fetched(sql: str, params: Sequence[Any] | None = None, using: str = "default") -> list[tuple[Any, ...]]:
    """The rows of a statement whose values are bound by the server, so that it is prepared once and planned once.

    A column of type json comes as the bytes that PostgreSQL rendered.
    """
    connection = connections[using]
    connection.ensure_connection()
    cursor = _cursor_on(connection)
    # Django's wrapper counts the query, logs it, and speaks of errors in Django's words.
    wrapped = connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
    wrapped.execute(sql, params)
    return cursor.fetchall()


def kept_by_the_database(name: str, using: str = "default") -> Any:
    """A cursor that the database keeps, within a transaction, and gives its rows from as they are fetched."""
    connection = connections[using]
    connection.ensure_connection()
    cursor: Any = psycopg.ServerCursor(connection.connection, name)
    cursor.adapters.register_loader("json", _Bytes)
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)


def _cursor_on(connection: Any) -> _Cursor:
    cursor: _Cursor | None = _cursors.__dict__.get(connection.alias)
    if cursor is None or cursor.connection is not connection.connection:
        cursor = _cursors.__dict__[connection.alias] = _Cursor(connection.connection)
        cursor.adapters.register_loader("json", _Bytes)
    return cursor


@lru_cache(TEXTS_KEPT)
def _numbered(sql: str) -> bytes:
    numbers = count(1)
    return _PLACEHOLDER.sub(lambda found: f"${next(numbers)}" if found[1] == "s" else found[1], sql).encode()
