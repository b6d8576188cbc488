"""The floor: no framework, the very statements that kbase runs for a request, and their rows joined to its answer.

PLANS names a file with the requests that it knows (see bench/plans.py); DATABASE_URL says which database, and PGOPTIONS,
which libpq reads, what kbase sets for its connections.
"""

import os
import pickle
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg
from psycopg.adapt import Loader

PLANS = pickle.loads(Path(os.environ["PLANS"]).read_bytes())  # noqa: S301 (the bench has just written it)
local = threading.local()


class Bytes(Loader):
    def load(self, data: Any) -> bytes:
        return bytes(data)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    address = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}".removesuffix("?")
    if address == "/healthz":
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]
    plan = PLANS[address]
    cursor = _cursor()
    rows: list[Any] = []
    for number, (statement, params) in enumerate(plan["statements"]):
        cursor.execute(statement, params)
        found = cursor.fetchall()
        if number == plan["shown"]:
            rows = found
    body = plan["head"] + b",".join([row[0] for row in rows[: plan["count"]]]) + plan["tail"]
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def _cursor() -> Any:
    if not hasattr(local, "cursor"):
        connection = psycopg.connect(
            os.environ["DATABASE_URL"],
            autocommit=True,
            prepare_threshold=2,
        )
        local.cursor = connection.cursor()
        local.cursor.adapters.register_loader("json", Bytes)
    return local.cursor
