"""What the floor has to do for a request: the statements that we run for it, and where their rows stand in the answer."""

from collections.abc import Iterable
from typing import Any

import psycopg
from django.db import connection
from django.test import Client
from psycopg.adapt import Loader

from bench.load import HOST


class UnknownRowsError(Exception):
    """None of the statements of a request has the rows that its answer shows."""


class _Bytes(Loader):
    def load(self, data: Any) -> bytes:
        return bytes(data)


def plans(addresses: Iterable[str]) -> dict[str, dict[str, Any]]:
    """By address: its statements with their parameters, which of them has the rows, and what stands around these.

    To be asked with all caches off, so that every statement is run.
    """
    return {address: _plan(address) for address in addresses}


def _plan(address: str) -> dict[str, Any]:
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, statement: Any, params: Any, many: bool, context: Any) -> Any:
        statements.append((statement, list(params or [])))
        return execute(statement, params, many, context)

    client = Client(headers={"host": HOST})
    # Keys of small tables are looked up once and kept; what is asked each time is what is asked the second time.
    client.get(address)
    with connection.execute_wrapper(note):
        body = client.get(address).content
    if b'"results":[]' in body:
        return {"statements": statements, "shown": 0, "count": 0, "head": body, "tail": b""}
    for number, (statement, params) in enumerate(statements):
        rows = _first_column(statement, params)
        for shown in (rows, rows[:-1]):
            joined = b",".join(shown) if shown and all(isinstance(row, bytes) for row in shown) else b""
            if joined and joined in body:
                head, tail = body.split(joined)
                return {"statements": statements, "shown": number, "count": len(shown), "head": head, "tail": tail}
    raise UnknownRowsError(address)


def _first_column(statement: str, params: list[Any]) -> list[Any]:
    connection.ensure_connection()
    cursor = psycopg.Cursor(connection.connection)
    cursor.adapters.register_loader("json", _Bytes)
    cursor.execute(statement.encode(), params)
    return [row[0] for row in cursor.fetchall()] if cursor.description else []
