"""The second clock: what our records said at a moment. (The first, `on`, is a day in the world.)

The database keeps its part of it: a schema `as_known` of views that have the names of our tables and rebuild their rows
as of the setting `kbase.known_at`, a function `last_under` that finds the row that had a key, and moments of changes
that are given in the order of commits, under a lock.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connections, transaction

from kbase.reading import replicas
from kbase.reading.problems import BadRequest, Fault
from kbase.reading.replicas import COMMITS
from kbase.reading.values import read_moment

# To look up more changed rows than these for all tables costs more than for the tables of a question.
MOST_GATHERED = 50_000

_moment: ContextVar[datetime | None] = ContextVar("known_at", default=None)


def moment_asked(sent: Mapping[str, str]) -> datetime | None:
    """The moment that is asked about; None for now, and for a malformed one, which is told with the other faults."""
    try:
        return read_moment("known_at", sent["known_at"]) if "known_at" in sent else None
    except BadRequest:
        return None


def current() -> datetime | None:
    """The moment that queries see now; None for what our records say now."""
    return _moment.get()


@contextmanager
def known_at(moment: datetime | None, using: str = "default") -> Iterator[None]:
    """Let all queries see our records as of this moment; None leaves them as they are.

    Raises BadRequest for a moment that is not past: what we will say then is not known.
    """
    if moment is None:
        yield
        return
    # Within somebody's transaction, each statement may see more than the one before.
    sees_one_snapshot = not connections[using].in_atomic_block
    _wait_for_earlier(moment, using)
    with transaction.atomic(using):
        _look_back(moment, using, sees_one_snapshot=sees_one_snapshot)
        token = _moment.set(moment)
        try:
            yield
        finally:
            _moment.reset(token)
        # Only read, so nothing is lost; within a larger transaction it ends the settings, which a commit would not. A
        # commit, on the other hand, keeps the statements that are prepared.
        transaction.set_rollback(not sees_one_snapshot, using)


@dataclass(frozen=True)
class Past:
    """The row that a key led to last, and, if it is no longer there, when it went, by what kind of change and why."""

    row_id: int
    gone_at: datetime | None
    kind: str | None
    reason: str | None


def past_of(table: str, key: str, using: str = "default") -> Past | None:
    """What became of the row of a table that had this key last; None if none ever had."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT row_id, gone_at, kind, reason FROM as_known.last_under(%s, %s)", [table, key])
        found = cursor.fetchone()
    return Past(*found) if found else None


def shown(moment: datetime | None) -> str | None:
    """The moment as answers repeat it: in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _wait_for_earlier(moment: datetime, using: str) -> None:
    """Wait until all changes can be seen whose moments are earlier.

    Raises BadRequest for a moment that is not past, and BehindError on a replica that may lack such changes.
    """
    if replicas.is_read_from():
        # Locks do not reach replicas.
        replicas.refuse_unless_known(moment)
        return
    with connections[using].cursor() as cursor:
        # Who has been given an earlier moment holds the lock until all can see its changes.
        cursor.execute(
            "SELECT pg_advisory_lock_shared(%s), pg_advisory_unlock_shared(%s), %s < clock_timestamp()",
            [COMMITS, COMMITS, moment],
        )
        if not cursor.fetchone()[2]:
            detail = "known_at is a moment to come; ask for a past one, or leave it out for what we say now."
            raise BadRequest([Fault("known_at", "out_of_range", detail)])


def _look_back(moment: datetime, using: str, *, sees_one_snapshot: bool) -> None:
    """Let the statements of this transaction see the views of `as_known` as of the moment."""
    with connections[using].cursor() as cursor:
        # What changed since is looked up once, and holds for all statements, if no later change is seen by any of them.
        gathered = ", as_known.gather(%s)" if sees_one_snapshot else ""
        if sees_one_snapshot:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(
            "SELECT set_config('search_path', 'as_known,' || current_setting('search_path'), true),"
            f" set_config('kbase.known_at', %s, true){gathered}",
            [moment.isoformat(), *([MOST_GATHERED] if sees_one_snapshot else [])],
        )
