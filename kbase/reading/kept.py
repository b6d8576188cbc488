"""What has been read once and is kept for as long as the tables that it rests on stay as they are (see versions).

A key is made of the versions of these tables, so nothing is ever taken out: what has changed has another key. Each
process has its own memory, and behind it the one that it shares with others, if there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from threading import Lock
from typing import Any

import orjson
from cachetools import LRUCache
from django.conf import settings
from django.utils.crypto import salted_hmac

from kbase import shared
from kbase.reading import versions
from kbase.reading.statements import Statement

# About what an entry takes beside its bytes.
OVERHEAD = 300
# No single answer drives all others out.
LARGEST_SHARE = 16
# What nobody asks for any more, because it has another version by now, leaves the shared memory after this time.
SHARED_SECONDS = 60 * 60


class Memory:
    """Bytes by their keys, in so many bytes at most; what was not asked for the longest goes first."""

    def __init__(self, size: int) -> None:
        self._largest = size // LARGEST_SHARE
        self._lock = Lock()
        self._entries: LRUCache[str, bytes] = LRUCache(size, getsizeof=lambda value: len(value) + OVERHEAD)

    def get(self, key: str) -> bytes | None:
        """What is kept under the key."""
        with self._lock:
            return self._entries.get(key)

    def has_room(self, size: int) -> bool:
        """Whether a value of so many bytes is kept."""
        return size + OVERHEAD <= self._largest

    def keep(self, key: str, value: bytes) -> None:
        """Keep the value, unless it is too large."""
        if self.has_room(len(value)):
            with self._lock:
                self._entries[key] = value


memory = Memory(settings.CACHE_KIB * 1024)


def get(key: str) -> bytes | None:
    """What is kept under the key."""
    found = memory.get(key)
    if found is None and shared.is_shared():
        found = shared.get(key)
        if found is not None:
            memory.keep(key, found)
    return found


def keep(key: str, value: bytes) -> None:
    """Keep the value; it may be forgotten at any time."""
    memory.keep(key, value)
    if shared.is_shared():
        shared.put(key, value, SHARED_SECONDS)


def has_room(size: int) -> bool:
    """Whether a value of so many bytes is kept anywhere, so that it is worth the making."""
    return memory.has_room(size) or shared.is_shared()


def rows(statement: Statement, values: Mapping[str, Any]) -> list[Any]:
    """The rows of a statement, as lists; its columns are texts and whole numbers."""
    reading = versions.current()
    if reading is None:
        return statement.rows(values)
    given = [param.value_in(values) for param in statement.params]
    key = digest(statement.sql, given, reading.changed_at(statement.tables))
    found = reading.found.get(key) or get(key)
    if found is None:
        found = reading.found[key] = orjson.dumps(statement.rows(values))
    else:
        reading.notes(statement.tables)
    result: list[Any] = orjson.loads(found)
    return result


def digest(*parts: Any) -> str:
    """A key that says nothing of its parts, and that no other installation makes of the same parts."""
    return blake2b(repr(parts).encode(), digest_size=16, key=_secret(settings.SECRET_KEY)).hexdigest()


@lru_cache(1)
def _secret(key: str) -> bytes:
    return salted_hmac(__name__, "", secret=key, algorithm="sha256").digest()
