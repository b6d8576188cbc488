"""How many questions one client may ask in a minute, counted for all processes together.

The processes of a machine count in one file that all of them have in memory: each request is counted, save for one in
some millions where two of them write at the same instant. With CACHE_URL the machines tell each other, each whenever a
client has used another hundredth of the limit there. So a client gets at most a hundredth more for each machine, and a
request seldom waits for anybody.

Source: the IETF's draft-ietf-httpapi-ratelimit-headers; RFC 6585, section 4 (429).
"""

import mmap
import struct
import time
from collections.abc import Callable
from functools import cache, lru_cache
from hashlib import blake2b
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from kbase import shared
from kbase.middleware import problem

WINDOW_SECONDS = 60
# An address of version 6 is one of 2^64 that its reader may choose from.
NETWORK_BITS = 64


class Counts:
    """The counts of clients, in a file: a table of slots. Each client has eight that may become its own.

    Who finds no place drives out the smallest of the oldest counts. It is all lost with the file, and no harm done.
    """

    # The client, the window, its requests here, those elsewhere as far as we know, and how many of ours are known there.
    slot = struct.Struct("=QIIII")
    ways = 8
    slots = 2**16

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        with path.open("a+b") as file:
            file.truncate(self.slot.size * self.slots)
            self._table = mmap.mmap(file.fileno(), 0)

    def add(self, client: int, window: int) -> int:
        """Count a request; returns how many the client has made in this window, this one included."""
        place = self._place(client)
        ours, others, told = self._read(place, client, window)
        ours += 1
        self.slot.pack_into(self._table, place, client, window, ours, others, told)
        if shared.is_shared() and ours - told >= max(1, settings.RATE_LIMIT // 100):
            others = self._tell(place, client, window, ours - told)
        return ours + others

    def _tell(self, place: int, client: int, window: int, news: int) -> int:
        """Tell the other machines of our news; returns theirs."""
        total = shared.increase(f"requests:{client:x}:{window}", news, 2 * WINDOW_SECONDS)
        # Meanwhile, others of us have counted.
        ours, others, told = self._read(place, client, window)
        if total is not None:
            told += news
            others = max(0, total - told)
        self.slot.pack_into(self._table, place, client, window, ours, others, told)
        return others

    def _read(self, place: int, client: int, window: int) -> tuple[int, int, int]:
        owner, since, ours, others, told = self.slot.unpack_from(self._table, place)
        return (ours, others, told) if (owner, since) == (client, window) else (0, 0, 0)

    def _place(self, client: int) -> int:
        """Where the client's slot is, or that of whom it drives out."""
        first = client % (self.slots // self.ways) * self.ways * self.slot.size
        places = range(first, first + self.ways * self.slot.size, self.slot.size)
        for place in places:
            if self.slot.unpack_from(self._table, place)[0] == client:
                return place
        return min(places, key=lambda place: self.slot.unpack_from(self._table, place)[1:3])


class Throttle:
    """Refuse what a client asks of the API beyond its limit, and tell on each answer how much is left."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.RATE_LIMIT:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.policy = f'"requests";q={settings.RATE_LIMIT};w={WINDOW_SECONDS}'

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        now = time.time()
        left = settings.RATE_LIMIT - counts().add(client_of(request), int(now) // WINDOW_SECONDS)
        wait = WINDOW_SECONDS - int(now) % WINDOW_SECONDS
        response = self.get_response(request) if left >= 0 else _refusal(request, wait)
        response["RateLimit-Policy"] = self.policy
        response["RateLimit"] = f'"requests";r={max(0, left)};t={wait}'
        return response


@cache
def counts() -> Counts:
    """The counts of this machine."""
    return Counts(settings.KBASE_HOME / "requests")


def client_of(request: HttpRequest) -> int:
    """Who asks: the address that the outermost of our proxies was asked from. What stands before it, clients may invent."""
    address: str = request.META.get("REMOTE_ADDR", "")
    if settings.PROXIES:
        through = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(through) >= settings.PROXIES:
            address = through[-settings.PROXIES] or address
    return numbered(address)


@lru_cache(10_000)
def numbered(address: str) -> int:
    """A number for the address, the same in all processes; those of one network of version 6 have the same."""
    return int.from_bytes(blake2b(_network(address), digest_size=8).digest())


def _network(address: str) -> bytes:
    try:
        found: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        # A socket has none.
        return b""
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    return found.packed[: NETWORK_BITS // 8]


def _refusal(request: HttpRequest, wait: int) -> HttpResponseBase:
    detail = f"You may ask {settings.RATE_LIMIT} times in {WINDOW_SECONDS} seconds. Go on in {wait} seconds."
    response = problem(request, HTTPStatus.TOO_MANY_REQUESTS, detail)
    response["Retry-After"] = str(wait)
    return response
