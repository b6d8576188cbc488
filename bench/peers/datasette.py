"""Policies by Datasette: the world copied into SQLite as one would publish it, and a query written for each question.

The rows are as the copy has them, status included, which is that of the day of the copy; lists of an answer are texts of JSON.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from bench import worlds
from regulations.models import Policy, PolicyRegulator

CHUNK = 2000
TABLES = """
CREATE TABLE policies (
    id INTEGER PRIMARY KEY, slug TEXT, title TEXT, abbreviation TEXT, kind TEXT, status TEXT, jurisdiction TEXT,
    jurisdiction_name TEXT, reference TEXT, official_url TEXT, introduced_on TEXT, effective_from TEXT,
    effective_until TEXT, summary TEXT
);
CREATE TABLE policy_topics (
    policy_id INTEGER, topic TEXT, name TEXT, PRIMARY KEY (policy_id, topic)
) WITHOUT ROWID;
CREATE TABLE policy_regulators (
    policy_id INTEGER, role TEXT, regulator TEXT, name TEXT, PRIMARY KEY (policy_id, role, regulator)
) WITHOUT ROWID;
"""
INDEXES = """
CREATE INDEX newest ON policies (introduced_on DESC, slug);
CREATE INDEX newest_by_jurisdiction ON policies (jurisdiction, introduced_on DESC, slug);
CREATE INDEX topics ON policy_topics (topic, policy_id);
ANALYZE;
"""
# SQLite sorts what is unknown last in descending order, as we do.
SHOWN = """
SELECT slug, title, abbreviation, kind, status, jurisdiction, jurisdiction_name, reference, official_url,
    introduced_on, effective_from, effective_until, summary,
    (SELECT json_group_array(json_object('slug', regulator, 'name', name, 'role', role))
        FROM policy_regulators WHERE policy_id = policies.id) AS regulators,
    (SELECT json_group_array(json_object('slug', topic, 'name', name))
        FROM policy_topics WHERE policy_id = policies.id) AS topics
FROM policies {} ORDER BY introduced_on DESC, slug LIMIT 50
"""
IN_FORCE = """
WHERE jurisdiction = :jurisdiction
AND EXISTS (SELECT 1 FROM policy_topics WHERE policy_id = policies.id AND topic = :topic)
AND effective_from <= :on AND (effective_until IS NULL OR effective_until > :on)
"""
QUERIES = {"newest": {"sql": SHOWN.format("")}, "in_force": {"sql": SHOWN.format(IN_FORCE)}}


def prepare(folder: Path, addresses: Sequence[str]) -> dict[str, str]:
    """Copy the world of `connection` unless that is done, and say where the copy and the queries are."""
    copy = folder / str(connection.settings_dict["NAME"]) / "policies.db"
    if _mark_of(copy) != _mark():
        _copy_into(copy)
    queries = folder / "queries.json"
    queries.write_text(json.dumps({"databases": {"policies": {"queries": QUERIES}}}))
    return {"COPY": str(copy), "QUERIES": str(queries)}


def _copy_into(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as copy:
        copy.execute("PRAGMA journal_mode = OFF")
        copy.executescript(TABLES)
        for table, rows in _rows():
            _fill(copy, table, rows)
        copy.executescript(INDEXES)
        # The mark comes last, so that a copy which was broken off is made again.
        copy.execute(f"PRAGMA user_version = {_mark()}")
        copy.commit()


def _rows() -> Iterator[tuple[str, Iterator[Sequence[Any]]]]:
    """The tables with their rows, which the server sends as they are taken."""
    columns = [
        "slug",
        "title",
        "abbreviation",
        "kind",
        "status",
        "jurisdiction__code",
        "jurisdiction__name",
        "reference",
        "official_url",
    ]
    columns += ["introduced_on", "effective_from", "effective_until", "summary"]
    policies = Policy.objects.with_status(timezone.localdate()).order_by("pk").values_list("pk", *columns)
    yield "policies", policies.iterator(CHUNK)
    topics = Policy.topics.through.objects.values_list("policy_id", "topic__slug", "topic__name")
    yield "policy_topics", topics.iterator(CHUNK)
    bodies = PolicyRegulator.objects.order_by().values_list("policy_id", "role", "regulator__slug", "regulator__name")
    yield "policy_regulators", bodies.iterator(CHUNK)


def _fill(copy: sqlite3.Connection, table: str, rows: Iterable[Sequence[Any]]) -> None:
    marks = ", ".join("?" for _ in copy.execute(f"SELECT * FROM {table}").description)  # noqa: S608 (the names are ours)
    copy.executemany(f"INSERT INTO {table} VALUES ({marks})", (_plain(row) for row in rows))  # noqa: S608
    copy.commit()


def _plain(row: Sequence[Any]) -> list[Any]:
    return [value.isoformat() if hasattr(value, "isoformat") else value for value in row]


def _mark() -> int:
    """A number that changes with the world and with this file."""
    made_by = " ".join(sorted(worlds.marks())) + Path(__file__).read_text()
    return zlib.crc32(made_by.encode()) & 0x7FFFFFFF


def _mark_of(file: Path) -> int | None:
    if not file.exists():
        return None
    with closing(sqlite3.connect(file)) as copy:
        found: int = copy.execute("PRAGMA user_version").fetchone()[0]
    return found
