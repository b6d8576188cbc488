"""Cursors whose statements PostgreSQL prepares."""

from typing import Any

import psycopg
from django.db import connections
from psycopg.adapt import Loader


class _Bytes(Loader):
    def load(self, data: Any) -> bytes:
        return bytes(data)


def prepared_cursor(using: str = "default", name: str | None = None) -> Any:
    """A cursor with values bound by the server, so that statements are prepared once and planned once.

    name: of a cursor that the database keeps, within a transaction, and gives its rows from as they are fetched.
    """
    connection = connections[using]
    connection.ensure_connection()
    cursor: Any = psycopg.Cursor(connection.connection)
    if name:
        cursor = psycopg.ServerCursor(connection.connection, name)
    cursor.adapters.register_loader("json", _Bytes)
    # Django's wrapper counts the query, logs it, and speaks of errors in Django's words.
    return connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
