"""Reading from streaming replicas of the database.

Within a request that only reads, `connections["default"]` is the connection to a replica. So no query knows of replicas,
and without any (settings.REPLICAS) nothing of this runs.

A replica shows commits in their order, and our changes have their moments in the same order: so it shows all changes up
to its last one. About once a second whoever comes by asks the primary and each replica for their last change. By the
primary's earlier words we know how far a replica is behind (not at all, while nothing is written), whether it has an
editor's last change, and up to which moment it knows all changes. Of a primary that is gone its last word holds.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import count
from math import inf
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

PRIMARY = "default"
LOOK_SECONDS = 1
# What does not answer is asked again after this time, so that a request seldom waits for it.
AWAY_SECONDS = 5
# Before all that was ever changed.
NEVER = datetime.min.replace(tzinfo=UTC)

SEEN = "kbase_seen"
# By then every replica that is used has what the editor wrote.
SEEN_SECONDS = 2 * settings.REPLICA_LAG_SECONDS + 60
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

# The key of the lock under which changes get their moments; the database's functions have it too.
COMMITS = 1802723445
# While we hold it, nobody is between the moment of a change and its commit.
NOBODY_COMMITS = "SELECT pg_try_advisory_xact_lock_shared(%s)"
LAST_CHANGE_AND_NOW = "SELECT as_known.last_change(), clock_timestamp()"
LAST_REPLAYED = "SELECT as_known.last_change() WHERE pg_is_in_recovery()"

# PostgreSQL's codes of what another server may answer: a statement that was in the way of replaying (two of them).
IN_THE_WAY = ("40001", "40P01")
TOOK_TOO_LONG = "57014"

logger = logging.getLogger(__name__)


class BehindError(OperationalError):
    """The replica may not know yet all that is asked for."""


@dataclass(frozen=True)
class Word:
    """What the primary said, and when (by time.monotonic): the moment of its last change.

    settled_at: no change will have this or an earlier moment that it had not by then; None where it could not say.
    """

    said_at: float
    last_change: datetime
    settled_at: datetime | None


class Primary:
    """What the primary has said lately."""

    def __init__(self, lag_limit: int) -> None:
        # Words further apart than the limit tell nothing that it asks about.
        self.words: deque[Word] = deque(maxlen=lag_limit // LOOK_SECONDS + 3)

    def heard(self, word: Word) -> None:
        """Remember a word."""
        if self.words and word.last_change < self.words[-1].last_change:
            # Another server has taken its place, without its last commits.
            self.words.clear()
        self.words.append(word)

    def lag(self, last_change: datetime) -> float:
        """How many seconds before its last word, at the most, the primary was where a replica is now."""
        if not self.words:
            return 0
        reached = next(self._up_to(last_change), None)
        return self.words[-1].said_at - reached.said_at if reached else inf

    def known_until(self, last_change: datetime) -> datetime:
        """The moment up to which a replica with this last change knows all changes."""
        moments = (word.settled_at for word in self._up_to(last_change) if word.settled_at)
        return max(last_change, next(moments, NEVER))

    def _up_to(self, last_change: datetime) -> Iterator[Word]:
        return (word for word in reversed(self.words.copy()) if word.last_change <= last_change)


class Replica:
    """A replica, as we last saw it. last_change: the moment of the last one that it shows; None if it did not say."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.last_change: datetime | None = None
        self.away_until = 0.0

    def look(self) -> datetime:
        """Ask it for the moment of its last change. Raises DatabaseError if it does not say."""
        with connections[self.alias].cursor() as cursor:
            cursor.execute(LAST_REPLAYED)
            found = cursor.fetchone()
        if not found:
            raise OperationalError("it is no replica")
        if self.last_change is None:
            logger.info("%s is read from.", self.alias)
        self.last_change = found[0] or NEVER
        return self.last_change

    def leave_out(self, error: Exception) -> None:
        """Do not ask it for some seconds."""
        if self.last_change is not None or not self.away_until:
            logger.warning("%s is left out: %s", self.alias, error)
        self.last_change, self.away_until = None, time.monotonic() + AWAY_SECONDS


class Fleet:
    """The primary and its replicas."""

    def __init__(self, aliases: list[str], lag_limit: int) -> None:
        self.primary, self.lag_limit = Primary(lag_limit), lag_limit
        self.replicas = [Replica(alias) for alias in aliases]
        self._looking = threading.Lock()
        self._look_at = self._ask_primary_at = 0.0
        self._turns = count()

    def look(self) -> None:
        """Ask all where they are, if that was a while ago and nobody else just does it."""
        if time.monotonic() < self._look_at or not self._looking.acquire(blocking=False):
            return
        try:
            self._ask_primary()
            for replica in self.replicas:
                if time.monotonic() >= replica.away_until:
                    with leaving_out(replica):
                        replica.look()
            self._look_at = time.monotonic() + LOOK_SECONDS
        finally:
            self._looking.release()

    def lag(self, replica: Replica) -> float | None:
        """How many seconds a replica is behind, at the most; None if it does not answer."""
        return None if replica.last_change is None else self.primary.lag(replica.last_change)

    def fit(self) -> list[Replica]:
        """The replicas to read from, each time another one first."""
        found = [replica for replica in self.replicas if self._is_fit(replica)]
        turn = next(self._turns) % len(found) if found else 0
        return found[turn:] + found[:turn]

    def _is_fit(self, replica: Replica) -> bool:
        lag = self.lag(replica)
        return lag is not None and lag <= self.lag_limit

    def _ask_primary(self) -> None:
        if time.monotonic() < self._ask_primary_at:
            return
        try:
            word = word_of_primary()
        except (OperationalError, InterfaceError) as error:
            logger.warning("The primary does not answer, so that nobody can write: %s", error)
            self._ask_primary_at = time.monotonic() + AWAY_SECONDS
        else:
            self.primary.heard(word)


