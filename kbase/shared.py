"""What the processes that answer tell each other: texts by key, for a time, and counters.

It lies in the Redis of CACHE_URL, or, without it, in each process on its own (CACHES["shared"]). It may be lost at any
moment, and nothing here ever raises or waits for long: who finds nothing does without, and a store that fails is left
alone for some seconds.
"""

import logging
import time
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import caches

# A store that failed is asked again after this time, so that it costs one short wait in as many seconds.
AWAY_SECONDS = 5

T = TypeVar("T")
logger = logging.getLogger(__name__)

_away_until = 0.0


class Plain:
    """Bytes and whole numbers as Redis keeps them: what others have written there is data, never code to unpickle."""

    def dumps(self, value: bytes | int) -> bytes | int:
        return value

    def loads(self, value: bytes) -> bytes:
        return value


def is_shared() -> bool:
    """Whether other processes see what we put in; if not, a plain dictionary is cheaper."""
    return bool(settings.CACHE_URL)


def get(key: str) -> bytes | None:
    """What was put under the key; None if there is nothing, or nobody to ask."""
    found: bytes | None = _ask(lambda store: store.get(key), None)
    return found


def get_many(keys: Collection[str]) -> dict[str, bytes]:
    """What was put under these keys, as far as there is something; in one turn."""
    found: dict[str, bytes] = _ask(lambda store: store.get_many(keys), {})
    return found


def put(key: str, value: bytes, seconds: int) -> None:
    """Keep the value under the key for so many seconds, or less."""
    _ask(lambda store: store.set(key, value, seconds), None)


def increase(key: str, by: int, seconds: int) -> int | None:
    """Add to the counter, which begins at 0 and is kept for so many seconds from its beginning.

    Returns its value, the additions of all others included; None if there is nobody to ask.
    """

    def add(store: Any) -> int:
        store.add(key, 0, seconds)
        return int(store.incr(key, by))

    return _ask(add, None)


def _ask(question: Callable[[Any], T], otherwise: T) -> T:
    """The store's answer, or `otherwise` if it gives none."""
    global _away_until
    if time.monotonic() < _away_until:
        return otherwise
    try:
        return question(caches["shared"])
    except Exception as error:
        # Whatever it is (a name that does not resolve, a full store, a strange answer), no request fails for it.
        _away_until = time.monotonic() + AWAY_SECONDS
        logger.warning("The shared cache is left out for %s seconds: %s", AWAY_SECONDS, error)
        return otherwise
