"""Data versions: what was read of some tables is as true as it was for as long as their versions stay.

The database keeps its part of it: a table `data_version` with the moment of the last change of each table, bumped by the
changing transaction as it ends. A table that is not in it, such as one that triggers fill, may rest on all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections, transaction

from kbase.reading.cursors import fetched

# Of an answer that may rest on any table.
EVERYTHING = frozenset(["*"])

# As one text, which is read anew only when it is another one. In floats, which hold microseconds until the year 2255, and in
# any order: half of what it costs by decimals and sorted, and each answer asks twice.
VERSIONS = """
SELECT string_agg("table" || ' ' || coalesce((date_part('epoch', moment) * 1000000)::bigint, 0), ',') FROM data_version
""".strip()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Versions:
    """The versions of all tables at a moment, in microseconds since 1970; 0 for a table that was never changed."""

    of_table: dict[str, int]
    _together: dict[frozenset[str], int] = field(default_factory=dict, compare=False, repr=False)

    def of(self, tables: frozenset[str]) -> int:
        """The version of these tables together: the moment of the last change of any of them."""
        if (found := self._together.get(tables)) is None:
            known = tables <= self.of_table.keys()
            moments = (self.of_table[table] for table in tables) if known else self.of_table.values()
            found = self._together[tables] = max(moments, default=0)
        return found


@dataclass
class Reading:
    """What one answer is made of.

    versions: those before its first statement. moment: the past one that it speaks of, which no change can alter any more.
    tables: those of its statements so far. statements: how many there were, run or kept. found: what is worth keeping, by its key.
    seen: the versions that a statement saw, and how many statements there were by then.
    """

    versions: Versions
    moment: datetime | None
    tables: frozenset[str] = frozenset()
    statements: int = 0
    found: dict[str, bytes] = field(default_factory=dict)
    seen: tuple[Versions, int] | None = None

    def notes(self, tables: frozenset[str]) -> None:
        """Note a statement, and the tables that it reads."""
        self.tables |= tables
        self.statements += 1

    def changed_at(self, tables: frozenset[str]) -> datetime | None:
        """When these tables were last changed, as far as the answer knows; None if they never were."""
        return self.moment or _as_moment(self.versions.of(tables))

    def is_of_one_state(self) -> bool:
        """Whether all statements have seen the same: there was only one, or nothing was changed since the first."""
        is_one = self.statements < 2 and not self.tables >= EVERYTHING
        return is_one or self.moment is not None or self._last().of(self.tables) == self.versions.of(self.tables)

    def _last(self) -> Versions:
        """The versions as they are now, or as the last statement saw them."""
        versions, statements = self.seen or (None, 0)
        return versions if versions and statements == self.statements else read()


_reading: ContextVar[Reading | None] = ContextVar("reading", default=None)


@contextmanager
def reading(moment: datetime | None) -> Iterator[Reading]:
    """Note what the statements within the block read. moment: the past one that is asked about."""
    found = Reading(Versions({}) if moment else read(), moment)
    token = _reading.set(found)
    try:
        yield found
    finally:
        _reading.reset(token)


@contextmanager
def snapshot() -> Iterator[None]:
    """Let all statements within the block see the same, whatever is changed meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def current() -> Reading | None:
    """What is being read; None outside of an answer."""
    return _reading.get()


def note(tables: frozenset[str]) -> None:
    """Note a statement of what is being answered, and the tables that it reads."""
    if found := current():
        found.notes(tables)


def saw(text: str | None) -> None:
    """Note the versions that the last statement saw (see VERSIONS)."""
    if found := current():
        found.seen = (_understood(text or ""), found.statements)


def read() -> Versions:
    """The versions as they are now.

    It is an answer's first statement, and so tells whether the connection still stands: no other test is needed.
    """
    database = connections[DEFAULT_DB_ALIAS]
    is_first = not database.health_check_done and not database.in_atomic_block
    database.health_check_done = True
    try:
        return _read()
    except (OperationalError, InterfaceError):
        if not is_first:
            raise
        database.close()
        return _read()


def _read() -> Versions:
    [[text]] = fetched(VERSIONS)
    return _understood(text or "")


def _as_moment(version: int) -> datetime | None:
    return _EPOCH + timedelta(microseconds=version) if version else None


@lru_cache(2)
def _understood(text: str) -> Versions:
    pairs = (pair.split(" ") for pair in text.split(",") if pair)
    return Versions({table: int(version) for table, version in pairs})