class ReadsFromReplicas:
    """Let a replica answer what the API is asked, and the primary all else, and what no replica can answer.

    Who has just written, in the admin, is answered by whoever has what they wrote.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.REPLICAS:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method in SAFE_METHODS:
            return self._read(request) if request.path.startswith("/api/") else self.get_response(request)
        response = self.get_response(request)
        if response.status_code < 400:
            _show_what_is_written(response)
        return response

    def _read(self, request: HttpRequest) -> HttpResponseBase:
        fleet().look()
        fit, seen = fleet().fit(), _last_change_seen(request)
        for replica in fit:
            if response := self._read_from(replica, request, seen):
                return response
        response = self.get_response(request)
        if seen > NEVER and _is_for_another(_error_in(response)):
            # Without the primary an earlier state is better than none.
            earlier = (self._read_from(replica, request, seen=NEVER) for replica in fit)
            return next(filter(None, earlier), response)
        return response

    def _read_from(self, replica: Replica, request: HttpRequest, seen: datetime) -> HttpResponseBase | None:
        """The replica's answer; None if another server has to give it."""
        with leaving_out(replica):
            with reading_from(replica, seen):
                response = self.get_response(request)
            error = _error_in(response)
            if error is None or not _is_for_another(error):
                return response
            if _code(error) not in IN_THE_WAY:
                raise error
        return None


@lru_cache
def fleet() -> Fleet:
    """Those of the settings, as this process sees them."""
    return Fleet(settings.REPLICAS, settings.REPLICA_LAG_SECONDS)


_known_until: ContextVar[datetime | None] = ContextVar("known_until", default=None)


def is_read_from() -> bool:
    """Whether queries go to a replica."""
    return _known_until.get() is not None


def refuse_unless_known(moment: datetime) -> None:
    """Raise BehindError if the replica that is read from may lack changes with this or an earlier moment."""
    known_until = _known_until.get()
    if known_until and moment > known_until:
        raise BehindError(f"the replica knows all changes up to {known_until} only")


@contextmanager
def reading_from(replica: Replica, seen: datetime) -> Iterator[None]:
    """Let all queries go to the replica.

    Raises DatabaseError if it cannot be reached, and BehindError if it does not show the change made at the moment `seen`.
    """
    connection, primary = connections[replica.alias], connections[PRIMARY]
    connection.close_if_health_check_failed()
    if connection.connection is None:
        # It may have been started again, and be further back than it was.
        replica.look()
    last_change = replica.last_change or NEVER
    if last_change < seen:
        raise BehindError("the replica does not show yet what the reader wrote")
    token = _known_until.set(fleet().primary.known_until(last_change))
    connections[PRIMARY] = connection
    try:
        yield
    finally:
        connections[PRIMARY] = primary
        _known_until.reset(token)


@contextmanager
def leaving_out(replica: Replica) -> Iterator[None]:
    """Leave the replica out if it fails; to be behind is no failure."""
    try:
        yield
    except BehindError:
        pass
    except (DatabaseError, InterfaceError) as error:
        replica.leave_out(error)


def word_of_primary() -> Word:
    """Ask the primary for its last change. Raises OperationalError if it does not answer."""
    with transaction.atomic(PRIMARY), connections[PRIMARY].cursor() as cursor:
        cursor.execute(NOBODY_COMMITS, [COMMITS])
        [is_settled] = cursor.fetchone()
        # A statement of its own, so that it sees what was committed before the lock was ours.
        cursor.execute(LAST_CHANGE_AND_NOW)
        last_change, now = cursor.fetchone()
    return Word(time.monotonic(), last_change or NEVER, now if is_settled else None)


def _show_what_is_written(response: Any) -> None:
    """Have the reader's next requests answered by who shows what is written by now."""
    with suppress(OperationalError, InterfaceError):
        seen = word_of_primary().last_change.isoformat()
        response.set_signed_cookie(
            SEEN, seen, max_age=SEEN_SECONDS, secure=settings.HTTPS, httponly=True, samesite="Lax"
        )


def _last_change_seen(request: HttpRequest) -> datetime:
    if SEEN not in request.COOKIES:
        return NEVER
    seen = request.get_signed_cookie(SEEN, None, max_age=SEEN_SECONDS)
    return datetime.fromisoformat(seen) if seen else NEVER


def _error_in(response: HttpResponseBase) -> Exception | None:
    """The error of the database that the response tells of (see problems)."""
    return getattr(response, "database_error", None)


def _is_for_another(error: Exception | None) -> bool:
    """Whether another server may do better."""
    return error is not None and _code(error) != TOOK_TOO_LONG


def _code(error: Exception | None) -> str | None:
    return getattr(error.__cause__, "sqlstate", None) if error else None
